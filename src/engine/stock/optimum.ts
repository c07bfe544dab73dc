import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '#shared/errors.ts';
import { parsePythonJson } from '../checkpoints/sidecar.ts';
import { parseSchedulerConfig } from '../schedulers/index.ts';
import type { Tensor } from '../tensor/index.ts';
import type { TokenChunk } from '../tokenizer/prompt.ts';
import { conditionFeeds, joinRows } from './checkpoint-networks.ts';
import type { Fed, GraphSession, GraphSettings } from './graph-session.ts';
import { fetched, openGraph } from './graph-session.ts';
import type { StockCall, StockNetworks, StockRow, StockTraits } from './networks.ts';

const ModelIndex = z.looseObject({ _class_name: z.string(), force_zeros_for_empty_prompt: z.boolean().nullish() });
const UnetConfig = z.looseObject({
  in_channels: z.int().min(1).max(64).default(4),
  out_channels: z.int().min(1).max(64).default(4),
  sample_size: z.int().min(1).max(4096).nullish().catch(null),
  time_cond_proj_dim: z.int().min(1).max(4096).nullish(),
  addition_embed_type: z.string().nullish(),
  addition_time_embed_dim: z.int().nullish(),
  projection_class_embeddings_input_dim: z.int().nullish(),
  cross_attention_dim: z.union([z.int(), z.array(z.int())]).nullish(),
});
const VaeConfig = z.looseObject({
  scaling_factor: z.number().positive().default(0.18215),
  shift_factor: z.number().nullish(),
  block_out_channels: z.array(z.int()).min(1).max(8),
});
const TextConfig = z.looseObject({ hidden_act: z.string().nullish(), num_hidden_layers: z.int().nullish() });
const TokenizerConfig = z.looseObject({ pad_token: z.unknown() });

const CLASSES: Readonly<Record<string, StockTraits['family']>> = {
  StableDiffusionPipeline: 'sd1',
  StableDiffusionImg2ImgPipeline: 'sd1',
  StableDiffusionInpaintPipeline: 'sd1',
  ORTStableDiffusionPipeline: 'sd1',
  StableDiffusionXLPipeline: 'sdxl',
  StableDiffusionXLImg2ImgPipeline: 'sdxl',
  ORTStableDiffusionXLPipeline: 'sdxl',
  LatentConsistencyModelPipeline: 'lcm',
  ORTLatentConsistencyModelPipeline: 'lcm',
};

/** Component folders and the names that exporters give the file. */
const FILES = ['model.onnx', 'model_fp16.onnx', 'model_quantized.onnx'];

/** A folder exported by optimum, looked at but not loaded. */
export interface OptimumFolder {
  readonly path: string;
  readonly traits: StockTraits;
  readonly files: Readonly<Record<string, string>>;
  /** Bytes and time of each of them, external data included, as they were when it was looked at. */
  readonly modified: Readonly<Record<string, string>>;
  /** Bytes on disk of all graphs, external data included. */
  readonly bytes: number;
  /** When the graphs were last written, in milliseconds. */
  readonly modifiedMs: number;
  /** Side of the square pictures that the model was trained on. */
  readonly side: number;
}

async function config<T>(schema: z.ZodType<T>, folder: string, ...path: string[]): Promise<T | undefined> {
  const text = await readFile(join(folder, ...path), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return schema.parse(parsePythonJson(text));
  } catch (error) {
    throw new StudioError('bad-input', StudioError.from(error, path.join('/')).message, {
      remedy: 'export the folder again',
      cause: error,
    });
  }
}

async function fileOf(
  folder: string,
  component: string,
): Promise<{ file: string; bytes: number; modifiedMs: number } | undefined> {
  for (const name of FILES) {
    const file = join(folder, component, name);
    const info = await stat(file).catch(() => undefined);
    if (!info?.isFile()) continue;
    const data = await Promise.all([`${file}_data`, `${file}.data`].map((path) => stat(path).catch(() => undefined)));
    const all = [info, ...data.filter((one) => one !== undefined)];
    return {
      file,
      bytes: all.reduce((sum, { size }) => sum + size, 0),
      modifiedMs: Math.max(...all.map(({ mtimeMs }) => mtimeMs)),
    };
  }
  return undefined;
}

/** SD 2.x and SDXL's second encoder fill a text with `!` (id 0), the others with the end token. */
async function padOf(folder: string, tokenizer: string): Promise<number> {
  const special =
    (await config(TokenizerConfig, folder, tokenizer, 'special_tokens_map.json')) ??
    (await config(TokenizerConfig, folder, tokenizer, 'tokenizer_config.json'));
  const pad = special?.pad_token;
  const word =
    typeof pad === 'string'
      ? pad
      : typeof pad === 'object' && pad !== null && 'content' in pad
        ? pad.content
        : undefined;
  return word === '!' ? 0 : 49407;
}

