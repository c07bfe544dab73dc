import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openBlobStore } from '#engine/blobs/blob-store.ts';
import type { BlobStore } from '#engine/blobs/blob-store.ts';
import { openLibrary } from '#library/library.ts';
import type { Library } from '#library/library-api.ts';
import { createSegment } from '#shared/document/create.ts';
import { Log } from './log.ts';
import { SessionBlobs } from './session-blobs.ts';
import { finished, sampleResult } from './studio.testkit.ts';

let folder: string;
let blobs: BlobStore;
let library: Library;
const open = (): Promise<Library> =>
  openLibrary({ folder: path.join(folder, 'library'), blobFolder: path.join(folder, 'blobs') });
const purge = (keep: Iterable<string>) => library.purge({ olderThanMs: 1e9, budget: 1e12, keep });

beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'spatext-drafts-'));
  blobs = openBlobStore(path.join(folder, 'blobs'));
  library = await open();
});
afterEach(async () => {
  await library.close();
  rmSync(folder, { recursive: true, force: true });
});

it('drafts stay for the session and go at the next, but for those that found a use', async () => {
  const write = (text: string): Promise<string> => blobs.write(new TextEncoder().encode(text));
  const [draft, inScene, inResult, inItem] = await Promise.all(['draft', 'scene', 'result', 'item'].map(write));
  const drafts = new SessionBlobs(Promise.resolve(library), new Log(null));
  for (const hash of [draft, inScene, inResult, inItem]) drafts.note(hash!);
  await drafts.flush();
  await library.add(finished({ ...sampleResult('result-1'), picture: inResult! }));
  const content = { kind: 'image', blob: inItem!, box: null, mask: null } as const;
  await library.addItem({
    name: 'x',
    records: createSegment('x', content, []),
    text: '',
    space: null,
    embedding: null,
  });

  await purge(drafts.hashes);
  for (const hash of [draft, inScene, inResult, inItem]) expect(blobs.has(hash!)).toBe(true);

  await library.close();
  library = await open();
  await purge([inScene!]);
  expect(blobs.has(draft!)).toBe(false);
  for (const hash of [inScene, inResult, inItem]) expect(blobs.has(hash!)).toBe(true);

  // The scene that used it is gone by now.
  await purge([]);
  expect(blobs.has(inScene!)).toBe(false);
  for (const hash of [inResult, inItem]) expect(blobs.has(hash!)).toBe(true);
});
