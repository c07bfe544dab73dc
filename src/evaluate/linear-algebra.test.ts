import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { multiplySquare, symmetricEigen, symmetricRoot } from './linear-algebra.ts';
import { seededRandom } from './statistics.ts';

/** A symmetric matrix of `n` with numbers in -1..1; of low rank if asked. */
function symmetric(n: number, seed: number, rank = n): Float64Array {
  const random = seededRandom(seed);
  const out = new Float64Array(n * n);
  for (let r = 0; r < rank; r += 1) {
    const sign = random(2) ? 1 : -1;
    const v = Array.from({ length: n }, () => random(2001) / 1000 - 1);
    for (let i = 0; i < n; i += 1) for (let j = 0; j < n; j += 1) out[i * n + j]! += (sign * v[i]! * v[j]!) / n;
  }
  return out;
}

describe('symmetricEigen', () => {
  test('known matrices', () => {
    expect([...symmetricEigen(Float64Array.from([2, 1, 1, 2]), 2).values]).toEqual([
      expect.closeTo(1, 12),
      expect.closeTo(3, 12),
    ]);
    expect([...symmetricEigen(Float64Array.from([5]), 1).values]).toEqual([5]);
    expect([...symmetricEigen(new Float64Array(9), 3).values]).toEqual([0, 0, 0]);
    const diagonal = Float64Array.from([3, 0, 0, 0, -1, 0, 0, 0, 2]);
    expect([...symmetricEigen(diagonal, 3).values]).toEqual([-1, 2, 3]);
    // The path graph's Laplacian: 2 - 2 cos(k pi / n).
    const n = 8;
    const laplacian = new Float64Array(n * n);
    for (let i = 0; i + 1 < n; i += 1) {
      laplacian[i * n + i]! += 1;
      laplacian[(i + 1) * n + i + 1]! += 1;
      laplacian[i * n + i + 1] = -1;
      laplacian[(i + 1) * n + i] = -1;
    }
    const { values } = symmetricEigen(laplacian, n);
    for (let k = 0; k < n; k += 1) expect(values[k]).toBeCloseTo(2 - 2 * Math.cos((k * Math.PI) / n), 10);
  });
  test('vectors are orthonormal and the matrix stretches each by its value', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 24 }),
        fc.nat({ max: 999 }),
        fc.integer({ min: 1, max: 24 }),
        (n, seed, rank) => {
          const matrix = symmetric(n, seed, Math.min(n, rank));
          const { values, vectors } = symmetricEigen(matrix, n);
          let worst = 0;
          for (let k = 0; k < n; k += 1) {
            for (let i = 0; i < n; i += 1) {
              let stretched = 0;
              for (let j = 0; j < n; j += 1) stretched += matrix[i * n + j]! * vectors[j * n + k]!;
              worst = Math.max(worst, Math.abs(stretched - values[k]! * vectors[i * n + k]!));
            }
            for (let m = 0; m <= k; m += 1) {
              let product = 0;
              for (let i = 0; i < n; i += 1) product += vectors[i * n + k]! * vectors[i * n + m]!;
              worst = Math.max(worst, Math.abs(product - (k === m ? 1 : 0)));
            }
            if (k > 0) expect(values[k]).toBeGreaterThanOrEqual(values[k - 1]!);
          }
          expect(worst).toBeLessThan(1e-10);
        },
      ),
      { numRuns: 60 },
    );
  });
  test('256 x 256 in a few seconds at most', () => {
    const matrix = symmetric(256, 3);
    const start = performance.now();
    const { values } = symmetricEigen(matrix, 256);
    expect(performance.now() - start).toBeLessThan(10_000);
    let trace = 0;
    for (let i = 0; i < 256; i += 1) trace += matrix[i * 257]!;
    expect(values.reduce((a, b) => a + b, 0)).toBeCloseTo(trace, 8);
  });
});

test('the root times itself is the matrix', () => {
  const n = 12;
  const half = symmetric(n, 9, 5);
  const matrix = multiplySquare(half, half, n);
  const root = symmetricRoot(matrix, n);
  const again = multiplySquare(root, root, n);
  for (let i = 0; i < n * n; i += 1) expect(again[i]).toBeCloseTo(matrix[i]!, 9);
});
