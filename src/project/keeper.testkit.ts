import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createScene, createSegment } from '#shared/document/create.ts';
import { diffDocuments, invertDiff } from '#shared/document/diff.ts';
import type { RecordsDiff } from '#shared/document/diff.ts';
import { toDocument } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { openKeeper } from './keeper.ts';
import type { DocumentKeeper, KeeperOptions } from './project-api.ts';

/** A folder of its own for one test, removed at its end. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'spatext-test-'));
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

export const beach = (text = 'at the beach'): StudioDocument =>
  toDocument([
    createScene({ text, width: 256, height: 256 }),
    ...createSegment('cat', 'a black cat', [{ kind: 'rect', x: 20, y: 60, width: 90, height: 120 }], { order: 1 }),
    ...createSegment('ball', 'a red ball', [{ kind: 'ellipse', cx: 180, cy: 190, rx: 40, ry: 40 }], { order: 2 }),
  ]);

/** The change that sets the global text. */
export function setText(document: StudioDocument, text: string): { diff: RecordsDiff; next: StudioDocument } {
  const scene = document['scene:main'];
  if (scene?.type !== 'scene') throw new Error('no scene');
  const next = { ...document, 'scene:main': { ...scene, text } };
  return { diff: diffDocuments(document, next), next };
}
export { invertDiff };

export interface Notice {
  level: string;
  message: string;
  kept?: string;
  remedy?: string;
}

export async function keeperIn(
  folder: string,
  more: Partial<KeeperOptions> = {},
): Promise<{ keeper: DocumentKeeper; notices: Notice[] }> {
  const notices: Notice[] = [];
  const keeper = await openKeeper({
    folder: path.join(folder, 'documents'),
    blobFolder: path.join(folder, 'blobs'),
    onNotice: (notice) => notices.push(notice),
    ...more,
  });
  return { keeper, notices };
}
