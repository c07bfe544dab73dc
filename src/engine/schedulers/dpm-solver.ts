import { StudioError } from '#shared/errors.ts';
import { linear, type Tensor, type Term } from '../tensor/index.ts';
import type { DpmSolverConfig } from './config.ts';
import { defineScheduler } from './define.ts';
import { f32, linspace, roundHalfEven } from './numerics.ts';
import { flowSigmas, history, latest, multistepPlan, pointAt, stepOrder, tableSigmas } from './multistep.ts';
import { bound, epsilonOf, levelOfSigma, splitLearnedVariance, toEpsilon, toOriginal } from './prediction.ts';
import { logTable, multistepTimesteps, requireInTable, sigmasAt, timestepOfSigma } from './spacing.ts';
import { addNoiseByLevel, sigmaAt } from './table-based.ts';
import { sigmaTable, tablesForSigmas } from './tables.ts';
import type { PlanOptions, Scheduler } from './types.ts';

/**
 * DPM-Solver and DPM-Solver++ as multi-step methods of order 1 to 3 (Lu et al. 2022, 2022), and their stochastic
 * forms, which draw noise at every step. `memory.outputs` holds what the solver integrates: the predicted original
 * (++) or the predicted noise.
 */
export function createDpmSolver(config: DpmSolverConfig): Scheduler {
  const tables = tablesForSigmas(config);
  const table = sigmaTable(tables);
  const logSigmas = logTable(table);
  const total = config.num_train_timesteps;
  const isFlow = config.use_flow_sigmas;
  const integratesOriginal = config.algorithm_type.endsWith('++');
  const isStochastic = config.algorithm_type.startsWith('sde');
  // the third-order form of sde-dpmsolver was never published
  const orders = { ...config, solver_order: config.algorithm_type === 'sde-dpmsolver' ? Math.min(2, config.solver_order) : config.solver_order }; // prettier-ignore

  /** One past the last usable timestep: those of a half log-SNR below lambda_min_clipped are left out. */
  function lastTimestep(): number {
    const lambda = tables.alphasCumprod.map((a) => f32(Math.log(f32(Math.sqrt(a)))) - f32(Math.log(f32(Math.sqrt(f32(1 - a)))))); // prettier-ignore
    return lambda.filter((value) => value >= config.lambda_min_clipped).length;
  }

  function schedule(steps: number, options: PlanOptions): { timesteps: number[]; sigmas: number[] } {
    if (isFlow) {
      const shift = options.mu === undefined ? config.flow_shift : Math.exp(options.mu);
      const sigmas = flowSigmas(total, shift, steps);
      return { sigmas, timesteps: sigmas.map((sigma) => sigma * total) };
    }
    const formula = config.use_lu_lambdas
      ? linspace(logSigmas.at(-1) as number, logSigmas[0] as number, steps).map(Math.exp)
      : tableSigmas(config, table, steps);
    if (formula) {
      const exact = formula.map((sigma) => timestepOfSigma(sigma, logSigmas));
      const isRounded =
        (config.use_karras_sigmas || config.use_lu_lambdas) && config.beta_schedule !== 'squaredcos_cap_v2';
      return { sigmas: formula, timesteps: isRounded ? exact.map(roundHalfEven) : exact };
    }
    const timesteps = multistepTimesteps(config.timestep_spacing, total, lastTimestep(), steps, config.steps_offset);
    requireInTable(timesteps, total);
    if (timesteps.length === 0) throw new StudioError('bad-use', 'lambda_min_clipped leaves no timestep');
    return { timesteps, sigmas: sigmasAt(timesteps, table) };
  }

  return defineScheduler({
    config,

    plan(steps, options) {
      const { timesteps, sigmas } = schedule(steps, options);
      const end = config.final_sigmas_type === 'zero' ? 0 : (table[0] as number);
      return multistepPlan(options, timesteps, [...sigmas, end], isStochastic);
    },

    advance({ plan, index, memory }, output, sample, noise) {
      const level = levelOfSigma(sigmaAt(plan, index), isFlow);
      const prediction =
        config.variance_type && output.data.length !== sample.data.length
          ? splitLearnedVariance(output, sample).prediction
          : output;
      const original = bound(toOriginal(config.prediction_type, prediction, sample, level), config);
      const converted = integratesOriginal
        ? original
        : config.thresholding
          ? epsilonOf(original, sample, level)
          : toEpsilon(config.prediction_type, prediction, sample, level);

      const outputs = [...latest(memory.outputs, config.solver_order - 1), converted];
      const atEnd = config.euler_at_final || config.final_sigmas_type === 'zero';
      const order = stepOrder(plan, index, outputs.length - 1, orders, atEnd);
      const moved = linear(terms(plan, index, order, sample, history(outputs, order), noise));
      return { sample: moved, predictedOriginal: original, memory: { outputs } };
    },

    addNoise: addNoiseByLevel(isFlow),
  });

  /** The update as a sum over the sample, the remembered outputs (latest first) and the noise. */
  function terms(
    plan: Parameters<typeof pointAt>[0],
    index: number,
    order: number,
    sample: Tensor,
    outputs: readonly Tensor[],
    noise: Tensor | undefined,
  ): Term[] {
    const to = pointAt(plan, index + 1, isFlow);
    const [s0, s1, s2] = [0, 1, 2].map((i) => (i < order ? pointAt(plan, index - i, isFlow) : undefined));
    const from = s0 as NonNullable<typeof s0>;
    const h = to.lambda - from.lambda;
    const { keep, k0, k1, k2, kNoise } = exponentials(h, from, to, order);

    // differences of the outputs: D1_0 = (m0 - m1) / r0, D1_1 = (m1 - m2) / r1 (DPM-Solver++, eq. 14 and algorithm 2)
    const weights = [k0, 0, 0];
    if (s1) {
      const r0 = (from.lambda - s1.lambda) / h;
      let g0 = k1;
      if (s2) {
        const r1 = (s1.lambda - s2.lambda) / h;
        const q = r0 / (r0 + r1);
        g0 = k1 * (1 + q) + k2 / (r0 + r1);
        const g1 = -k1 * q - k2 / (r0 + r1);
        weights[1] = g1 / r1;
        weights[2] = -g1 / r1;
      }
      weights[0] = k0 + g0 / r0;
      weights[1] = (weights[1] as number) - g0 / r0;
    }
    const result: Term[] = [[keep, sample], ...outputs.map((m, i) => [weights[i] as number, m] as const)];
    if (noise) result.push([kNoise, noise]);
    return result;
  }

  /** Weights of the sample, of the output, of its first and second differences, and of the noise. */
  function exponentials(
    h: number,
    from: { alpha: number; sigma: number },
    to: { alpha: number; sigma: number },
    order: number,
  ) {
    const isMidpoint = config.solver_type === 'midpoint' && order < 3;
    switch (config.algorithm_type) {
      case 'dpmsolver++': {
        const e = Math.expm1(-h);
        return {
          keep: to.sigma / from.sigma,
          k0: -to.alpha * e,
          k1: isMidpoint ? -0.5 * to.alpha * e : to.alpha * (e / h + 1),
          k2: -to.alpha * ((e + h) / (h * h) - 0.5),
          kNoise: 0,
        };
      }
      case 'dpmsolver': {
        const e = Math.expm1(h);
        return {
          keep: to.alpha / from.alpha,
          k0: -to.sigma * e,
          k1: isMidpoint ? -0.5 * to.sigma * e : -to.sigma * (e / h - 1),
          k2: -to.sigma * ((e - h) / (h * h) - 0.5),
          kNoise: 0,
        };
      }
      case 'sde-dpmsolver++': {
        const e = -Math.expm1(-2 * h);
        return {
          keep: (to.sigma / from.sigma) * Math.exp(-h),
          k0: to.alpha * e,
          k1: isMidpoint ? 0.5 * to.alpha * e : to.alpha * (e / (-2 * h) + 1),
          k2: to.alpha * ((e - 2 * h) / (4 * h * h) - 0.5),
          kNoise: to.sigma * Math.sqrt(e),
        };
      }
      case 'sde-dpmsolver': {
        const e = Math.expm1(h);
        return {
          keep: to.alpha / from.alpha,
          k0: -2 * to.sigma * e,
          k1: isMidpoint ? -to.sigma * e : -2 * to.sigma * (e / h - 1),
          k2: 0,
          kNoise: to.sigma * Math.sqrt(Math.expm1(2 * h)),
        };
      }
    }
  }
}
