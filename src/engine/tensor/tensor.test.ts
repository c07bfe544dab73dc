import { describe, expect, it } from 'vitest';
import { StudioError } from '#shared/errors.ts';
import {
  allFinite,
  clamp,
  concat,
  elementsOf,
  lerp,
  linear,
  minMax,
  reshape,
  slice,
  split,
  tensor,
  tensorFrom,
  zeros,
} from './tensor.ts';

const codeOf = (f: () => unknown): string => {
  try {
    f();
  } catch (error) {
    return error instanceof StudioError ? error.code : `not a StudioError: ${String(error)}`;
  }
  return 'nothing thrown';
};

describe('shapes', () => {
  it('counts elements, a scalar having one', () => {
    expect(elementsOf([])).toBe(1);
    expect(elementsOf([2, 3, 4])).toBe(24);
    expect(elementsOf([2, 0])).toBe(0);
  });

  it('refuses sides that are no sides, and shapes that no memory holds', () => {
    for (const shape of [[-1], [1.5], [NaN], [Infinity]]) expect(codeOf(() => elementsOf(shape))).toBe('bad-input');
    expect(codeOf(() => elementsOf([1e6, 1e6]))).toBe('too-large');
  });

  it('refuses data that do not fill the shape', () => {
    expect(codeOf(() => tensor(new Float32Array(5), [2, 3]))).toBe('bad-input');
    expect(codeOf(() => reshape(zeros([2, 3]), [7]))).toBe('bad-input');
    expect(reshape(zeros([2, 3]), [6]).shape).toEqual([6]);
  });
});

describe('batches', () => {
  const x = tensorFrom([1, 2, 3, 4, 5, 6], [3, 2]);

  it('splits and joins without a loss', () => {
    const parts = split(x);
    expect(parts.map((part) => part.shape)).toEqual([[1, 2], [1, 2], [1, 2]]); // prettier-ignore
    expect(concat(parts)).toEqual(x);
  });

  it('slices along the first axis', () => {
    expect([...slice(x, 1, 3).data]).toEqual([3, 4, 5, 6]);
    expect(codeOf(() => slice(x, 2, 4))).toBe('bad-input');
    expect(codeOf(() => slice(x, 2, 1))).toBe('bad-input');
  });

  it('refuses to join different samples, or nothing', () => {
    expect(codeOf(() => concat([x, zeros([1, 3])]))).toBe('bad-input');
    expect(codeOf(() => concat([]))).toBe('bad-input');
  });
});

describe('arithmetic', () => {
  it('adds any number of terms and leaves its inputs alone', () => {
    const parts = [1, 2, 3, 4, 5].map((k) => tensorFrom([k, 10 * k], [2]));
    for (let n = 1; n <= 5; n++) {
      const sum = linear(parts.slice(0, n).map((part, i) => [i + 0.5, part] as const));
      let expected = 0;
      for (let i = 0; i < n; i++) expected += (i + 0.5) * (i + 1);
      expect([...sum.data]).toEqual([expected, 10 * expected]);
    }
    expect(parts.map((part) => part.data[0])).toEqual([1, 2, 3, 4, 5]);
  });

  it('leaves out a term of coefficient 0, even if it is not a number', () => {
    const bad = tensorFrom([NaN, Infinity], [2]);
    expect([...linear([[0, bad], [2, tensorFrom([3, 4], [2])]]).data]).toEqual([6, 8]); // prettier-ignore
    expect([...linear([[0, bad]]).data]).toEqual([0, 0]);
  });

  it('rounds once: products and sums are float64', () => {
    const big = tensorFrom([2 ** 24], [1]);
    const one = tensorFrom([1], [1]);
    // (2^24 + 1) - 2^24: float32 in between would lose the 1
    expect(linear([[1, big], [1, one], [-1, big]]).data[0]).toBe(1); // prettier-ignore
  });

  it('refuses different shapes', () => {
    expect(codeOf(() => linear([[1, zeros([2])], [1, zeros([1, 2])]]))).toBe('bad-input'); // prettier-ignore
    expect(codeOf(() => linear([]))).toBe('bad-input');
  });

  it('clamps, interpolates, and finds extremes', () => {
    const x = tensorFrom([-2, 0.5, 7, NaN], [4]);
    expect([...clamp(x, -1, 1).data]).toEqual([-1, 0.5, 1, NaN]);
    expect(minMax(x)).toEqual([-2, 7]);
    expect(allFinite(x)).toBe(false);
    const a = tensorFrom([1, 2], [2]);
    const b = tensorFrom([3, 6], [2]);
    expect(lerp(a, b, 0)).toEqual(a);
    expect(lerp(a, b, 1)).toEqual(b);
    expect([...lerp(a, b, 0.25).data]).toEqual([1.5, 3]);
  });
});
