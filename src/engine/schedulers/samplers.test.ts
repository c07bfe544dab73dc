import { describe, expect, it } from 'vitest';
import { SAMPLERS } from '#shared/document/settings.ts';
import { linear, NoiseStream, type Tensor } from '../tensor/index.ts';
import { parseSchedulerConfig } from './config.ts';
import { createScheduler } from './create.ts';
import { beginsAtNoise, isDone, planPartial, timestepOf } from './define.ts';
import { drawsNoise, samplerConfig, samplerCost, samplerFor, samplersFor, type TrainingSchedule } from './samplers.ts';
import { trainingTables } from './tables.ts';
import type { Scheduler } from './types.ts';

const PIXEL: TrainingSchedule = {
  betaSchedule: 'squaredcos_cap_v2', trainTimesteps: 1000, predictionType: 'v_prediction', clipSample: true,
}; // prettier-ignore
const SD: TrainingSchedule = {
  betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012, predictionType: 'epsilon',
}; // prettier-ignore
const FLOW: TrainingSchedule = { betaSchedule: 'linear', predictionType: 'flow_prediction', flowShift: 3 };

/**
 * A model that knows its one picture: it says exactly the noise (or v) between the sample and the picture. Whatever
 * the sampler, the run must then end at that picture. This needs no reference, only what a prediction means.
 */
function runWithOracle(
  scheduler: Scheduler,
  training: TrainingSchedule,
  picture: Tensor,
  steps: number,
  strength = 1,
): Tensor {
  const { plan, startIndex } = planPartial(scheduler, steps, strength, { eta: 0.5 });
  const noise = new NoiseStream(5);
  const isFlow = training.predictionType === 'flow_prediction';
  const tables = isFlow ? null : trainingTables({ num_train_timesteps: 1000, beta_start: training.betaStart ?? 0.0001, beta_end: training.betaEnd ?? 0.02, beta_schedule: training.betaSchedule }); // prettier-ignore
  const first = noise.normal(picture.shape);
  let sample = !beginsAtNoise(plan, startIndex)
    ? scheduler.addNoise(plan, picture, first, startIndex)
    : linear([[plan.initNoiseSigma, first]]);
  let state = scheduler.start(plan, startIndex);
  while (!isDone(state)) {
    const t = timestepOf(state);
    const scaled = scheduler.scaleModelInput(state, sample);
    let alpha = 1 - t / 1000;
    let sigma = t / 1000;
    if (tables) {
      // between two timesteps a model interpolates too
      const logSnr = (i: number) => { const a = tables.alphasCumprod[Math.min(i, 999)]!; return Math.log(a / (1 - a)); }; // prettier-ignore
      const low = Math.floor(t);
      const snr = Math.exp(logSnr(low) + (t - low) * (logSnr(low + 1) - logSnr(low)));
      alpha = Math.sqrt(snr / (1 + snr));
      sigma = Math.sqrt(1 / (1 + snr));
    }
    const epsilon = linear([[1 / sigma, scaled], [-alpha / sigma, picture]]); // prettier-ignore
    const output = {
      epsilon: () => epsilon,
      sample: () => picture,
      v_prediction: () => linear([[alpha, epsilon], [-sigma, picture]]), // prettier-ignore
      flow_prediction: () => linear([[1, epsilon], [-1, picture]]), // prettier-ignore
    }[training.predictionType]();
    const unit = plan.draws[state.index] ? noise.normal(picture.shape) : undefined;
    ({ state, sample } = scheduler.step(state, output, sample, unit));
  }
  return sample;
}

const picture: Tensor = { data: Float32Array.from({ length: 48 }, (_, k) => 0.9 * Math.sin(k)), shape: [1, 3, 4, 4] };
const rms = (a: Tensor, b: Tensor): number =>
  Math.sqrt(a.data.reduce((sum, v, i) => sum + (v - b.data[i]!) ** 2, 0) / a.data.length);

describe('every sampler with a model that knows the answer', () => {
  const runs = [['pixel', PIXEL], ['latent', SD], ['flow', FLOW]] as const; // prettier-ignore
  const cases = runs.flatMap(([kind, training]) =>
    samplersFor(training).map((name) => [name, kind, training] as const),
  );
  it.each(cases)('%s finds the picture of a %s model', (name, _, training) => {
    const steps = 20;
    const result = runWithOracle(samplerFor(name, training), training, picture, steps);
    // samplers that end above sigma 0 keep that little noise (sigma 0.03 in SD's schedule); Karras timesteps are rounded
    expect(rms(result, picture)).toBeLessThan(0.06);
  });

  it.each(cases)('%s finds it in few steps, too (%s)', (name, _, training) => {
    for (const steps of name === 'unclip' ? [2, 3, 5] : [1, 2, 3, 5]) {
      const result = runWithOracle(samplerFor(name, training), training, picture, steps);
      // PNDM averages raw outputs of different timesteps (as published), which v-predictions are too different for
      const isCoarse = name === 'pndm' && training.predictionType === 'v_prediction';
      expect(rms(result, picture), `${steps} steps`).toBeLessThan(isCoarse ? 0.25 : 0.06);
    }
  });

  it.each(cases)('%s finds it from half-way (image-to-image, %s)', (name, _, training) => {
    expect(rms(runWithOracle(samplerFor(name, training), training, picture, 20, 0.5), picture)).toBeLessThan(0.06);
  });
});

