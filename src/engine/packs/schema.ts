import { z } from 'zod';
import { SAMPLERS } from '#shared/document/settings.ts';

/** A file name inside the pack's own folder: no folders, no climbing out. */
const FileName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'expected a plain file name inside the pack, without folders')
  .refine((name) => !name.includes('..'), 'a file name may not climb out of the pack');
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Dimension = z.union([z.number().int().positive(), z.string().max(40)]);

const TensorSpec = z.object({
  shape: z.array(Dimension).max(8),
  dtype: z.enum(['float32', 'int64']),
  range: z.tuple([z.number(), z.number()]).optional(),
  note: z.string().optional(),
});

const component = z.object({
  file: FileName,
  sha256: Sha256,
  bytes: z.number().int().positive(),
  inputs: z.record(z.string(), TensorSpec),
  outputs: z.record(z.string(), TensorSpec),
});

/** Side of a segment's crop in units of the longer side of its box: what the image encoder saw in training. */
export const CROP_MARGIN = 1.08;

/** Side of a sketch and of the shape it is drawn into, in pixels. */
export const SKETCH_SIDE = 32;

/** Planes of a sketch that an anchor reads: red, green, blue in -1..1, how much of the thing is here, 1 throughout. */
export const ANCHOR_CHANNELS = 5;

/** How a guided prediction is held to the sketch; see spatext/sketch-anchor.ts. */
export const SketchAnchor = z.object({
  /** Deviation of pictures from their sketches, -1..1, that is put down to chance. */
  spread: z.number().positive().max(1),
  /** Sigma at which sketch and canvas are trusted alike. */
  until: z.number().positive().max(1),
});
export type SketchAnchor = z.infer<typeof SketchAnchor>;

/** The training schedule a denoiser or prior was trained with. */
export const TrainingSchedule = z.object({
  betaSchedule: z.enum(['squaredcos_cap_v2', 'linear', 'scaled_linear']),
  betaStart: z.number().positive().max(1).optional(),
  betaEnd: z.number().positive().max(1).optional(),
  trainTimesteps: z.number().int().min(2).max(100_000),
  predictionType: z.enum(['epsilon', 'v_prediction', 'sample']),
  clipSample: z.boolean().default(false),
  clipSampleRange: z.number().positive().default(1),
});
export type TrainingSchedule = z.infer<typeof TrainingSchedule>;

/** pack.json of a SpaText pixel pack: everything the engine must know about the files beside it. */
export const PixelPack = z.object({
  formatVersion: z.literal(1),
  id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/),
  name: z.string().min(1).max(200),
  kind: z.literal('spatext-pixel'),
  licence: z.string().max(200),
  notices: FileName.optional(),
  card: FileName.optional(),
  /** Length of the CLIP embeddings. */
  embeddingWidth: z.number().int().min(8).max(8192),
  /** Side of the denoiser's square pictures, and of the map. */
  sampleSize: z.number().int().min(8).max(1024),
  /** Side after super-resolution. */
  outputSize: z.number().int().min(8).max(8192),
  tokenizer: z.object({
    file: FileName,
    type: z.literal('wordpiece'),
    lowercase: z.boolean(),
    maxLength: z.number().int().min(4).max(512),
    sha256: Sha256,
  }),
  components: z.object({
    textEncoder: component,
    imageEncoder: component,
    prior: component.extend({
      scheduler: TrainingSchedule,
      embeddingScale: z.number().positive(),
      defaults: z.object({ steps: z.number().int().min(1), guidanceScale: z.number().min(0) }),
      normaliseResult: z.boolean(),
    }),
    /** Draws a segment in its own frame, once per generation; its pictures go to stProjector beside the map. */
    sketch: component.optional(),
    stProjector: component,
    unet: component.extend({ scheduler: TrainingSchedule, sketchAnchor: SketchAnchor.optional() }),
    /** `sketchScale`: it also reads the sketch map, that many times as fine as its input. */
    superResolution: component.extend({
      factor: z.number().int().min(2).max(8),
      sketchScale: z.number().int().min(1).max(4).optional(),
    }),
    /** Enlarges what super-resolution made, or any other finished picture; without it super-resolution does that too. */
    enlargement: component.extend({ factor: z.number().int().min(2).max(8) }).optional(),
    segmenter: component.optional(),
  }),
  guidance: z.object({
    conditions: z.array(z.string()),
    modes: z.array(z.enum(['multi', 'single', 'joint'])),
    defaults: z.object({ mode: z.enum(['multi', 'single', 'joint']), globalScale: z.number(), localScale: z.number() }),
  }),
  defaults: z.object({ sampler: z.enum(SAMPLERS), steps: z.number().int().min(1) }),
});
export type PixelPack = z.infer<typeof PixelPack>;
export type ComponentName = keyof PixelPack['components'];
export type PackComponent = z.infer<typeof component>;

/** Channels of a segment's sketch as the pack describes them; 0 for a pack without one. */
export function sketchChannelsOf({ components: { sketch } }: PixelPack): number {
  const channels = sketch?.outputs['sketch']?.shape.at(-3);
  return typeof channels === 'number' ? channels : 0;
}
