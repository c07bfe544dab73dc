import { z } from 'zod';
import { LIMITS } from './limits.ts';

/** A stretch of the schedule as fractions of its steps: 0 is the first (noisiest) step, 1 the end. */
export const Interval = z
  .tuple([z.number().min(0).max(1), z.number().min(0).max(1)])
  .refine(([start, end]) => start <= end, 'the interval ends before it starts');
export type Interval = z.infer<typeof Interval>;

const Scale = z.number().min(0).max(LIMITS.guidanceScale);

/**
 * Classifier-free guidance with two conditions (SpaText, section 3.4).
 * - multi: e(none) + sGlobal (e(global) - e(none)) + sLocal (e(local) - e(none)); three passes
 * - single: e(none) + s (e(both) - e(none)); two passes
 * - joint: e(none) + sGlobal (e(global) - e(none)) + sLocal (e(both) - e(global)); a chain
 */
export const GuidanceSettings = z.object({
  mode: z.enum(['multi', 'single', 'joint']).default('multi'),
  globalScale: Scale.default(1.5),
  localScale: Scale.default(1.5),
  /** The one dial of single-scale guidance. */
  scale: Scale.default(3),
  /** Guidance outside this stretch of the schedule is off (the conditional pass alone remains). */
  interval: Interval.default([0, 1]),
  /** Guidance rescale (Lin et al. 2023, eq. 15 and 16), 0 = off. */
  rescale: z.number().min(0).max(1).default(0),
  /** Leak shield, for checkpoints opened in place: a segment's places do not look at those of other segments. */
  isolate: z.boolean().default(false),
});
export type GuidanceSettings = z.infer<typeof GuidanceSettings>;

export const SAMPLERS = [
  'ddim', 'ddpm', 'pndm', 'euler', 'euler-a', 'heun', 'dpm2-a', 'dpmpp-2m', 'dpmpp-2m-sde',
  'dpmpp-2m-karras', 'dpmpp-2m-sde-karras', 'unipc', 'deis', 'lcm', 'unclip', 'flow-euler',
] as const; // prettier-ignore
export const SamplerName = z.enum(SAMPLERS);
export type SamplerName = z.infer<typeof SamplerName>;

export const SamplerSettings = z.object({
  name: SamplerName.default('dpmpp-2m'),
  /** Steps of the schedule; some samplers call the network more often. */
  steps: z.number().int().min(1).max(LIMITS.steps).default(16),
  /** DDIM's eta: 0 deterministic, 1 as noisy as DDPM. */
  eta: z.number().min(0).max(1).default(0),
});
export type SamplerSettings = z.infer<typeof SamplerSettings>;

/** Seeds are unsigned 32-bit numbers, as in the seeded generator. */
export const Seed = z.number().int().min(0).max(0xffff_ffff);
export type Seed = z.infer<typeof Seed>;

/** How many pictures, and how many are made to keep the best of. */
export const BatchSettings = z
  .object({
    count: z.number().int().min(1).max(LIMITS.images).default(1),
    /** For each kept picture this many are made; the best by its segments' scores stays. */
    bestOf: z.number().int().min(1).max(16).default(1),
  })
  .refine(({ count, bestOf }) => count * bestOf <= LIMITS.images, `at most ${LIMITS.images} pictures in one job`);
export type BatchSettings = z.infer<typeof BatchSettings>;

/**
 * A file that belongs to a model. Its path names a file of this machine: never of another one, since opening a
 * share's path tells the sharer who opens it.
 */
const ModelFile = z
  .string()
  .min(1)
  .max(4096)
  .refine((file) => !/^(\\|\/\/)|^[a-z][a-z0-9+.-]+:\/\//i.test(file), 'it has to be a file of this machine')
  .refine((file) => /\.(safetensors|sft)$/i.test(file), 'it has to be a .safetensors file');

/** A LoRA or LyCORIS file laid over a checkpoint. */
export const LoraChoice = z.object({
  file: ModelFile,
  /** Negative strengths turn the change around. */
  strength: z.number().min(-4).max(4).default(1),
});
export type LoraChoice = z.infer<typeof LoraChoice>;

/** What a scene takes along for a checkpoint besides LoRAs. */
export const SceneAdditions = z.object({
  /** Decodes instead of the checkpoint's own autoencoder. */
  vae: ModelFile.nullable().default(null),
  /** Textual inversions: their file names work as words. */
  embeddings: z.array(ModelFile).max(LIMITS.embeddings, `more than ${LIMITS.embeddings} embeddings`).default([]),
  /** Lets pictures fill segments. */
  ipAdapter: z
    .object({
      file: ModelFile,
      /** The CLIP image encoder published with it; null: looked for beside the file. */
      imageEncoder: ModelFile.nullable().default(null),
      scale: z.number().min(0).max(2).default(0.8),
    })
    .nullable()
    .default(null),
});
export type SceneAdditions = z.infer<typeof SceneAdditions>;
