import { stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import type { LookedAt, PackSummary } from '#shared/api/packs.ts';
import { StudioError } from '#shared/errors.ts';
import { readEmbedding } from '../checkpoints/embeddings.ts';
import { fitIpAdapter } from '../checkpoints/ip-adapter.ts';
import { kindOfFile, wrongKind } from '../checkpoints/kinds.ts';
import type { FileKind } from '../checkpoints/kinds.ts';
import { checkLora } from '../checkpoints/lora.ts';
import type { Checkpoint } from '../checkpoints/recognise.ts';
import { recogniseVae } from '../checkpoints/recognise.ts';
import type { SafetensorsFile } from '../checkpoints/safetensors.ts';
import { readSafetensorsFile } from '../checkpoints/safetensors.ts';
import type { OpenedPack } from '../pipelines/makers.ts';
import { isRecipePath } from './recipe.ts';

interface KnownModel {
  readonly summary: PackSummary;
  readonly opened: OpenedPack | null;
}

const MODELS = new Set<FileKind>(['sd1', 'sd2', 'sdxl']);
const BELONGINGS = ['lora', 'vae', 'embedding', 'ip-adapter', 'image-encoder'] as const;
type Belonging = (typeof BELONGINGS)[number];
const isBelonging = (kind: FileKind): kind is Belonging => BELONGINGS.some((one) => one === kind);

/**
 * Says what a file is, from its header, and which of the known models it fits. Nothing is loaded.
 *
 * @throws StudioError 'unsupported' with what it is instead, 'bad-input' if it is damaged
 */
export async function lookAt(path: string, models: readonly KnownModel[]): Promise<LookedAt> {
  const name = basename(path);
  const info = await stat(path).catch((error: unknown) => {
    const { code, message } = StudioError.from(error, `looking at ${name}`);
    if (code !== 'not-found') throw new StudioError(code, message, { cause: error });
    throw new StudioError('not-found', `there is no file ${path}`, {
      kept: 'nothing was changed',
      remedy: 'compare the path with the folder',
      cause: error,
    });
  });
  const looked = { path, name, bytes: info.size, fits: [], misfit: null };
  // Folders, recipes and packed packs are told apart by who opens them.
  if (info.isDirectory() || isRecipePath(path) || extname(path).toLowerCase() === '.zip')
    return { ...looked, kind: 'model' };
  const file = await readSafetensorsFile(path);
  const kind = kindOfFile(file);
  if (MODELS.has(kind)) return { ...looked, kind: 'model' };
  if (!isBelonging(kind)) throw wrongKind(name, kind);

  const fits: LookedAt['fits'] = [];
  let misfit: string | null = null;
  for (const { summary, opened } of models) {
    if (opened?.kind !== 'stock' || opened.stock.source.kind !== 'checkpoint') continue;
    try {
      await check(kind, file, opened.stock.source.checkpoint);
      // What a model is stands behind its name, in brackets: here it is only called.
      fits.push({ id: summary.id, name: summary.name.replace(/ \(.*$/s, '') });
    } catch (error) {
      misfit ??= StudioError.from(error, name).message;
    }
  }
  return { ...looked, kind, fits, misfit: fits.length > 0 ? null : misfit };
}

async function check(kind: Belonging, file: SafetensorsFile, checkpoint: Checkpoint): Promise<void> {
  switch (kind) {
    case 'lora':
      checkLora(file, checkpoint);
      break;
    case 'vae':
      await recogniseVae(file.path, checkpoint.family);
      break;
    case 'embedding':
      await readEmbedding(file.path, checkpoint);
      break;
    case 'ip-adapter':
      fitIpAdapter(file, checkpoint);
      break;
    case 'image-encoder':
      break;
  }
}
