import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { StudioError } from '#shared/errors.ts';
import { tensorFrom, zeros } from '../tensor/index.ts';
import { parseSchedulerConfig, SCHEDULER_CLASSES } from './config.ts';
import { createScheduler } from './create.ts';
import { beginsAtNoise, isDone, planPartial, stepNoiseCount, timestepOf } from './define.ts';
import { FOLDER, maxDistance } from './reference.testkit.ts';

type Entry = {
  num_inference_steps: number;
  timesteps?: number[];
  sigmas?: number[];
  init_noise_sigma?: number;
  error?: string;
};
type Row = { class: string; config: Record<string, unknown>; schedules: Entry[] };
const { rows } = JSON.parse(readFileSync(`${FOLDER}/timesteps.json`, 'utf8')) as { rows: Row[] };

const named = rows.map((row) => {
  const {
    timestep_spacing: spacing,
    use_karras_sigmas: karras,
    beta_schedule: betas,
    final_sigmas_type: end,
  } = row.config;
  return { title: [row.class, spacing, betas, karras ? 'karras' : '', end].filter(Boolean).join(' '), ...row };
});

const codeOf = (f: () => unknown): string => {
  try {
    f();
  } catch (error) {
    return error instanceof StudioError ? error.code : `not a StudioError: ${String(error)}`;
  }
  return 'nothing thrown';
};

const make = (name: string, settings: Record<string, unknown> = {}) =>
  createScheduler(parseSchedulerConfig({ _class_name: name, ...settings }));

describe('schedules of many lengths', () => {
  it.each(named)('$title', (row) => {
    const scheduler = createScheduler(parseSchedulerConfig({ ...row.config, _class_name: row.class }));
    const isFractional = /Karras|KDPM2/.test(row.class) || Boolean(row.config['use_karras_sigmas']);
    for (const entry of row.schedules) {
      const n = entry.num_inference_steps;
      if (entry.error) {
        expect(codeOf(() => scheduler.plan(n))).toBe('bad-use');
        continue;
      }
      const plan = scheduler.plan(n);
      const isWhole = !isFractional && entry.timesteps!.every(Number.isInteger);
      const isRounded = /Multistep/.test(row.class);
      // with two steps the sigma in between hangs on the last bit of a float32 square root: 0.0096 of a timestep
      const fraction = row.class.startsWith('KDPM2') && n === 2 ? 1e-2 : 5e-3;
      const tolerance = isWhole || isRounded ? 0 : row.class.startsWith('FlowMatch') ? 1e-4 : fraction;
      expect(maxDistance(plan.timesteps, entry.timesteps!), `${n} steps`).toBeLessThanOrEqual(tolerance);
      if (entry.sigmas) {
        expect(plan.sigmas).toHaveLength(entry.sigmas.length);
        entry.sigmas.forEach((sigma, i) =>
          expect(Math.abs(plan.sigmas![i]! - sigma)).toBeLessThanOrEqual(1e-5 * Math.abs(sigma)),
        );
      }
      if (entry.init_noise_sigma !== undefined)
        expect(Math.abs(plan.initNoiseSigma / entry.init_noise_sigma - 1)).toBeLessThan(1e-5);
    }
  });
});

describe('every class', () => {
  const spacings = ['leading', 'trailing', 'linspace'];
  it.each(SCHEDULER_CLASSES.flatMap((name) => spacings.map((spacing) => [name, spacing] as const)))(
    '%s, %s: no step count of 2 to 1000 gives a timestep that the model does not know',
    (name, spacing) => {
      const settings = { timestep_spacing: spacing, skip_prk_steps: true, original_inference_steps: 1000 };
      const scheduler = make(name, settings);
      for (const n of [2, 3, 7, 49, 61, 103, 121, 122, 201, 333, 397, 500, 769, 998, 999, 1000]) {
        const { timesteps, sigmas, draws } = scheduler.plan(n);
        expect(timesteps.length).toBeGreaterThanOrEqual(n);
        expect(draws).toHaveLength(timesteps.length);
        expect(Math.min(...timesteps)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...timesteps)).toBeLessThanOrEqual(name.startsWith('FlowMatch') ? 1000 : 999);
        if (sigmas) expect(sigmas.every(Number.isFinite)).toBe(true);
      }
    },
  );

  it.each(SCHEDULER_CLASSES)('%s refuses impossible counts and indices', (name) => {
    const scheduler = make(name, { skip_prk_steps: true });
    for (const n of [0, -1, 1.5, NaN, Infinity, 1001]) expect(codeOf(() => scheduler.plan(n))).toBe('bad-use');
    const plan = scheduler.plan(5);
    for (const i of [-1, 0.5, 99, NaN]) expect(codeOf(() => scheduler.start(plan, i))).toBe('bad-use');
    const end = scheduler.start(plan, plan.timesteps.length);
    expect(isDone(end)).toBe(true);
    const x = zeros([1, 4, 2, 2]);
    expect(codeOf(() => scheduler.step(end, x, x))).toBe('bad-use');
    expect(codeOf(() => timestepOf(end))).toBe('bad-use');
    expect(codeOf(() => scheduler.addNoise(plan, x, x, 99))).toBe('bad-use');
  });

  it.each(SCHEDULER_CLASSES)('%s takes noise exactly when its plan says so, of the right shape', (name) => {
    const scheduler = make(name);
    const plan = scheduler.plan(5);
    const state = scheduler.start(plan);
    const x = zeros([1, 4, 2, 2]);
    const wrong = plan.draws[0] ? [x, undefined] : [x, x];
    expect(codeOf(() => scheduler.step(state, x, wrong[0]!, wrong[1]))).toBe('bad-use');
    expect(codeOf(() => scheduler.step(state, zeros([1, 4, 2, 3]), x, plan.draws[0] ? x : undefined))).toBe(
      'bad-input',
    );
    if (plan.draws[0]) expect(codeOf(() => scheduler.step(state, x, x, zeros([1, 4, 4])))).toBe('bad-input');
  });
});

