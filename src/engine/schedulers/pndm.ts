import { StudioError } from '#shared/errors.ts';
import { linear, type Tensor } from '../tensor/index.ts';
import type { PndmConfig } from './config.ts';
import { defineScheduler } from './define.ts';
import { levelOfSignal, toEpsilon, toOriginal } from './prediction.ts';
import { requireInTable, wholeTimesteps } from './spacing.ts';
import { addNoiseBySignal } from './table-based.ts';
import { signalAt, trainingTables } from './tables.ts';
import type { Scheduler, SchedulerMemory, SchedulerPlan } from './types.ts';

/** Runge-Kutta begins with three steps of four calls each. */
const RUNGE_KUTTA_STEPS = 3;

/**
 * PNDM (Liu et al. 2022): a linear multi-step method, begun by Runge-Kutta steps or (skip_prk_steps, PLMS) by
 * calling the model twice at the second timestep. `memory.outputs` holds the last four model outputs, `anchor` the
 * sample from which a step of several calls departs, `partial` the Runge-Kutta average so far.
 */
export function createPndm(config: PndmConfig): Scheduler {
  const tables = trainingTables(config);
  const total = config.num_train_timesteps;
  const finalSignal = config.set_alpha_to_one ? 1 : signalAt(tables, 0);
  const rungeKuttaCalls = config.skip_prk_steps ? 0 : 4 * RUNGE_KUTTA_STEPS;

  function timestepsOf(steps: number): number[] {
    const rising = wholeTimesteps(config.timestep_spacing, total, steps, config.steps_offset).reverse();
    if (config.skip_prk_steps) return [...rising.slice(0, -1), ...rising.slice(-2, -1), ...rising.slice(-1)].reverse();
    if (steps <= RUNGE_KUTTA_STEPS)
      throw new StudioError('bad-use', `PNDM with Runge-Kutta steps needs at least ${RUNGE_KUTTA_STEPS + 1} steps`);
    const halfStep = Math.floor(Math.floor(total / steps) / 2);
    const doubled = rising.slice(-RUNGE_KUTTA_STEPS - 1).flatMap((t) => [t, t + halfStep]);
    const rungeKutta = doubled.slice(0, -1).flatMap((t) => [t, t]).slice(1, -1).reverse(); // prettier-ignore
    return [...rungeKutta, ...rising.slice(0, -RUNGE_KUTTA_STEPS).reverse()];
  }

  /** From timestep `from` to `to` along `epsilon` (paper, eq. 11). */
  function transfer(sample: Tensor, from: number, to: number, output: Tensor): { sample: Tensor; original: Tensor } {
    const signal = signalAt(tables, from);
    const signalBefore = to >= 0 ? signalAt(tables, to) : finalSignal;
    const level = levelOfSignal(signal);
    const denominator = signal * Math.sqrt(1 - signalBefore) + Math.sqrt(signal * (1 - signal) * signalBefore);
    const epsilon = toEpsilon(config.prediction_type, output, sample, level);
    return {
      sample: linear([
        [Math.sqrt(signalBefore / signal), sample],
        [-(signalBefore - signal) / denominator, epsilon],
      ]),
      original: toOriginal('epsilon', epsilon, sample, level),
    };
  }

  function rungeKutta(call: number, plan: SchedulerPlan, output: Tensor, sample: Tensor, memory: SchedulerMemory) {
    const { timesteps, steps } = plan;
    const stride = Math.floor(total / steps);
    const stage = call % 4;
    const from = timesteps[call - stage] as number;
    const to = (timesteps[call] as number) - (call % 2 === 1 ? 0 : Math.floor(stride / 2));
    const anchor = stage === 0 ? sample : (memory.anchor as Tensor);
    const weight = stage === 0 || stage === 3 ? 1 / 6 : 1 / 3;
    const average = memory.partial ? linear([[1, memory.partial], [weight, output]]) : linear([[weight, output]]); // prettier-ignore
    const moved = transfer(anchor, from, to, stage === 3 ? average : output);
    return {
      sample: moved.sample,
      predictedOriginal: moved.original,
      memory: {
        anchor,
        partial: stage === 3 ? null : average,
        outputs: stage === 0 ? [...memory.outputs, output] : memory.outputs,
      },
    };
  }

  function multistep(call: number, steps: number, t: number, output: Tensor, sample: Tensor, memory: SchedulerMemory) {
    const stride = Math.floor(total / steps);
    if (call === 1) {
      // the second call looks again at where the first one led: Heun's average over the first step
      const average = linear([[0.5, output], [0.5, memory.outputs.at(-1) as Tensor]]); // prettier-ignore
      const moved = transfer(memory.anchor as Tensor, t + stride, t, average);
      return { sample: moved.sample, predictedOriginal: moved.original, memory: { anchor: null } };
    }
    const outputs = [...memory.outputs.slice(-3), output];
    const moved = transfer(sample, t, t - stride, adamsBashforth(outputs));
    return {
      sample: moved.sample,
      predictedOriginal: moved.original,
      memory: { outputs, anchor: call === 0 ? sample : null },
    };
  }

  return defineScheduler({
    config,

    plan(steps, options) {
      const timesteps = timestepsOf(steps);
      requireInTable(timesteps, total);
      return {
        steps,
        options,
        order: 1,
        timesteps,
        sigmas: null,
        initNoiseSigma: 1,
        draws: timesteps.map(() => false),
      };
    },

    advance({ plan, index, startIndex, memory }, output, sample) {
      if (startIndex > 0 && rungeKuttaCalls > 0)
        throw new StudioError('unsupported', 'PNDM with Runge-Kutta steps cannot begin inside its schedule', {
          remedy: 'set skip_prk_steps, as all published image models do',
        });
      const call = index - startIndex;
      return call < rungeKuttaCalls
        ? rungeKutta(call, plan, output, sample, memory)
        : multistep(call, plan.steps, plan.timesteps[index] as number, output, sample, memory);
    },

    addNoise: addNoiseBySignal(tables),
  });
}

/** The derivative over the coming step, extrapolated from up to four (Adams-Bashforth). */
function adamsBashforth(outputs: readonly Tensor[]): Tensor {
  const weights = ADAMS_BASHFORTH[outputs.length - 1] as readonly number[];
  return linear(outputs.map((output, i) => [weights[i] as number, output] as const));
}

/** Oldest first. */
const ADAMS_BASHFORTH: readonly (readonly number[])[] = [
  [1],
  [-1 / 2, 3 / 2],
  [5 / 12, -16 / 12, 23 / 12],
  [-9 / 24, 37 / 24, -59 / 24, 55 / 24],
];