describe('settings that no recorded trajectory has', () => {
  const latent = { beta_schedule: 'scaled_linear', beta_start: 0.00085, beta_end: 0.012, timestep_spacing: 'trailing' };
  const sde = {
    _class_name: 'DPMSolverMultistepScheduler',
    algorithm_type: 'sde-dpmsolver',
    final_sigmas_type: 'sigma_min',
  };
  const flow = { prediction_type: 'flow_prediction', use_flow_sigmas: true, flow_shift: 3 };
  it.each([
    ['sde-dpmsolver, midpoint', SD, { ...latent, ...sde }],
    ['sde-dpmsolver, heun', SD, { ...latent, ...sde, solver_type: 'heun' }],
    ['sde-dpmsolver, third order', SD, { ...latent, ...sde, solver_order: 3 }],
    ['dpmsolver, heun', SD, { ...latent, ...sde, algorithm_type: 'dpmsolver', solver_type: 'heun' }],
    [
      'UniPC bh1 to zero',
      SD,
      { ...latent, _class_name: 'UniPCMultistepScheduler', solver_type: 'bh1', solver_order: 3 },
    ],
    ['UniPC, flow, Karras', FLOW, { ...flow, _class_name: 'UniPCMultistepScheduler', use_karras_sigmas: true }],
    ['UniPC, beta sigmas', SD, { ...latent, _class_name: 'UniPCMultistepScheduler', use_beta_sigmas: true }],
    ['Heun, exponential', SD, { ...latent, _class_name: 'HeunDiscreteScheduler', use_exponential_sigmas: true }],
    ['KDPM2, beta sigmas', SD, { ...latent, _class_name: 'KDPM2AncestralDiscreteScheduler', use_beta_sigmas: true }],
    [
      'Euler ancestral, samples',
      { ...SD, predictionType: 'sample' },
      { ...latent, _class_name: 'EulerAncestralDiscreteScheduler', prediction_type: 'sample' },
    ],
    [
      'PNDM, samples',
      { ...SD, predictionType: 'sample' },
      { ...latent, _class_name: 'PNDMScheduler', prediction_type: 'sample', skip_prk_steps: true },
    ],
    ['flow matching, stretched', FLOW, { _class_name: 'FlowMatchEulerDiscreteScheduler', shift_terminal: 0.02 }],
  ] satisfies [string, TrainingSchedule, Record<string, unknown>][])('%s finds the picture', (_, training, config) => {
    const scheduler = createScheduler(parseSchedulerConfig(config));
    // sde-dpmsolver (without ++) is only good in small steps: its noise grows with exp(h)
    const steps = 'algorithm_type' in config && config.algorithm_type === 'sde-dpmsolver' ? 500 : 20;
    expect(rms(runWithOracle(scheduler, training, picture, steps), picture)).toBeLessThan(0.06);
  });
});

describe('samplers for a model', () => {
  it('leaves out those that cannot run it, and says why', () => {
    expect(samplersFor(PIXEL)).toEqual(SAMPLERS.filter((name) => name !== 'flow-euler'));
    expect(samplersFor(SD)).toEqual(SAMPLERS.filter((name) => name !== 'flow-euler' && name !== 'unclip'));
    expect(samplersFor(FLOW)).toEqual(['dpmpp-2m', 'dpmpp-2m-sde', 'unipc', 'flow-euler']);
    expect(() => samplerConfig('flow-euler', PIXEL)).toThrow(/flow-matching models only/);
    expect(() => samplerConfig('ddim', FLOW)).toThrow(/not for flow-matching/);
    expect(() => samplerConfig('unclip', SD)).toThrow(/cosine/);
  });

  it('hands the training on', () => {
    expect(samplerConfig('ddim', PIXEL)).toMatchObject({
      beta_schedule: 'squaredcos_cap_v2', prediction_type: 'v_prediction', clip_sample: true, timestep_spacing: 'trailing',
    }); // prettier-ignore
    expect(samplerConfig('dpmpp-2m-sde-karras', PIXEL)).toMatchObject({ algorithm_type: 'sde-dpmsolver++', use_karras_sigmas: true, sigma_max: 80 }); // prettier-ignore
    expect(samplerConfig('dpmpp-2m-karras', SD)).toMatchObject({ use_karras_sigmas: true, sigma_max: null });
    expect(samplerConfig('unipc', FLOW)).toMatchObject({ use_flow_sigmas: true, flow_shift: 3 });
    expect(samplerConfig('flow-euler', FLOW)).toMatchObject({ shift: 3 });
  });

  it('lays the schedule that the pack was recorded with', () => {
    const plan = samplerFor('dpmpp-2m', PIXEL).plan(16);
    expect(plan.timesteps).toEqual([999, 937, 874, 811, 749, 687, 624, 561, 499, 437, 374, 311, 249, 187, 124, 61]);
    expect(samplerFor('ddim', PIXEL).plan(20).timesteps.slice(0, 3)).toEqual([999, 949, 899]);
  });

  it.each(SAMPLERS.filter((name) => name !== 'flow-euler'))(
    '%s says exactly what it costs and whether it draws',
    (name) => {
      const scheduler = samplerFor(name, PIXEL);
      const cost = samplerCost(scheduler, 10);
      const expected: Partial<Record<string, number>> = { heun: 19, 'dpm2-a': 19, pndm: 11 };
      expect(cost.calls).toBe(expected[name] ?? 10);
      expect(cost.noiseDraws > 0).toBe(drawsNoise(name));
      expect(samplerCost(scheduler, 10, {}, 0.5).calls).toBe(
        { heun: 9, 'dpm2-a': 9, pndm: 6, lcm: 10 }[name as string] ?? 5,
      );
    },
  );

  it('DDIM draws with eta', () => {
    expect(drawsNoise('ddim', { eta: 0.3 })).toBe(true);
    expect(samplerCost(samplerFor('ddim', PIXEL), 10, { eta: 0.3 })).toEqual({ calls: 10, noiseDraws: 10 });
  });
});
