import { StudioError } from '#shared/errors.ts';
import { linear } from '../tensor/index.ts';
import type { LcmConfig } from './config.ts';
import { defineScheduler } from './define.ts';
import { bound, levelOfSignal, toOriginal } from './prediction.ts';
import { addNoiseBySignal, refuseEpsilonWithoutSignal } from './table-based.ts';
import { signalAt, trainingTables } from './tables.ts';
import type { Scheduler } from './types.ts';

const SIGMA_DATA = 0.5;

/**
 * Latent consistency models (Luo et al. 2023): each call predicts the clean sample through the boundary condition
 * c_skip x + c_out x0, then noise of the next timestep is added; none after the last call.
 */
export function createLcm(config: LcmConfig): Scheduler {
  const tables = trainingTables(config);
  const total = config.num_train_timesteps;

  return defineScheduler({
    config,

    plan(steps, options) {
      const originalSteps = options.originalSteps ?? config.original_inference_steps;
      const strength = options.strength ?? 1;
      if (originalSteps > total)
        throw new StudioError('bad-use', `${originalSteps} distillation steps are more than the ${total} of training`);
      const available = Math.floor(originalSteps * strength);
      if (steps > available)
        throw new StudioError('bad-use', `LCM has ${available} timesteps here and cannot make ${steps} steps of them`, {
          remedy: strength < 1 ? 'take fewer steps or a higher strength' : 'take fewer steps',
        });
      const stride = Math.floor(total / originalSteps);
      const timesteps = Array.from({ length: steps }, (_, i) => {
        const position = Math.floor(i * (available / steps)); // counted from the noisy end
        return (available - position) * stride - 1;
      });
      refuseEpsilonWithoutSignal(config.prediction_type, tables, timesteps);
      const draws = timesteps.map((_, i) => i !== steps - 1);
      return { steps, options, order: 1, timesteps, sigmas: null, initNoiseSigma: 1, draws };
    },

    advance({ plan, index }, output, sample, noise) {
      const t = plan.timesteps[index] as number;
      const original = bound(
        toOriginal(config.prediction_type, output, sample, levelOfSignal(signalAt(tables, t))),
        config,
      );
      const scaled = t * config.timestep_scaling;
      const width = scaled * scaled + SIGMA_DATA * SIGMA_DATA;
      const denoised = linear([
        [scaled / Math.sqrt(width), original],
        [(SIGMA_DATA * SIGMA_DATA) / width, sample],
      ]);
      if (!noise) return { sample: denoised, predictedOriginal: denoised };
      const { alpha, sigma } = levelOfSignal(signalAt(tables, plan.timesteps[index + 1] as number));
      return { sample: linear([[alpha, denoised], [sigma, noise]]), predictedOriginal: denoised }; // prettier-ignore
    },

    addNoise: addNoiseBySignal(tables),
  });
}
