import { z } from 'zod';
import { describeZodError, StudioError } from '#shared/errors.ts';

/**
 * Scheduler configurations as diffusers writes them (scheduler_config.json), key for key. Published files hold only
 * some keys: each class's defaults fill the rest. Keys of other classes are dropped. Null means the default, as it
 * does there.
 */

const or = <T extends z.ZodType>(type: T, value: z.output<T>) => type.nullish().transform((given) => given ?? value);
const flag = (value = false) => or(z.boolean(), value);
const number = (value: number) => or(z.number(), value);
const optionalNumber = z.number().nullish().transform((given) => given ?? null); // prettier-ignore

/** More timesteps than this no published model has; a hostile file must not size our tables. */
const MAX_TRAIN_TIMESTEPS = 100_000;
const trainTimesteps = or(z.number().int().min(2).max(MAX_TRAIN_TIMESTEPS), 1000);

const Spacing = z.enum(['linspace', 'leading', 'trailing']);
const PREDICTIONS = ['epsilon', 'sample', 'v_prediction'] as const;
const Prediction = z.preprocess((given) => (given === 'original_sample' ? 'sample' : given), z.enum(PREDICTIONS));
const PredictionOrFlow = z.enum([...PREDICTIONS, 'flow_prediction']);
const FinalSigmas = z.enum(['zero', 'sigma_min']);
/** JSON has no infinities; the reader turns their bare tokens into these words. */
const Extended = z.union([z.number(), z.enum(['Infinity', '-Infinity']).transform(Number)]);

const betas = (start = 0.0001, end = 0.02, schedule: 'linear' | 'scaled_linear' = 'linear') => ({
  num_train_timesteps: trainTimesteps,
  beta_start: or(z.number().min(0).max(1), start),
  beta_end: or(z.number().min(0).max(1), end),
  beta_schedule: or(z.enum(['linear', 'scaled_linear', 'squaredcos_cap_v2']), schedule),
  trained_betas: z.array(z.number().min(0).max(1)).max(MAX_TRAIN_TIMESTEPS).nullish().transform((b) => b ?? null), // prettier-ignore
});
const spacing = (value: z.infer<typeof Spacing>) => ({
  timestep_spacing: or(Spacing, value),
  steps_offset: or(z.number().int().min(0).max(1000), 0),
});
const zeroSnr = { rescale_betas_zero_snr: flag() };
const prediction = { prediction_type: or(Prediction, 'epsilon') };
const clip = (value: boolean) => ({ clip_sample: flag(value), clip_sample_range: or(z.number().positive(), 1) });
const threshold = {
  thresholding: flag(),
  dynamic_thresholding_ratio: or(z.number().min(0).max(1), 0.995),
  sample_max_value: or(z.number().positive(), 1),
};
const sigmaSpacing = { use_karras_sigmas: flag(), use_exponential_sigmas: flag(), use_beta_sigmas: flag() };
const sigmaRange = { sigma_min: optionalNumber, sigma_max: optionalNumber };
const flow = {
  use_flow_sigmas: flag(),
  flow_shift: or(z.number().positive(), 1),
  use_dynamic_shifting: flag(),
  time_shift_type: or(z.enum(['exponential', 'linear']), 'exponential'),
};
const solverOrder = { solver_order: or(z.number().int().min(1).max(3), 2), lower_order_final: flag(true) };
const classed = <N extends string, S extends z.ZodRawShape>(name: N, shape: S) =>
  z.object({ _class_name: z.literal(name), ...shape });

export const DdimConfig = classed('DDIMScheduler', {
  ...betas(), ...zeroSnr, ...clip(true), ...prediction, ...threshold, ...spacing('leading'),
  set_alpha_to_one: flag(true),
}); // prettier-ignore
export type DdimConfig = z.infer<typeof DdimConfig>;

export const DdpmConfig = classed('DDPMScheduler', {
  ...betas(), ...zeroSnr, ...clip(true), ...prediction, ...threshold, ...spacing('leading'),
  variance_type: or(z.enum(['fixed_small', 'fixed_small_log', 'fixed_large', 'learned', 'learned_range']), 'fixed_small'),
}); // prettier-ignore
export type DdpmConfig = z.infer<typeof DdpmConfig>;

export const PndmConfig = classed('PNDMScheduler', {
  ...betas(), ...prediction, ...spacing('leading'),
  skip_prk_steps: flag(),
  set_alpha_to_one: flag(),
}); // prettier-ignore
export type PndmConfig = z.infer<typeof PndmConfig>;

