import { expect, test } from 'vitest';
import { createScheduler, parseSchedulerConfig } from '../schedulers/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { NoiseStream } from '../tensor/index.ts';
import type { BlackBoxOptions } from './black-box.ts';
import { blackBoxPasses, blackBoxPredict, blurMask, quantisedMask } from './black-box.ts';
import type { StockScene, StockSegment } from './denoise.ts';
import type { EncodedText, StockNetworks, StockRow } from './networks.ts';

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
  expect(blackBoxPasses(scene, ['none', 'global', 'local', 'both'], 0.5, false)).toBe(4);
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
  expect(blackBoxPasses(scene, ['both'], 0.35, false)).toBe(2);
  expect(out.both!.data[7]).toBe(10);
  seen.length = 0;
  await blackBoxPredict(networks, scene, options())(['both'], input, 100, 8);
  expect(seen).toHaveLength(3);
  expect(blackBoxPasses(scene, ['both'], 0.85, false)).toBe(3);
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
