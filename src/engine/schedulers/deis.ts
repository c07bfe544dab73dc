import { linear, type Tensor, type Term } from '../tensor/index.ts';
import type { DeisConfig } from './config.ts';
import { defineScheduler } from './define.ts';
import { flowSigmas, history, latest, multistepPlan, pointAt, stepOrder, tableSigmas } from './multistep.ts';
import { roundHalfEven } from './numerics.ts';
import { bound, epsilonOf, levelOfSigma, toOriginal } from './prediction.ts';
import { logTable, multistepTimesteps, requireInTable, sigmasAt, timestepOfSigma } from './spacing.ts';
import { addNoiseByLevel, sigmaAt } from './table-based.ts';
import { sigmaTable, trainingTables } from './tables.ts';
import type { PlanOptions, Scheduler } from './types.ts';

/**
 * DEIS (Zhang and Chen 2023), the multi-step form whose polynomials are in ln rho, rho = sigma / alpha. It ends at
 * the training sigma of timestep 0 instead of zero. `memory.outputs` holds predicted noise.
 */
export function createDeis(config: DeisConfig): Scheduler {
  const table = sigmaTable(trainingTables(config));
  const logSigmas = logTable(table);
  const total = config.num_train_timesteps;
  const isFlow = config.use_flow_sigmas;

  function schedule(steps: number, options: PlanOptions): { timesteps: number[]; sigmas: number[] } {
    const formula = tableSigmas(config, table, steps);
    if (formula) {
      const exact = formula.map((sigma) => timestepOfSigma(sigma, logSigmas));
      const timesteps = config.use_karras_sigmas ? exact.map(roundHalfEven) : exact;
      return { timesteps, sigmas: [...formula, formula.at(-1) as number] };
    }
    if (isFlow) {
      const shift = options.mu === undefined ? config.flow_shift : Math.exp(options.mu);
      const sigmas = flowSigmas(total, shift, steps);
      return { timesteps: sigmas.map((sigma) => sigma * total), sigmas: [...sigmas, sigmas.at(-1) as number] };
    }
    const timesteps = multistepTimesteps(config.timestep_spacing, total, total, steps, config.steps_offset);
    requireInTable(timesteps, total);
    return { timesteps, sigmas: [...sigmasAt(timesteps, table), table[0] as number] };
  }

  return defineScheduler({
    config,

    plan(steps, options) {
      const { timesteps, sigmas } = schedule(steps, options);
      return multistepPlan(options, timesteps, sigmas, false);
    },

    advance({ plan, index, memory }, output, sample) {
      const level = levelOfSigma(sigmaAt(plan, index), isFlow);
      const original = bound(toOriginal(config.prediction_type, output, sample, level), config);
      const outputs = [...latest(memory.outputs, config.solver_order - 1), epsilonOf(original, sample, level)];
      const order = stepOrder(plan, index, outputs.length - 1, config);

      const to = pointAt(plan, index + 1, isFlow);
      const points = Array.from({ length: order }, (_, i) => pointAt(plan, index - i, isFlow));
      const from = points[0] as (typeof points)[number];
      const rhos = points.map((point) => point.rho);
      const terms: Term[] = [[to.alpha / from.alpha, sample]];
      history(outputs, order).forEach((epsilon: Tensor, i) => {
        const weight =
          order === 1 ? -to.sigma * Math.expm1(to.lambda - from.lambda) : to.alpha * lagrangeIntegral(rhos, i, to.rho);
        terms.push([weight, epsilon]);
      });
      return { sample: linear(terms), predictedOriginal: original, memory: { outputs } };
    },

    addNoise: addNoiseByLevel(isFlow),
  });
}

/** Integral over rho, from rhos[0] to `end`, of the i-th Lagrange polynomial in ln rho through all the rhos. */
function lagrangeIntegral(rhos: readonly number[], i: number, end: number): number {
  const b = Math.log(rhos[i] as number);
  const [c, d] = rhos.filter((_, j) => j !== i).map(Math.log) as [number, number | undefined];
  const antiderivative = (t: number): number => {
    const x = Math.log(t);
    if (d === undefined) return (t * (x - c - 1)) / (b - c);
    return (t * (c * (d - x + 1) - d * x + d + x * x - 2 * x + 2)) / ((b - c) * (b - d));
  };
  return antiderivative(end) - antiderivative(rhos[0] as number);
}
