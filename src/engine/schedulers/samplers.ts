import type { SamplerName } from '#shared/document/settings.ts';
import { SAMPLERS } from '#shared/document/settings.ts';
import { StudioError } from '#shared/errors.ts';
import { parseSchedulerConfig, type SchedulerClass, type SchedulerConfig } from './config.ts';
import { createScheduler } from './create.ts';
import { planPartial, stepNoiseCount } from './define.ts';
import type { TimestepSpacing } from './spacing.ts';
import type { PlanOptions, Scheduler } from './types.ts';

/** How a model was trained, as its pack says: what every sampler for it has to know. */
export type TrainingSchedule = {
  readonly betaSchedule: 'linear' | 'scaled_linear' | 'squaredcos_cap_v2';
  readonly betaStart?: number;
  readonly betaEnd?: number;
  readonly trainTimesteps?: number;
  readonly predictionType: 'epsilon' | 'sample' | 'v_prediction' | 'flow_prediction';
  readonly zeroTerminalSnr?: boolean;
  /** Predicted clean samples are kept within +-clipSampleRange, where a sampler can do it. Pixel models ask for it. */
  readonly clipSample?: boolean;
  readonly clipSampleRange?: number;
  /** Default: trailing, which begins at pure noise whatever the number of steps (Lin et al. 2024). */
  readonly timestepSpacing?: TimestepSpacing;
  readonly stepsOffset?: number;
  /** Flow matching: shift towards noise. */
  readonly flowShift?: number;
};

type Family = {
  readonly class: SchedulerClass;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Network calls for one step. */
  readonly order: 1 | 2;
  readonly isStochastic: boolean;
  readonly predictions: readonly TrainingSchedule['predictionType'][];
};

const DIFFUSION = ['epsilon', 'sample', 'v_prediction'] as const;
const ANY = [...DIFFUSION, 'flow_prediction'] as const;
const family = (
  name: SchedulerClass,
  predictions: Family['predictions'],
  settings: Family['settings'] = {},
  more: Partial<Family> = {},
): Family => ({ class: name, settings, order: 1, isStochastic: false, predictions, ...more });

const noisy = { isStochastic: true } as const;
const sde = { algorithm_type: 'sde-dpmsolver++' } as const;
const karras = { use_karras_sigmas: true } as const;

/** The samplers by the names that artists know. DDIM draws noise only with eta > 0. */
export const SAMPLER_FAMILIES: Readonly<Record<SamplerName, Family>> = {
  ddim: family('DDIMScheduler', DIFFUSION),
  ddpm: family('DDPMScheduler', DIFFUSION, {}, noisy),
  pndm: family('PNDMScheduler', DIFFUSION, { skip_prk_steps: true }),
  euler: family('EulerDiscreteScheduler', DIFFUSION),
  'euler-a': family('EulerAncestralDiscreteScheduler', DIFFUSION, {}, noisy),
  heun: family('HeunDiscreteScheduler', DIFFUSION, {}, { order: 2 }),
  'dpm2-a': family('KDPM2AncestralDiscreteScheduler', DIFFUSION, {}, { order: 2, ...noisy }),
  'dpmpp-2m': family('DPMSolverMultistepScheduler', ANY),
  'dpmpp-2m-sde': family('DPMSolverMultistepScheduler', ANY, sde, noisy),
  'dpmpp-2m-karras': family('DPMSolverMultistepScheduler', DIFFUSION, karras),
  'dpmpp-2m-sde-karras': family('DPMSolverMultistepScheduler', DIFFUSION, { ...sde, ...karras }, noisy),
  unipc: family('UniPCMultistepScheduler', ANY),
  // its flow schedule repeats the last sigma instead of going to zero, which leaves noise in the picture
  deis: family('DEISMultistepScheduler', DIFFUSION),
  lcm: family('LCMScheduler', DIFFUSION, { set_alpha_to_one: true }, noisy),
  unclip: family('UnCLIPScheduler', DIFFUSION, {}, noisy),
  'flow-euler': family('FlowMatchEulerDiscreteScheduler', ['flow_prediction']),
};

