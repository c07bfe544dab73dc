import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openBlobStore } from '#engine/blobs/blob-store.ts';
import type { FinishedResult } from '#engine/jobs/engine-api.ts';
import type { ResultId } from '#shared/api/generation.ts';
import { createScene, createSegment } from '#shared/document/create.ts';
import { openLibrary } from './library.ts';
import type { Library, LibraryOptions } from './library-api.ts';

export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'spatext-library-'));
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

export interface Made {
  readonly id: string;
  readonly text?: string;
  readonly segment?: string;
  readonly createdAt?: number;
  readonly parents?: readonly string[];
  readonly picture?: string;
  readonly pack?: string;
  readonly clip?: number | null;
  readonly embedding?: readonly number[];
  readonly x?: number;
}

/** A finished result as the engine hands it over. */
export function finished(made: Made): FinishedResult {
  const segment = made.segment ?? 'a black cat';
  return {
    result: {
      id: `result-${made.id}`,
      job: 'job-1',
      createdAt: made.createdAt ?? 1_700_000_000_000,
      kind: 'generate',
      picture: made.picture ?? made.id.padStart(64, '0').replaceAll(/[^0-9a-f]/g, 'a'),
      width: 512,
      height: 512,
      seed: 7,
      pack: { id: made.pack ?? 'embedded', name: 'Embedded', fingerprint: 'f0f0f0f0' },
      parents: (made.parents ?? []).map((parent): ResultId => `result-${parent}`),
      records: [
        createScene({ text: made.text ?? 'at the beach', width: 256, height: 256 }),
        ...createSegment('cat', segment, [{ kind: 'rect', x: made.x ?? 20, y: 60, width: 90, height: 120 }]),
      ],
      purpose: { kind: 'generate' },
      passes: 48,
      timings: { denoise: 1200.5 },
      scores: [{ segment: 'segment:cat', clip: made.clip ?? null, slot: null, iou: null }],
      globalScore: 0.25,
      warnings: [],
    },
    embeddings: made.embedding
      ? [{ segment: 'segment:cat', text: segment, values: Float32Array.from(made.embedding) }]
      : [],
    space: 'test',
  };
}

export interface TestNotice {
  level: string;
  message: string;
  kept?: string;
}

export async function libraryIn(
  folder: string,
  more: Partial<LibraryOptions> = {},
): Promise<{ library: Library; notices: TestNotice[]; blobs: ReturnType<typeof openBlobStore> }> {
  const notices: TestNotice[] = [];
  const library = await openLibrary({
    folder,
    blobFolder: path.join(folder, 'blobs'),
    onNotice: (notice) => notices.push(notice),
    ...more,
  });
  return { library, notices, blobs: openBlobStore(path.join(folder, 'blobs')) };
}
