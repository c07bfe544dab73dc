import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { StudioError } from '#shared/errors.ts';
import type { Defaults, Family, Prediction, Variant } from './character.ts';
import { schedulerFor, defaultsOf, predictionOf, variantOf } from './character.ts';
import { kindOfFile, wrongKind } from './kinds.ts';
import { clipTextTable, openClipTextTable, originalUnet, plainTable, vaeTable } from './keys.ts';
import type { SafetensorsFile } from './safetensors.ts';
import { readSafetensorsFile } from './safetensors.ts';
import type { Sidecar } from './sidecar.ts';
import { readSidecarFolder, readSidecarOf } from './sidecar.ts';
import type { Weight, WeightTable } from './weights.ts';
import { countChildren, parameterCount, storedBytes } from './weights.ts';

/** A text encoder with what its weights do not tell. */
export interface TextPart {
  readonly table: WeightTable;
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  readonly activation: 'quick_gelu' | 'gelu';
  /** Id that fills a text up to 77 tokens. */
  readonly pad: number;
}

export interface VaePart {
  readonly table: WeightTable;
  readonly groups: number;
  readonly scalingFactor: number;
  readonly shiftFactor: number;
}

/** A recognised checkpoint: where every weight lies, and what the files do not say. Nothing is loaded. */
export interface Checkpoint {
  readonly path: string;
  readonly name: string;
  readonly layout: 'original' | 'diffusers';
  readonly family: Family;
  readonly variant: Variant;
  readonly prediction: Prediction;
  /** How the prediction type is known, for the models view. */
  readonly predictionBecause: string;
  /** Alphas rescaled to a terminal signal-to-noise ratio of zero. */
  readonly zeroTerminalSnr: boolean;
  /** 4, or 9 for an inpainting model. */
  readonly inputChannels: number;
  readonly precision: string;
  /** Full files carry training leftovers (a second, averaged copy of the weights). */
  readonly full: boolean;
  readonly files: readonly SafetensorsFile[];
  readonly unet: {
    readonly table: WeightTable;
    readonly heads: readonly number[];
    readonly groups: number;
    readonly timeIdWidth: number;
  };
  readonly vae: VaePart;
  readonly texts: readonly TextPart[];
  /** SDXL: an empty negative text stands for zeros. */
  readonly zerosForEmptyText: boolean;
  /** A scheduler configuration in diffusers' terms, from the folder or the family's default. */
  readonly scheduler: Readonly<Record<string, unknown>>;
  readonly defaults: Defaults;
}

const PAD_END = 49407;

function headsOfUnet(table: WeightTable, family: Family, sidecar: Sidecar, name: string): number[] {
  const widths: number[] = [];
  for (let level = 0; level < countChildren(table, 'down_blocks'); level++)
    widths.push(table.get(`down_blocks.${level}.resnets.0.conv1.weight`)?.shape[0] ?? 0);
  if (widths.length === 0)
    throw new StudioError('model', `${name}: its denoiser has no blocks`, { remedy: 'get the full model' });
  // diffusers' attention_head_dim means the number of heads.
  const told = sidecar.unet?.num_attention_heads ?? sidecar.unet?.attention_head_dim;
  if (typeof told === 'number') return widths.map(() => told);
  if (told) {
    if (told.length !== widths.length)
      throw new StudioError(
        'model',
        `${name}: its configuration describes ${told.length} levels, its weights ${widths.length}`,
        {
          remedy: 'the configuration folder belongs to another model: repair or remove it',
        },
      );
    return told;
  }
  if (family === 'sd1') return widths.map(() => 8);
  if (widths.some((width) => width % 64 !== 0))
    throw new StudioError(
      'model',
      `${name}: its widths (${widths.join(', ')}) are not those of the published model, so its head counts are not known`,
      {
        remedy: 'put the diffusers configuration beside it, in a folder NAME.config/unet/config.json',
      },
    );
  return widths.map((width) => width / 64);
}

function textPart(
  table: WeightTable,
  openClip: boolean,
  pad: number,
  config: Sidecar['text'],
  layersUsed?: number,
): TextPart {
  const width = table.get('embeddings.token_embedding.weight')?.shape[1] ?? 0;
  const stored = countChildren(table, 'encoder.layers');
  if (stored > 0 && width % 64 !== 0 && !config?.num_attention_heads)
    throw new StudioError(
      'model',
      `its text encoder is ${width} wide, unlike any published one, so its head count is not known`,
      {
        remedy: 'put the diffusers configuration beside it, in a folder NAME.config/text_encoder/config.json',
      },
    );
  const act = config?.hidden_act;
  return {
    table,
    width,
    pad,
    heads: config?.num_attention_heads ?? Math.max(1, Math.round(width / 64)),
    layers: Math.min(stored, config?.num_hidden_layers ?? layersUsed ?? stored),
    activation: act === 'gelu' || act === 'quick_gelu' ? act : openClip ? 'gelu' : 'quick_gelu',
  };
}