/**
 * Largest sigma of Karras spacing. The cosine schedule ends at a sigma of 20,000, and even steps in sigma^(1/7) from
 * there would spend half of a short run where nothing can be seen; 80 is what Karras et al. 2022 begin at.
 */
const KARRAS_SIGMA_MAX = 80;

/** Why a sampler cannot run a model, or null. */
export function samplerRefusal(name: SamplerName, training: TrainingSchedule): string | null {
  const { predictions, class: className } = SAMPLER_FAMILIES[name];
  if (!predictions.includes(training.predictionType)) {
    const isFlowModel = training.predictionType === 'flow_prediction';
    return isFlowModel
      ? `the sampler ${name} is not for flow-matching models`
      : `the sampler ${name} is for flow-matching models only, and this one predicts ${training.predictionType}`;
  }
  if (className === 'UnCLIPScheduler' && training.betaSchedule !== 'squaredcos_cap_v2')
    return `the sampler ${name} is for models of the cosine schedule, and this one was trained on ${training.betaSchedule}`;
  return null;
}

/** The samplers that can run a model. */
export function samplersFor(training: TrainingSchedule): SamplerName[] {
  return SAMPLERS.filter((name) => samplerRefusal(name, training) === null);
}

/**
 * The configuration of a sampler for a model.
 * @throws StudioError `unsupported` with the reason, naming the samplers that do run it
 */
export function samplerConfig(name: SamplerName, training: TrainingSchedule): SchedulerConfig {
  const refusal = samplerRefusal(name, training);
  if (refusal)
    throw new StudioError('unsupported', refusal, { remedy: `choose one of ${samplersFor(training).join(', ')}` });
  const isFlow = training.predictionType === 'flow_prediction';
  const { class: className, settings } = SAMPLER_FAMILIES[name];
  const capsSigma = settings['use_karras_sigmas'] === true && training.betaSchedule === 'squaredcos_cap_v2';
  return parseSchedulerConfig({
    _class_name: className,
    num_train_timesteps: training.trainTimesteps,
    beta_schedule: training.betaSchedule,
    beta_start: training.betaStart ?? 0.0001,
    beta_end: training.betaEnd ?? 0.02,
    prediction_type: training.predictionType,
    rescale_betas_zero_snr: training.zeroTerminalSnr ?? false,
    timestep_spacing: training.timestepSpacing ?? 'trailing',
    steps_offset: training.stepsOffset ?? 0,
    clip_sample: training.clipSample ?? false,
    clip_sample_range: training.clipSampleRange ?? 1,
    ...(isFlow ? { use_flow_sigmas: true, flow_shift: training.flowShift ?? 1, shift: training.flowShift ?? 1 } : {}),
    ...(capsSigma ? { sigma_max: KARRAS_SIGMA_MAX } : {}),
    ...settings,
  });
}

/** A sampler for a model, ready to plan. */
export function samplerFor(name: SamplerName, training: TrainingSchedule): Scheduler {
  return createScheduler(samplerConfig(name, training));
}

/** Whether a run of the sampler draws noise while it goes. */
export function drawsNoise(name: SamplerName, options: PlanOptions = {}): boolean {
  return name === 'ddim' ? (options.eta ?? 0) > 0 : SAMPLER_FAMILIES[name].isStochastic;
}

/** What a run will cost, exactly: for progress and the time left. */
export type SamplerCost = { readonly calls: number; readonly noiseDraws: number };

/**
 * Network calls and noise tensors of a run.
 * @param strength below 1: image-to-image, which runs the last part of the schedule
 */
export function samplerCost(scheduler: Scheduler, steps: number, options: PlanOptions = {}, strength = 1): SamplerCost {
  const { plan, startIndex } = planPartial(scheduler, steps, strength, options);
  return { calls: plan.timesteps.length - startIndex, noiseDraws: stepNoiseCount(plan, startIndex) };
}
