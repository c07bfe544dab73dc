import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { CHECKPOINTS, CPU, formulaInput } from '../checkpoints/graphs/fixtures.testkit.ts';
import { recogniseCheckpoint } from '../checkpoints/recognise.ts';
import { NoiseStream } from '../tensor/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { decodeLatents, encodePicture, fitPreviewMap, leastSquares, previewOf, tileStarts } from './autoencoder.ts';
import { CheckpointNetworks } from './checkpoint-networks.ts';
import type { StockNetworks } from './networks.ts';

// Sessions take seconds to open where the machine does other things too.
vi.setConfig({ testTimeout: 240_000 });

test('tiles cover a side, share at least the overlap, and end at its edge', () => {
  for (let length = 1; length < 300; length++) {
    const starts = tileStarts(length, 64, 16);
    expect(starts[0]).toBe(0);
    expect(starts.at(-1)! + Math.min(64, length)).toBe(length);
    for (let i = 1; i < starts.length; i++) expect(starts[i - 1]! + 64 - starts[i]!).toBeGreaterThanOrEqual(16);
  }
});

test('least squares finds the coefficients that made the target', () => {
  const rows = Array.from({ length: 20 }, (_, i) => [Math.sin(i), Math.cos(3 * i), 1]);
  const found = leastSquares(
    rows,
    rows.map(([a, b]) => 2 * a! - 0.5 * b! + 0.25),
  );
  for (const [i, wanted] of [2, -0.5, 0.25].entries()) expect(found[i]).toBeCloseTo(wanted, 5);
});

/** An autoencoder whose pixels depend on their own latent cell only: tiles must then give exactly the whole. */
function localNetworks(): StockNetworks {
  const traits = { scalingFactor: 0.5, shiftFactor: 0.1, latentCell: 2, latentChannels: 4 };
  const scale = (x: Tensor, channels: number, cell: number, up: boolean): Tensor => {
    const [, , h = 0, w = 0] = x.shape;
    const [H, W] = up ? [h * cell, w * cell] : [h / cell, w / cell];
    const data = new Float32Array(channels * H * W);
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < H; y++)
        for (let i = 0; i < W; i++) {
          const [sy, sx] = up ? [Math.floor(y / cell), Math.floor(i / cell)] : [y * cell, i * cell];
          data[(c * H + y) * W + i] = x.data[((c % x.shape[1]!) * h + sy) * w + sx]!;
        }
    return { data, shape: [1, channels, H, W] };
  };
  return {
    traits,
    decode: async (latent: Tensor) => scale(latent, 3, 2, true),
    encode: async (image: Tensor) => ({ mean: scale(image, 4, 2, false), logVariance: image }),
  } as unknown as StockNetworks;
}

test('a tiled autoencoder equals the whole one where pixels depend on their own cell', async () => {
  const networks = localNetworks();
  const latents: Tensor = { data: new NoiseStream(3).normal([4, 37, 50]).data, shape: [1, 4, 37, 50] };
  const whole = await decodeLatents(networks, latents, { tile: 1000 });
  const tiled = await decodeLatents(networks, latents, { tile: 16, overlap: 5 });
  expect(tiled.shape).toEqual([1, 3, 74, 100]);
  for (let i = 0; i < whole.data.length; i++) expect(Math.abs(whole.data[i]! - tiled.data[i]!)).toBeLessThan(1e-5);
  const image: Tensor = { data: new NoiseStream(4).normal([3, 74, 100]).data, shape: [1, 3, 74, 100] };
  const a = await encodePicture(networks, image, { tile: 1000 });
  const b = await encodePicture(networks, image, { tile: 16, overlap: 5 });
  for (let i = 0; i < a.data.length; i++) expect(Math.abs(a.data[i]! - b.data[i]!)).toBeLessThan(1e-5);
});

test('a real autoencoder: no step at the borders of tiles, and a preview map that predicts its colours', async () => {
  const networks = new CheckpointNetworks(
    await recogniseCheckpoint(join(CHECKPOINTS, 'sd15-tiny.safetensors')),
    {},
    CPU,
  );
  const side = 40;
  const smooth = Float32Array.from({ length: 4 * side * side }, (_, i) => {
    const [c, y, x] = [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side];
    return 0.15 * Math.sin(0.2 * x + c) + 0.1 * Math.cos(0.17 * y - c);
  });
  const tiled = await decodeLatents(networks, { data: smooth, shape: [1, 4, side, side] }, { tile: 24, overlap: 8 });
  const wide = side * networks.traits.latentCell;
  const stepAt = (x: number) => {
    let sum = 0;
    for (let y = 0; y < wide; y++) sum += Math.abs(tiled.data[y * wide + x]! - tiled.data[y * wide + x - 1]!);
    return sum / wide;
  };
  const steps = Array.from({ length: wide - 1 }, (_, i) => stepAt(i + 1));
  const typical = steps.toSorted((a, b) => a - b)[Math.floor(steps.length * 0.9)]!;
  // Tiles begin at cell 16 and end at cell 24: no larger step there than elsewhere.
  for (const cell of [16, 24]) expect(stepAt(cell * networks.traits.latentCell)).toBeLessThan(typical * 1.5);

  const map = await fitPreviewMap(networks);
  expect(map.map((row) => row.length)).toEqual([5, 5, 5]);
  const latents = formulaInput('vae_latents');
  const preview = previewOf(map, {
    data: latents.data.map((v) => v * networks.traits.scalingFactor),
    shape: latents.shape,
  });
  expect(preview.every(Number.isFinite)).toBe(true);
  await networks.release();
});