export const EulerConfig = classed('EulerDiscreteScheduler', {
  ...betas(), ...zeroSnr, ...prediction, ...spacing('linspace'), ...sigmaSpacing, ...sigmaRange,
  interpolation_type: or(z.enum(['linear', 'log_linear']), 'linear'),
  timestep_type: or(z.enum(['discrete', 'continuous']), 'discrete'),
  final_sigmas_type: or(FinalSigmas, 'zero'),
}); // prettier-ignore
export type EulerConfig = z.infer<typeof EulerConfig>;

export const EulerAncestralConfig = classed('EulerAncestralDiscreteScheduler', {
  ...betas(), ...zeroSnr, ...prediction, ...spacing('linspace'),
}); // prettier-ignore
export type EulerAncestralConfig = z.infer<typeof EulerAncestralConfig>;

export const HeunConfig = classed('HeunDiscreteScheduler', {
  ...betas(0.00085, 0.012), ...prediction, ...spacing('linspace'), ...sigmaSpacing, ...clip(false),
}); // prettier-ignore
export type HeunConfig = z.infer<typeof HeunConfig>;

export const Kdpm2AncestralConfig = classed('KDPM2AncestralDiscreteScheduler', {
  ...betas(0.00085, 0.012), ...prediction, ...spacing('linspace'), ...sigmaSpacing,
}); // prettier-ignore
export type Kdpm2AncestralConfig = z.infer<typeof Kdpm2AncestralConfig>;

/** Names of other solvers stand for the nearest own one: diffusers lets configurations be swapped between classes. */
const alias = <const O extends readonly [string, ...string[]]>(
  own: O,
  foreign: readonly string[],
  meaning: O[number],
) => z.preprocess((given) => (foreign.includes(given as string) ? meaning : given), z.enum(own));

export const DpmSolverConfig = classed('DPMSolverMultistepScheduler', {
  ...betas(), ...zeroSnr, ...threshold, ...spacing('linspace'), ...sigmaSpacing, ...flow, ...solverOrder,
  /** Not in diffusers' class (which always takes the ends of the table); bounds for Karras and exponential sigmas. */
  ...sigmaRange,
  prediction_type: or(PredictionOrFlow, 'epsilon'),
  algorithm_type: or(
    alias(['dpmsolver++', 'sde-dpmsolver++', 'dpmsolver', 'sde-dpmsolver'], ['deis'], 'dpmsolver++'), 'dpmsolver++'),
  solver_type: or(alias(['midpoint', 'heun'], ['logrho', 'bh1', 'bh2'], 'midpoint'), 'midpoint'),
  euler_at_final: flag(),
  use_lu_lambdas: flag(),
  final_sigmas_type: or(FinalSigmas, 'zero'),
  lambda_min_clipped: or(Extended, -Infinity),
  variance_type: z.enum(['learned', 'learned_range']).nullish().transform((v) => v ?? null),
}).refine(
  (c) => c.algorithm_type.endsWith('++') || c.final_sigmas_type === 'sigma_min',
  'DPM-Solver without ++ cannot end at sigma 0: final_sigmas_type must be sigma_min',
); // prettier-ignore
export type DpmSolverConfig = z.infer<typeof DpmSolverConfig>;

export const UniPcConfig = classed('UniPCMultistepScheduler', {
  ...betas(), ...zeroSnr, ...threshold, ...spacing('linspace'), ...sigmaSpacing, ...sigmaRange, ...flow, ...solverOrder,
  prediction_type: or(PredictionOrFlow, 'epsilon'),
  predict_x0: flag(true),
  solver_type: or(alias(['bh1', 'bh2'], ['midpoint', 'heun', 'logrho'], 'bh2'), 'bh2'),
  disable_corrector: or(z.array(z.number().int()).max(1000), []),
  solver_p: z.null().optional(),
  final_sigmas_type: or(FinalSigmas, 'zero'),
  shift_terminal: optionalNumber,
}).refine(
  (c) => c.predict_x0 || c.final_sigmas_type === 'sigma_min',
  'UniPC that predicts noise cannot end at sigma 0: final_sigmas_type must be sigma_min',
); // prettier-ignore
export type UniPcConfig = z.infer<typeof UniPcConfig>;

export const DeisConfig = classed('DEISMultistepScheduler', {
  ...betas(), ...threshold, ...spacing('linspace'), ...sigmaSpacing, ...flow, ...solverOrder,
  prediction_type: or(PredictionOrFlow, 'epsilon'),
  algorithm_type: or(alias(['deis'], ['dpmsolver', 'dpmsolver++'], 'deis'), 'deis'),
  solver_type: or(alias(['logrho'], ['midpoint', 'heun', 'bh1', 'bh2'], 'logrho'), 'logrho'),
}); // prettier-ignore
export type DeisConfig = z.infer<typeof DeisConfig>;

