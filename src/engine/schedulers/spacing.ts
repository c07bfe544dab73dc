import { StudioError } from '#shared/errors.ts';
import { betaQuantile } from './beta-quantile.ts';
import { arange, f32, interpolate, linspace, roundHalfEven } from './numerics.ts';

export type TimestepSpacing = 'linspace' | 'leading' | 'trailing';

/**
 * trailing: from the last training timestep downwards, `total / steps` apart. numpy's arange yields a point too many
 * for some counts (61, 103, ... of 1000) because of rounding, which diffusers turns into timestep -1; it is dropped.
 */
export function trailing(last: number, total: number, steps: number): number[] {
  return arange(last, 0, -(total / steps))
    .map((t) => roundHalfEven(t) - 1)
    .filter((t) => t >= 0);
}

/** Whole timesteps, falling, as the samplers that index the training table by timestep lay them. */
export function wholeTimesteps(spacing: TimestepSpacing, total: number, steps: number, offset: number): number[] {
  switch (spacing) {
    case 'linspace':
      return linspace(0, total - 1, steps)
        .map(roundHalfEven)
        .reverse();
    case 'leading':
      return leading(Math.floor(total / steps), steps, offset);
    case 'trailing':
      return trailing(total, total, steps);
  }
}

function leading(stride: number, points: number, offset: number): number[] {
  return Array.from({ length: points }, (_, i) => i * stride + offset).reverse();
}

/** Timesteps of the sigma samplers (Euler, Heun, KDPM2): linspace keeps fractions, in float32. */
export function fractionalTimesteps(spacing: TimestepSpacing, total: number, steps: number, offset: number): number[] {
  return spacing === 'linspace'
    ? linspace(0, total - 1, steps)
        .map(f32)
        .reverse()
    : wholeTimesteps(spacing, total, steps, offset);
}

/**
 * Timesteps of the multistep solvers: linspace and leading lay one point more and drop the last.
 * @param last timesteps from here on are not used (DPM-Solver's lambda_min_clipped)
 */
export function multistepTimesteps(
  spacing: TimestepSpacing,
  total: number,
  last: number,
  steps: number,
  offset: number,
): number[] {
  switch (spacing) {
    case 'linspace':
      return linspace(0, last - 1, steps + 1).map(roundHalfEven).reverse().slice(0, -1); // prettier-ignore
    case 'leading':
      return leading(Math.floor(last / (steps + 1)), steps + 1, offset).slice(0, -1);
    case 'trailing':
      return trailing(last, total, steps);
  }
}

/** @throws StudioError `bad-use` when a timestep is not in the training table */
export function requireInTable(timesteps: readonly number[], total: number): void {
  const outside = timesteps.find((t) => t < 0 || t >= total);
  if (outside !== undefined)
    throw new StudioError(
      'bad-use',
      `this spacing asks for timestep ${outside}, but the model knows 0 to ${total - 1}`,
      {
        remedy: 'take fewer steps, or a steps_offset of 0',
      },
    );
}

export type SigmaSpacing = {
  readonly use_karras_sigmas: boolean;
  readonly use_exponential_sigmas: boolean;
  readonly use_beta_sigmas: boolean;
};

/**
 * Sigmas laid out by a formula instead of by timesteps, falling from `max` to `min`; null when none is asked for.
 * Karras: Karras et al. 2022, eq. 5 with rho 7. Exponential: even in ln sigma. Beta: see beta-quantile.ts, 0.6, 0.6.
 */
export function formulaSigmas(spacing: SigmaSpacing, min: number, max: number, steps: number): number[] | null {
  const ramp = linspace(0, 1, steps);
  if (spacing.use_karras_sigmas) {
    const rho = 7;
    const from = max ** (1 / rho);
    const to = min ** (1 / rho);
    return ramp.map((r) => (from + r * (to - from)) ** rho);
  }
  if (spacing.use_exponential_sigmas) return linspace(Math.log(max), Math.log(min), steps).map(Math.exp);
  if (spacing.use_beta_sigmas) return ramp.map((r) => min + betaQuantile(1 - r, 0.6, 0.6) * (max - min));
  return null;
}

/** ln of each entry, in float32. */
export function logTable(sigmas: Float32Array): Float32Array {
  return sigmas.map((sigma) => Math.log(sigma));
}

/** The (fractional) training timestep of a sigma: straight lines in ln sigma between the entries of the table. */
export function timestepOfSigma(sigma: number, logSigmas: Float32Array): number {
  const logSigma = Math.log(Math.max(sigma, 1e-10));
  let low = 0; // the last entry that is not above
  for (let i = 0; i < logSigmas.length; i++) if (logSigma - (logSigmas[i] as number) >= 0) low = i;
  low = Math.min(low, logSigmas.length - 2);
  const from = logSigmas[low] as number;
  const to = logSigmas[low + 1] as number;
  const weight = Math.min(1, Math.max(0, (from - logSigma) / (from - to)));
  return (1 - weight) * low + weight * (low + 1);
}

/** Sigmas at (fractional) timesteps. */
export function sigmasAt(timesteps: readonly number[], table: Float32Array): number[] {
  return timesteps.map((t) => interpolate(t, table));
}

/** Sigmas of flow matching, with the shift to more noise that large images need (Esser et al. 2024, eq. 23). */
export function shiftSigma(sigma: number, shift: number): number {
  return (shift * sigma) / (1 + (shift - 1) * sigma);
}

/** The dynamic shift of Flux: by exp(mu), or by mu itself. */
export function dynamicShift(sigma: number, mu: number, type: 'exponential' | 'linear'): number {
  const factor = type === 'exponential' ? Math.exp(mu) : mu;
  return factor / (factor + (1 / sigma - 1));
}

/** Stretches sigmas so that the last one is `terminal`. */
export function stretchToTerminal(sigmas: readonly number[], terminal: number): number[] {
  const factor = (1 - (sigmas.at(-1) as number)) / (1 - terminal);
  return sigmas.map((sigma) => 1 - (1 - sigma) / factor);
}
