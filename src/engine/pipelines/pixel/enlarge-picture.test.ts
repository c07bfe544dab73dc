import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromPixels, toPixels } from '../../image/picture.ts';
import type { Picture } from '../../image/picture.ts';
import { openHashLedger } from '../../packs/hash-ledger.ts';
import { openPack } from '../../packs/open-pack.ts';
import { TINY, writeTinyPack } from '../../packs/tiny-pack.testkit.ts';
import { PixelModel } from '../../spatext/pixel-model.ts';
import { enlargePicture } from './enlarge-picture.ts';
import { enlarge } from './finish.ts';

const CPU = { providers: ['cpu'], threads: 1 };
const breathe = async (): Promise<void> => undefined;

let folder: string;
let plain: PixelModel;
let enlarging: PixelModel;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'spatext-enlarge-'));
  await writeTinyPack(path.join(folder, 'plain'));
  await writeTinyPack(path.join(folder, 'enlarging'), { enlargement: true });
  plain = new PixelModel(await openPack(path.join(folder, 'plain'), openHashLedger()), CPU);
  enlarging = new PixelModel(await openPack(path.join(folder, 'enlarging'), openHashLedger()), CPU);
});
afterAll(async () => {
  await Promise.all([plain.release(), enlarging.release()]);
  await rm(folder, { recursive: true });
});

const motley = (width: number, height: number): Picture => ({
  width,
  height,
  channels: 3,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => (Math.imul(i, 0x9e37_79b1) >>> 11) % 256),
});
const apart = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]!)), 0);

describe('a finished picture made larger', () => {
  test.each([
    [600, 300],
    [256, 512],
    [257, 1],
  ])('%i x %i pixels in tiles are what they are at once', async (width, height) => {
    const picture = motley(width, height);
    let tiles = 0;
    const made = await enlargePicture(enlarging, picture, async () => {
      tiles += 1;
    });
    expect([made.width, made.height]).toEqual([width * TINY.factor, height * TINY.factor]);
    expect(tiles).toBe(Math.ceil(width / 256) * Math.ceil(height / 256));
    const whole = toPixels(
      await enlarging.enlargeTile(fromPixels(picture), width, height),
      width * TINY.factor,
      height * TINY.factor,
    );
    expect(apart(made.data, whole.data)).toBeLessThanOrEqual(1);
  });

  test('by super-resolution where the pack has nothing of its own for it', async () => {
    const made = await enlargePicture(plain, motley(20, 10), breathe);
    const at = (x: number, y: number): number[] => [...made.data.subarray((y * 40 + x) * 3, (y * 40 + x) * 3 + 3)];
    expect(at(7, 5)).toEqual([...motley(20, 10).data.subarray((2 * 20 + 3) * 3, (2 * 20 + 3) * 3 + 3)]);
  });

  test('a sample goes through super-resolution first, through the enlargement after it', async () => {
    const n = TINY.size;
    const checks = Float32Array.from({ length: 3 * n * n }, (_, i) => ((i % n) + Math.floor(i / n)) % 2);
    const small = await enlarge(enlarging, checks, null, n * TINY.factor, breathe);
    expect(new Set(small.data)).toEqual(new Set([128, 255]));
    const large = await enlarge(enlarging, checks, null, n * TINY.factor ** 2, breathe);
    expect([large.width, large.height]).toEqual([64, 64]);
    // The mean of 3 x 3 pixels of checks of 2 x 2 is neither of both colours anywhere.
    expect(large.data.subarray(3 * 64 * 30, 3 * 64 * 31).every((v) => v > 128 && v < 255)).toBe(true);
  });

  test('a network that makes another size than the pack says is told', async () => {
    const target = path.join(folder, 'lying');
    await writeTinyPack(target, {
      enlargement: true,
      change: ({ components }) => Object.assign(components['enlargement'] ?? {}, { factor: 3 }),
    });
    const model = new PixelModel(await openPack(target, openHashLedger()), CPU);
    await expect(enlargePicture(model, motley(8, 8), breathe)).rejects.toThrow(/does not enlarge by 3/);
    await model.release();
  });
});