/** Whether a folder looks like a pipeline that optimum exported. */
export async function isOptimumFolder(path: string): Promise<boolean> {
  const index = await stat(join(path, 'model_index.json')).catch(() => undefined);
  return Boolean(index?.isFile() && (await fileOf(path, 'unet')));
}

/**
 * Recognises a folder as optimum exports it.
 *
 * @throws StudioError 'unsupported' for a pipeline of another kind, 'model' for a missing part
 */
export async function recogniseOptimum(path: string): Promise<OptimumFolder> {
  const name = basename(path);
  const index = await config(ModelIndex, path, 'model_index.json');
  if (!index)
    throw new StudioError('unsupported', `${name} has no model_index.json`, {
      remedy: 'choose a folder exported by optimum',
    });
  const family = CLASSES[index._class_name];
  if (!family)
    throw new StudioError('unsupported', `${name} holds a ${index._class_name}, which is not known here`, {
      remedy: 'Stable Diffusion 1.x, 2.x, SDXL and latent consistency models open here',
    });
  const components = [
    'text_encoder',
    'unet',
    'vae_decoder',
    'vae_encoder',
    ...(family === 'sdxl' ? ['text_encoder_2'] : []),
  ];
  const files: Record<string, string> = {};
  const modified: Record<string, string> = {};
  let bytes = 0;
  let modifiedMs = 0;
  for (const component of components) {
    const found = await fileOf(path, component);
    if (found) {
      files[component] = found.file;
      modified[component] = `${found.bytes} ${found.modifiedMs}`;
      bytes += found.bytes;
      modifiedMs = Math.max(modifiedMs, found.modifiedMs);
    } else if (component !== 'vae_encoder')
      throw new StudioError('model', `${name} lacks ${component}/model.onnx`, { remedy: 'export the folder again' });
  }
  const unet = (await config(UnetConfig, path, 'unet', 'config.json')) ?? UnetConfig.parse({});
  const vae =
    (await config(VaeConfig, path, 'vae_decoder', 'config.json')) ??
    (await config(VaeConfig, path, 'vae', 'config.json'));
  const text = await config(TextConfig, path, 'text_encoder', 'config.json');
  const scheduler = await config(z.looseObject({}), path, 'scheduler', 'scheduler_config.json');
  if (!scheduler)
    throw new StudioError('model', `${name} lacks scheduler/scheduler_config.json`, {
      remedy: 'export the folder again',
    });
  const latentCell = 2 ** ((vae?.block_out_channels.length ?? 4) - 1);
  const pads = [await padOf(path, 'tokenizer')];
  if (family === 'sdxl') pads.push(await padOf(path, 'tokenizer_2'));
  return {
    path,
    files,
    modified,
    bytes,
    modifiedMs,
    side: unet.sample_size ? unet.sample_size * latentCell : family === 'sdxl' ? 1024 : 512,
    traits: {
      name,
      family: family === 'sd1' && text?.hidden_act === 'gelu' ? 'sd2' : family,
      scheduler: parseSchedulerConfig(scheduler),
      inputChannels: unet.in_channels,
      latentChannels: unet.out_channels,
      latentCell,
      scalingFactor: vae?.scaling_factor ?? 0.18215,
      shiftFactor: vae?.shift_factor ?? 0,
      regional: false,
      guidanceWidth: unet.time_cond_proj_dim ?? null,
      zerosForEmptyText: index.force_zeros_for_empty_prompt ?? family === 'sdxl',
      pooledWidth:
        unet.addition_embed_type === 'text_time'
          ? (unet.projection_class_embeddings_input_dim ?? 2816) - 6 * (unet.addition_time_embed_dim ?? 256)
          : null,
      pads,
    },
  };
}

/** The networks of such a folder: black boxes that know nothing of segments. */
export class OptimumNetworks implements StockNetworks {
  readonly traits: StockTraits;
  readonly #folder: OptimumFolder;
  readonly #settings: GraphSettings;
  readonly #open = new Map<string, Promise<GraphSession>>();

  constructor(folder: OptimumFolder, settings: GraphSettings) {
    this.traits = folder.traits;
    this.#folder = folder;
    this.#settings = settings;
  }

