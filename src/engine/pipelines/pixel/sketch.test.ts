// Packs with a sketch, from the drawn shapes to the picture: networks small enough that every number is known.
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { z } from 'zod';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { GenerateRequest } from '#shared/api/generation.ts';
import type { JobProgress } from '#shared/api/generation.ts';
import { createScene, createSegment } from '#shared/document/create.ts';
import { sceneOf, toDocument } from '#shared/document/document.ts';
import type { DocumentRecord } from '#shared/document/records.ts';
import { NO_BITMAPS } from '#shared/masks/rasterize.ts';
import { openBlobStore } from '../../blobs/blob-store.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { decodePicture } from '../../image/picture.ts';
import type { FinishedResult } from '../../jobs/engine-api.ts';
import { openHashLedger } from '../../packs/hash-ledger.ts';
import { openPack } from '../../packs/open-pack.ts';
import { summaryOf } from '../../packs/pixel-reader.ts';
import { TINY, tinySketch, writeTinyPack } from '../../packs/tiny-pack.testkit.ts';
import { drawSketches, mapFeatures } from '../../spatext/features.ts';
import { sceneFrame } from '../../spatext/frame.ts';
import type { Frame } from '../../spatext/frame.ts';
import { PixelModel } from '../../spatext/pixel-model.ts';
import { maskInFrame, pasteSketches, segmentFrames } from '../../spatext/sketch.ts';
import { SlotFiller } from '../../spatext/slots.ts';
import { PixelMaker } from './pixel-maker.ts';
import { prepareScene } from './prepare.ts';
import type { PreparedScene } from './prepare.ts';

const CPU = { providers: ['cpu'], threads: 1 };
const N = TINY.size;
const PLANE = N * N;
const { sketchChannels: CHANNELS, stChannels } = TINY;
/** Largest difference that the runtime's float32 sums may make. */
const NEAR = 1e-5;

