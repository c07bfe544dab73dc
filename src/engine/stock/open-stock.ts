import { createHash } from 'node:crypto';
import { basename, extname } from 'node:path';
import { stat } from 'node:fs/promises';
import { StudioError } from '#shared/errors.ts';
import type { PackSummary } from '#shared/api/packs.ts';
import { embeddingNames } from '../checkpoints/embeddings.ts';
import { fitIpAdapter } from '../checkpoints/ip-adapter.ts';
import type { ImageEncoder, IpAdapter } from '../checkpoints/ip-adapter.ts';
import type { Checkpoint } from '../checkpoints/recognise.ts';
import {
  describeSizes,
  latentCellOf,
  missingParts,
  recogniseCheckpoint,
  recogniseVae,
} from '../checkpoints/recognise.ts';
import { schedulerFor } from '../checkpoints/character.ts';
import { readSafetensorsFile } from '../checkpoints/safetensors.ts';
import type { PackReader } from '../packs/catalogue.ts';
import { packIdOf, packNameOf } from '../packs/pack-id.ts';
import type { LoraChoice, SamplerName, SceneAdditions } from '#shared/document/settings.ts';
import type { EmbeddingNames } from '../tokenizer/prompt.ts';
import { filesOfAdditions, readAdditions, withSceneAdditions } from './additions.ts';
import type { CheckpointExtras } from './checkpoint-networks.ts';
import { CheckpointNetworks } from './checkpoint-networks.ts';
import type { GraphSettings } from './graph-session.ts';
import type { LaidOver } from './memory.ts';
import type { StockNetworks, StockTraits } from './networks.ts';
import type { OptimumFolder } from './optimum.ts';
import { OptimumNetworks, isOptimumFolder, recogniseOptimum } from './optimum.ts';
import type { ModelRecipe } from './recipe.ts';
import { isRecipePath, readRecipe } from './recipe.ts';

/** A stock model that was looked at: headers read, nothing loaded. */
export interface OpenStock {
  readonly fingerprint: string;
  readonly source:
    | { readonly kind: 'checkpoint'; readonly checkpoint: Checkpoint }
    | { readonly kind: 'optimum'; readonly folder: OptimumFolder };
  readonly recipe: ModelRecipe | null;
  /** Few-step models run without guidance unless told otherwise. */
  readonly fewSteps: boolean;
}

/** A stock model with its additions read, ready to run. */
export interface LoadedStock {
  readonly networks: StockNetworks;
  readonly embeddings: EmbeddingNames;
  readonly pictures: { readonly adapter: IpAdapter; readonly encoder: ImageEncoder; readonly scale: number } | null;
  /** What lies over the checkpoint, as far as it takes memory. */
  readonly over?: LaidOver;
  /** What did not fit, in words. */
  readonly notes: readonly string[];
}

/** Endings by which a path is taken for a model file; what it really is, its first bytes tell. */
const MODEL_FILES = new Set(['.safetensors', '.sft', '.ckpt', '.pt', '.pth', '.bin', '.gguf', '.onnx']);

export const stockPackReader: PackReader<OpenStock> = {
  async claims(path) {
    const info = await stat(path).catch(() => undefined);
    if (!info) return false;
    if (info.isFile()) return isRecipePath(path) || MODEL_FILES.has(extname(path).toLowerCase());
    return (await isOptimumFolder(path)) || Boolean(await stat(`${path}/unet`).catch(() => undefined));
  },
  async open(path) {
    const opened = await recogniseStock(path);
    return { opened, summary: summaryOfStock(path, opened) };
  },
};

async function recogniseStock(path: string): Promise<OpenStock> {
  if (isRecipePath(path)) {
    const recipe = await readRecipe(path);
    const found = await recogniseCheckpoint(recipe.checkpoint);
    const checkpoint = recipe.prediction === undefined ? found : withPrediction(found, recipe.prediction);
    // Everything it names is looked at now, so that a wrong file is told when it is added, not when it is used.
    await readAdditions(checkpoint, recipe);
    return stockOf(
      { kind: 'checkpoint', checkpoint },
      recipe,
      `${JSON.stringify(recipe)} ${await versionsOf(filesOfAdditions(recipe))}`,
    );
  }
  const info = await stat(path);
  if (info.isDirectory() && (await isOptimumFolder(path)))
    return stockOf({ kind: 'optimum', folder: await recogniseOptimum(path) }, null, '');
  return stockOf({ kind: 'checkpoint', checkpoint: await recogniseCheckpoint(path) }, null, '');
}

