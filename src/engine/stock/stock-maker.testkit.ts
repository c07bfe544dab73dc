// Scenes for a StockMaker on the recorded checkpoints, run in this process, and what came of them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { z } from 'zod';
import { GenerateRequest } from '#shared/api/generation.ts';
import type { JobProgress } from '#shared/api/generation.ts';
import { createScene, createSegment } from '#shared/document/create.ts';
import type { SegmentRecord, SlotContent } from '#shared/document/records.ts';
import { openBlobStore } from '../blobs/blob-store.ts';
import { CHECKPOINTS } from '../checkpoints/graphs/fixtures.testkit.ts';
import { decodePicture } from '../image/picture.ts';
import type { FinishedResult } from '../jobs/engine-api.ts';
import type { JobContext } from '../pipelines/maker.ts';
import { stockPackReader } from './open-stock.ts';
import { StockMaker } from './stock-maker.ts';
import type { StockMakerOptions } from './stock-maker.ts';

const DEVICE = { id: 'cpu', providers: ['cpu'], threads: 1, fallback: undefined } as const;
export const PIPELINES = join(import.meta.dirname, '../../../test/fixtures/pipelines');
export const SD15 = join(CHECKPOINTS, 'sd15-tiny.safetensors');
/** A folder of this test file's own, and the pictures in it. */
export const folder = await mkdtemp(join(tmpdir(), 'stock-'));
export const blobs = openBlobStore(join(folder, 'blobs'));
afterAll(() => rm(folder, { recursive: true, force: true }));

export interface Told {
  results: FinishedResult[];
  progress: JobProgress[];
  previews: number;
  notices: string[];
}

/** @param side for which the model is said to be trained: with 96 a scene of 128 x 64 is made in one stage */
export async function makerOf(path: string, side = 96, options: StockMakerOptions = {}): Promise<StockMaker> {
  const { opened, summary } = await stockPackReader.open(path);
  return new StockMaker(opened, { ...summary, outputSize: { width: side, height: side } }, DEVICE, options);
}

export type Drawn = { content: SlotContent | string; x: number; more?: Partial<SegmentRecord> };

export function scene(fields: Parameters<typeof createScene>[0], drawn: readonly Drawn[] = []) {
  return [
    createScene({
      width: 128,
      height: 64,
      text: 'a field',
      sampler: { name: 'ddim', steps: 2 },
      seed: 5,
      guidance: { globalScale: 4, localScale: 4 },
      ...fields,
    }),
    ...drawn.flatMap(({ content, x, more }, i) =>
      createSegment(`s${i}`, content, [{ kind: 'rect', x, y: 8, width: 40, height: 48 }], { order: i, ...more }),
    ),
  ];
}

export async function make(
  maker: StockMaker,
  records: ReturnType<typeof scene>,
  more: Omit<z.input<typeof GenerateRequest>, 'records'> = {},
  breathe: () => Promise<void> = async () => undefined,
): Promise<Told> {
  const told: Told = { results: [], progress: [], previews: 0, notices: [] };
  const context: JobContext = {
    job: 'job-test',
    blobs,
    progress: (progress) => void told.progress.push(progress),
    preview: () => void (told.previews += 1),
    picture: () => undefined,
    result: (finished) => void told.results.push(finished),
    notice: (message) => void told.notices.push(message),
    breathe,
  };
  await maker.run(GenerateRequest.parse({ records, ...more }), context);
  return told;
}

export const pictureOf = async (told: Told) => decodePicture(await blobs.read(told.results[0]!.result.picture), 3);
export const largestStep = (a: Uint8Array, b: Uint8Array) =>
  a.reduce((worst, v, i) => Math.max(worst, Math.abs(v - b[i]!)), 0);
export const TWO: Drawn[] = [
  { content: 'a red fox', x: 8 },
  { content: 'the full moon', x: 72, more: { weight: 0.5, negativeText: 'blurry' } },
];
