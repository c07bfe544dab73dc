import { describe, expect, it } from 'vitest';
import { add, clone, scale, type Tensor } from '../tensor/index.ts';
import { isDone, stepNoiseCount, timestepOf } from './define.ts';
import { f32 } from './numerics.ts';
import {
  type Case,
  Formulas,
  lookUp,
  maxDistance,
  optionsOf,
  readReference,
  schedulerOf,
  withVariance,
} from './reference.testkit.ts';
import { trainingTables, velocity } from './tables.ts';
import type { SchedulerConfig } from './config.ts';

const reference = readReference();

/** See the README of the reference data: fractional timesteps come out of float32 logarithms. */
function timestepTolerance(test: Case): number {
  const c = test.config;
  if (test.class.startsWith('KDPM2')) return 5e-3; // those in between come from sigmas
  if (!(c['use_karras_sigmas'] || c['use_exponential_sigmas'] || c['use_beta_sigmas']))
    return test.timesteps.every(Number.isInteger) ? 0 : 5e-3;
  const isWhole = /Multistep/.test(test.class);
  if (isWhole) return c['use_karras_sigmas'] ? 0 : 1;
  return 5e-3;
}

function sampleTolerance(test: Case): number {
  const { largest_value: largest, float64_with_float32_tables: deviation } = test.deviation;
  return test.class === 'UnCLIPScheduler'
    ? 1e-5 * largest
    : Math.max(1e-5 * Math.max(1, largest), 4 * deviation.prev_sample);
}

describe.each(reference)('$file', ({ constants, cases }) => {
  it.each(cases)('$id', (test) => {
    const scheduler = schedulerOf(test);
    const formulas = new Formulas(constants, test.shape);
    const plan = scheduler.plan(test.num_inference_steps, optionsOf(test));
    const tolerance = sampleTolerance(test);
    const wasTimestep = timestepTolerance(test);

    expect(plan.timesteps).toHaveLength(test.timesteps.length);
    expect(maxDistance(plan.timesteps, test.timesteps)).toBeLessThanOrEqual(wasTimestep);
    expect(plan.order).toBe(test.order);
    if (test.init_noise_sigma !== null)
      expect(Math.abs(plan.initNoiseSigma / test.init_noise_sigma - 1)).toBeLessThan(1e-5);
    if (test.sigmas) {
      expect(plan.sigmas).toHaveLength(test.sigmas.length);
      plan.sigmas!.forEach((sigma, i) =>
        expect(Math.abs(sigma - test.sigmas![i]!)).toBeLessThanOrEqual(1e-5 * Math.abs(test.sigmas![i]!)),
      );
    }

    const noise = formulas.initialNoise();
    const original = formulas.original();
    const initial: Tensor = test.initial.startsWith('add_noise')
      ? scheduler.addNoise(plan, original, noise, test.start_index)
      : scale(noise, f32(plan.initNoiseSigma));
    expect(maxDistance(initial.data, test.initial_sample)).toBeLessThanOrEqual(tolerance);

    let state = scheduler.start(plan, test.start_index);
    let sample = initial;
    let drawn = 0;
    for (const step of test.steps) {
      expect(Math.abs(timestepOf(state) - step.timestep)).toBeLessThanOrEqual(wasTimestep);
      const scaled = scheduler.scaleModelInput(state, sample);
      if (step.scaled_sample) expect(maxDistance(scaled.data, step.scaled_sample)).toBeLessThanOrEqual(tolerance);
      const output = formulas.modelOutput(scaled, step.index);
      if (step.model_output) expect(maxDistance(output.data, step.model_output)).toBeLessThanOrEqual(tolerance);
      const isLearned = test.config['variance_type'] === 'learned_range';
      const given = isLearned ? withVariance(output, formulas.predictedVariance(step.index)) : output;
      const unit = plan.draws[state.index] ? formulas.noise(drawn++) : undefined;
      expect(unit ? [drawn - 1] : []).toEqual(step.noise_indices);

      const before = [clone(given), clone(sample), unit && clone(unit)];
      const result = scheduler.step(state, given, sample, unit);
      expect([given, sample, unit]).toEqual(before);
      if (step.prev_sample) expect(maxDistance(result.sample.data, step.prev_sample)).toBeLessThanOrEqual(tolerance);
      const predicted = step.denoised ?? step.pred_original_sample;
      if (predicted) expect(maxDistance(result.predictedOriginal.data, predicted)).toBeLessThanOrEqual(tolerance);
      ({ sample, state } = result);
    }
    expect(isDone(state)).toBe(true);
    expect(stepNoiseCount(plan, test.start_index)).toBe(drawn);

    for (const { timestep, result } of test.add_noise ?? test.scale_noise ?? []) {
      const index = lookUp(plan, timestep, wasTimestep);
      expect(maxDistance(scheduler.addNoise(plan, original, noise, index).data, result)).toBeLessThanOrEqual(tolerance);
    }
    for (const { timestep, result } of test.get_velocity ?? []) {
      const tables = trainingTables(
        scheduler.config as Extract<SchedulerConfig, { beta_start: number; beta_schedule: string }>,
      );
      expect(maxDistance(velocity(tables, original, noise, timestep).data, result)).toBeLessThanOrEqual(tolerance);
    }
  });
});

