import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StudioError } from '#shared/errors.ts';
import { parseSchedulerConfig, readSchedulerConfig, SCHEDULER_CLASSES } from './config.ts';
import { createScheduler } from './create.ts';
import { FOLDER, readReference } from './reference.testkit.ts';

const codeOf = (f: () => unknown): string => {
  try {
    f();
  } catch (error) {
    return error instanceof StudioError ? error.code : `not a StudioError: ${String(error)}`;
  }
  return 'nothing thrown';
};

const SAVED = readFileSync(`${FOLDER}/saved/dpmsolver_multistep/scheduler_config.json`, 'utf8');

describe('scheduler_config.json', () => {
  it('is read as diffusers writes it, infinities included', () => {
    expect(SAVED).toContain('-Infinity');
    const config = readSchedulerConfig(SAVED);
    expect(config).toMatchObject({
      _class_name: 'DPMSolverMultistepScheduler',
      lambda_min_clipped: -Infinity,
      beta_end: 0.012,
    });
  });

  it('leaves infinities in strings alone', () => {
    const text = '{"_class_name": "DDIMScheduler", "note": "-Infinity \\" Infinity", "_diffusers_version": "Infinity"}';
    expect(readSchedulerConfig(text)._class_name).toBe('DDIMScheduler');
  });

  it('is filled with the defaults of its class', () => {
    // as Stable Diffusion 1.5 is published
    const published = {
      _class_name: 'PNDMScheduler', _diffusers_version: '0.6.0', beta_end: 0.012, beta_schedule: 'scaled_linear',
      beta_start: 0.00085, num_train_timesteps: 1000, set_alpha_to_one: false, skip_prk_steps: true, steps_offset: 1,
      trained_betas: null, clip_sample: false,
    }; // prettier-ignore
    expect(parseSchedulerConfig(published)).toEqual({
      _class_name: 'PNDMScheduler', beta_end: 0.012, beta_schedule: 'scaled_linear', beta_start: 0.00085,
      num_train_timesteps: 1000, set_alpha_to_one: false, skip_prk_steps: true, steps_offset: 1, trained_betas: null,
      prediction_type: 'epsilon', timestep_spacing: 'leading',
    }); // prettier-ignore
    expect(parseSchedulerConfig({ _class_name: 'HeunDiscreteScheduler' })).toMatchObject({ beta_start: 0.00085, timestep_spacing: 'linspace' }); // prettier-ignore
  });

  it.each(readReference().flatMap(({ file, cases }) => cases.map((c) => [`${file} ${c.id}`, c] as const)))(
    'of %s keeps every value',
    (_, { class: name, config }) => {
      const parsed = parseSchedulerConfig({ ...config, _class_name: name }) as Record<string, unknown>;
      const plain = (value: unknown) => (value === '-Infinity' ? -Infinity : value);
      for (const [key, value] of Object.entries(config)) if (value !== null) expect(parsed[key]).toEqual(plain(value));
    },
  );

  it('takes the solvers of other classes for the nearest own one, as diffusers does', () => {
    expect(parseSchedulerConfig({ _class_name: 'DPMSolverMultistepScheduler', solver_type: 'bh2', algorithm_type: 'deis' })).toMatchObject({ solver_type: 'midpoint', algorithm_type: 'dpmsolver++' }); // prettier-ignore
    expect(parseSchedulerConfig({ _class_name: 'UniPCMultistepScheduler', solver_type: 'midpoint' })).toMatchObject({ solver_type: 'bh2' }); // prettier-ignore
    expect(parseSchedulerConfig({ _class_name: 'DEISMultistepScheduler', solver_type: 'heun', algorithm_type: 'dpmsolver++' })).toMatchObject({ solver_type: 'logrho' }); // prettier-ignore
    expect(parseSchedulerConfig({ _class_name: 'EulerDiscreteScheduler', prediction_type: 'original_sample' })).toMatchObject({ prediction_type: 'sample' }); // prettier-ignore
  });

  it.each([
    ['no JSON', 'hello', 'bad-input'],
    ['nothing', '', 'bad-input'],
    ['NaN', '{"_class_name": "DDIMScheduler", "beta_end": NaN}', 'bad-input'],
    ['null', 'null', 'bad-input'],
    ['no class', '{}', 'bad-input'],
    ['an unknown class', '{"_class_name": "IPNDMScheduler"}', 'unsupported'],
    ['an inherited name', '{"_class_name": "constructor"}', 'unsupported'],
    ['a wrong type', '{"_class_name": "DDIMScheduler", "beta_end": "0.02"}', 'bad-input'],
    ['a huge table', '{"_class_name": "DDIMScheduler", "num_train_timesteps": 1e9}', 'bad-input'],
    ['an infinite beta', '{"_class_name": "DDIMScheduler", "beta_end": Infinity}', 'bad-input'],
    [
      'two spacings',
      '{"_class_name": "EulerDiscreteScheduler", "use_karras_sigmas": true, "use_beta_sigmas": true}',
      'bad-input',
    ],
    ['noise to zero', '{"_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "dpmsolver"}', 'bad-input'],
    ['another beta schedule', '{"_class_name": "DDPMScheduler", "beta_schedule": "sigmoid"}', 'bad-input'],
  ])('with %s is refused', (_, text, code) => {
    expect(codeOf(() => readSchedulerConfig(text))).toBe(code);
  });

  it('names the place and what would do', () => {
    expect(() => readSchedulerConfig('{"_class_name": "DDIMScheduler", "steps_offset": -1}', 'pack/scheduler.json')).toThrow(/pack\/scheduler\.json: steps_offset/); // prettier-ignore
  });

  it('damaged in any way gives a typed error or a sampler', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(SAVED.length - 1), fc.constantFrom(...'0-9"{}[]:,.eIN\\ x'.split(''))), {
          minLength: 1,
          maxLength: 8,
        }),
        (edits) => {
          const text = SAVED.split('');
          for (const [at, character] of edits) text[at] = character;
          const code = codeOf(() => createScheduler(readSchedulerConfig(text.join(''))));
          expect(['nothing thrown', 'bad-input', 'unsupported']).toContain(code);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('lists the classes', () => {
    expect(SCHEDULER_CLASSES).toHaveLength(13);
    expect(SCHEDULER_CLASSES).toContain('UnCLIPScheduler');
  });
});
