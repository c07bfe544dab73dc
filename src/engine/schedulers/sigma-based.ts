import { linear, scale, type Tensor } from '../tensor/index.ts';
import type { TimestepSpacing } from './spacing.ts';
import { sigmaAt } from './table-based.ts';
import type { SchedulerState } from './types.ts';

/** What the variance-exploding samplers (sample = original + sigma noise) have in common. */

/** The first sample is unit noise times this: the largest sigma; with leading spacing the picture's variance counts. */
export function initialSigma(spacing: TimestepSpacing, sigmas: readonly number[]): number {
  const largest = Math.max(...sigmas);
  return spacing === 'leading' ? Math.sqrt(largest * largest + 1) : largest;
}

/** The model was trained on samples of variance 1. */
export function scaleToUnitVariance(sample: Tensor, sigma: number): Tensor {
  return scale(sample, 1 / Math.sqrt(sigma * sigma + 1));
}

export function scaleBySigma(state: SchedulerState, sample: Tensor): Tensor {
  return scaleToUnitVariance(sample, sigmaAt(state.plan, state.index));
}

/** The clean sample that a model output implies at a sigma. */
export function originalFromSigma(
  type: 'epsilon' | 'sample' | 'v_prediction',
  output: Tensor,
  sample: Tensor,
  sigma: number,
): Tensor {
  const variance = sigma * sigma + 1;
  switch (type) {
    case 'epsilon':
      return linear([
        [1, sample],
        [-sigma, output],
      ]);
    case 'v_prediction':
      return linear([
        [1 / variance, sample],
        [-sigma / Math.sqrt(variance), output],
      ]);
    case 'sample':
      return output;
  }
}

/** How an ancestral step divides the way from sigma `from` to `to`: down to `down`, then noise of `up` on top. */
export function ancestralSplit(from: number, to: number): { readonly up: number; readonly down: number } {
  const up = Math.sqrt((to * to * (from * from - to * to)) / (from * from));
  return { up, down: Math.sqrt(Math.max(0, to * to - up * up)) };
}
