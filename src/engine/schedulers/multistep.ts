import type { Tensor } from '../tensor/index.ts';
import { f32, linspace } from './numerics.ts';
import { halfLogSnr, type Level, levelOfSigma } from './prediction.ts';
import { formulaSigmas, shiftSigma, type SigmaSpacing } from './spacing.ts';
import { sigmaAt } from './table-based.ts';
import type { SchedulerPlan } from './types.ts';

/** What the multi-step solvers (DPM-Solver, UniPC, DEIS) have in common. */

/** Below this many steps the last ones fall back to lower orders, when lower_order_final is set. */
const FEW_STEPS = 15;

/** The last `count` of a list. */
export function latest<T>(list: readonly T[], count: number): readonly T[] {
  return count > 0 ? list.slice(-count) : [];
}

/** The order of the step at `index`, given how many earlier outputs are remembered. */
export function stepOrder(
  plan: SchedulerPlan,
  index: number,
  remembered: number,
  config: { solver_order: number; lower_order_final: boolean },
  isFirstOrderAtEnd = false,
): number {
  const left = plan.timesteps.length - index;
  const isLowering = config.lower_order_final && plan.timesteps.length < FEW_STEPS;
  if (left === 1 && (isLowering || isFirstOrderAtEnd)) return 1;
  return Math.min(config.solver_order, remembered + 1, left === 2 && isLowering ? 2 : 3);
}

/** Level and half log-SNR at call `index` (the plan's length for the end). */
export function pointAt(plan: SchedulerPlan, index: number, isFlow: boolean): Level & { lambda: number; rho: number } {
  const level = levelOfSigma(sigmaAt(plan, index), isFlow);
  return { ...level, lambda: halfLogSnr(level), rho: level.sigma / level.alpha };
}

/** Karras, exponential or beta sigmas between the ends of the training table, or the given ones. */
export function tableSigmas(
  spacing: SigmaSpacing & { sigma_min?: number | null; sigma_max?: number | null },
  table: Float32Array,
  steps: number,
): number[] | null {
  return formulaSigmas(
    spacing,
    spacing.sigma_min ?? (table[0] as number),
    spacing.sigma_max ?? (table.at(-1) as number),
    steps,
  );
}

/** Sigmas of flow matching as DPM-Solver and DEIS lay them. */
export function flowSigmas(total: number, shift: number, steps: number): number[] {
  return linspace(1, 1 / total, steps + 1)
    .map((alpha) => shiftSigma(1 - alpha, shift))
    .reverse()
    .slice(0, -1);
}

/** A plan of one call a step; timesteps are cast to whole numbers as torch casts, towards zero. */
export function multistepPlan(
  options: SchedulerPlan['options'],
  timesteps: readonly number[],
  sigmas: readonly number[],
  draws: boolean,
): SchedulerPlan {
  return {
    steps: timesteps.length,
    options,
    order: 1,
    timesteps: timesteps.map(Math.trunc),
    sigmas: sigmas.map(f32),
    initNoiseSigma: 1,
    draws: timesteps.map(() => draws),
  };
}

/** The outputs that a step of some order reads, the latest first. */
export function history(outputs: readonly Tensor[], order: number): Tensor[] {
  return outputs.slice(-order).reverse();
}