  /** As with checkpoints: external data is mapped, so the files are looked at before every use. */
  async #session(component: string): Promise<GraphSession> {
    const file = this.#folder.files[component];
    if (file === undefined)
      throw new StudioError('unsupported', `${this.traits.name} has no ${component}: it cannot start from a picture`, {
        remedy: 'start from noise, or export the folder with its encoder',
      });
    await this.#check(component);
    let session = this.#open.get(component);
    if (!session) {
      session = openGraph(component.replaceAll('_', ' '), { file }, this.#settings);
      this.#open.set(component, session);
      session.catch(() => this.#open.delete(component));
    }
    try {
      return await session;
    } catch (error) {
      // It may have gone away while it was being opened.
      await this.#check(component);
      throw error;
    }
  }

  /** @throws StudioError 'model' if the graph of a component was removed or written since the folder was looked at */
  async #check(component: string): Promise<void> {
    const { path, modified } = this.#folder;
    const now = await fileOf(path, component);
    const remedy = 'put the folder back as it was or choose another model; add it again if it was exported anew';
    const where = `${basename(path)}/${component}`;
    if (!now) throw new StudioError('model', `${where} is no longer where it was`, { remedy });
    if (`${now.bytes} ${now.modifiedMs}` !== modified[component])
      throw new StudioError('model', `${where} was changed while it was in use`, { remedy });
  }

  async encodeChunks(
    chunks: readonly (readonly TokenChunk[])[],
  ): Promise<{ hidden: Tensor; pooled: Float32Array | null }[]> {
    const outs: { hidden: Tensor; pooled: Float32Array | null }[] = [];
    for (const [index, list] of chunks.entries()) {
      const session = await this.#session(index === 0 ? 'text_encoder' : 'text_encoder_2');
      const out = await session.run({
        input_ids: {
          data: BigInt64Array.from(
            list.flatMap((chunk) => chunk.ids),
            BigInt,
          ),
          shape: [list.length, 77],
        },
      });
      const states = [...session.outputs.keys()]
        .flatMap((name) => /^hidden_states\.(\d+)$/.exec(name)?.[1] ?? [])
        .map(Number);
      // SDXL reads the state before the last layer, without the final norm.
      const hidden =
        this.traits.family === 'sdxl' && states.length > 1
          ? `hidden_states.${Math.max(...states) - 1}`
          : 'last_hidden_state';
      const pooled = out['text_embeds'];
      outs.push({ hidden: fetched(out, hidden), pooled: pooled ? pooled.data.slice(0, pooled.shape.at(-1)) : null });
    }
    return outs;
  }

  async denoise(rows: readonly StockRow[], call: StockCall): Promise<Tensor> {
    const session = await this.#session('unet');
    const { height, width } = call.latent;
    const [first] = rows;
    if (!first) throw new StudioError('internal', 'an empty batch');
    const { tokens, width: textWidth } = first.base.states;
    const feeds: Record<string, Fed> = {
      sample: joinRows(
        rows.map((row) => row.sample),
        [this.traits.inputChannels, height, width],
      ),
      timestep: { data: Float32Array.of(call.timestep), shape: [1] },
      encoder_hidden_states: joinRows(
        rows.map((row) => row.base.states.data),
        [tokens, textWidth],
      ),
      ...conditionFeeds(this.traits, rows, call),
    };
    const out = await session.run(feeds);
    const [name = 'out_sample'] = Object.keys(out);
    return fetched(out, name);
  }

  async decode(latent: Tensor): Promise<Tensor> {
    const out = await (await this.#session('vae_decoder')).run({ latent_sample: latent });
    return fetched(out, 'sample' in out ? 'sample' : (Object.keys(out)[0] ?? 'sample'));
  }

  async encode(image: Tensor): Promise<{ mean: Tensor; logVariance: Tensor }> {
    const out = await (await this.#session('vae_encoder')).run({ sample: image });
    const parameters = fetched(out, Object.keys(out)[0] ?? 'latent_parameters');
    const [batch = 1, channels = 8, ...rest] = parameters.shape;
    const half = parameters.data.length / 2;
    // Older exporters let the encoder return the latents themselves: then there is no variance.
    if (channels === this.traits.latentChannels)
      return {
        mean: parameters,
        logVariance: { data: new Float32Array(parameters.data.length).fill(-30), shape: parameters.shape },
      };
    if (batch !== 1) throw new StudioError('internal', 'pictures are encoded one by one');
    const shape = [1, channels / 2, ...rest];
    return {
      mean: { data: parameters.data.slice(0, half), shape },
      logVariance: { data: parameters.data.slice(half), shape },
    };
  }

  async rest(part: 'texts' | 'denoiser' | 'autoencoder'): Promise<void> {
    await this.#close(
      [...this.#open.keys()].filter((key) =>
        key.startsWith({ texts: 'text_', denoiser: 'unet', autoencoder: 'vae_' }[part]),
      ),
    );
  }

  async release(): Promise<void> {
    await this.#close([...this.#open.keys()]);
  }

  async #close(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const session = this.#open.get(key);
      this.#open.delete(key);
      await session?.then((open) => open.release()).catch(() => undefined);
    }
  }
}
