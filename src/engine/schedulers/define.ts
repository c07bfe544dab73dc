import { StudioError } from '#shared/errors.ts';
import { clone, requireSameShape, type Tensor } from '../tensor/index.ts';
import type { Scheduler, SchedulerCore, SchedulerMemory, SchedulerPlan, SchedulerState } from './types.ts';

const EMPTY: SchedulerMemory = { outputs: [], anchor: null, partial: null, order: 0 };

/** True when no model call is left. */
export function isDone(state: SchedulerState): boolean {
  return state.index >= state.plan.timesteps.length;
}

/** The timestep that the model is told next. */
export function timestepOf(state: SchedulerState): number {
  const timestep = state.plan.timesteps[state.index];
  if (timestep === undefined) throw new StudioError('bad-use', 'the schedule is at its end: there is no next step');
  return timestep;
}

/** How many tensors of unit noise a run takes: for progress, and to draw recorded noise from a file. */
export function stepNoiseCount(plan: SchedulerPlan, startIndex = 0): number {
  return plan.draws.slice(startIndex).filter(Boolean).length;
}

/**
 * Where image-to-image begins: the last `strength` of the steps, in whole steps.
 * @param strength 0 (nothing is done, the picture stays) to 1 (the whole schedule)
 */
export function planPartial(
  scheduler: Scheduler,
  steps: number,
  strength: number,
  options: Parameters<Scheduler['plan']>[1] = {},
): { plan: SchedulerPlan; startIndex: number } {
  if (!(strength >= 0 && strength <= 1))
    throw new StudioError('bad-use', `a strength of ${strength}: it must lie between 0 and 1`);
  // LCM takes its timesteps from the distillation schedule, so a strength means another schedule, begun at its start
  if (scheduler.config._class_name === 'LCMScheduler' && strength > 0)
    return { plan: scheduler.plan(steps, { ...options, strength }), startIndex: 0 };
  const plan = scheduler.plan(steps, options);
  const skipped = plan.steps - Math.min(Math.floor(plan.steps * strength), plan.steps);
  return { plan, startIndex: Math.min(skipped * plan.order, plan.timesteps.length) };
}

/**
 * Whether a run begins at pure noise (times plan.initNoiseSigma) and not at a noised picture. The start index alone
 * does not say it: LCM makes a schedule of its own for image-to-image and begins it at its first call.
 */
export function beginsAtNoise(plan: SchedulerPlan, startIndex: number): boolean {
  return startIndex === 0 && (plan.options.strength ?? 1) >= 1;
}

/** Adds to a class's mathematics what all need: checks of what comes in, and the state's bookkeeping. */
export function defineScheduler(core: SchedulerCore): Scheduler {
  const name = core.config._class_name;
  return {
    config: core.config,

    plan(steps, options = {}) {
      const most = core.config.num_train_timesteps;
      if (!Number.isInteger(steps) || steps < 1 || steps > most)
        throw new StudioError('bad-use', `${steps} steps: ${name} can do 1 to ${most}`);
      return core.plan(steps, options);
    },

    start(plan, startIndex = 0) {
      if (!Number.isInteger(startIndex) || startIndex < 0 || startIndex > plan.timesteps.length)
        throw new StudioError('bad-use', `call ${startIndex} of ${plan.timesteps.length} is not in the schedule`);
      if (startIndex % plan.order !== 0 && startIndex !== plan.timesteps.length)
        throw new StudioError('bad-use', `${name} cannot begin at call ${startIndex}: that is the middle of a step`);
      return { plan, index: startIndex, startIndex, memory: EMPTY };
    },

    scaleModelInput(state, sample) {
      timestepOf(state);
      return core.scaleModelInput ? core.scaleModelInput(state, sample) : sample;
    },

    step(state, modelOutput, sample, noise) {
      timestepOf(state);
      const draws = state.plan.draws[state.index] === true;
      if (draws !== (noise !== undefined))
        throw new StudioError('bad-use', `${name} takes ${draws ? 'a' : 'no'} noise tensor at call ${state.index}`);
      if (noise) requireSameShape(sample, noise, 'the sample', 'the noise');
      if (modelOutput.data.length !== 2 * sample.data.length)
        requireSameShape(sample, modelOutput, 'the sample', 'the model output');
      const result = core.advance(state, modelOutput, sample, noise);
      // callers reuse the buffer that the model's outputs are combined in: what outlives this call must be its own
      const own = <T extends Tensor | null>(x: T): T =>
        x && x.data.buffer === modelOutput.data.buffer ? (clone(x) as T) : x;
      const memory = { ...state.memory, ...result.memory };
      return {
        sample: own(result.sample),
        predictedOriginal: own(result.predictedOriginal),
        state: {
          ...state,
          index: state.index + 1,
          memory: {
            outputs: memory.outputs.map(own),
            anchor: own(memory.anchor),
            partial: own(memory.partial),
            order: memory.order,
          },
        },
      };
    },

    addNoise(plan, original, noise, index) {
      requireSameShape(original, noise, 'the original', 'the noise');
      if (plan.timesteps[index] === undefined)
        throw new StudioError('bad-use', `call ${index} of ${plan.timesteps.length} is not in the schedule`);
      return core.addNoise(plan, original, noise, index);
    },
  };
}