/** Sizes and times of files: another text when one of them was replaced. Missing files are told by who reads them. */
export async function versionsOf(files: readonly string[]): Promise<string> {
  const infos = await Promise.all(files.map((file) => stat(file).catch(() => undefined)));
  return infos.map((info) => (info ? `${info.size} ${info.mtimeMs}` : '-')).join(', ');
}

function withPrediction(checkpoint: Checkpoint, prediction: Checkpoint['prediction']): Checkpoint {
  return {
    ...checkpoint,
    prediction,
    predictionBecause: 'its recipe says so',
    scheduler: schedulerFor(checkpoint.variant, prediction, checkpoint.zeroTerminalSnr),
  };
}

function stockOf(source: OpenStock['source'], recipe: ModelRecipe | null, more: string): OpenStock {
  const hash = createHash('sha256');
  // Names, sizes and times: reading gigabytes to hash them would take longer than making the picture.
  if (source.kind === 'checkpoint')
    for (const file of source.checkpoint.files)
      hash.update(`${basename(file.path)} ${file.bytes} ${file.modifiedMs}\n`);
  else hash.update(`${source.folder.traits.name} ${source.folder.bytes} ${source.folder.modifiedMs}\n`);
  const fewSteps =
    source.kind === 'checkpoint' ? source.checkpoint.variant !== 'base' : source.folder.traits.family === 'lcm';
  return { source, recipe, fewSteps, fingerprint: hash.update(more).digest('hex') };
}

const KINDS = { sd1: 'stable-diffusion', sd2: 'stable-diffusion-2', sdxl: 'sdxl', lcm: 'lcm' } as const;

/** One line that says what a checkpoint is. */
export function describeCheckpoint(checkpoint: Checkpoint): string {
  const family = { sd1: 'Stable Diffusion 1.x', sd2: 'Stable Diffusion 2.x', sdxl: 'SDXL' }[checkpoint.family];
  const words = [
    checkpoint.variant === 'base'
      ? family
      : `${family} ${checkpoint.variant === 'lcm' ? 'LCM' : checkpoint.variant[0]?.toUpperCase() + checkpoint.variant.slice(1)}`,
    checkpoint.prediction === 'v_prediction' ? 'v-prediction' : checkpoint.prediction,
    checkpoint.inputChannels === 9 ? 'inpainting' : '',
    checkpoint.precision,
    checkpoint.full ? 'full (with training leftovers, which are ignored)' : 'pruned',
    checkpoint.layout === 'diffusers' ? 'diffusers folder' : '',
  ];
  return words.filter(Boolean).join(', ');
}

function summaryOfStock(path: string, opened: OpenStock): PackSummary {
  const { source, recipe } = opened;
  const abilities: PackSummary['abilities'] = ['segments', 'negative-text', 'img2img', 'redo-segment', 'upscale'];
  if (source.kind === 'checkpoint') abilities.push('lora');
  if (recipe?.ipAdapter) abilities.push('picture-slots');
  const family = source.kind === 'checkpoint' ? source.checkpoint.family : source.folder.traits.family;
  const lcm = family === 'lcm' || (source.kind === 'checkpoint' && source.checkpoint.variant === 'lcm');
  const defaults =
    source.kind === 'checkpoint'
      ? source.checkpoint.defaults
      : { steps: lcm ? 4 : 20, guidance: lcm ? 1 : 7.5, size: source.folder.side };
  const cell =
    source.kind === 'checkpoint' ? latentCellOf(source.checkpoint.vae.table) : source.folder.traits.latentCell;
  const sampler: SamplerName = lcm ? 'lcm' : opened.fewSteps ? 'euler' : 'dpmpp-2m-karras';
  const missing = source.kind === 'checkpoint' ? missingParts(source.checkpoint) : [];
  // A VAE can come with the scene: the model is there, only not complete.
  const lacksVae = missing.some(({ part }) => part === 'vae') && !recipe?.vae;
  const lost = missing.filter(({ part }) => part !== 'vae').map(({ words }) => words);
  const name = recipe?.name ?? packNameOf(path);
  return {
    id: packIdOf(path),
    name: source.kind === 'checkpoint' ? `${name} (${describeCheckpoint(source.checkpoint)})` : `${name} (ONNX folder)`,
    kind: lcm ? 'lcm' : KINDS[family],
    licence: '',
    source: source.kind === 'checkpoint' ? 'checkpoint' : 'folder',
    bytes: source.kind === 'checkpoint' ? describeSizes(source.checkpoint).fileBytes : source.folder.bytes,
    mapSize: { width: defaults.size / cell, height: defaults.size / cell },
    outputSize: { width: defaults.size, height: defaults.size },
    anySize: true,
    // Chained at equal scales is the guidance that such a model is known by, with each segment under its own text. Two
    // dials at these scales would push a segment twice.
    defaults: {
      sampler,
      steps: defaults.steps,
      mode: 'joint',
      globalScale: defaults.guidance,
      localScale: defaults.guidance,
    },
    abilities,
    problem: lost.length > 0 ? `it lacks ${lost.join('; ')}` : null,
    ...(lacksVae && { needs: 'vae' as const }),
  };
}

