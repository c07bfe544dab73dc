import { StudioError } from '#shared/errors.ts';
import { linear } from '../tensor/index.ts';
import type { FlowMatchEulerConfig } from './config.ts';
import { defineScheduler } from './define.ts';
import { f32, linspace } from './numerics.ts';
import { dynamicShift, formulaSigmas, shiftSigma, stretchToTerminal } from './spacing.ts';
import { sigmaAt } from './table-based.ts';
import type { PlanOptions, Scheduler } from './types.ts';

/**
 * Euler's method for flow matching (Esser et al. 2024): sample = (1 - sigma) original + sigma noise, and the model
 * predicts noise - original. A shift counts twice, as in diffusers: on the ends of the range, then on its points.
 */
export function createFlowMatchEuler(config: FlowMatchEulerConfig): Scheduler {
  const total = config.num_train_timesteps;
  const end = (sigma: number): number => f32(config.use_dynamic_shifting ? sigma : shiftSigma(sigma, config.shift));
  const sigmaMax = end(1);
  const sigmaMin = end(f32(1 / total));

  function shifted(sigmas: readonly number[], mu: number | undefined): number[] {
    if (!config.use_dynamic_shifting) return sigmas.map((sigma) => shiftSigma(sigma, config.shift));
    if (mu === undefined)
      throw new StudioError('bad-use', 'this model shifts its schedule by the size of the picture: mu is missing', {
        remedy: 'compute it with dynamicShiftMu',
      });
    return sigmas.map((sigma) => dynamicShift(sigma, mu, config.time_shift_type));
  }

  function sigmasOf(steps: number, options: PlanOptions): number[] {
    if (options.sigmas && options.sigmas.length !== steps)
      throw new StudioError('bad-use', `${options.sigmas.length} sigmas for ${steps} steps`);
    const even = options.sigmas?.map(f32) ?? linspace(sigmaMax * total, sigmaMin * total, steps).map((t) => t / total);
    let sigmas = shifted(even, options.mu);
    if (config.shift_terminal) sigmas = stretchToTerminal(sigmas, config.shift_terminal);
    return formulaSigmas(config, sigmas.at(-1) as number, sigmas[0] as number, steps) ?? sigmas;
  }

  return defineScheduler({
    config,

    plan(steps, options) {
      const noisy = sigmasOf(steps, options).map(f32);
      const sigmas = config.invert_sigmas ? noisy.map((sigma) => f32(1 - sigma)) : noisy;
      return {
        steps, options, order: 1,
        timesteps: sigmas.map((sigma) => f32(sigma * total)),
        sigmas: [...sigmas, config.invert_sigmas ? 1 : 0],
        initNoiseSigma: 1,
        draws: sigmas.map(() => config.stochastic_sampling),
      }; // prettier-ignore
    },

    advance({ plan, index }, output, sample, noise) {
      const sigma = sigmaAt(plan, index);
      const next = sigmaAt(plan, index + 1);
      const original = linear([[1, sample], [-sigma, output]]); // prettier-ignore
      const moved = noise
        ? linear([[1 - next, original], [next, noise]]) // prettier-ignore
        : linear([[1, sample], [next - sigma, output]]); // prettier-ignore
      return { sample: moved, predictedOriginal: original };
    },

    addNoise(plan, original, noise, index) {
      const sigma = sigmaAt(plan, index);
      return linear([[1 - sigma, original], [sigma, noise]]); // prettier-ignore
    },
  });
}

/** The shift mu for a picture of so many latent tokens: a straight line between the configuration's two ends. */
export function dynamicShiftMu(config: FlowMatchEulerConfig, tokens: number): number {
  const slope = (config.max_shift - config.base_shift) / (config.max_image_seq_len - config.base_image_seq_len);
  return tokens * slope + config.base_shift - slope * config.base_image_seq_len;
}
