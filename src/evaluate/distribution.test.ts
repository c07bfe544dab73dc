import { describe, expect, test } from 'vitest';
import { fitGaussian, frechetDistance, kernelDistance } from './distribution.ts';
import type { Gaussian } from './distribution.ts';
import { seededRandom } from './statistics.ts';

/** The same features as in the NumPy run that the expected numbers come from. */
function features(n: number, d: number, seed: number): number[][] {
  let s = seed;
  return Array.from({ length: n }, (_, i) =>
    Array.from({ length: d }, (__, j) => {
      s = (Math.imul(s, 1_664_525) + 1_013_904_223) >>> 0;
      return (s / 2 ** 32) * (1 + 0.3 * j) + (j === 0 ? (0.2 * i) / n : 0) + (seed % 7) * 0.05;
    }),
  );
}
const gaussian = (mean: number[], diagonal: number[]): Gaussian => {
  const n = mean.length;
  const covariance = new Float64Array(n * n);
  for (const [i, v] of diagonal.entries()) covariance[i * n + i] = v;
  return { mean: Float64Array.from(mean), covariance, count: 100 };
};

describe('frechetDistance', () => {
  test('agrees with NumPy (eigenvalues of the product of covariances), also with fewer pictures than features', () => {
    expect(frechetDistance(fitGaussian(features(40, 5, 1)), fitGaussian(features(30, 5, 5)))).toBeCloseTo(
      0.14516016168889356,
      9,
    );
    expect(frechetDistance(fitGaussian(features(6, 8, 1)), fitGaussian(features(9, 8, 5)))).toBeCloseTo(
      2.9993230254772536,
      6,
    );
  });
  test('along axes: squared differences of means and deviations', () => {
    expect(frechetDistance(gaussian([1, 2], [4, 9]), gaussian([4, -2], [1, 16]))).toBeCloseTo(9 + 16 + 1 + 1, 10);
    expect(frechetDistance(gaussian([0], [0]), gaussian([3], [0]))).toBeCloseTo(9, 12);
  });
  test('zero to itself, symmetric, unchanged by turning both', () => {
    const [a, b] = [features(50, 4, 1), features(50, 4, 5)];
    const turn = (rows: number[][]): number[][] =>
      rows.map(([x = 0, y = 0, z = 0, w = 0]) => [0.6 * x - 0.8 * y, 0.8 * x + 0.6 * y, z, -w]);
    const distance = frechetDistance(fitGaussian(a), fitGaussian(b));
    expect(frechetDistance(fitGaussian(a), fitGaussian(a))).toBeCloseTo(0, 10);
    expect(frechetDistance(fitGaussian(b), fitGaussian(a))).toBeCloseTo(distance, 10);
    expect(frechetDistance(fitGaussian(turn(a)), fitGaussian(turn(b)))).toBeCloseTo(distance, 10);
  });
  test('refuses one picture and features of different widths', () => {
    expect(() => fitGaussian([[1, 2]])).toThrow('at least two pictures');
    expect(() => fitGaussian([[1, 2], [1]])).toThrow('different lengths');
    expect(() => frechetDistance(gaussian([0], [1]), gaussian([0, 0], [1, 1]))).toThrow('different widths');
  });
});

describe('kernelDistance', () => {
  test('agrees with NumPy', () => {
    expect(kernelDistance(features(40, 5, 1), features(30, 5, 5))).toBeCloseTo(0.20495432436776895, 9);
    expect(kernelDistance(features(6, 8, 1), features(9, 8, 5))).toBeCloseTo(-0.029717384888936493, 9);
  });
  test('is near zero between halves of one set, however small, where the Fréchet distance is not', () => {
    const random = seededRandom(3);
    const halves = Array.from({ length: 20 }, () =>
      Array.from({ length: 12 }, () => Array.from({ length: 6 }, () => random(1000) / 1000)),
    );
    let sum = 0;
    let frechet = 0;
    for (let k = 0; k < 20; k += 2) {
      sum += kernelDistance(halves[k]!, halves[k + 1]!) / 10;
      frechet += frechetDistance(fitGaussian(halves[k]!), fitGaussian(halves[k + 1]!)) / 10;
    }
    expect(Math.abs(sum)).toBeLessThan(0.03);
    expect(frechet).toBeGreaterThan(0.03);
  });
});
