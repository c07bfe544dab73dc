import type { Tensor } from '../tensor/index.ts';
import type { SchedulerConfig } from './config.ts';

/** What a run may ask for beyond the number of steps. */
export type PlanOptions = {
  /** DDIM: 0 (default) deterministic, 1 as noisy as DDPM. */
  readonly eta?: number;
  /** DDIM: derive the noise estimate from the clipped sample, as in GLIDE. */
  readonly useClippedModelOutput?: boolean;
  /** Euler: added noise per step (Karras et al. 2022, algorithm 2), between churnMin and churnMax sigma. */
  readonly churn?: number;
  readonly churnMin?: number;
  readonly churnMax?: number;
  /** Euler: factor on the noise that churn adds, a little above 1 against oversmoothing. */
  readonly churnNoise?: number;
  /** LCM: image-to-image takes its steps from the last `strength` (0..1] of the schedule. */
  readonly strength?: number;
  /** LCM: length of the distillation schedule, instead of the configuration's. */
  readonly originalSteps?: number;
  /** Flow matching and flow sigmas with dynamic shift: the shift. */
  readonly mu?: number;
  /** Flow matching: sigmas before the shift, falling, instead of an even spacing. */
  readonly sigmas?: readonly number[];
  /** UnCLIP: the step goes to the next timestep of the schedule (default) or to timestep - 1. */
  readonly previous?: 'schedule' | 'adjacent';
};

/** A schedule laid out: everything about a run that does not depend on what the model says. Plain data. */
export type SchedulerPlan = {
  readonly steps: number;
  readonly options: PlanOptions;
  /** Model calls for one step in the middle of the schedule: 2 for Heun and KDPM2, else 1. */
  readonly order: 1 | 2;
  /** What the model is told, one for each of its calls. */
  readonly timesteps: readonly number[];
  /** Noise over signal (flow matching: share of noise) at each call and at the end; null where a class has none. */
  readonly sigmas: readonly number[] | null;
  /** Unit noise times this is the first sample. */
  readonly initNoiseSigma: number;
  /** For each model call: does the step after it take a tensor of unit noise? */
  readonly draws: readonly boolean[];
  /** KDPM2: sigmas between, below and of the added noise, beside `sigmas`. */
  readonly ancestral?: {
    readonly between: readonly number[];
    readonly down: readonly number[];
    readonly up: readonly number[];
  };
};

/** What a multi-step method remembers. Tensors in it are never written to. */
export type SchedulerMemory = {
  /** Converted model outputs of earlier calls, the latest last. */
  readonly outputs: readonly Tensor[];
  /** The sample from which a step of several calls departs (UniPC: the last corrected sample). */
  readonly anchor: Tensor | null;
  /** A sum that is not complete yet: Heun's first derivative, the Runge-Kutta average of PNDM. */
  readonly partial: Tensor | null;
  /** The order of the last step (UniPC). */
  readonly order: number;
};

/** Where a run stands. Every step gives a new state, so that a run can be branched, repeated or resumed. */
export type SchedulerState = {
  readonly plan: SchedulerPlan;
  /** Index into plan.timesteps of the next model call; plan.timesteps.length when done. */
  readonly index: number;
  readonly startIndex: number;
  readonly memory: SchedulerMemory;
};

export type StepResult = {
  /** The less noisy sample, input of the next call (before scaleModelInput). */
  readonly sample: Tensor;
  /** The clean sample as predicted at this call: for previews. LCM: its consistency function. */
  readonly predictedOriginal: Tensor;
  readonly state: SchedulerState;
};

/**
 * A sampler. All functions are pure: they change none of their arguments and hold nothing between calls.
 * Use: plan, start; then for each call: model(scaleModelInput(state, sample), timestep), step; until isDone(state).
 */
export interface Scheduler {
  readonly config: SchedulerConfig;
  /** @throws StudioError `bad-use` for a number of steps that the class cannot do */
  plan(steps: number, options?: PlanOptions): SchedulerPlan;
  /** @param startIndex index of the first model call: 0, or that of image-to-image (see planPartial) */
  start(plan: SchedulerPlan, startIndex?: number): SchedulerState;
  /** What the model is shown at this state. May be `sample` itself. */
  scaleModelInput(state: SchedulerState, sample: Tensor): Tensor;
  /**
   * One step from a model output.
   * @param modelOutput of the shape of `sample`; with learned variance twice the channels (axis 1)
   * @param noise unit noise of the shape of `sample`, exactly when plan.draws[state.index]
   */
  step(state: SchedulerState, modelOutput: Tensor, sample: Tensor, noise?: Tensor): StepResult;
  /** `original` with as much `noise` as belongs to call `index` of the plan. */
  addNoise(plan: SchedulerPlan, original: Tensor, noise: Tensor, index: number): Tensor;
}

/** What a class has to bring; defineScheduler adds the checks and the bookkeeping. */
export type SchedulerCore = {
  readonly config: SchedulerConfig;
  plan(steps: number, options: PlanOptions): SchedulerPlan;
  scaleModelInput?(state: SchedulerState, sample: Tensor): Tensor;
  advance(
    state: SchedulerState,
    modelOutput: Tensor,
    sample: Tensor,
    noise: Tensor | undefined,
  ): { sample: Tensor; predictedOriginal: Tensor; memory?: Partial<SchedulerMemory> };
  addNoise(plan: SchedulerPlan, original: Tensor, noise: Tensor, index: number): Tensor;
};
