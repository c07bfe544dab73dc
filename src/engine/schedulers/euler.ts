import { linear } from '../tensor/index.ts';
import type { EulerConfig } from './config.ts';
import { defineScheduler } from './define.ts';
import { f32, linspaceFloat32 } from './numerics.ts';
import { originalFromSigma, initialSigma, scaleBySigma } from './sigma-based.ts';
import { formulaSigmas, fractionalTimesteps, logTable, sigmasAt, timestepOfSigma } from './spacing.ts';
import { addNoiseBySigma, sigmaAt } from './table-based.ts';
import { sigmaTable, tablesForSigmas } from './tables.ts';
import type { PlanOptions, Scheduler } from './types.ts';

const LARGEST_CHURN = Math.SQRT2 - 1;

/** Euler's method on the probability flow ODE, with optional churn (Karras et al. 2022, algorithm 2). */
export function createEuler(config: EulerConfig): Scheduler {
  const table = sigmaTable(tablesForSigmas(config));
  const logSigmas = logTable(table);
  const isContinuous = config.timestep_type === 'continuous' && config.prediction_type === 'v_prediction';

  function schedule(steps: number): { timesteps: number[]; sigmas: number[] } {
    const { timestep_spacing: spacing, num_train_timesteps: total, steps_offset: offset } = config;
    let timesteps = fractionalTimesteps(spacing, total, steps, offset);
    let sigmas =
      config.interpolation_type === 'linear'
        ? sigmasAt(timesteps, table)
        : [...linspaceFloat32(logSigmas.at(-1) as number, logSigmas[0] as number, steps + 1)].map(Math.exp);
    const min = config.sigma_min ?? (sigmas.at(-1) as number);
    const formula = formulaSigmas(config, min, config.sigma_max ?? (sigmas[0] as number), steps);
    if (formula) {
      sigmas = formula;
      timesteps = formula.map((sigma) => f32(timestepOfSigma(sigma, logSigmas)));
    }
    sigmas = [...sigmas, config.final_sigmas_type === 'zero' ? 0 : (table[0] as number)].map(f32);
    if (isContinuous) timesteps = sigmas.slice(0, -1).map((sigma) => f32(0.25 * f32(Math.log(sigma))));
    return { timesteps, sigmas };
  }

  return defineScheduler({
    config,

    plan(steps, options) {
      const { timesteps, sigmas } = schedule(steps);
      return {
        steps, options, order: 1, timesteps, sigmas,
        initNoiseSigma: initialSigma(config.timestep_spacing, sigmas),
        draws: timesteps.map((_, i) => churnAt(sigmas, i, options) > 0),
      }; // prettier-ignore
    },

    scaleModelInput: scaleBySigma,

    advance({ plan, index }, output, sample, noise) {
      const sigma = sigmaAt(plan, index);
      const churned = sigma * (1 + churnAt(plan.sigmas ?? [], index, plan.options));
      const start = noise
        ? linear([
            [1, sample],
            [(plan.options.churnNoise ?? 1) * Math.sqrt(churned * churned - sigma * sigma), noise],
          ])
        : sample;
      // diffusers takes v at the sigma before churn, epsilon at the one after it
      const at = config.prediction_type === 'v_prediction' ? sigma : churned;
      const original = originalFromSigma(config.prediction_type, output, start, at);
      const next = sigmaAt(plan, index + 1) / churned; // start + (start - original) / churned * (next - churned)
      return {
        sample: next === 0 ? original : linear([[next, start], [1 - next, original]]), // prettier-ignore
        predictedOriginal: original,
      };
    },

    addNoise: addNoiseBySigma,
  });
}

function churnAt(sigmas: readonly number[], index: number, options: PlanOptions): number {
  const { churn = 0, churnMin = 0, churnMax = Infinity } = options;
  const sigma = sigmas[index] as number;
  return sigma >= churnMin && sigma <= churnMax ? Math.min(churn / (sigmas.length - 1), LARGEST_CHURN) : 0;
}