describe('special cases', () => {
  it('drops the point below zero that rounding adds to trailing spacing', () => {
    for (const n of [61, 103, 999]) {
      const { timesteps } = make('DDIMScheduler', { timestep_spacing: 'trailing' }).plan(n);
      expect(timesteps).toHaveLength(n);
      expect(timesteps[0]).toBe(999);
    }
  });

  it('refuses a timestep beyond the table instead of reading past it', () => {
    expect(codeOf(() => make('DDIMScheduler', { steps_offset: 1 }).plan(1000))).toBe('bad-use');
  });

  it('refuses to predict noise from no signal', () => {
    const settings = { rescale_betas_zero_snr: true, timestep_spacing: 'trailing' };
    expect(codeOf(() => make('DDIMScheduler', settings).plan(4))).toBe('unsupported');
    expect(codeOf(() => make('DDIMScheduler', { ...settings, prediction_type: 'v_prediction' }).plan(4))).toBe('nothing thrown'); // prettier-ignore
  });

  it('UniPC bh1 ends at sigma 0 in a number', () => {
    for (const settings of [{ solver_type: 'bh1' }, { lower_order_final: false }, { solver_order: 3 }]) {
      const scheduler = make('UniPCMultistepScheduler', settings);
      const plan = scheduler.plan(6);
      let state = scheduler.start(plan);
      let sample = tensorFrom([0.5, -1, 2, 0.1], [1, 1, 2, 2]);
      while (!isDone(state)) ({ state, sample } = scheduler.step(state, sample, sample));
      expect(sample.data.every(Number.isFinite)).toBe(true);
    }
  });

  it('a model that learned its variance must give it', () => {
    const scheduler = make('DDPMScheduler', { variance_type: 'learned_range' });
    const x = zeros([1, 4, 2, 2]);
    expect(codeOf(() => scheduler.step(scheduler.start(scheduler.plan(4)), x, x, x))).toBe('bad-input');
    const flat = zeros([2, 16]);
    const wide = zeros([4, 16]); // twice the numbers, but along the wrong axis
    expect(codeOf(() => scheduler.step(scheduler.start(scheduler.plan(4)), wide, flat, flat))).toBe('bad-input');
  });

  it('PNDM with Runge-Kutta steps cannot begin in the middle', () => {
    const scheduler = make('PNDMScheduler');
    const x = zeros([1, 4, 2, 2]);
    expect(codeOf(() => scheduler.step(scheduler.start(scheduler.plan(6), 2), x, x))).toBe('unsupported');
  });

  it('LCM says what it can do when asked for more', () => {
    const scheduler = make('LCMScheduler');
    expect(() => scheduler.plan(51)).toThrow(/50 timesteps here/);
    expect(() => scheduler.plan(30, { strength: 0.5 })).toThrow(/25 timesteps here/);
    expect(scheduler.plan(30, { originalSteps: 100, strength: 0.5 }).timesteps).toHaveLength(30);
  });

  it('flow matching with a dynamic shift asks for it', () => {
    const scheduler = make('FlowMatchEulerDiscreteScheduler', { use_dynamic_shifting: true });
    expect(codeOf(() => scheduler.plan(4))).toBe('bad-use');
    expect(scheduler.plan(4, { mu: 1 }).timesteps).toHaveLength(4);
  });
});

describe('planPartial', () => {
  it.each([
    ['DDIMScheduler', 10, 0.6, 4, 6],
    ['DDIMScheduler', 10, 1, 0, 10],
    ['DDIMScheduler', 10, 0, 10, 0],
    ['DDIMScheduler', 10, 0.05, 10, 0],
    ['HeunDiscreteScheduler', 8, 0.5, 8, 7],
    ['HeunDiscreteScheduler', 8, 0, 15, 0],
    ['LCMScheduler', 4, 0.5, 0, 4],
  ] as const)(
    '%s, %d steps at strength %d begins at call %d and makes %d calls',
    (name, steps, strength, start, calls) => {
      const scheduler = make(name);
      const { plan, startIndex } = planPartial(scheduler, steps, strength);
      expect(startIndex).toBe(start);
      expect(plan.timesteps.length - startIndex).toBe(calls);
      expect(isDone(scheduler.start(plan, startIndex))).toBe(calls === 0);
    },
  );

  it('tells pure noise from a noised picture, for LCM too', () => {
    for (const name of ['DDIMScheduler', 'LCMScheduler', 'HeunDiscreteScheduler']) {
      const begins = [1, 0.99, 0.5, 0.3].map((strength) => {
        const { plan, startIndex } = planPartial(make(name), 4, strength);
        return beginsAtNoise(plan, startIndex);
      });
      expect(begins).toEqual([true, false, false, false]);
    }
  });

  it('refuses a strength outside 0 to 1', () => {
    for (const strength of [-0.1, 1.1, NaN]) expect(codeOf(() => planPartial(make('DDIMScheduler'), 5, strength))).toBe('bad-use'); // prettier-ignore
  });

  it('counts the noise of what is left', () => {
    const plan = make('EulerAncestralDiscreteScheduler').plan(10);
    expect([stepNoiseCount(plan), stepNoiseCount(plan, 4), stepNoiseCount(plan, 10)]).toEqual([10, 6, 0]);
    expect(stepNoiseCount(make('KDPM2AncestralDiscreteScheduler').plan(6))).toBe(5);
    expect(stepNoiseCount(make('LCMScheduler').plan(4))).toBe(3);
  });
});
