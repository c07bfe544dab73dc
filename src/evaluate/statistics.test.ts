import { describe, expect, test } from 'vitest';
import { bootstrapMean, quantile, seededRandom, signTest, wilson } from './statistics.ts';

test('wilson: the values of the textbook, sensible at the ends', () => {
  const eight = wilson(8, 10);
  expect(eight.value).toBe(0.8);
  expect(eight.low).toBeCloseTo(0.4902, 4);
  expect(eight.high).toBeCloseTo(0.9433, 4);
  expect(wilson(0, 10).low).toBe(0);
  expect(wilson(0, 10).high).toBeCloseTo(0.2775, 4);
  expect(wilson(10, 10).high).toBe(1);
  expect(wilson(0, 0)).toMatchObject({ low: 0, high: 1 });
});

test('signTest: exact binomial tails', () => {
  expect(signTest(8, 10)).toBeCloseTo(0.109375, 10);
  expect(signTest(2, 10)).toBeCloseTo(0.109375, 10);
  expect(signTest(5, 10)).toBe(1);
  expect(signTest(10, 10)).toBeCloseTo(2 / 1024, 12);
  expect(signTest(0, 0)).toBe(1);
  expect(signTest(600, 1000)).toBeCloseTo(2.7e-10, 10);
});

describe('bootstrapMean', () => {
  test('mean, an interval around it, the same in every run', () => {
    const groups = Array.from({ length: 40 }, (_, i) => [i % 10]);
    const estimate = bootstrapMean(groups)!;
    expect(estimate).toMatchObject({ value: 4.5, count: 40 });
    // Normal theory: 1.96 * 2.87 / sqrt(40) = 0.89.
    expect(4.5 - estimate.low).toBeCloseTo(0.89, 0.5);
    expect(estimate.high - 4.5).toBeCloseTo(0.89, 0.5);
    expect(bootstrapMean(groups)).toEqual(estimate);
  });
  test('covers the truth about nineteen times in twenty', () => {
    const random = seededRandom(5);
    let covered = 0;
    for (let trial = 0; trial < 200; trial += 1) {
      const groups = Array.from({ length: 30 }, () => [random(1000) / 1000]);
      const { low, high } = bootstrapMean(groups, trial)!;
      if (low <= 0.4995 && 0.4995 <= high) covered += 1;
    }
    expect(covered).toBeGreaterThan(178);
    expect(covered).toBeLessThan(200);
  });
  test('values of one scene are no independent witnesses', () => {
    const scenes = Array.from({ length: 12 }, (_, i) => Array.from({ length: 8 }, () => i));
    const single = scenes.flat().map((v) => [v]);
    const wide = bootstrapMean(scenes)!;
    const narrow = bootstrapMean(single)!;
    expect(wide.high - wide.low).toBeGreaterThan(2 * (narrow.high - narrow.low));
  });
  test('nothing measured gives nothing', () => {
    expect(bootstrapMean([])).toBeNull();
    expect(bootstrapMean([[], []])).toBeNull();
    expect(bootstrapMean([[3]])).toEqual({ value: 3, low: 3, high: 3, count: 1 });
  });
});

test('quantile interpolates', () => {
  expect(quantile([0, 1, 2, 3], 0.5)).toBe(1.5);
  expect(quantile([5], 0.9)).toBe(5);
});
