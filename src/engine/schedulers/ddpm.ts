import { clamp, linear, map, type Tensor } from '../tensor/index.ts';
import type { DdpmConfig } from './config.ts';
import { defineScheduler } from './define.ts';
import { bound, levelOfSignal, splitLearnedVariance, toOriginal } from './prediction.ts';
import { requireInTable, wholeTimesteps } from './spacing.ts';
import { addNoiseBySignal, refuseEpsilonWithoutSignal } from './table-based.ts';
import { signalAt, trainingTables } from './tables.ts';
import type { Scheduler } from './types.ts';

const SMALLEST_VARIANCE = 1e-20;

/** DDPM (Ho et al. 2020, eq. 7), with the variances of Nichol and Dhariwal 2021. It draws noise while t > 0. */
export function createDdpm(config: DdpmConfig): Scheduler {
  const tables = trainingTables(config);
  const total = config.num_train_timesteps;
  const isLearned = config.variance_type === 'learned' || config.variance_type === 'learned_range';

  return defineScheduler({
    config,

    plan(steps, options) {
      const timesteps = wholeTimesteps(config.timestep_spacing, total, steps, config.steps_offset);
      requireInTable(timesteps, total);
      refuseEpsilonWithoutSignal(config.prediction_type, tables, timesteps);
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
      const previous = plan.timesteps[index + 1];
      const signal = signalAt(tables, plan.timesteps[index] as number);
      const signalBefore = previous === undefined ? 1 : signalAt(tables, previous);
      const alpha = signal / signalBefore;
      const beta = 1 - alpha;

      const learned = isLearned ? splitLearnedVariance(output, sample) : null;
      const original = bound(
        toOriginal(config.prediction_type, learned?.prediction ?? output, sample, levelOfSignal(signal)),
        config,
      );
      const mean = linear([
        [(Math.sqrt(signalBefore) * beta) / (1 - signal), original],
        [(Math.sqrt(alpha) * (1 - signalBefore)) / (1 - signal), sample],
      ]);
      if (!noise) return { sample: mean, predictedOriginal: original };

      const variance = Math.max(((1 - signalBefore) / (1 - signal)) * beta, SMALLEST_VARIANCE);
      return { sample: addVariance(mean, noise, variance, beta, learned?.variance), predictedOriginal: original };
    },

    addNoise: addNoiseBySignal(tables),
  });

  function addVariance(mean: Tensor, noise: Tensor, variance: number, beta: number, learned?: Tensor): Tensor {
    const { data } = noise;
    switch (config.variance_type) {
      case 'fixed_small':
      case 'fixed_small_log':
        return linear([[1, mean], [Math.sqrt(variance), noise]]); // prettier-ignore
      case 'fixed_large':
        return linear([[1, mean], [Math.sqrt(beta), noise]]); // prettier-ignore
      case 'learned': {
        const known = clamp(learned as Tensor, 0, Infinity);
        return map(mean, (value, i) => value + Math.sqrt(known.data[i] as number) * (data[i] as number));
      }
      case 'learned_range':
        return addLearnedRange(mean, noise, Math.log(variance), Math.log(beta), learned as Tensor);
    }
  }
}

/**
 * Noise whose log variance lies between two bounds where the model says (-1: the lower, 1: the upper).
 * Source: Nichol and Dhariwal 2021, eq. 15.
 */
export function addLearnedRange(mean: Tensor, noise: Tensor, low: number, high: number, learned: Tensor): Tensor {
  return map(mean, (value, i) => {
    const share = ((learned.data[i] as number) + 1) / 2;
    return value + Math.exp(0.5 * (share * high + (1 - share) * low)) * (noise.data[i] as number);
  });
}
