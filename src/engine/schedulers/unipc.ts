import { StudioError } from '#shared/errors.ts';
import { linear, type Tensor, type Term } from '../tensor/index.ts';
import type { UniPcConfig } from './config.ts';
import { defineScheduler } from './define.ts';
import { latest, multistepPlan, pointAt, tableSigmas } from './multistep.ts';
import { linspace, roundHalfEven, solve } from './numerics.ts';
import { bound, levelOfSigma, toEpsilon, toOriginal } from './prediction.ts';
import {
  dynamicShift,
  logTable,
  multistepTimesteps,
  requireInTable,
  shiftSigma,
  sigmasAt,
  stretchToTerminal,
  timestepOfSigma,
} from './spacing.ts';
import { addNoiseByLevel, sigmaAt } from './table-based.ts';
import { sigmaTable, tablesForSigmas } from './tables.ts';
import type { PlanOptions, Scheduler, SchedulerPlan } from './types.ts';

/** Flow sigmas must stay below 1: ln(1 - sigma) is needed. */
const ALMOST_ONE = 1e-6;

/**
 * UniPC (Zhao et al. 2023): a corrector that uses the new output for the step just made, then a predictor. What
 * comes out of a step is the prediction; it is corrected when the next output is known. `memory.anchor` is the last
 * corrected sample, `memory.order` the order of the last step.
 */
