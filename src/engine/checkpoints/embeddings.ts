import { basename } from 'node:path';
import { StudioError } from '#shared/errors.ts';
import { VOCABULARY_SIZE } from '../tokenizer/clip-bpe.ts';
import type { EmbeddingNames } from '../tokenizer/prompt.ts';
import { kindOfFile, wrongKind } from './kinds.ts';
import type { Checkpoint } from './recognise.ts';
import { readSafetensorsFile } from './safetensors.ts';
import { readFloats } from './weights.ts';

/** Vectors of one textual inversion file, for each text encoder of a checkpoint. */
export interface EmbeddingVectors {
  /** The file's name in lower case: the word that stands for it in a text. */
  readonly name: string;
  readonly vectors: readonly (readonly Float32Array[])[];
}

const MAX_VECTORS = 75;

/**
 * Reads a textual inversion: `emb_params` (SD 1 and 2), `clip_l` and `clip_g` (SDXL), or the one
 * tensor of a diffusers file under its own name.
 *
 * @throws StudioError 'unsupported' if the file is none or made for another family
 */
export async function readEmbedding(path: string, checkpoint: Checkpoint): Promise<EmbeddingVectors> {
  const file = await readSafetensorsFile(path);
  const name = basename(path);
  const kind = kindOfFile(file);
  if (kind !== 'embedding') throw wrongKind(name, kind);
  const [only] = file.tensors.keys();
  const names =
    checkpoint.texts.length === 2
      ? ['clip_l', 'clip_g']
      : [file.tensors.has('emb_params') ? 'emb_params' : (only ?? '')];
  const vectors = await Promise.all(
    checkpoint.texts.map(async (text, i) => {
      const stored = names[i] ?? '';
      const shape = file.tensors.get(stored)?.shape ?? [];
      const width = shape.at(-1) ?? 0;
      if (width !== text.width)
        throw new StudioError(
          'unsupported',
          `${name} was made for a text encoder of the width ${width || 'unknown'}, ${checkpoint.name} has ${text.width}`,
          {
            kept: 'the model works without it',
            remedy: 'choose an embedding for this family of models',
          },
        );
      const data = await readFloats(file, stored);
      const count = data.length / width;
      if (count > MAX_VECTORS)
        throw new StudioError('too-large', `${name} has ${count} vectors, a text has room for ${MAX_VECTORS}`);
      return Array.from({ length: count }, (_, k) => data.slice(k * width, (k + 1) * width));
    }),
  );
  const counts = new Set(vectors.map((list) => list.length));
  if (counts.size > 1)
    throw new StudioError('bad-input', `${name} has different numbers of vectors for the two text encoders`);
  return { name: name.replace(/\.(safetensors|sft)$/i, '').toLowerCase(), vectors };
}

/** Ids for the vectors, in the order in which they lie behind each other. */
export function embeddingNames(embeddings: readonly EmbeddingVectors[]): EmbeddingNames {
  let next = VOCABULARY_SIZE;
  return new Map(
    embeddings.map(({ name, vectors }) => {
      const ids = (vectors[0] ?? []).map(() => next++);
      return [name, ids];
    }),
  );
}
