import { StudioError } from '#shared/errors.ts';
import { tensor, type Tensor } from '../tensor/index.ts';

export type SinusoidalOptions = {
  /** Cosines first, as the UNets of Stable Diffusion have it; otherwise sines first. */
  readonly flipSinToCos?: boolean;
  /** 0: frequencies end just before 1 / maxPeriod; 1: they end on it. */
  readonly frequencyShift?: number;
  readonly scale?: number;
  readonly maxPeriod?: number;
};

/**
 * Sinusoidal embedding of positions or timesteps (Vaswani et al. 2017; diffusers' get_timestep_embedding).
 * @param dimension numbers for each value; an odd one ends in a zero
 * @returns shape [values, dimension]
 */
export function sinusoidalEmbedding(
  values: readonly number[],
  dimension: number,
  options: SinusoidalOptions = {},
): Tensor {
  const { flipSinToCos = false, frequencyShift = 0, scale = 1, maxPeriod = 10_000 } = options;
  const half = Math.floor(dimension / 2);
  if (!Number.isInteger(dimension) || half - frequencyShift <= 0)
    throw new StudioError('bad-use', `an embedding of ${dimension} numbers is too small`);
  const data = new Float32Array(values.length * dimension);
  values.forEach((value, row) => {
    for (let k = 0; k < half; k++) {
      const angle = value * scale * Math.exp((-Math.log(maxPeriod) * k) / (half - frequencyShift));
      const offset = row * dimension + k;
      data[offset] = flipSinToCos ? Math.cos(angle) : Math.sin(angle);
      data[offset + half] = flipSinToCos ? Math.sin(angle) : Math.cos(angle);
    }
  });
  return tensor(data, [values.length, dimension]);
}

/**
 * What a guidance-distilled model (LCM) is told instead of being run twice: its `timestep_cond`.
 * @param guidanceScale 1 is no guidance
 * @returns shape [1, dimension]
 */
export function guidanceScaleEmbedding(guidanceScale: number, dimension: number): Tensor {
  return sinusoidalEmbedding([(guidanceScale - 1) * 1000], dimension, { frequencyShift: 1 });
}
