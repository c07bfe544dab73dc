import { readFloats } from './weights.ts';
import type { Weight, WeightTable } from './weights.ts';
import type { SafetensorsFile } from './safetensors.ts';
import type { Sidecar } from './sidecar.ts';

export type Family = 'sd1' | 'sd2' | 'sdxl';
export type Prediction = 'epsilon' | 'v_prediction' | 'sample';
export type Variant = 'base' | 'turbo' | 'lcm' | 'lightning' | 'hyper';

export interface Defaults {
  readonly steps: number;
  readonly guidance: number;
  /** Side of a square picture in pixels. */
  readonly size: number;
}

/** Few-step models are told by the guidance embedding of LCM, else by the words that publishers use. */
export function variantOf(name: string, metadata: ReadonlyMap<string, string>, unet: WeightTable): Variant {
  if (unet.has('time_embedding.cond_proj.weight')) return 'lcm';
  const words = [
    name,
    metadata.get('modelspec.title'),
    metadata.get('ss_output_name'),
    metadata.get('modelspec.merged_from'),
  ]
    .join(' ')
    .toLowerCase();
  if (/lightning/.test(words)) return 'lightning';
  if (/turbo/.test(words)) return 'turbo';
  if (/(^|[^a-z])lcm([^a-z]|$)/.test(words)) return 'lcm';
  if (/hyper-?sd|(^|[^a-z])hyper([^a-z]|$)/.test(words)) return 'hyper';
  return 'base';
}

/** The prediction type with how it is known. */
export interface Told {
  prediction: Prediction;
  because: string;
  zeroTerminalSnr: boolean;
}

/** Finds out what the denoiser predicts. */
export async function predictionOf(
  family: Family,
  file: SafetensorsFile,
  unet: WeightTable,
  sidecar: Sidecar,
): Promise<Told> {
  const zeroTerminalSnr = file.tensors.has('ztsnr') || sidecar.scheduler?.['rescale_betas_zero_snr'] === true;
  const known = (value: unknown): value is Prediction =>
    value === 'epsilon' || value === 'v_prediction' || value === 'sample';
  const told = sidecar.scheduler?.prediction_type;
  if (known(told)) return { prediction: told, because: 'its configuration says so', zeroTerminalSnr };
  if (sidecar.yamlPrediction)
    return { prediction: sidecar.yamlPrediction, because: 'the .yaml beside it says so', zeroTerminalSnr };
  const spec = file.metadata.get('modelspec.prediction_type')?.toLowerCase();
  if (spec === 'v' || spec === 'v_prediction')
    return { prediction: 'v_prediction', because: 'its metadata say so', zeroTerminalSnr };
  if (spec === 'epsilon') return { prediction: 'epsilon', because: 'its metadata say so', zeroTerminalSnr };
  if (file.metadata.get('ss_v_parameterization')?.toLowerCase() === 'true')
    return { prediction: 'v_prediction', because: 'its training metadata say so', zeroTerminalSnr };
  if (file.tensors.has('v_pred'))
    return { prediction: 'v_prediction', because: 'it carries the mark "v_pred"', zeroTerminalSnr };
  if (family !== 'sd2')
    return { prediction: 'epsilon', because: 'models of this family are, unless marked', zeroTerminalSnr };
  // Nothing in an SD 2 file says v. Trained models differ in the spread of one norm's bias: a rule
  // that ComfyUI uses as well (comfy/supported_models.py, SD20). It is a guess and is called one.
  const bias: Weight | undefined = unet.get('up_blocks.3.attentions.2.transformer_blocks.0.norm1.bias');
  const values = bias ? await readFloats(bias.file, bias.stored) : new Float32Array();
  const mean = values.reduce((sum, v) => sum + v, 0) / Math.max(1, values.length);
  const spread = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / Math.max(1, values.length));
  return spread > 0.09
    ? {
        prediction: 'v_prediction',
        because: 'guessed from its weights: change it if pictures come out as noise',
        zeroTerminalSnr,
      }
    : {
        prediction: 'epsilon',
        because: 'guessed from its weights: change it if pictures come out as noise',
        zeroTerminalSnr,
      };
}

/** The schedule that all published models of these families were trained with. */
const TRAINED = {
  num_train_timesteps: 1000,
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  trained_betas: null,
  steps_offset: 1,
} as const;

/** A scheduler configuration, in diffusers' terms, for a file that brings none. */
export function schedulerFor(
  variant: Variant,
  prediction: Prediction,
  zeroTerminalSnr: boolean,
): Record<string, unknown> {
  const common = { ...TRAINED, prediction_type: prediction, rescale_betas_zero_snr: zeroTerminalSnr };
  switch (variant) {
    case 'lcm':
      return {
        ...common,
        _class_name: 'LCMScheduler',
        original_inference_steps: 50,
        set_alpha_to_one: false,
        clip_sample: false,
        timestep_scaling: 10,
        timestep_spacing: 'leading',
      };
    case 'turbo':
    case 'lightning':
    case 'hyper':
      return {
        ...common,
        _class_name: 'EulerDiscreteScheduler',
        timestep_spacing: 'trailing',
        final_sigmas_type: 'zero',
      };
    case 'base':
      return {
        ...common,
        _class_name: 'DPMSolverMultistepScheduler',
        algorithm_type: 'dpmsolver++',
        solver_order: 2,
        solver_type: 'midpoint',
        lower_order_final: true,
        timestep_spacing: zeroTerminalSnr ? 'trailing' : 'leading',
        use_karras_sigmas: !zeroTerminalSnr,
        final_sigmas_type: 'zero',
      };
  }
}

/** Steps, guidance scale and picture size to begin with. */
export function defaultsOf(family: Family, variant: Variant, prediction: Prediction): Defaults {
  const size =
    family === 'sdxl'
      ? variant === 'turbo'
        ? 512
        : 1024
      : family === 'sd2' && prediction === 'v_prediction'
        ? 768
        : 512;
  if (variant === 'base') return { steps: 20, guidance: family === 'sdxl' ? 6 : 7.5, size };
  if (variant === 'lcm') return { steps: 4, guidance: 1, size };
  return { steps: variant === 'turbo' ? 2 : 4, guidance: 1, size };
}
