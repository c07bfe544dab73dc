import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createScheduler, parseSchedulerConfig } from '../schedulers/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { NoiseStream } from '../tensor/index.ts';
import type { BlackBoxOptions } from './black-box.ts';
import { blackBoxCost, blackBoxPredict, blurMask, quantisedMask } from './black-box.ts';
import type { StockScene, StockSegment } from './denoise.ts';
import type { EncodedText, StockCall, StockNetworks, StockRow } from './networks.ts';
import { joinWindows, windowOf } from './windows.ts';

const LATENT = { height: 4, width: 8 };
const PLACES = 32;

/** A text whose "prediction" is a number of its own. */
const text = (value: number): EncodedText => {
  const states = { data: Float32Array.of(value), tokens: 1, width: 1 };
  return { states, own: states, pooled: null };
};

/** A network that predicts its text's number plus what it sees, and remembers what it saw. */
function network(): { networks: StockNetworks; seen: StockRow[] } {
  const seen: StockRow[] = [];
  const networks = {
    denoise: async ([row]: readonly StockRow[]): Promise<Tensor> => {
      seen.push(row!);
      return { data: row!.sample.map((v) => v + row!.base.states.data[0]!), shape: [1, 1, 4, 8] };
    },
  } as unknown as StockNetworks;
  return { networks, seen };
}

const half = (left: boolean) => Float32Array.from({ length: PLACES }, (_, i) => (i % 8 < 4 === left ? 1 : 0));
const segment = (local: EncodedText, more: Partial<StockSegment> = {}): StockSegment => ({
  local,
  negative: null,
  guidance: { weight: 1 },
  images: [],
  blankImages: [],
  ...more,
});
const [none, global, red, blue] = [text(0), text(10), text(100), text(1000)];

function sceneOf(segments: StockSegment[], masks: Float32Array[]): StockScene {
  return {
    latent: LATENT,
    picture: { height: 32, width: 64 },
    masks,
    segments,
    empty: none!,
    negative: null,
    global: global!,
  };
}

const scheduler = createScheduler(parseSchedulerConfig({ _class_name: 'DDIMScheduler', timestep_spacing: 'leading' }));
const plan = scheduler.plan(10);
const noise: Tensor = { data: new NoiseStream(1).normal([PLACES]).data, shape: [1, 1, 4, 8] };
const input: Tensor = { data: new Float32Array(PLACES), shape: [1, 1, 4, 8] };
const options = (more: Partial<BlackBoxOptions> = {}): BlackBoxOptions => ({
  calls: 10,
  guidance: 1,
  isolate: false,
  inpainting: null,
  breathe: async () => undefined,
  onPasses: () => undefined,
  scheduler,
  plan,
  bootstrap: 0,
  backgrounds: [],
  noise,
  softMasks: false,
  windows: [],
  ...more,
});

test('each place takes the prediction of its own text, places outside that of the base', async () => {
  const { networks, seen } = network();
  const left = half(true).map((v, i) => (i < 16 ? v : 0));
  const scene = sceneOf([segment(red!), segment(blue!)], [left, half(false)]);
  const out = await blackBoxPredict(networks, scene, options())(['none', 'global', 'local', 'both'], input, 500, 5);
  for (let i = 0; i < PLACES; i++) {
    const own = left[i] ? 100 : i % 8 >= 4 ? 1000 : null;
    expect(out.none!.data[i]).toBe(0);
    expect(out.global!.data[i]).toBe(10);
    expect(out.local!.data[i]).toBe(own ?? 0);
    expect(out.both!.data[i]).toBe(own ?? 10);
  }
  // Four texts, each through the network once, whatever the number of passes that use it.
  expect(seen).toHaveLength(4);
  expect(blackBoxCost(scene, ['none', 'global', 'local', 'both'], 0.5, false, [])).toEqual({ passes: 4, work: 4 });
});

test('a segment that covers everything is its text alone; soft masks mix', async () => {
  const { networks } = network();
  const everywhere = await blackBoxPredict(
    networks,
    sceneOf([segment(red!)], [new Float32Array(PLACES).fill(1)]),
    options(),
  )(['both'], input, 500, 5);
  expect([...everywhere.both!.data]).toEqual(Array.from({ length: PLACES }, () => 100));
  const soft = await blackBoxPredict(
    networks,
    sceneOf([segment(red!)], [new Float32Array(PLACES).fill(0.5)]),
    options(),
  )(['both'], input, 500, 5);
  expect(soft.both!.data[0]).toBe(55);
});

