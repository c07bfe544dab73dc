import { StudioError } from '#shared/errors.ts';
import { linear, type Tensor } from '../tensor/index.ts';
import { f32, linspaceFloat32 } from './numerics.ts';

/** How noise was added in training. */
export type BetaSettings = {
  readonly num_train_timesteps: number;
  readonly beta_start: number;
  readonly beta_end: number;
  readonly beta_schedule: 'linear' | 'scaled_linear' | 'squaredcos_cap_v2';
  readonly trained_betas?: readonly number[] | null;
  readonly rescale_betas_zero_snr?: boolean;
};

/** One value for each training timestep, in float32 as the published tables are. */
export type TrainingTables = {
  readonly betas: Float32Array;
  readonly alphas: Float32Array;
  /** Product of all alphas up to a timestep: how much of the clean signal's variance is left. */
  readonly alphasCumprod: Float32Array;
};

/** Cosine schedule (Nichol and Dhariwal 2021, eq. 17), in float64, beta capped at 0.999. */
export function cosineBetas(count: number): Float64Array {
  const alphaBar = (t: number): number => Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2;
  return Float64Array.from({ length: count }, (_, i) =>
    Math.min(1 - alphaBar((i + 1) / count) / alphaBar(i / count), 0.999),
  );
}

function plainBetas(settings: BetaSettings): Float32Array {
  const { num_train_timesteps: count, beta_start: start, beta_end: end, trained_betas: trained } = settings;
  if (trained) {
    if (trained.length !== count)
      throw new StudioError('bad-input', `trained_betas has ${trained.length} numbers for ${count} training timesteps`);
    return Float32Array.from(trained);
  }
  switch (settings.beta_schedule) {
    case 'linear':
      return linspaceFloat32(start, end, count);
    case 'scaled_linear':
      return linspaceFloat32(Math.sqrt(start), Math.sqrt(end), count).map((x) => x * x);
    case 'squaredcos_cap_v2':
      return Float32Array.from(cosineBetas(count));
  }
}

/** Running product in float64, rounded at each entry. */
function cumulativeProduct(values: Float32Array): Float32Array {
  let product = 1;
  return values.map((value) => (product *= value));
}

const alphasOf = (betas: Float32Array): Float32Array => betas.map((beta) => 1 - beta);

/** Shifts and stretches sqrt(alphasCumprod) so that it ends at exactly 0 (Lin et al. 2024, algorithm 1). */
function rescaleToZeroTerminalSnr(betas: Float32Array): Float32Array {
  const root = cumulativeProduct(alphasOf(betas)).map(Math.sqrt);
  const first = root[0] as number;
  const last = root[root.length - 1] as number;
  const stretch = f32(first / f32(first - last));
  const alphaBar = root.map((value) => {
    const moved = f32(f32(value - last) * stretch);
    return moved * moved;
  });
  return alphaBar.map((value, i) => 1 - f32(i === 0 ? value : value / (alphaBar[i - 1] as number)));
}

/** The training tables of a schedule. */
export function trainingTables(settings: BetaSettings): TrainingTables {
  const plain = plainBetas(settings);
  const betas = settings.rescale_betas_zero_snr ? rescaleToZeroTerminalSnr(plain) : plain;
  const alphas = alphasOf(betas);
  return { betas, alphas, alphasCumprod: cumulativeProduct(alphas) };
}

/**
 * The tables for the samplers that divide by alphasCumprod: with zero terminal SNR its last entry is 2^-24 instead
 * of 0, so that the first sigma is 4096 instead of infinite (as diffusers does).
 */
export function tablesForSigmas(settings: BetaSettings): TrainingTables {
  const tables = trainingTables(settings);
  if (!settings.rescale_betas_zero_snr) return tables;
  const alphasCumprod = tables.alphasCumprod.slice();
  alphasCumprod[alphasCumprod.length - 1] = 2 ** -24;
  return { ...tables, alphasCumprod };
}

/** sigma = sqrt((1 - alphasCumprod) / alphasCumprod): noise over signal, for each training timestep, rising. */
export function sigmaTable(tables: TrainingTables): Float32Array {
  return tables.alphasCumprod.map((a) => Math.sqrt(f32(f32(1 - a) / a)));
}

/** alphasCumprod at a whole timestep. @throws StudioError `bad-use` for a timestep outside the training schedule. */
export function signalAt(tables: TrainingTables, timestep: number): number {
  const value = tables.alphasCumprod[timestep];
  if (value === undefined)
    throw new StudioError(
      'bad-use',
      `timestep ${timestep} lies outside the ${tables.alphasCumprod.length} timesteps of training`,
    );
  return value;
}

/** What v-prediction predicts: sqrt(a) noise - sqrt(1 - a) original (Salimans and Ho 2022). */
export function velocity(tables: TrainingTables, original: Tensor, noise: Tensor, timestep: number): Tensor {
  const a = signalAt(tables, timestep);
  return linear([
    [Math.sqrt(a), noise],
    [-Math.sqrt(1 - a), original],
  ]);
}
