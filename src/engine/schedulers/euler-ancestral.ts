import { linear } from '../tensor/index.ts';
import type { EulerAncestralConfig } from './config.ts';
import { defineScheduler } from './define.ts';
import { f32 } from './numerics.ts';
import { ancestralSplit, initialSigma, originalFromSigma, scaleBySigma } from './sigma-based.ts';
import { fractionalTimesteps, sigmasAt } from './spacing.ts';
import { addNoiseBySigma, sigmaAt } from './table-based.ts';
import { sigmaTable, tablesForSigmas } from './tables.ts';
import type { Scheduler } from './types.ts';

/**
 * Ancestral sampling with Euler steps (k-diffusion, sample_euler_ancestral). It draws noise at every step; at the
 * last one it gets no weight, but a seed means the same picture only if it is drawn.
 */
export function createEulerAncestral(config: EulerAncestralConfig): Scheduler {
  const table = sigmaTable(tablesForSigmas(config));

  return defineScheduler({
    config,

    plan(steps, options) {
      const { timestep_spacing: spacing, num_train_timesteps: total, steps_offset: offset } = config;
      const timesteps = fractionalTimesteps(spacing, total, steps, offset);
      const sigmas = [...sigmasAt(timesteps, table), 0].map(f32);
      return {
        steps, options, order: 1, timesteps, sigmas,
        initNoiseSigma: initialSigma(spacing, sigmas),
        draws: timesteps.map(() => true),
      }; // prettier-ignore
    },

    scaleModelInput: scaleBySigma,

    advance({ plan, index }, output, sample, noise) {
      const sigma = sigmaAt(plan, index);
      const { up, down } = ancestralSplit(sigma, sigmaAt(plan, index + 1));
      const original = originalFromSigma(config.prediction_type, output, sample, sigma);
      return {
        sample: linear([
          [down / sigma, sample],
          [1 - down / sigma, original],
          [up, noise ?? sample], // drawn at every step: defineScheduler has made sure
        ]),
        predictedOriginal: original,
      };
    },

    addNoise: addNoiseBySigma,
  });
}
