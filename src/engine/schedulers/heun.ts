import { linear, type Tensor } from '../tensor/index.ts';
import type { HeunConfig } from './config.ts';
import { defineScheduler } from './define.ts';
import { f32 } from './numerics.ts';
import { bound } from './prediction.ts';
import { initialSigma, originalFromSigma, scaleBySigma } from './sigma-based.ts';
import { formulaSigmas, fractionalTimesteps, logTable, sigmasAt, timestepOfSigma } from './spacing.ts';
import { addNoiseBySigma, sigmaAt } from './table-based.ts';
import { sigmaTable, trainingTables } from './tables.ts';
import type { Scheduler } from './types.ts';

/**
 * Heun's second-order method (Karras et al. 2022, algorithm 1): 2 n - 1 model calls for n steps, the last step being
 * Euler's. Between the two calls of a step `memory.partial` is the first derivative and `anchor` the step's start.
 */
export function createHeun(config: HeunConfig): Scheduler {
  const table = sigmaTable(trainingTables(config));
  const logSigmas = logTable(table);

  return defineScheduler({
    config,

    plan(steps, options) {
      const { timestep_spacing: spacing, num_train_timesteps: total, steps_offset: offset } = config;
      let timesteps = fractionalTimesteps(spacing, total, steps, offset);
      let sigmas = sigmasAt(timesteps, table);
      const formula = formulaSigmas(config, sigmas.at(-1) as number, sigmas[0] as number, steps);
      if (formula) {
        sigmas = formula;
        timesteps = formula.map((sigma) => f32(timestepOfSigma(sigma, logSigmas)));
      }
      const twice = (values: number[]): number[] => values.flatMap((v, i) => (i === 0 ? [v] : [v, v]));
      const all = [...twice(sigmas), 0].map(f32);
      const calls = twice(timesteps);
      return {
        steps, options, order: 2, timesteps: calls, sigmas: all,
        initNoiseSigma: initialSigma(spacing, all),
        draws: calls.map(() => false),
      }; // prettier-ignore
    },

    scaleModelInput: scaleBySigma,

    advance({ plan, index, memory }, output, sample) {
      const sigma = sigmaAt(plan, index);
      const original = bound(originalFromSigma(config.prediction_type, output, sample, sigma), config);
      if (memory.partial && memory.anchor) {
        // second call: from the step's start along the average of both derivatives
        const step = sigma - sigmaAt(plan, index - 1);
        const moved = linear([
          [1, memory.anchor],
          [step / 2, memory.partial],
          [step / 2 / sigma, sample],
          [-step / 2 / sigma, original],
        ]);
        return { sample: moved, predictedOriginal: original, memory: { partial: null, anchor: null } };
      }
      const next = sigmaAt(plan, index + 1);
      const derivative: Tensor = linear([[1 / sigma, sample], [-1 / sigma, original]]); // prettier-ignore
      return {
        sample: next === 0 ? original : linear([[1, sample], [next - sigma, derivative]]), // prettier-ignore
        predictedOriginal: original,
        memory: { partial: derivative, anchor: sample },
      };
    },

    addNoise: addNoiseBySigma,
  });
}
