import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cosSinOfTurn, log } from './elementary.ts';
import { MersenneTwister } from './mersenne-twister.ts';
import { NoiseStream, normalBatch } from './noise.ts';
import { slice } from './tensor.ts';

type RandnCase = { seed: number; shape: number[]; first: number[]; last_of_first: number[]; second_call: number[] };
const misc = JSON.parse(readFileSync('test/fixtures/misc.json', 'utf8')) as { torch_randn: RandnCase[] };

const TOLERANCE = 7e-7;
function expectClose(actual: Iterable<number>, expected: readonly number[]): void {
  const values = [...actual];
  expect(values).toHaveLength(expected.length);
  expected.forEach((value, i) => expect(Math.abs((values[i] as number) - value)).toBeLessThanOrEqual(TOLERANCE));
}

describe('NoiseStream', () => {
  it.each(misc.torch_randn)('is torch.randn for seed $seed and shape $shape', (row) => {
    const stream = new NoiseStream(row.seed);
    const first = stream.normal(row.shape);
    expect(first.shape).toEqual(row.shape);
    expectClose(first.data.slice(0, 64), row.first);
    expectClose(first.data.slice(-4), row.last_of_first);
    expectClose(stream.normal(row.shape).data.slice(0, 8), row.second_call);
  });

  it('gives exactly these bits, here and on every other platform', () => {
    const data = new NoiseStream(7).normal([3, 64, 64]).data;
    const bytes = Buffer.alloc(data.length * 4);
    data.forEach((value, i) => bytes.writeFloatLE(value, i * 4));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(
      '461a1ac3c2b97c04afb6ddb3a677f70abfb4a0c9a880d434d19bfc0ae1762f4b',
    );
  });

  it('goes on where a saved state left off, the spare number included', () => {
    const stream = new NoiseStream(3);
    stream.normal([5]);
    const saved = structuredClone(stream.save());
    const expected = [stream.normal([3]), stream.normal([40])];
    const again = NoiseStream.restore(saved);
    expect([again.normal([3]), again.normal([40])]).toEqual(expected);
    expect(() => NoiseStream.restore({ twister: { words: [1], position: 0 }, spare: null })).toThrow(/state/);
  });

  it('has mean 0 and variance 1', () => {
    const { data } = new NoiseStream(1).normal([100_000]);
    const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
    const variance = data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length;
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(Math.abs(variance - 1)).toBeLessThan(0.015);
  });

  it('takes the low 32 bits of a seed, negative ones as torch does', () => {
    const of = (seed: number) => [...new NoiseStream(seed).normal([16]).data];
    expect(of(2 ** 32 + 5)).toEqual(of(5));
    expect(of(-1)).toEqual(of(0xffff_ffff));
    expect(() => new NoiseStream(0.5)).toThrow(/seed/);
  });

  it('gives a sample the same noise in any batch', () => {
    const batch = normalBatch([new NoiseStream(1), new NoiseStream(2)], [3, 5, 5]);
    expect(batch.shape).toEqual([2, 3, 5, 5]);
    expect([...slice(batch, 1, 2).data]).toEqual([...new NoiseStream(2).normal([3, 5, 5]).data]);
    expect(() => normalBatch([], [1])).toThrow(/seed/);
  });
});

describe('MersenneTwister', () => {
  it('gives the published numbers', () => {
    // the first and the 10000th output for the default seed of the authors' and of C++'s mt19937
    const twister = new MersenneTwister(5489);
    expect(twister.next()).toBe(3499211612);
    let last = 0;
    for (let i = 2; i <= 10_000; i++) last = twister.next();
    expect(last).toBe(4123659995);
  });
});

describe('elementary functions', () => {
  it('stay within two units in the last place of the platform', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 24 }), (n) => {
        const x = n / 2 ** 24;
        expect(Math.abs(log(x) - Math.log(x))).toBeLessThanOrEqual(4e-16 * Math.abs(Math.log(x)));
        const u = x === 1 ? 0 : x;
        const [cosine, sine] = cosSinOfTurn(u);
        expect(Math.abs(cosine - Math.cos(2 * Math.PI * u))).toBeLessThanOrEqual(9e-16);
        expect(Math.abs(sine - Math.sin(2 * Math.PI * u))).toBeLessThanOrEqual(9e-16);
        expect(Math.abs(cosine * cosine + sine * sine - 1)).toBeLessThanOrEqual(4e-16);
      }),
      { numRuns: 2000 },
    );
  });

  it('are exact at the corners', () => {
    expect(log(1)).toBe(0);
    expect(cosSinOfTurn(0)).toEqual([1, 0]);
    expect(cosSinOfTurn(0.25).map((v) => v + 0)).toEqual([0, 1]);
    expect(cosSinOfTurn(0.5).map((v) => v + 0)).toEqual([-1, 0]);
    expect(cosSinOfTurn(0.75).map((v) => v + 0)).toEqual([0, -1]);
  });
});