describe('the reference data', () => {
  it('are 169 trajectories of 13 classes', () => {
    const all = reference.flatMap((file) => file.cases);
    expect(all).toHaveLength(169);
    expect(new Set(all.map((test) => test.class)).size).toBe(13);
  });
});

describe('purity', () => {
  it('lets a run be branched and repeated from any state', () => {
    for (const { constants, cases } of reference) {
      const test = cases[0]!;
      const scheduler = schedulerOf(test);
      const formulas = new Formulas(constants, test.shape);
      const plan = scheduler.plan(test.num_inference_steps, optionsOf(test));
      const run = (from: { state: ReturnType<typeof scheduler.start>; sample: Tensor }, calls: number) => {
        let { state, sample } = from;
        for (let i = 0; i < calls && !isDone(state); i++) {
          const scaled = scheduler.scaleModelInput(state, sample);
          const unit = plan.draws[state.index] ? formulas.noise(state.index) : undefined;
          ({ state, sample } = scheduler.step(state, formulas.modelOutput(scaled, state.index), sample, unit));
        }
        return { state, sample };
      };
      const start = { state: scheduler.start(plan), sample: scale(formulas.initialNoise(), plan.initNoiseSigma) };
      const middle = run(start, 3);
      const frozen = structuredClone(middle);
      const once = run(middle, 100);
      run({ state: middle.state, sample: add(middle.sample, middle.sample) }, 100); // another branch
      expect(middle).toEqual(frozen);
      expect(run(frozen, 100)).toEqual(once); // a state survives the way to another process
    }
  });

  it('keeps its history when the caller overwrites the model output', () => {
    for (const { constants, cases } of reference) {
      const test = cases[0]!;
      if (test.class === 'UnCLIPScheduler') continue; // its first case predicts samples that are clipped anyway
      const scheduler = schedulerOf(test);
      const formulas = new Formulas(constants, test.shape);
      const plan = scheduler.plan(test.num_inference_steps, optionsOf(test));
      const shared = new Float32Array(formulas.original().data.length);
      const run = (isShared: boolean): Tensor => {
        let state = scheduler.start(plan);
        let sample = scale(formulas.initialNoise(), plan.initNoiseSigma);
        while (!isDone(state)) {
          const fresh = formulas.modelOutput(scheduler.scaleModelInput(state, sample), state.index);
          shared.set(fresh.data);
          const output = isShared ? { data: shared, shape: fresh.shape } : fresh;
          const unit = plan.draws[state.index] ? formulas.noise(state.index) : undefined;
          ({ state, sample } = scheduler.step(state, output, sample, unit));
        }
        return sample;
      };
      expect(run(true)).toEqual(run(false));
    }
  });
});
