import { expect, test } from 'vitest';
import type { Tensor } from '../tensor/index.ts';
import { inBatches, regionalPredict } from './denoise.ts';
import type { PassOptions, StockScene } from './denoise.ts';
import type { EncodedText, StockNetworks, StockRow } from './networks.ts';

const text = (value: number, tokens: number): EncodedText => {
  const states = { data: new Float32Array(tokens).fill(value), tokens, width: 1 };
  return { states, own: states, pooled: null };
};
const [base, global] = [text(0, 77), text(10, 77)];
const row = (segments: readonly (EncodedText | undefined)[]): StockRow => ({
  sample: new Float32Array(4),
  base,
  segments,
  images: [],
});
const many = Array.from({ length: 50 }, (_, i) => text(100 + i, 10));

test('rows of many segments go apart from those of none, where carrying their tokens costs more than a second batch', () => {
  const rows = [row([]), row([]), row(many)];
  expect(inBatches(rows, 4096)).toEqual([[0, 1], [2]]);
  expect(inBatches([row([]), row([]), row(many.slice(0, 1))], 4096)).toEqual([[0, 1, 2]]);
  // On a small picture, widening the weights once more weighs more.
  expect(inBatches(rows, 512)).toEqual([[0, 1, 2]]);
  // Equal texts are carried once.
  expect(inBatches([row([]), row([]), row(many.map(() => many[0]))], 4096)).toEqual([[0, 1, 2]]);
  expect(inBatches([row(many), row(many)], 4096)).toEqual([[0, 1]]);
  // Never more than three at a time.
  expect(inBatches([row([]), row([]), row([]), row(many), row(many)], 4096)).toEqual([
    [0, 1, 2],
    [3, 4],
  ]);
  expect(inBatches([row([]), row([]), row([]), row([])], 4096)).toEqual([[0, 1, 2], [3]]);
});

test('every pass gets its own row back, however the rows were batched; with the leak shield they stay together', async () => {
  const sizes: number[] = [];
  const networks = {
    denoise: async (rows: readonly StockRow[]): Promise<Tensor> => {
      sizes.push(rows.length);
      const answers = rows.map((one) => (one.base.states.data[0] ?? 0) + 1000 * one.segments.length);
      return { data: Float32Array.from(answers), shape: [rows.length, 1, 1, 1] };
    },
  } as unknown as StockNetworks;
  const scene: StockScene = {
    latent: { height: 64, width: 64 },
    picture: { height: 512, width: 512 },
    masks: many.map(() => new Float32Array(4096)),
    segments: many.map((local) => ({ local, negative: null, guidance: { weight: 1 }, images: [], blankImages: [] })),
    empty: base,
    negative: null,
    global,
  };
  let told = 0;
  const options: PassOptions = {
    calls: 1,
    guidance: 1,
    isolate: false,
    inpainting: null,
    breathe: async () => undefined,
    onPasses: (passes) => void (told += passes),
  };
  const input: Tensor = { data: new Float32Array(4096), shape: [1, 1, 64, 64] };
  const passes = ['none', 'both', 'global', 'local'] as const;
  const out = await regionalPredict(networks, scene, options)(passes, input, 1, 0);
  expect(passes.map((pass) => out[pass]!.data[0])).toEqual([0, 50_010, 10, 50_000]);
  expect([sizes, told]).toEqual([[2, 2], 4]);
  sizes.length = 0;
  await regionalPredict(networks, scene, { ...options, isolate: true })(passes.slice(0, 3), input, 1, 0);
  expect(sizes).toEqual([3]);
});