function precisionOf(table: WeightTable): string {
  const bytes = new Map<string, number>();
  for (const weight of table.values()) bytes.set(weight.type, (bytes.get(weight.type) ?? 0) + weight.bytes);
  const [main] = [...bytes].sort((a, b) => b[1] - a[1])[0] ?? ['F32'];
  return (
    { F16: 'fp16', BF16: 'bf16', F32: 'fp32', F64: 'fp64', F8_E4M3: 'fp8', F8_E5M2: 'fp8' }[main] ?? main.toLowerCase()
  );
}

interface Parts {
  path: string;
  layout: Checkpoint['layout'];
  family: Family;
  files: SafetensorsFile[];
  main: SafetensorsFile;
  unet: WeightTable;
  vae: WeightTable;
  texts: TextPart[];
  sidecar: Sidecar;
}

async function assemble(parts: Parts): Promise<Checkpoint> {
  const { family, main, sidecar, unet } = parts;
  const name = basename(parts.path).replace(/\.(safetensors|sft)$/i, '');
  if (unet.size === 0) throw new StudioError('model', `${name} holds no denoiser`, { remedy: 'get the full model' });
  const told = await predictionOf(family, main, unet, sidecar);
  const variant = variantOf(name, main.metadata, unet);
  const defaults = defaultsOf(family, variant, told.prediction);
  const trained = sidecar.unet?.sample_size;
  return {
    path: parts.path,
    name,
    layout: parts.layout,
    family,
    variant,
    prediction: told.prediction,
    predictionBecause: told.because,
    zeroTerminalSnr: told.zeroTerminalSnr,
    inputChannels: unet.get('conv_in.weight')?.shape[1] ?? 4,
    precision: precisionOf(unet),
    full: [...main.tensors.keys()].some((key) => key.startsWith('model_ema.')),
    files: parts.files,
    unet: {
      table: unet,
      heads: headsOfUnet(unet, family, sidecar, name),
      groups: sidecar.unet?.norm_num_groups ?? 32,
      timeIdWidth: sidecar.unet?.addition_time_embed_dim ?? 256,
    },
    vae: vaePart(parts.vae, sidecar, family),
    texts: parts.texts,
    zerosForEmptyText: sidecar.index?.force_zeros_for_empty_prompt ?? family === 'sdxl',
    scheduler: sidecar.scheduler?._class_name
      ? { ...sidecar.scheduler }
      : schedulerFor(variant, told.prediction, told.zeroTerminalSnr),
    defaults: trained ? { ...defaults, size: trained * latentCellOf(parts.vae) } : defaults,
  };
}

/** Pixels of a latent cell: each upsampler doubles. 8 where there is no decoder to tell. */
export function latentCellOf(vae: WeightTable): number {
  const doublings = [...vae.keys()].filter((name) =>
    /^decoder\.up_blocks\.\d+\.upsamplers\.0\.conv\.weight$/.test(name),
  ).length;
  return vae.has('decoder.conv_in.weight') ? 2 ** doublings : 8;
}

function vaePart(table: WeightTable, sidecar: Sidecar, family: Family): VaePart {
  return {
    table,
    groups: sidecar.vae?.norm_num_groups ?? 32,
    scalingFactor: sidecar.vae?.scaling_factor ?? (family === 'sdxl' ? 0.13025 : 0.18215),
    shiftFactor: sidecar.vae?.shift_factor ?? 0,
  };
}

async function recogniseFile(path: string): Promise<Checkpoint> {
  const file = await readSafetensorsFile(path);
  const kind = kindOfFile(file);
  if (kind !== 'sd1' && kind !== 'sd2' && kind !== 'sdxl') throw wrongKind(basename(path), kind);
  const sidecar = await readSidecarOf(path);
  const texts =
    kind === 'sd1'
      ? [textPart(clipTextTable(file, 'cond_stage_model.transformer.'), false, PAD_END, sidecar.text)]
      : kind === 'sd2'
        ? [textPart(openClipSd2(file), true, 0, sidecar.text, 23)]
        : [
            textPart(clipTextTable(file, 'conditioner.embedders.0.transformer.'), false, PAD_END, sidecar.text),
            textPart(openClipTextTable(file, 'conditioner.embedders.1.model.'), true, 0, sidecar.text2),
          ];
  return assemble({
    path: file.path,
    layout: 'original',
    family: kind,
    files: [file],
    main: file,
    unet: originalUnet(file, 'model.diffusion_model.'),
    vae: vaeTable(file, 'first_stage_model.'),
    texts,
    sidecar,
  });
}

/** SD 2 runs 23 of its 24 layers and does not project: the projection in the file is idle. */
function openClipSd2(file: SafetensorsFile): WeightTable {
  const table = new Map(openClipTextTable(file, 'cond_stage_model.model.'));
  table.delete('text_projection.weight');
  return table;
}

