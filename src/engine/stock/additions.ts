import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { StudioError } from '#shared/errors.ts';
import { readEmbedding } from '../checkpoints/embeddings.ts';
import { readImageEncoder, readIpAdapter } from '../checkpoints/ip-adapter.ts';
import { readLora } from '../checkpoints/lora.ts';
import type { Checkpoint } from '../checkpoints/recognise.ts';
import { recogniseVae } from '../checkpoints/recognise.ts';
import type { SceneFiles } from './open-stock.ts';
import type { ModelRecipe } from './recipe.ts';

/** Reads everything that a recipe lays over a checkpoint. @throws StudioError naming the file that does not fit */
export async function readAdditions(checkpoint: Checkpoint, recipe: ModelRecipe) {
  const notes: string[] = [];
  const loras = await Promise.all(recipe.loras.map(({ file, strength }) => readLora(file, checkpoint, strength)));
  for (const lora of loras)
    if (lora.unfitted > 0)
      notes.push(
        `${lora.unfitted} of ${lora.unfitted + lora.fitted} layers of ${lora.name} fit nothing in ${checkpoint.name}: the others are used`,
      );
  const vae = recipe.vae === undefined ? undefined : await recogniseVae(recipe.vae, checkpoint.family);
  const embeddings = await Promise.all(recipe.embeddings.map((file) => readEmbedding(file, checkpoint)));
  const adapter = recipe.ipAdapter && (await readIpAdapter(recipe.ipAdapter.file, checkpoint));
  const encoder = recipe.ipAdapter && (await readImageEncoder(recipe.ipAdapter.imageEncoder));
  if (adapter && encoder) {
    const offered = [
      encoder.table.get('visual_projection.weight')?.shape[0],
      encoder.table.get('embeddings.class_embedding')?.shape[0],
    ];
    if (!offered.includes(adapter.reads))
      throw new StudioError(
        'unsupported',
        `the image encoder gives ${offered.join(' or ')} numbers, ${adapter.name} reads ${adapter.reads}`,
        {
          remedy: 'choose the image encoder published with this IP-Adapter',
        },
      );
  }
  return { notes, loras, vae, embeddings, adapter, encoder };
}

/** The files that a recipe names besides its checkpoint. */
export function filesOfAdditions({ vae, loras, embeddings, ipAdapter }: Partial<ModelRecipe>): string[] {
  return [
    vae,
    ...(loras ?? []).map(({ file }) => file),
    ...(embeddings ?? []),
    ipAdapter?.file,
    ipAdapter?.imageEncoder,
  ].filter((file) => file !== undefined);
}

/**
 * A model's recipe with what the scene lays over it: LoRAs and embeddings besides its own, a VAE and an IP-Adapter
 * instead of them.
 */
export async function withSceneAdditions(recipe: ModelRecipe, { loras, additions }: SceneFiles): Promise<ModelRecipe> {
  const { vae, embeddings, ipAdapter } = additions;
  return {
    ...recipe,
    loras: [...recipe.loras, ...loras],
    embeddings: [...new Set([...recipe.embeddings, ...embeddings])],
    ...(vae !== null && { vae }),
    ...(ipAdapter && {
      ipAdapter: { ...ipAdapter, imageEncoder: ipAdapter.imageEncoder ?? (await imageEncoderBeside(ipAdapter.file)) },
    }),
  };
}

/** Where published IP-Adapters keep their image encoder, seen from the adapter's folder. */
const ENCODERS = ['image_encoder/model.safetensors', '../image_encoder/model.safetensors'];

/** The image encoder that lies beside an IP-Adapter. @throws StudioError not-found with what to do */
export async function imageEncoderBeside(adapter: string): Promise<string> {
  const stem = basename(adapter).replace(/\.[^.]+$/, '');
  for (const place of [`${stem}.image_encoder/model.safetensors`, ...ENCODERS]) {
    const file = join(dirname(adapter), place);
    if ((await stat(file).catch(() => undefined))?.isFile()) return file;
  }
  throw new StudioError('not-found', `${basename(adapter)} needs the CLIP image encoder that was published with it`, {
    kept: 'the scene is unchanged',
    remedy: 'drop its model.safetensors as well, or put it beside the IP-Adapter, in a folder image_encoder',
  });
}