test('equal texts share a pass, segments whose time is over or not yet come make none', async () => {
  const { networks, seen } = network();
  const scene = sceneOf(
    [segment(red!), segment(red!), segment(blue!, { guidance: { weight: 1, interval: [0.6, 1] } })],
    [half(true).map((v, i) => (i < 16 ? v : 0)), half(true).map((v, i) => (i < 16 ? 0 : v)), half(false)],
  );
  const out = await blackBoxPredict(networks, scene, options())(['both'], input, 500, 3);
  expect(seen).toHaveLength(2);
  expect(blackBoxCost(scene, ['both'], 0.35, false, [])).toEqual({ passes: 2, work: 2 });
  expect(out.both!.data[7]).toBe(10);
  seen.length = 0;
  await blackBoxPredict(networks, scene, options())(['both'], input, 100, 8);
  expect(seen).toHaveLength(3);
  expect(blackBoxCost(scene, ['both'], 0.85, false, [])).toEqual({ passes: 3, work: 3 });
});

test('bootstrapping: a segment sees its own place before a plain background, as noisy as this call', async () => {
  const { networks, seen } = network();
  const background: Tensor = { data: new Float32Array(PLACES).fill(0.7), shape: [1, 1, 4, 8] };
  const scene = sceneOf([segment(red!)], [half(true)]);
  const predict = blackBoxPredict(networks, scene, options({ bootstrap: 0.2, backgrounds: [background] }));
  await predict(['both'], input, plan.timesteps[1]!, 1);
  const noisy = scheduler.addNoise(plan, background, noise, 1).data;
  const look = seen.find((row) => row.base === red)!.sample;
  for (let i = 0; i < PLACES; i++) expect(look[i]).toBeCloseTo(i % 8 < 4 ? input.data[i]! : noisy[i]!, 5);
  seen.length = 0;
  await predict(['both'], input, plan.timesteps[2]!, 2);
  expect([...seen.find((row) => row.base === red)!.sample]).toEqual([...input.data]);
});

test('soft masks: wide at first, as drawn at the end, never outside of the blur', () => {
  const mask = Float32Array.from({ length: 256 }, (_, i) => (i % 16 >= 4 && i % 16 < 12 && i >= 64 && i < 192 ? 1 : 0));
  const soft = blurMask(mask, 16, 16, 1.5);
  const area = (values: Float32Array) => values.reduce((sum, v) => sum + v, 0);
  expect(area(soft)).toBeCloseTo(64, 0);
  const areas = [0.05, 0.3, 0.6, 0.9].map((progress) => area(quantisedMask(soft, progress)));
  expect(areas).toEqual(areas.toSorted((a, b) => b - a));
  expect(areas[0]).toBeGreaterThan(64);
  // What is left at the end differs from the drawn mask at the rounded corners only.
  expect(Math.abs(areas[3]! - 64)).toBeLessThanOrEqual(4);
});

/*
 * Windows. The network below answers each cell from that cell and the text alone, so that seeing less of the canvas
 * cannot change its answer: whatever differs is the cutting and laying in.
 */
const WIDE = { height: 24, width: 40 };
const WIDE_PLACES = 24 * 40;

function pointwise(): { networks: StockNetworks; calls: { cells: number; rows: number }[] } {
  const calls: { cells: number; rows: number }[] = [];
  const networks = {
    denoise: async (rows: readonly StockRow[], { latent }: StockCall): Promise<Tensor> => {
      const [row] = rows;
      calls.push({ cells: latent.height * latent.width, rows: rows.length });
      expect(row!.sample).toHaveLength(2 * latent.height * latent.width);
      return {
        data: row!.sample.map((v) => Math.sin(v) + row!.base.states.data[0]!),
        shape: [1, 2, latent.height, latent.width],
      };
    },
  } as unknown as StockNetworks;
  return { networks, calls };
}

const box = fc.record({
  x: fc.integer({ min: 0, max: 39 }),
  y: fc.integer({ min: 0, max: 23 }),
  width: fc.integer({ min: 1, max: 40 }),
  height: fc.integer({ min: 1, max: 24 }),
  word: fc.integer({ min: 0, max: 3 }),
  negative: fc.boolean(),
  begins: fc.constantFrom(0, 0.3, 0.7),
});
const drawn = fc.record({
  boxes: fc.array(box, { minLength: 1, maxLength: 4 }),
  trained: fc.constantFrom(8, 16, 24),
  progress: fc.double({ min: 0, max: 1, noNaN: true }),
  passes: fc.subarray(['none', 'negative', 'global', 'local', 'both'] as const, { minLength: 1 }),
  softMasks: fc.boolean(),
  bootstraps: fc.boolean(),
});

const WORDS = [global!, red!, blue!, text(5000)];

function wideScene(boxes: readonly (typeof box extends fc.Arbitrary<infer T> ? T : never)[]): StockScene {
  const owner = new Int8Array(WIDE_PLACES).fill(-1);
  for (const [i, { x, y, width, height }] of boxes.entries())
    for (let row = y; row < Math.min(24, y + height); row++)
      owner.fill(i, row * 40 + x, row * 40 + Math.min(40, x + width));
  return {
    ...sceneOf(
      boxes.map(({ word, negative, begins }) =>
        segment(WORDS[word]!, {
          negative: negative ? WORDS[(word + 1) % 4]! : null,
          guidance: { weight: 1, interval: [begins, 1] },
        }),
      ),
      boxes.map((_, i) => Float32Array.from(owner, (one) => (one === i ? 1 : 0))),
    ),
    latent: WIDE,
    picture: { height: 24 * 8, width: 40 * 8 },
  };
}