async function oneComponent(folder: string, component: string): Promise<SafetensorsFile[]> {
  const path = join(folder, component);
  const names = (await readdir(path).catch(() => [])).filter((name) => name.endsWith('.safetensors')).sort();
  // A folder may hold the same weights twice, in full and in half precision: shards belong together, variants do not.
  const full = names.filter((name) => !/\.(fp16|bf16|non_ema|ema)\b/.test(name));
  const chosen = full.length > 0 ? full : names;
  return Promise.all(chosen.map((name) => readSafetensorsFile(join(path, name))));
}

function merged(files: readonly SafetensorsFile[], read: (file: SafetensorsFile) => WeightTable): WeightTable {
  const table = new Map<string, Weight>();
  for (const file of files) for (const [name, weight] of read(file)) table.set(name, weight);
  return table;
}

async function recogniseFolder(folder: string): Promise<Checkpoint> {
  const sidecar = await readSidecarFolder(folder);
  const [unet, vae, text, text2] = await Promise.all(
    ['unet', 'vae', 'text_encoder', 'text_encoder_2'].map((component) => oneComponent(folder, component)),
  );
  const [main] = unet ?? [];
  if (!main || !unet)
    throw new StudioError('unsupported', `${basename(folder)} holds no unet/*.safetensors`, {
      remedy: 'drop a .safetensors checkpoint, a diffusers folder or a folder exported by optimum',
    });
  const family: Family = text2?.length ? 'sdxl' : sidecar.text?.hidden_act === 'gelu' ? 'sd2' : 'sd1';
  const clip = (files: readonly SafetensorsFile[] | undefined) =>
    merged(files ?? [], (file) => clipTextTable(file, ''));
  const texts = [textPart(clip(text), family === 'sd2', family === 'sd2' ? 0 : PAD_END, sidecar.text)];
  if (text2?.length) texts.push(textPart(clip(text2), true, 0, sidecar.text2));
  return assemble({
    path: folder,
    layout: 'diffusers',
    family,
    files: [...unet, ...(vae ?? []), ...(text ?? []), ...(text2 ?? [])],
    main,
    unet: merged(unet, (file) => plainTable(file)),
    vae: merged(vae ?? [], (file) => vaeTable(file, '')),
    texts,
    sidecar,
  });
}

/**
 * Says what a checkpoint is, from names, shapes and a few small tensors; reads headers only.
 *
 * @param path a .safetensors file in the original layout, or a diffusers folder
 * @throws StudioError 'unsupported' with the kind of the file, 'bad-input' or 'model'
 */
export async function recogniseCheckpoint(path: string): Promise<Checkpoint> {
  const info = await stat(path).catch((error: unknown) => {
    throw StudioError.from(error, `opening ${basename(path)}`);
  });
  return info.isDirectory() ? recogniseFolder(path) : recogniseFile(path);
}

/** A VAE of its own, in either layout, in a file with or without the prefix. */
export async function recogniseVae(path: string, family: Family): Promise<VaePart & { file: SafetensorsFile }> {
  const file = await readSafetensorsFile(path);
  const kind = kindOfFile(file);
  if (kind !== 'vae' && kind !== 'sd1' && kind !== 'sd2' && kind !== 'sdxl') throw wrongKind(basename(path), kind);
  const prefix = [...file.tensors.keys()].some((name) => name.startsWith('first_stage_model.'))
    ? 'first_stage_model.'
    : '';
  const table = vaeTable(file, prefix);
  const channels = table.get('decoder.conv_in.weight')?.shape[1];
  if (channels !== 4)
    throw new StudioError(
      'unsupported',
      `${basename(path)} is an autoencoder of ${channels ?? 'unknown'} channels; models of this family have 4`,
      { kept: 'the model keeps its own', remedy: 'choose a VAE for Stable Diffusion 1.x, 2.x or SDXL' },
    );
  return { ...vaePart(table, await readSidecarOf(path), family), file };
}

/** What is missing for making pictures; empty if nothing is. */
export function missingParts(checkpoint: Checkpoint): { part: 'vae' | 'text'; words: string }[] {
  const missing: { part: 'vae' | 'text'; words: string }[] = [];
  if (!checkpoint.vae.table.has('decoder.conv_in.weight'))
    missing.push({ part: 'vae', words: 'the autoencoder (VAE): drop a VAE file and use it with this model' });
  for (const [i, text] of checkpoint.texts.entries())
    if (text.layers === 0) missing.push({ part: 'text', words: `text encoder ${i + 1}: get the full model` });
  return missing;
}

/** Sizes for the models view. */
export function describeSizes(checkpoint: Checkpoint): { parameters: number; bytes: number; fileBytes: number } {
  const tables = [checkpoint.unet.table, checkpoint.vae.table, ...checkpoint.texts.map((text) => text.table)];
  return {
    parameters: tables.reduce((sum, table) => sum + parameterCount(table), 0),
    bytes: tables.reduce((sum, table) => sum + storedBytes(table), 0),
    fileBytes: checkpoint.files.reduce((sum, file) => sum + file.bytes, 0),
  };
}
