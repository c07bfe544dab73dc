import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cosineSimilarity, normalise, norm, slerp } from './vector.ts';

type SlerpCase = { id: string; a: number[]; b: number[]; t: number; result: number[] };
const misc = JSON.parse(readFileSync('test/fixtures/misc.json', 'utf8')) as { slerp: SlerpCase[] };

describe('slerp', () => {
  it.each(misc.slerp)('$id at $t as the reference', ({ a, b, t, result }) => {
    const actual = slerp(Float64Array.from(a), Float64Array.from(b), t);
    result.forEach((value, i) => expect(Math.abs((actual[i] as number) - value)).toBeLessThan(1e-12));
  });

  it('keeps unit vectors at unit length', () => {
    const unit = fc
      .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 })
      .filter((v) => Math.hypot(...v) > 0.1)
      .map((v) => normalise(Float64Array.from(v)));
    fc.assert(
      fc.property(unit, unit, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, t) => {
        fc.pre(Math.abs(cosineSimilarity(a, b)) < 0.999);
        expect(norm(slerp(a, b, t))).toBeCloseTo(1, 9);
      }),
    );
  });

  it('interpolates straight from a vector without length', () => {
    expect([...slerp(new Float32Array([0, 0]), new Float32Array([2, 4]), 0.5)]).toEqual([1, 2]);
  });
});

describe('cosine similarity', () => {
  it('is 1, 0, -1 for the same, a right angle, and the opposite', () => {
    const a = new Float32Array([3, 4]);
    expect(cosineSimilarity(a, new Float32Array([6, 8]))).toBe(1);
    expect(cosineSimilarity(a, new Float32Array([-4, 3]))).toBe(0);
    expect(cosineSimilarity(a, new Float32Array([-3, -4]))).toBe(-1);
    expect(cosineSimilarity(a, new Float32Array(2))).toBe(0);
  });

  it('leaves a zero vector at zero when normalising', () => {
    expect([...normalise(new Float32Array([0, 0]))]).toEqual([0, 0]);
    expect([...normalise(new Float64Array([3, 4]))]).toEqual([0.6, 0.8]);
  });

  it('refuses vectors of different lengths', () => {
    expect(() => cosineSimilarity(new Float32Array(2), new Float32Array(3))).toThrow(/2 and 3/);
  });
});
