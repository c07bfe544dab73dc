import { z } from 'zod';
import { ModelValues } from '../document/model-values.ts';

export const PackKind = z.enum([
  'spatext-pixel',
  'spatext-latent',
  'stable-diffusion',
  'stable-diffusion-2',
  'sdxl',
  'lcm',
]);
export type PackKind = z.infer<typeof PackKind>;

/** What the studio shows of a pack or checkpoint. */
export const PackSummary = z.object({
  id: z.string(),
  name: z.string(),
  kind: PackKind,
  licence: z.string(),
  source: z.enum(['embedded', 'folder', 'checkpoint']),
  bytes: z.number(),
  /** Side of the map the model sees, and of the picture it makes, in pixels. */
  mapSize: z.object({ width: z.number(), height: z.number() }),
  outputSize: z.object({ width: z.number(), height: z.number() }),
  /** Sizes other than outputSize are possible. */
  anySize: z.boolean(),
  defaults: ModelValues,
  abilities: z.array(
    z.enum(['segments', 'picture-slots', 'negative-text', 'img2img', 'redo-segment', 'upscale', 'scores', 'lora']),
  ),
  problem: z.string().nullable(),
  /** What has to be added before it makes pictures. */
  needs: z.enum(['vae']).optional(),
});
export type PackSummary = z.infer<typeof PackSummary>;

/** A model whose networks are held in memory between jobs. */
export const OpenModel = z.object({
  pack: z.string(),
  /** Memory of the engine's process. */
  bytes: z.number(),
  /** When it closes if nothing more is asked of it, in milliseconds since 1970; null: it stays. */
  restsAt: z.number().nullable(),
});
export type OpenModel = z.infer<typeof OpenModel>;

/** What a file or folder is that was given to the studio: a model, or something that belongs to one. */
export const LookedAt = z.object({
  path: z.string(),
  name: z.string(),
  bytes: z.number(),
  kind: z.enum(['model', 'lora', 'vae', 'embedding', 'ip-adapter', 'image-encoder']),
  /** Models that it fits, of those in the studio; empty for a model. */
  fits: z.array(z.object({ id: z.string(), name: z.string() })),
  /** Why it fits none of them, in words. */
  misfit: z.string().nullable(),
});
export type LookedAt = z.infer<typeof LookedAt>;

export const DeviceInfo = z.object({
  id: z.enum(['cpu', 'webgpu', 'cuda', 'dml', 'coreml']),
  name: z.string(),
  available: z.boolean(),
  /** Why it is not available, or what the probe measured. */
  message: z.string(),
});
export type DeviceInfo = z.infer<typeof DeviceInfo>;
