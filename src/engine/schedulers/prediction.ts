import { StudioError } from '#shared/errors.ts';
import { batchOf, clamp, linear, requireSameShape, type Tensor } from '../tensor/index.ts';

export type PredictionType = 'epsilon' | 'sample' | 'v_prediction' | 'flow_prediction';

/**
 * A noisy sample is alpha * original + sigma * noise. For the variance-preserving samplers alpha^2 + sigma^2 = 1,
 * for flow matching alpha = 1 - sigma.
 */
export type Level = { readonly alpha: number; readonly sigma: number };

/** The level at which a share `signal` (an entry of alphasCumprod) of the variance is clean. */
export function levelOfSignal(signal: number): Level {
  return { alpha: Math.sqrt(signal), sigma: Math.sqrt(1 - signal) };
}

/** The level of a ratio of noise to signal. */
export function levelOfSigma(sigma: number, isFlow = false): Level {
  if (isFlow) return { alpha: 1 - sigma, sigma };
  const alpha = 1 / Math.sqrt(sigma * sigma + 1);
  return { alpha, sigma: sigma * alpha };
}

/** ln alpha - ln sigma, half the logarithm of the signal-to-noise ratio; Infinity where there is no noise. */
export function halfLogSnr({ alpha, sigma }: Level): number {
  return Math.log(alpha) - Math.log(sigma);
}

/** The clean sample that a model output implies. */
export function toOriginal(type: PredictionType, output: Tensor, sample: Tensor, { alpha, sigma }: Level): Tensor {
  requireSameShape(sample, output, 'the sample', 'the model output');
  switch (type) {
    case 'epsilon':
      return linear([
        [1 / alpha, sample],
        [-sigma / alpha, output],
      ]);
    case 'sample':
      return output;
    case 'v_prediction':
      return linear([
        [alpha, sample],
        [-sigma, output],
      ]);
    case 'flow_prediction':
      return linear([
        [1, sample],
        [-sigma, output],
      ]);
  }
}

/** The noise that a model output implies. */
export function toEpsilon(type: PredictionType, output: Tensor, sample: Tensor, { alpha, sigma }: Level): Tensor {
  requireSameShape(sample, output, 'the sample', 'the model output');
  switch (type) {
    case 'epsilon':
      return output;
    case 'sample':
      return epsilonOf(output, sample, { alpha, sigma });
    case 'v_prediction':
      return linear([
        [alpha, output],
        [sigma, sample],
      ]);
    case 'flow_prediction': // noise - original; sample = (1 - sigma) original + sigma noise
      return linear([
        [1, sample],
        [1 - sigma, output],
      ]);
  }
}

/** The noise in a sample of which the clean part is known. */
export function epsilonOf(original: Tensor, sample: Tensor, { alpha, sigma }: Level): Tensor {
  return linear([
    [1 / sigma, sample],
    [-alpha / sigma, original],
  ]);
}

export type Bounds = {
  readonly clip_sample?: boolean;
  readonly clip_sample_range?: number;
  readonly thresholding?: boolean;
  readonly dynamic_thresholding_ratio?: number;
  readonly sample_max_value?: number;
};

/** A predicted clean sample brought back into range: dynamic thresholding, clipping, or neither. */
export function bound(original: Tensor, bounds: Bounds): Tensor {
  if (bounds.thresholding)
    return dynamicThreshold(original, bounds.dynamic_thresholding_ratio ?? 0.995, bounds.sample_max_value ?? 1);
  if (bounds.clip_sample) {
    const range = bounds.clip_sample_range ?? 1;
    return clamp(original, -range, range);
  }
  return original;
}

/**
 * Dynamic thresholding (Saharia et al. 2022, section 2.3): for each sample, the quantile of |x| over all its values,
 * kept within [1, maxValue], is the new range, and is divided by.
 */
function dynamicThreshold(x: Tensor, ratio: number, maxValue: number): Tensor {
  const batch = batchOf(x);
  const each = batch === 0 ? 0 : x.data.length / batch;
  const out = new Float32Array(x.data.length);
  for (let start = 0; start < out.length; start += each) {
    const sorted = x.data
      .subarray(start, start + each)
      .map(Math.abs)
      .sort(); // a typed array sorts by value
    const rank = ratio * (each - 1);
    const low = sorted[Math.floor(rank)] as number;
    const high = sorted[Math.ceil(rank)] as number;
    const range = Math.min(Math.max(low + (high - low) * (rank - Math.floor(rank)), 1), maxValue);
    for (let i = start; i < start + each; i++) out[i] = Math.min(Math.max(x.data[i] as number, -range), range) / range;
  }
  return { data: out, shape: x.shape };
}

/**
 * Cuts the output of a model that also learned its variance: the first half of the channels (axis 1) is the
 * prediction, the second the variance.
 */
export function splitLearnedVariance(output: Tensor, sample: Tensor): { prediction: Tensor; variance: Tensor } {
  const expected = sample.shape.map((side, axis) => (axis === 1 ? 2 * side : side));
  if (expected.length < 2 || expected.length !== output.shape.length || expected.some((s, i) => s !== output.shape[i]))
    throw new StudioError(
      'bad-input',
      `a model with learned variance gives shape [${expected.join(', ')}], not [${output.shape.join(', ')}]`,
    );
  const batch = batchOf(sample);
  const each = sample.data.length / batch;
  const halves = [0, 1].map((half) => {
    const data = new Float32Array(sample.data.length);
    for (let b = 0; b < batch; b++)
      data.set(output.data.subarray((2 * b + half) * each, (2 * b + half + 1) * each), b * each);
    return { data, shape: sample.shape };
  });
  return { prediction: halves[0] as Tensor, variance: halves[1] as Tensor };
}