/** What a model is to a scene, without its networks being opened. @throws StudioError 'model' if it lacks a part */
export async function traitsOf({ source, recipe }: OpenStock, { vae }: SceneAdditions): Promise<StockTraits> {
  if (source.kind === 'optimum') return source.folder.traits;
  const file = vae ?? recipe?.vae;
  const extras = file === undefined ? {} : { vae: await recogniseVae(file, source.checkpoint.family) };
  return new CheckpointNetworks(source.checkpoint, extras, { providers: ['cpu'], threads: 1 }).traits;
}

/** What a scene lays over a model. */
export interface SceneFiles {
  readonly loras: readonly LoraChoice[];
  readonly additions: SceneAdditions;
}

/** Opens a recognised model with its own additions and the scene's; networks load by their first use. */
export async function loadStock(opened: OpenStock, scene: SceneFiles, settings: GraphSettings): Promise<LoadedStock> {
  const { source } = opened;
  if (source.kind === 'optimum') {
    const { vae, embeddings, ipAdapter } = scene.additions;
    const first = scene.loras[0] ? 'LoRA' : vae ? 'other VAE' : embeddings[0] ? 'embedding' : ipAdapter && 'IP-Adapter';
    if (first)
      throw new StudioError(
        'unsupported',
        `${source.folder.traits.name} is an exported folder, which takes no ${first}`,
        {
          kept: 'the scene is unchanged',
          remedy: `take it off the scene (models view), or choose a .safetensors checkpoint`,
        },
      );
    return { networks: new OptimumNetworks(source.folder, settings), embeddings: new Map(), pictures: null, notes: [] };
  }
  const base: ModelRecipe = opened.recipe ?? {
    formatVersion: 1,
    kind: 'checkpoint-recipe',
    checkpoint: source.checkpoint.path,
    loras: [],
    embeddings: [],
  };
  // Before its image encoder is looked for: one that does not fit needs none.
  const { ipAdapter: wanted } = scene.additions;
  if (wanted) fitIpAdapter(await readSafetensorsFile(wanted.file), source.checkpoint);
  const recipe = await withSceneAdditions(base, scene);
  const { notes, loras, vae, embeddings, adapter, encoder } = await readAdditions(source.checkpoint, recipe);
  const extras: CheckpointExtras = {
    loras,
    embeddings,
    ...(vae && { vae }),
    ...(adapter && { ipAdapter: adapter }),
    ...(recipe.clipSkip !== undefined && { clipSkip: recipe.clipSkip }),
    ...(recipe.leakShield && { isolation: recipe.leakShield }),
  };
  return {
    networks: new CheckpointNetworks(source.checkpoint, extras, settings),
    embeddings: embeddingNames(embeddings),
    over: {
      vae: vae?.table ?? null,
      inline: loras.reduce((sum, { bytes }) => sum + bytes, adapter?.bytes ?? 0),
      computes: loras.some(({ computesWeights }) => computesWeights),
      pictures: encoder?.table ?? null,
    },
    pictures: adapter && encoder && recipe.ipAdapter ? { adapter, encoder, scale: recipe.ipAdapter.scale } : null,
    notes,
  };
}