let folder: string;
let blobs: BlobStore;
let withSketch: PixelModel;
let without: PixelModel;
let maker: PixelMaker;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'spatext-sketch-'));
  blobs = openBlobStore(path.join(folder, 'blobs'));
  await writeTinyPack(path.join(folder, 'tiny'));
  await writeTinyPack(path.join(folder, 'plain'), { sketch: false });
  const pack = await openPack(path.join(folder, 'tiny'), openHashLedger());
  withSketch = new PixelModel(pack, CPU);
  without = new PixelModel(await openPack(path.join(folder, 'plain'), openHashLedger()), CPU);
  maker = new PixelMaker(pack, summaryOf(pack), { id: 'cpu', fallback: undefined, ...CPU });
});
afterAll(async () => {
  await Promise.all([withSketch.release(), without.release(), maker.release()]);
  await rm(folder, { recursive: true });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const SIDE = N * TINY.factor;
const scene = (fields: Parameters<typeof createScene>[0] = {}): DocumentRecord[] => [
  createScene({
    width: SIDE,
    height: SIDE,
    text: 'sea',
    sampler: { name: 'ddim', steps: 2 },
    guidance: { mode: 'multi', globalScale: 1, localScale: 1 },
    ...fields,
  }),
  ...createSegment('disc', 'red', [{ kind: 'ellipse', cx: 10, cy: 12, rx: 8, ry: 6 }]),
  ...createSegment('box', 'blue', [{ kind: 'rect', x: 22, y: 20, width: 6, height: 10 }], { order: 1 }),
];
const breathe = async (): Promise<void> => undefined;
const prepare = (records: readonly DocumentRecord[], model = withSketch, frame?: Frame): Promise<PreparedScene> => {
  const document = toDocument(records);
  const on = { phase: () => undefined, breathe };
  return prepareScene(
    document,
    frame ?? sceneFrame(sceneOf(document)),
    model,
    new SlotFiller(model),
    NO_BITMAPS,
    blobs,
    on,
  );
};

/** The sketch map as it must be: [CHANNELS, n, n]. */
function expectedMap(labels: Uint16Array, embeddings: readonly (Float32Array | null)[]): Float32Array {
  const cells = { labels, width: N, height: N };
  const frames = segmentFrames(cells, embeddings.length);
  const sketches = frames.map((frame, i) => {
    const embedding = embeddings[i];
    return frame && embedding ? tinySketch(embedding, maskInFrame(cells, i + 1, frame)) : null;
  });
  return pasteSketches(cells, frames, sketches, CHANNELS);
}
const embeddingsOf = (prepared: PreparedScene) => prepared.segments.map(({ slot }) => slot.embedding);
const featuresOf = (prepared: Pick<PreparedScene, 'features'>): Float32Array =>
  prepared.features?.['st_16']?.data ?? expect.fail('no features');
function expectNear(found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = NEAR): void {
  expect(found.length).toBe(wanted.length);
  for (let i = 0; i < found.length; i += 1)
    if (!(Math.abs(found[i]! - wanted[i]!) <= tolerance)) expect.fail(`${found[i]} at ${i}, expected ${wanted[i]}`);
}
const largest = (values: Float32Array): number => values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);

interface Made {
  readonly results: FinishedResult[];
  readonly pictures: string[];
  readonly progress: JobProgress[];
}
async function run(
  records: DocumentRecord[],
  purpose?: z.input<typeof GenerateRequest>['purpose'],
  by = maker,
): Promise<Made> {
  const made: Made = { results: [], pictures: [], progress: [] };
  await by.run(GenerateRequest.parse({ records, ...(purpose ? { purpose } : {}) }), {
    job: 'job-1',
    blobs,
    progress: (progress) => made.progress.push(progress),
    preview: () => undefined,
    picture: (_index, picture) => made.pictures.push(picture),
    result: (finished) => made.results.push(finished),
    breathe,
  });
  return made;
}
/** One colour of a picture, back in -1..1, by cell of the map. */
async function colours(hash: string, channel: number): Promise<number[]> {
  const { data, width } = await decodePicture(await blobs.read(hash), 3);
  const scale = width / N;
  return Array.from({ length: PLANE }, (_, cell) => {
    const [x, y] = [(cell % N) * scale, Math.floor(cell / N) * scale];
    return data[(y * width + x) * 3 + channel]! / 127.5 - 1;
  });
}
const QUANTISED = 1.01 / 255;
const clipped = (values: Float32Array): Float32Array => values.map((value) => Math.min(1, Math.max(-1, value)));

describe('features of a map with sketches', () => {
  test('the sketches stand at the end of the finest map, in the cells of their segments', async () => {
    const prepared = await prepare(scene());
    expect(prepared.segments).toHaveLength(2);
    const wanted = expectedMap(prepared.labels, embeddingsOf(prepared));
    expect(largest(wanted)).toBeGreaterThan(0.1);
    const found = featuresOf(prepared);
    expect(found).toHaveLength((stChannels + CHANNELS) * PLANE);
    expectNear(found.subarray(stChannels * PLANE), wanted);
  });

  test('what stands before them is what a pack without a sketch gives', async () => {
    const [prepared, plain] = [await prepare(scene()), await prepare(scene(), without)];
    expect(featuresOf(plain)).toHaveLength(stChannels * PLANE);
    expectNear(featuresOf(prepared).subarray(0, stChannels * PLANE), featuresOf(plain));
  });

  test('a frame of its own: what the segment owns there is drawn there', async () => {
    const whole = await prepare(scene());
    const close = await prepare(scene(), withSketch, { x: 14, y: 14, side: 16 });
    expect(close.labels).not.toEqual(whole.labels);
    const wanted = expectedMap(close.labels, embeddingsOf(close));
    expect(largest(wanted)).toBeGreaterThan(0.1);
    expectNear(featuresOf(close).subarray(stChannels * PLANE), wanted);
  });

  test('a wide canvas: what lies beyond it is nobody’s', async () => {
    const prepared = await prepare(scene({ width: 64, height: 32 }));
    const map = featuresOf(prepared).subarray(stChannels * PLANE);
    expectNear(map, expectedMap(prepared.labels, embeddingsOf(prepared)));
    expect(largest(map.subarray(0, 4 * N))).toBe(0);
  });

  test('negative texts get sketches of their own; a segment without one stays empty', async () => {
    const records = scene();
    const disc = records.find(({ id }) => id === 'segment:disc');
    if (disc?.type !== 'segment') expect.fail('no disc');
    const prepared = await prepare(
      records.map((record) => (record === disc ? { ...disc, negativeText: 'sea' } : record)),
    );
    const { text } = await withSketch.encodeTexts(['sea']);
    const wanted = expectedMap(
      prepared.labels,
      prepared.segments.map(({ record }) => (record.id === 'segment:disc' ? text[0]! : null)),
    );
    const found = prepared.negativeFeatures?.['st_16']?.data ?? expect.fail('no negative features');
    expectNear(found.subarray(stChannels * PLANE), wanted);
    prepared.labels.forEach((label, cell) => {
      if (prepared.segments[label - 1]?.record.id !== 'segment:box') return;
      for (let channel = 0; channel < CHANNELS; channel += 1)
        expect(found[(stChannels + channel) * PLANE + cell]).toBe(0);
    });
  });

  test('a hundred segments, more than go through the network at once, each as if it were alone', async () => {
    const embeddings = Array.from({ length: 100 }, (_, k) =>
      Float32Array.from({ length: TINY.width }, (__, i) => Math.sin(k + 0.3 * i)),
    );
    // Two or three cells each, scattered: shapes differ from segment to segment.
    const labels = Uint16Array.from({ length: PLANE }, (_, cell) => 1 + (cell % 100));
    const drawn = await drawSketches(withSketch, labels, embeddings);
    const features = await mapFeatures(withSketch, labels, embeddings, drawn);
    expectNear(features['st_16']!.data.subarray(stChannels * PLANE), expectedMap(labels, embeddings));
  });

  test('a map without its sketches is a mistake in this program, not zeros', async () => {
    const map = new Float32Array(TINY.width * PLANE);
    await expect(withSketch.projectMap(map, null)).rejects.toThrow(/a map without sketches for Tiny/);
    await expect(without.projectMap(map, new Float32Array(CHANNELS * PLANE))).rejects.toThrow(/a map with sketches/);
  });
});

test('a network that draws something else than its description says is refused in words', async () => {
  const target = path.join(folder, 'lying');
  await writeTinyPack(target, {
    change: (pack) => {
      pack.components['sketch']!.outputs['sketch']!.shape = ['batch', 3, 32, 32];
      pack.components['stProjector']!.inputs['sketch_map']!.shape = ['batch', 3, N, N];
    },
  });
  const model = new PixelModel(await openPack(target, openHashLedger()), CPU);
  await expect(prepare(scene(), model)).rejects.toThrow(/sketch\.onnx drew 4096 numbers where 6144 belong/);
  await model.release();
});

describe('the denoiser and guidance', () => {
  test('the sketch reaches the network; a pass without segments gets zeros', async () => {
    const { features, labels, ...prepared } = await prepare(scene());
    const row = { sample: new Float32Array(3 * PLANE), timestep: 500, global: prepared.global };
    const [none, local] = await withSketch.denoise([
      { ...row, features: null },
      { ...row, features },
    ]);
    expect(largest(none!)).toBe(0);
    const wanted = expectedMap(
      labels,
      prepared.segments.map(({ slot }) => slot.embedding),
    );
    expectNear(local!.subarray(0, CHANNELS * PLANE), wanted);
  });

  test.each(['multi', 'single', 'joint'] as const)(
    'the picture shows the sketches, times the dial: %s',
    async (mode) => {
      const scale = 0.6;
      const prepared = await prepare(scene());
      const wanted = clipped(expectedMap(prepared.labels, embeddingsOf(prepared)).map((value) => value * scale));
      const { results } = await run(scene({ guidance: { mode, globalScale: 0.3, localScale: scale, scale } }));
      expect(results).toHaveLength(1);
      for (let channel = 0; channel < CHANNELS; channel += 1)
        expectNear(
          await colours(results[0]!.result.picture, channel),
          wanted.subarray(channel * PLANE, (channel + 1) * PLANE),
          QUANTISED,
        );
    },
  );

  test('drawn once for all pictures and steps of a generation', async () => {
    const drawn = vi.spyOn(PixelModel.prototype, 'sketch');
    const { results, progress } = await run(scene({ batch: { count: 3, bestOf: 2 } }));
    expect(results).toHaveLength(3);
    expect(drawn).toHaveBeenCalledTimes(1);
    // Six pictures, two steps, three passes: the sketch is no pass of the denoiser.
    expect(progress.at(-1)).toMatchObject({ passesDone: 36, passesTotal: 36 });
  });

  test('a grid: without the segments’ dial nothing of them is seen, with it everything', async () => {
    const prepared = await prepare(scene());
    const wanted = clipped(expectedMap(prepared.labels, embeddingsOf(prepared)));
    const { pictures } = await run(scene(), { kind: 'grid', steps: 2, points: [[0, 1], [1, 1]] }); // prettier-ignore
    expect(pictures).toHaveLength(2);
    expectNear(await colours(pictures[0]!, 0), new Float32Array(PLANE), QUANTISED);
    expectNear(await colours(pictures[1]!, 0), wanted.subarray(0, PLANE), QUANTISED);
  });

  test('every other kind of job', async () => {
    const [made] = (await run(scene())).results;
    const { picture } = made!.result;
    const live = await run(scene(), { kind: 'live', steps: 1 });
    expect(live.pictures).toHaveLength(1);
    expect((await run(scene(), { kind: 'variations', count: 2, strength: 0.5 })).results).toHaveLength(2);
    expect((await run(scene(), { kind: 'upscale', picture, factor: 2 })).results[0]?.result.width).toBe(2 * SIDE);
    const redone = await run(scene(), { kind: 'redo-segment', segment: 'segment:box', picture, strength: 1 });
    const [before, after] = [await colours(picture, 0), await colours(redone.results[0]!.result.picture, 0)];
    const { labels, segments } = await prepare(scene());
    const box = segments.findIndex(({ record }) => record.id === 'segment:box') + 1;
    labels.forEach((label, cell) => label !== box && expect(after[cell]).toBe(before[cell]));
  });

  test('super-resolution is told too, finer, and as far as the dial lets the segments be', async () => {
    const target = path.join(folder, 'fine');
    await writeTinyPack(target, { fine: true });
    const pack = await openPack(target, openHashLedger());
    const fine = new PixelModel(pack, CPU);
    const telling = new PixelMaker(pack, summaryOf(pack), { id: 'cpu', fallback: undefined, ...CPU });
    const prepared = await prepare(scene(), fine);
    const map = prepared.fineSketch ?? expect.fail('no fine sketch map');
    expect(map).toHaveLength(CHANNELS * SIDE ** 2);
    // The disc is drawn at 32 px: a place near its edge that the map of 16 px gives to nobody is its own here.
    const owned = (i: number): boolean => map[i] !== 0;
    const coarse = (i: number): number =>
      prepared.labels[Math.floor(i / SIDE / TINY.factor) * N + Math.floor((i % SIDE) / TINY.factor)] ?? 0;
    expect(map.subarray(0, SIDE ** 2).some((_, i) => owned(i) !== coarse(i) > 0)).toBe(true);
    const blue = async (localScale: number): Promise<number[]> => {
      const guidance = { mode: 'multi' as const, globalScale: 1, localScale, scale: 1 };
      const { results } = await run(scene({ guidance }), undefined, telling);
      const { data } = await decodePicture(await blobs.read(results[0]!.result.picture), 3);
      return Array.from({ length: SIDE ** 2 }, (_, i) => data[i * 3 + 2]! / 127.5 - 1);
    };
    const own = await blue(0);
    for (const [dial, share] of [
      [0.5, 0.5],
      [3, 1],
    ] as const) {
      // prettier-ignore
      const shown = await blue(dial);
      const base = featuresOf(prepared);
      shown.forEach((value, i) => {
        const place = Math.floor(i / SIDE / TINY.factor) * N + Math.floor((i % SIDE) / TINY.factor);
        const clean = Math.min(1, Math.max(-1, (base[place] ?? 0) * dial));
        expect(value).toBeCloseTo(Math.min(1, Math.max(-1, clean + 0.5 * share * map[i]!)), 1);
      });
    }
    expect(Math.max(...own.map(Math.abs))).toBeLessThan(QUANTISED);
    await Promise.all([telling.release(), fine.release()]);
  });

  test('a pack without a sketch goes its way as before', async () => {
    const drawn = vi.spyOn(PixelModel.prototype, 'sketch');
    const { pack } = without;
    const plain = new PixelMaker(pack, summaryOf(pack), { id: 'cpu', fallback: undefined, ...CPU });
    const { results } = await run(scene(), undefined, plain);
    await plain.release();
    expect(drawn).not.toHaveBeenCalled();
    const prepared = await prepare(scene(), without);
    // Its red is the map's own second channel.
    expectNear(
      await colours(results[0]!.result.picture, 0),
      clipped(featuresOf(prepared).subarray(PLANE, 2 * PLANE)),
      QUANTISED,
    );
  });
});
