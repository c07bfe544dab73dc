import { readdirSync, readFileSync } from 'node:fs';
import { concat, split, type Tensor, tensor } from '../tensor/index.ts';
import { parseSchedulerConfig } from './config.ts';
import { createScheduler } from './create.ts';
import type { PlanOptions, Scheduler, SchedulerPlan } from './types.ts';

/** Reading and replaying the trajectories recorded with diffusers (test/fixtures/schedulers). */

export const FOLDER = 'test/fixtures/schedulers';

type Constants = Record<string, Record<string, number>>;
type Recorded = { timestep: number; result: number[] };
type Deviation = { prev_sample: number };

export type Step = {
  index: number;
  timestep: number;
  prev_timestep?: number | null;
  noise_indices: number[];
  scaled_sample?: number[];
  model_output?: number[];
  noise?: number[];
  prev_sample?: number[];
  pred_original_sample?: number[];
  denoised?: number[];
};

export type Case = {
  id: string;
  class: string;
  config: Record<string, unknown>;
  num_inference_steps: number;
  set_timesteps_kwargs: { strength?: number; mu?: number; sigmas?: string };
  step_kwargs: { eta?: number; use_clipped_model_output?: boolean; s_churn?: number; s_noise?: number };
  order: number;
  timesteps: number[];
  sigmas: number[] | null;
  init_noise_sigma: number | null;
  start_index: number;
  shape: number[];
  initial: string;
  initial_sample: number[];
  steps: Step[];
  add_noise?: Recorded[];
  scale_noise?: Recorded[];
  get_velocity?: Recorded[];
  deviation: { largest_value: number; float64_with_float32_tables: Deviation };
};

export type ReferenceFile = { file: string; constants: Constants; cases: Case[] };

export function readReference(): ReferenceFile[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .map((name) => {
      const { constants, cases } = JSON.parse(readFileSync(`${FOLDER}/${name}`, 'utf8')) as Omit<ReferenceFile, 'file'>;
      return { file: name, constants, cases };
    })
    .filter((content) => content.cases?.[0]?.class !== undefined);
}

/** The tensors that stand for noise, model and pictures: evaluated in float64, rounded to float32. */
export class Formulas {
  readonly #constants: Constants;
  readonly #shape: readonly number[];

  constructor(constants: Constants, shape: readonly number[]) {
    this.#constants = constants;
    this.#shape = shape;
  }

  #of(name: string, f: (c: Record<string, number>, k: number) => number): Tensor {
    const c = this.#constants[name]!;
    const count = this.#shape.reduce((a, b) => a * b, 1);
    return tensor(
      Float32Array.from({ length: count }, (_, k) => f(c, k)),
      this.#shape,
    );
  }

  modelOutput(scaled: Tensor, i: number): Tensor {
    return this.#of(
      'model_output',
      (c, k) =>
        c['amplitude']! * Math.sin(c['k_frequency']! * k + c['step_frequency']! * i) + c['feedback']! * scaled.data[k]!,
    );
  }

  predictedVariance(i: number): Tensor {
    return this.#of(
      'predicted_variance',
      (c, k) => c['amplitude']! * Math.sin(c['k_frequency']! * k + c['step_frequency']! * i + c['phase']!),
    );
  }

  initialNoise(): Tensor {
    return this.#of(
      'initial_noise',
      (c, k) => c['a']! * Math.sin(c['b']! * k + c['c']!) + c['d']! * Math.cos(c['e']! * k),
    );
  }

  noise(n: number): Tensor {
    return this.#of(
      'noise',
      (c, k) => c['amplitude']! * Math.sin(c['k_frequency']! * k + c['n_frequency']! * n + c['phase']!),
    );
  }

  original(): Tensor {
    return this.#of('original', (c, k) => c['amplitude']! * Math.sin(c['k_frequency']! * k + c['phase']!));
  }
}

export function schedulerOf(test: Case): Scheduler {
  return createScheduler(parseSchedulerConfig({ ...test.config, _class_name: test.class }));
}

export function optionsOf(test: Case): PlanOptions {
  const { set_timesteps_kwargs: given, step_kwargs: step, num_inference_steps: n } = test;
  const adjacent = test.class === 'UnCLIPScheduler' && !test.steps.some((s) => s.prev_timestep !== undefined);
  return {
    ...(step.eta === undefined ? {} : { eta: step.eta }),
    ...(step.use_clipped_model_output ? { useClippedModelOutput: true } : {}),
    ...(step.s_churn === undefined ? {} : { churn: step.s_churn }),
    ...(step.s_noise === undefined ? {} : { churnNoise: step.s_noise }),
    ...(given.strength === undefined ? {} : { strength: given.strength }),
    ...(given.mu === undefined ? {} : { mu: given.mu }),
    // np.linspace(1, 1 / n, n)
    ...(given.sigmas ? { sigmas: Array.from({ length: n }, (_, i) => 1 - i / n) } : {}),
    ...(adjacent ? { previous: 'adjacent' as const } : {}),
  };
}

/** Model output and learned variance side by side along the channels, as a model gives them. */
export function withVariance(output: Tensor, variance: Tensor): Tensor {
  const pairs = split(output).map((part, b) => {
    const both = concat([part, split(variance)[b]!]);
    return { data: both.data, shape: [1, 2 * part.shape[1]!, ...part.shape.slice(2)] };
  });
  return concat(pairs);
}

export function maxDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const distance = Math.abs(a[i]! - b[i]!);
    if (!(distance <= most)) most = distance; // NaN counts as the worst
  }
  return most;
}

/** diffusers looks a timestep up, taking the second of two equal ones. */
export function lookUp(plan: SchedulerPlan, timestep: number, tolerance: number): number {
  const matches = plan.timesteps.flatMap((t, i) => (Math.abs(t - timestep) <= tolerance ? [i] : []));
  return matches[1] ?? matches[0]!;
}