export function createUniPc(config: UniPcConfig): Scheduler {
  const table = sigmaTable(tablesForSigmas(config));
  const logSigmas = logTable(table);
  const total = config.num_train_timesteps;
  const isFlow = config.use_flow_sigmas;

  function flowSchedule(steps: number, options: PlanOptions): number[] {
    const even = options.sigmas ?? linspace(1, 1 / total, steps + 1).slice(0, -1);
    if (config.use_dynamic_shifting && options.mu === undefined)
      throw new StudioError('bad-use', 'this model shifts its schedule by the size of the picture: mu is missing');
    let sigmas = even.map((sigma) =>
      config.use_dynamic_shifting
        ? dynamicShift(sigma, options.mu as number, config.time_shift_type)
        : shiftSigma(sigma, config.flow_shift),
    );
    if (config.shift_terminal) sigmas = stretchToTerminal(sigmas, config.shift_terminal);
    return sigmas.map((sigma, i) => (i === 0 && Math.abs(sigma - 1) < ALMOST_ONE ? sigma - ALMOST_ONE : sigma));
  }

  function schedule(steps: number, options: PlanOptions): { timesteps: number[]; sigmas: number[]; end: number } {
    const formula = tableSigmas(config, table, steps);
    if (formula && isFlow) {
      const sigmas = formula.map((sigma) => sigma / (sigma + 1));
      return { sigmas, timesteps: sigmas.map((sigma) => sigma * total), end: sigmas.at(-1) as number };
    }
    if (formula) {
      const exact = formula.map((sigma) => timestepOfSigma(sigma, logSigmas));
      const timesteps = config.use_karras_sigmas ? exact.map(roundHalfEven) : exact;
      return { sigmas: formula, timesteps, end: formula.at(-1) as number };
    }
    if (isFlow) {
      const sigmas = flowSchedule(steps, options);
      return { sigmas, timesteps: sigmas.map((sigma) => sigma * total), end: sigmas.at(-1) as number };
    }
    const timesteps = multistepTimesteps(config.timestep_spacing, total, total, steps, config.steps_offset);
    requireInTable(timesteps, total);
    return { timesteps, sigmas: sigmasAt(timesteps, table), end: table[0] as number };
  }

  /** The order of the step that leaves call `index`. */
  function orderAt(plan: SchedulerPlan, index: number, remembered: number): number {
    const left = plan.timesteps.length - index;
    // a step to sigma 0 is of first order: higher ones would divide by an infinite log-SNR (diffusers gives NaN)
    const isLowering = config.lower_order_final || (left === 1 && config.final_sigmas_type === 'zero');
    return Math.min(config.solver_order, remembered + 1, isLowering ? left : Infinity);
  }

  /**
   * The update from point `base` to point `base + 1` as a sum.
   * @param outputs at points base, base - 1, ..., the latest first; `order` of them are read
   * @param ahead the output at the point that is reached: given, this is the corrector
   */
  function update(
    plan: SchedulerPlan,
    base: number,
    order: number,
    x: Tensor,
    outputs: readonly Tensor[],
    ahead?: Tensor,
  ) {
    const to = pointAt(plan, base + 1, isFlow);
    const from = pointAt(plan, base, isFlow);
    const h = to.lambda - from.lambda;
    const hh = config.predict_x0 ? -h : h;
    const phi1 = Math.expm1(hh);
    const front = config.predict_x0 ? to.alpha : to.sigma;
    const keep = config.predict_x0 ? to.sigma / from.sigma : to.alpha / from.alpha;
    const m0 = outputs[0] as Tensor;

    const ratios = Array.from(
      { length: order - 1 },
      (_, i) => (pointAt(plan, base - i - 1, isFlow).lambda - from.lambda) / h,
    );
    const rhos = ahead ? correctorWeights([...ratios, 1], hh) : predictorWeights([...ratios, 1], hh);
    const scale = -front * (config.solver_type === 'bh1' ? hh : phi1);

    let weight0 = -front * phi1;
    const terms: Term[] = [[keep, x]];
    ratios.forEach((ratio, i) => {
      const weight = (scale * (rhos[i] as number)) / ratio;
      terms.push([weight, outputs[i + 1] as Tensor]);
      weight0 -= weight;
    });
    if (ahead) {
      const weight = scale * (rhos.at(-1) as number);
      terms.push([weight, ahead]);
      weight0 -= weight;
    }
    terms.push([weight0, m0]);
    return linear(terms);
  }

  /** Right-hand sides b and matrix R of eq. 9 of the paper. */
  function system(ratios: readonly number[], hh: number): { rows: number[][]; b: number[] } {
    const phi1 = Math.expm1(hh);
    const scale = config.solver_type === 'bh1' ? hh : phi1;
    let phi = phi1 / hh - 1;
    let factorial = 1;
    const rows: number[][] = [];
    const b: number[] = [];
    ratios.forEach((_, i) => {
      rows.push(ratios.map((ratio) => ratio ** i));
      b.push((phi * factorial) / scale);
      factorial *= i + 2;
      phi = phi / hh - 1 / factorial;
    });
    return { rows, b };
  }

  function predictorWeights(ratios: readonly number[], hh: number): number[] {
    if (ratios.length <= 2) return [0.5];
    const { rows, b } = system(ratios, hh);
    return solve(rows.slice(0, -1).map((row) => row.slice(0, -1)), b.slice(0, -1)); // prettier-ignore
  }

  function correctorWeights(ratios: readonly number[], hh: number): number[] {
    if (ratios.length === 1) return [0.5];
    const { rows, b } = system(ratios, hh);
    return solve(rows, b);
  }

  return defineScheduler({
    config,

    plan(steps, options) {
      const { timesteps, sigmas, end } = schedule(steps, options);
      return multistepPlan(options, timesteps, [...sigmas, config.final_sigmas_type === 'zero' ? 0 : end], false);
    },

    advance({ plan, index, memory }, output, sample) {
      const level = levelOfSigma(sigmaAt(plan, index), isFlow);
      const type = config.prediction_type;
      const original = config.predict_x0
        ? bound(toOriginal(type, output, sample, level), config)
        : toOriginal(type, output, sample, level);
      const converted = config.predict_x0 ? original : toEpsilon(type, output, sample, level);

      const isCorrected = memory.anchor !== null && !config.disable_corrector.includes(index - 1);
      const corrected =
        isCorrected && memory.anchor
          ? update(plan, index - 1, memory.order, memory.anchor, memory.outputs.toReversed(), converted)
          : sample;

      const outputs = [...latest(memory.outputs, config.solver_order - 1), converted];
      const order = orderAt(plan, index, memory.outputs.length);
      return {
        sample: update(plan, index, order, corrected, outputs.toReversed()),
        predictedOriginal: original,
        memory: { outputs, anchor: corrected, order },
      };
    },

    addNoise: addNoiseByLevel(isFlow),
  });
}
