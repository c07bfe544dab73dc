import { StudioError } from '#shared/errors.ts';
import { linear, type Term } from '../tensor/index.ts';
import type { DdimConfig } from './config.ts';
import { defineScheduler } from './define.ts';
import { bound, epsilonOf, levelOfSignal, toEpsilon, toOriginal } from './prediction.ts';
import { requireInTable, wholeTimesteps } from './spacing.ts';
import { signalAt, trainingTables } from './tables.ts';
import { addNoiseBySignal, refuseEpsilonWithoutSignal } from './table-based.ts';
import type { Scheduler } from './types.ts';

/** DDIM (Song et al. 2021, eq. 12 and 16). Its previous timestep is t - total / steps whatever the spacing. */
export function createDdim(config: DdimConfig): Scheduler {
  const tables = trainingTables(config);
  const total = config.num_train_timesteps;
  const finalSignal = config.set_alpha_to_one ? 1 : signalAt(tables, 0);

  return defineScheduler({
    config,

    plan(steps, options) {
      const eta = options.eta ?? 0;
      if (!(eta >= 0)) throw new StudioError('bad-use', `an eta of ${eta}: it must be 0 or more`);
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
        draws: timesteps.map(() => eta > 0),
      };
    },

    advance({ plan, index }, output, sample, noise) {
      const t = plan.timesteps[index] as number;
      const previous = t - Math.floor(total / plan.steps);
      const signal = signalAt(tables, t);
      const signalBefore = previous >= 0 ? signalAt(tables, previous) : finalSignal;
      const level = levelOfSignal(signal);

      const original = bound(toOriginal(config.prediction_type, output, sample, level), config);
      const epsilon = plan.options.useClippedModelOutput
        ? epsilonOf(original, sample, level)
        : toEpsilon(config.prediction_type, output, sample, level);

      const variance = ((1 - signalBefore) / (1 - signal)) * (1 - signal / signalBefore);
      const deviation = (plan.options.eta ?? 0) * Math.sqrt(variance);
      const terms: Term[] = [
        [Math.sqrt(signalBefore), original],
        [Math.sqrt(1 - signalBefore - deviation * deviation), epsilon],
      ];
      if (noise) terms.push([deviation, noise]);
      return { sample: linear(terms), predictedOriginal: original };
    },

    addNoise: addNoiseBySignal(tables),
  });
}