test('passes through windows give what passes over the whole canvas give, and cost exactly what was told', async () => {
  await fc.assert(
    fc.asyncProperty(drawn, async ({ boxes, trained, progress, passes, softMasks, bootstraps }) => {
      const scene = wideScene(boxes);
      const windows = scene.masks.map((mask) => (softMasks ? null : windowOf(mask, WIDE, trained)));
      const wide: Tensor = { data: new NoiseStream(3).normal([2 * WIDE_PLACES]).data, shape: [1, 2, 24, 40] };
      const index = Math.min(9, Math.floor(progress * 10));
      const at = (windowed: typeof windows) =>
        options({
          noise: wide,
          softMasks,
          windows: windowed,
          bootstrap: bootstraps ? 0.35 : 0,
          backgrounds: bootstraps
            ? boxes.map((_, i) => ({ data: new Float32Array(2 * WIDE_PLACES).fill(i), shape: wide.shape }))
            : [],
        });
      const { networks, calls } = pointwise();
      let passesTold = 0;
      const run = { ...at(windows), onPasses: (count: number) => void (passesTold += count) };
      const cut = await blackBoxPredict(networks, scene, run)(passes, wide, plan.timesteps[index]!, index);
      const cost = blackBoxCost(scene, passes, (index + 0.5) / 10, bootstraps && (index + 0.5) / 10 < 0.35, windows);
      expect(calls).toHaveLength(cost.passes);
      expect(passesTold).toBe(cost.passes);
      expect(calls.reduce((sum, { cells }) => sum + cells, 0) / WIDE_PLACES).toBeCloseTo(cost.work, 6);

      const everything = scene.masks.map(() => null);
      const whole = await blackBoxPredict(pointwise().networks, scene, at(everything))(
        passes,
        wide,
        plan.timesteps[index]!,
        index,
      );
      for (const pass of passes) expect(cut[pass]!.data).toEqual(whole[pass]!.data);
      const unwindowed = blackBoxCost(scene, passes, (index + 0.5) / 10, bootstraps && index < 3, everything);
      expect(cost.work).toBeLessThanOrEqual(unwindowed.work + 1e-9);
    }),
    { numRuns: 80 },
  );
});

test('a text that one pass wants here and another there is asked once for the whole canvas where that is less', () => {
  const corner = { x: 0, y: 0, width: 12, height: 12, begins: 0 } as const;
  const scene = wideScene([
    { ...corner, word: 1, negative: false },
    { ...corner, x: 28, y: 12, word: 0, negative: true },
  ]);
  const windows = scene.masks.map((mask) => windowOf(mask, WIDE, 24));
  expect(blackBoxCost(scene, ['negative', 'both'], 0.05, false, windows)).toEqual({ passes: 3, work: 3 });
});

test('a window holds its segment with room around it, at least at the trained size, inside the canvas', () => {
  fc.assert(
    fc.property(fc.array(box, { minLength: 1, maxLength: 4 }), fc.constantFrom(8, 16, 24), (boxes, trained) => {
      const { masks } = wideScene(boxes);
      const windows = masks.map((mask) => windowOf(mask, WIDE, trained));
      for (const [i, window] of [...windows, joinWindows(windows, WIDE)].entries()) {
        if (!window) continue;
        expect(window.x).toBeGreaterThanOrEqual(0);
        expect(window.y).toBeGreaterThanOrEqual(0);
        expect(window.x + window.width).toBeLessThanOrEqual(40);
        expect(window.y + window.height).toBeLessThanOrEqual(24);
        expect([window.width % 8, window.height % 8]).toEqual([0, 0]);
        expect(
          Math.min(window.width / Math.min(40, trained), window.height / Math.min(24, trained)),
        ).toBeGreaterThanOrEqual(1);
        for (const mask of i < masks.length ? [masks[i]!] : masks)
          for (const [place, share] of mask.entries()) {
            if (share === 0) continue;
            const [px, py] = [place % 40, Math.floor(place / 40)];
            expect(px >= window.x && px < window.x + window.width).toBe(true);
            expect(py >= window.y && py < window.y + window.height).toBe(true);
          }
      }
    }),
  );
  const middle = wideScene([{ x: 18, y: 10, width: 2, height: 2, word: 1, negative: false, begins: 0 }]).masks[0]!;
  expect(windowOf(middle, WIDE, 8)).toEqual({ x: 7, y: 0, width: 24, height: 24 });
  // Where the canvas is the trained size there is nothing to leave out.
  expect(windowOf(middle, WIDE, 40)).toBeNull();
});
