import { StudioError } from '#shared/errors.ts';
import { linear } from '../tensor/index.ts';
import type { UnclipConfig } from './config.ts';
import { addLearnedRange } from './ddpm.ts';
import { defineScheduler } from './define.ts';
import { f32, roundHalfEven } from './numerics.ts';
import { bound, splitLearnedVariance, toOriginal } from './prediction.ts';
import { addNoiseBySignal } from './table-based.ts';
import { signalAt, trainingTables } from './tables.ts';
import type { Scheduler } from './types.ts';

const root = (x: number): number => f32(Math.sqrt(x));

/**
 * DDPM as unCLIP uses it for its prior and decoders (Ramesh et al. 2022). It draws noise while t > 0.
 * The coefficients are computed in float32, operation by operation: 1 - a / b cancels almost everything at small t,
 * so that float64 would give other (better) numbers than every published implementation, by up to 1e-3.
 */
export function createUnclip(config: UnclipConfig): Scheduler {
  const total = config.num_train_timesteps;
  const tables = trainingTables({ ...config, beta_start: 0.0001, beta_end: 0.02 });

  return defineScheduler({
    config,

    plan(steps, options) {
      if (steps < 2) throw new StudioError('bad-use', 'the unCLIP sampler needs at least two steps');
      const stride = (total - 1) / (steps - 1);
      const timesteps = Array.from({ length: steps }, (_, i) => roundHalfEven(i * stride)).reverse();
      return {
        steps,
        options,
        order: 1,
        timesteps,
        sigmas: null,
        initNoiseSigma: 1,
        draws: timesteps.map((t) => t > 0),
      };
    },

    advance({ plan, index }, output, sample, noise) {
      const t = plan.timesteps[index] as number;
      const following = plan.options.previous === 'adjacent' ? undefined : plan.timesteps[index + 1];
      const previous = following ?? t - 1;
      const signal = signalAt(tables, t);
      const signalBefore = previous >= 0 ? signalAt(tables, previous) : 1;
      const noiseShare = f32(1 - signal);
      const noiseShareBefore = f32(1 - signalBefore);
      const isAdjacent = previous === t - 1;
      const beta = isAdjacent ? (tables.betas[t] as number) : f32(1 - f32(signal / signalBefore));
      const alpha = isAdjacent ? (tables.alphas[t] as number) : f32(1 - beta);

      const learned = config.variance_type === 'learned_range' ? splitLearnedVariance(output, sample) : null;
      const level = { alpha: root(signal), sigma: root(noiseShare) };
      const original = bound(toOriginal(config.prediction_type, learned?.prediction ?? output, sample, level), config);
      const mean = linear([
        [f32(f32(root(signalBefore) * beta) / noiseShare), original],
        [f32(f32(root(alpha) * noiseShareBefore) / noiseShare), sample],
      ]);
      if (!noise) return { sample: mean, predictedOriginal: original };

      const variance = f32(f32(noiseShareBefore / noiseShare) * beta);
      if (learned) {
        const low = f32(Math.log(variance));
        const high = f32(Math.log(beta));
        return { sample: addLearnedRange(mean, noise, low, high, learned.variance), predictedOriginal: original };
      }
      const deviation = f32(Math.exp(f32(0.5 * f32(Math.log(Math.max(variance, 1e-20))))));
      return { sample: linear([[1, mean], [deviation, noise]]), predictedOriginal: original }; // prettier-ignore
    },

    addNoise: addNoiseBySignal(tables),
  });
}
