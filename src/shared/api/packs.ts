import { z } from 'zod';

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
  defaults: z.object({ sampler: z.string(), steps: z.number(), globalScale: z.number(), localScale: z.number() }),
  abilities: z.array(
    z.enum(['segments', 'picture-slots', 'negative-text', 'img2img', 'redo-segment', 'upscale', 'scores', 'lora']),
  ),
  problem: z.string().nullable(),
});
export type PackSummary = z.infer<typeof PackSummary>;

export const DeviceInfo = z.object({
  id: z.enum(['cpu', 'webgpu', 'cuda', 'dml', 'coreml']),
  name: z.string(),
  available: z.boolean(),
  /** Why it is not available, or what the probe measured. */
  message: z.string(),
});
export type DeviceInfo = z.infer<typeof DeviceInfo>;
