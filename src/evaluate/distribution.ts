import { StudioError } from '#shared/errors.ts';
import { multiplySquare, symmetricEigen, symmetricRoot } from './linear-algebra.ts';

/** Mean and covariance (with n - 1) of feature vectors. */
export interface Gaussian {
  readonly mean: Float64Array;
  /** Row-major, width x width. */
  readonly covariance: Float64Array;
  readonly count: number;
}

function widthOf(features: readonly ArrayLike<number>[]): number {
  const width = features[0]?.length ?? 0;
  if (width === 0 || features.some((row) => row.length !== width))
    throw new StudioError('bad-input', 'feature vectors of different lengths cannot be compared');
  return width;
}

/** @throws StudioError bad-input for fewer than two vectors */
export function fitGaussian(features: readonly ArrayLike<number>[]): Gaussian {
  if (features.length < 2)
    throw new StudioError('bad-input', 'a distribution needs at least two pictures', {
      remedy: 'make more pictures, or leave out --reference',
    });
  const width = widthOf(features);
  const mean = new Float64Array(width);
  for (const row of features) for (let i = 0; i < width; i += 1) mean[i] = (mean[i] ?? 0) + (row[i] ?? 0);
  for (let i = 0; i < width; i += 1) mean[i] = (mean[i] ?? 0) / features.length;
  const covariance = new Float64Array(width * width);
  const centred = new Float64Array(width);
  for (const row of features) {
    for (let i = 0; i < width; i += 1) centred[i] = (row[i] ?? 0) - (mean[i] ?? 0);
    for (let i = 0; i < width; i += 1) {
      const factor = (centred[i] ?? 0) / (features.length - 1);
      for (let j = 0; j <= i; j += 1)
        covariance[i * width + j] = (covariance[i * width + j] ?? 0) + factor * (centred[j] ?? 0);
    }
  }
  for (let i = 0; i < width; i += 1)
    for (let j = 0; j < i; j += 1) covariance[j * width + i] = covariance[i * width + j] ?? 0;
  return { mean, covariance, count: features.length };
}

/**
 * The squared Fréchet distance of two Gaussians (Heusel et al. 2017):
 * |m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½). The trace of the root is that of (C1^½ C2 C1^½)^½, whose matrix is symmetric.
 */
export function frechetDistance(a: Gaussian, b: Gaussian): number {
  const n = a.mean.length;
  if (b.mean.length !== n) throw new StudioError('bad-input', 'features of different widths cannot be compared');
  let distance = 0;
  for (let i = 0; i < n; i += 1) {
    distance += ((a.mean[i] ?? 0) - (b.mean[i] ?? 0)) ** 2;
    distance += (a.covariance[i * n + i] ?? 0) + (b.covariance[i * n + i] ?? 0);
  }
  const root = symmetricRoot(a.covariance, n);
  const inner = multiplySquare(multiplySquare(root, b.covariance, n), root, n);
  let trace = 0;
  for (const value of symmetricEigen(inner, n).values) trace += Math.sqrt(Math.max(0, value));
  return Math.max(0, distance - 2 * trace);
}

/**
 * Kernel distance (KID, Binkowski et al. 2018): the unbiased squared maximum mean discrepancy with the kernel
 * (x·y / width + 1)³. Unlike the Fréchet distance its expectation does not depend on how many pictures there are, so it
 * is the figure to trust for a few dozen; it may come out slightly below zero.
 */
export function kernelDistance(a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): number {
  const width = widthOf([...a, ...b]);
  if (a.length < 2 || b.length < 2) throw new StudioError('bad-input', 'a distribution needs at least two pictures');
  const kernel = (x: ArrayLike<number>, y: ArrayLike<number>): number => {
    let sum = 0;
    for (let i = 0; i < width; i += 1) sum += (x[i] ?? 0) * (y[i] ?? 0);
    return (sum / width + 1) ** 3;
  };
  const within = (set: readonly ArrayLike<number>[]): number => {
    let sum = 0;
    for (const [i, x] of set.entries()) for (let j = 0; j < i; j += 1) sum += 2 * kernel(x, set[j] ?? []);
    return sum / (set.length * (set.length - 1));
  };
  let across = 0;
  for (const x of a) for (const y of b) across += kernel(x, y);
  return within(a) + within(b) - (2 * across) / (a.length * b.length);
}