export const LcmConfig = classed('LCMScheduler', {
  ...betas(0.00085, 0.012, 'scaled_linear'), ...zeroSnr, ...clip(false), ...prediction, ...threshold,
  ...spacing('leading'),
  original_inference_steps: or(z.number().int().min(1).max(MAX_TRAIN_TIMESTEPS), 50),
  set_alpha_to_one: flag(true),
  timestep_scaling: number(10),
}); // prettier-ignore
export type LcmConfig = z.infer<typeof LcmConfig>;

export const UnclipConfig = classed('UnCLIPScheduler', {
  num_train_timesteps: trainTimesteps,
  variance_type: or(z.enum(['fixed_small_log', 'learned_range']), 'fixed_small_log'),
  ...clip(true), ...prediction,
  beta_schedule: or(z.literal('squaredcos_cap_v2'), 'squaredcos_cap_v2'),
}); // prettier-ignore
export type UnclipConfig = z.infer<typeof UnclipConfig>;

export const FlowMatchEulerConfig = classed('FlowMatchEulerDiscreteScheduler', {
  num_train_timesteps: trainTimesteps,
  shift: or(z.number().positive(), 1),
  use_dynamic_shifting: flag(),
  base_shift: number(0.5),
  max_shift: number(1.15),
  base_image_seq_len: number(256),
  max_image_seq_len: number(4096),
  invert_sigmas: flag(),
  shift_terminal: optionalNumber,
  ...sigmaSpacing,
  time_shift_type: or(z.enum(['exponential', 'linear']), 'exponential'),
  stochastic_sampling: flag(),
}); // prettier-ignore
export type FlowMatchEulerConfig = z.infer<typeof FlowMatchEulerConfig>;

export const SchedulerConfig = z
  .discriminatedUnion('_class_name', [
    DdimConfig,
    DdpmConfig,
    PndmConfig,
    EulerConfig,
    EulerAncestralConfig,
    HeunConfig,
    Kdpm2AncestralConfig,
    DpmSolverConfig,
    UniPcConfig,
    DeisConfig,
    LcmConfig,
    UnclipConfig,
    FlowMatchEulerConfig,
  ])
  .superRefine((c, context) => {
    if (!('use_karras_sigmas' in c)) return;
    if (Number(c.use_karras_sigmas) + Number(c.use_exponential_sigmas) + Number(c.use_beta_sigmas) > 1)
      context.addIssue('only one of Karras, exponential and beta sigmas can be used');
  });
export type SchedulerConfig = z.infer<typeof SchedulerConfig>;
export type SchedulerClass = SchedulerConfig['_class_name'];

export const SCHEDULER_CLASSES: readonly SchedulerClass[] = SchedulerConfig.def.options.map(
  (option) => [...option.def.shape._class_name.def.values][0] as SchedulerClass,
);

/**
 * Checks a parsed scheduler configuration and fills in its class's defaults.
 * @param where names the file in errors
 * @throws StudioError `unsupported` for a class that is not here, `bad-input` for values that do not fit
 */
export function parseSchedulerConfig(json: unknown, where = 'scheduler configuration'): SchedulerConfig {
  const name = typeof json === 'object' && json !== null && '_class_name' in json ? json._class_name : undefined;
  if (typeof name === 'string' && !(SCHEDULER_CLASSES as readonly string[]).includes(name))
    throw new StudioError('unsupported', `${where}: there is no ${name.slice(0, 80)} here`, {
      remedy: `known classes: ${SCHEDULER_CLASSES.join(', ')}`,
    });
  const parsed = SchedulerConfig.safeParse(json);
  if (!parsed.success)
    throw new StudioError('bad-input', `${where}: ${describeZodError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}

/**
 * Reads the text of a scheduler_config.json. Python writes infinities as bare words, which JSON.parse refuses; they
 * are turned into strings first, outside of strings only. NaN stays refused: no setting means anything by it.
 * @throws StudioError `bad-input` or `unsupported`
 */
export function readSchedulerConfig(text: string, where = 'scheduler_config.json'): SchedulerConfig {
  const legal = text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b/g, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  );
  let json: unknown;
  try {
    json = JSON.parse(legal);
  } catch (error) {
    throw new StudioError('bad-input', `${where} is not JSON: ${String((error as Error).message).slice(0, 200)}`, {
      cause: error,
    });
  }
  return parseSchedulerConfig(json, where);
}
