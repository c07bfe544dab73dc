import { readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '#shared/errors.ts';

/**
 * A checkpoint with what an artist adds to it, as a small file NAME.recipe.json: added to the studio
 * like a model of its own. Paths are relative to the recipe.
 */
export const ModelRecipe = z.strictObject({
  formatVersion: z.literal(1),
  kind: z.literal('checkpoint-recipe'),
  name: z.string().min(1).max(200).optional(),
  checkpoint: z.string().min(1).max(4096),
  vae: z.string().min(1).max(4096).optional(),
  loras: z
    .array(z.strictObject({ file: z.string().min(1).max(4096), strength: z.number().min(-4).max(4).default(1) }))
    .max(16)
    .default([]),
  /** Textual inversions: their file names work as words. */
  embeddings: z.array(z.string().min(1).max(4096)).max(64).default([]),
  ipAdapter: z
    .strictObject({
      file: z.string().min(1).max(4096),
      /** The CLIP image encoder published with it (model.safetensors, config.json beside it). */
      imageEncoder: z.string().min(1).max(4096),
      scale: z.number().min(0).max(2).default(0.8),
    })
    .optional(),
  clipSkip: z.int().min(1).max(12).optional(),
  /** What the denoiser predicts, where the file does not say and the guess is wrong. */
  prediction: z.enum(['epsilon', 'v_prediction', 'sample']).optional(),
  /** The leak shield, over a range of transformer blocks. */
  leakShield: z
    .strictObject({
      mode: z.enum(['strict', 'segments']).default('segments'),
      from: z.int().min(0).default(0),
      to: z.int().min(0).max(1000).default(1000),
    })
    .optional(),
});
export type ModelRecipe = z.infer<typeof ModelRecipe>;

const MAX_BYTES = 1 << 20;

export const isRecipePath = (path: string): boolean => /\.recipe\.json$/i.test(path);

/** Reads a recipe with its paths made absolute. @throws StudioError bad-input, too-large, not-found */
export async function readRecipe(path: string): Promise<ModelRecipe> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) throw new StudioError('too-large', 'a recipe has at most 1 MB');
    const recipe = ModelRecipe.parse(JSON.parse(await readFile(path, 'utf8')));
    const at = (file: string) => (isAbsolute(file) ? file : join(dirname(path), file));
    return {
      ...recipe,
      checkpoint: at(recipe.checkpoint),
      ...(recipe.vae !== undefined && { vae: at(recipe.vae) }),
      loras: recipe.loras.map((lora) => ({ ...lora, file: at(lora.file) })),
      embeddings: recipe.embeddings.map(at),
      ...(recipe.ipAdapter && {
        ipAdapter: {
          ...recipe.ipAdapter,
          file: at(recipe.ipAdapter.file),
          imageEncoder: at(recipe.ipAdapter.imageEncoder),
        },
      }),
    };
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new StudioError('bad-input', 'the recipe is not valid JSON', { cause: error });
    throw StudioError.from(error, 'reading the recipe');
  }
}
