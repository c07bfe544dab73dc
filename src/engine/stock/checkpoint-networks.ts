import { StudioError } from '#shared/errors.ts';
import type { AttentionStyle } from '../checkpoints/graphs/network.ts';
import { buildClipText } from '../checkpoints/graphs/clip-text.ts';
import type { IsolationOptions } from '../checkpoints/graphs/unet-options.ts';
import { attentionLevels } from '../checkpoints/graphs/unet-options.ts';
import { buildUnet } from '../checkpoints/graphs/unet.ts';
import { buildVaeDecoder, buildVaeEncoder } from '../checkpoints/graphs/vae.ts';
import type { IpAdapter } from '../checkpoints/ip-adapter.ts';
import { ipAdapterFeeds } from '../checkpoints/ip-adapter.ts';
import type { LoraChanges } from '../checkpoints/lora.ts';
import { joinChanges } from '../checkpoints/lora.ts';
import type { Checkpoint, VaePart } from '../checkpoints/recognise.ts';
import { missingParts } from '../checkpoints/recognise.ts';
import { RegionalMemory, isolationFeeds } from '../checkpoints/regions.ts';
import { assertUnchanged } from '../checkpoints/safetensors.ts';
import type { SafetensorsFile } from '../checkpoints/safetensors.ts';
import type { EmbeddingVectors } from '../checkpoints/embeddings.ts';
import { guidanceScaleEmbedding, parseSchedulerConfig } from '../schedulers/index.ts';
import type { Tensor } from '../tensor/index.ts';
import type { TokenChunk } from '../tokenizer/prompt.ts';
import type { Fed, GraphSession, GraphSettings, GraphSource } from './graph-session.ts';
import { fetched, openGraph } from './graph-session.ts';
import { attentionStyleOf } from './attention-style.ts';
import type { StockCall, StockNetworks, StockRow, StockTraits } from './networks.ts';

/** What an artist adds to a checkpoint. Other extras mean other graphs: networks are made for one set. */
export interface CheckpointExtras {
  readonly loras?: readonly LoraChanges[];
  readonly vae?: VaePart;
  readonly ipAdapter?: IpAdapter;
  readonly embeddings?: readonly EmbeddingVectors[];
  /** Where the leak shield works when a call asks for it; default: in all blocks, between segments only. */
  readonly isolation?: IsolationOptions;
  /** 1: the last state of the text encoder, 2: the one before. SDXL always reads the one before the last, at least. */
  readonly clipSkip?: number;
}

const SHIELD: IsolationOptions = { mode: 'segments', from: 0, to: Number.MAX_SAFE_INTEGER };

/** A checkpoint opened in place: weights stay in its file. */
export class CheckpointNetworks implements StockNetworks {
  readonly traits: StockTraits;
  readonly #checkpoint: Checkpoint;
  readonly #extras: CheckpointExtras;
  readonly #settings: GraphSettings;
  readonly #vae: VaePart;
  /** The checkpoint's, and those of a VAE of its own. */
  readonly #files: readonly SafetensorsFile[];
  readonly #open = new Map<string, Promise<GraphSession>>();
  readonly #regions = new RegionalMemory();

  /** @throws StudioError 'model' naming what the checkpoint lacks */
  constructor(checkpoint: Checkpoint, extras: CheckpointExtras, settings: GraphSettings) {
    this.#checkpoint = checkpoint;
    this.#extras = extras;
    this.#vae = extras.vae ?? checkpoint.vae;
    this.#files = [...new Set([...checkpoint.files, ...[...this.#vae.table.values()].map(({ file }) => file)])];
    const computes = extras.loras?.some((lora) => lora.computesWeights) ?? false;
    this.#settings = { ...settings, ...(computes && { widen: true }) };
    const missing = missingParts({ ...checkpoint, vae: this.#vae });
    if (missing.length > 0)
      throw new StudioError('model', `${checkpoint.name} lacks ${missing.map(({ words }) => words).join('; ')}`, {
        kept: 'nothing was changed',
      });
    const { table } = checkpoint.unet;
    const cells = [...this.#vae.table.keys()].filter((name) =>
      /^decoder\.up_blocks\.\d+\.upsamplers\.0\.conv\.weight$/.test(name),
    ).length;
    const added = table.get('add_embedding.linear_1.weight')?.shape[1];
    this.traits = {
      name: checkpoint.name,
      family: checkpoint.family,
      scheduler: parseSchedulerConfig(checkpoint.scheduler),
      inputChannels: checkpoint.inputChannels,
      latentChannels: table.get('conv_out.weight')?.shape[0] ?? 4,
      latentCell: 2 ** cells,
      scalingFactor: this.#vae.scalingFactor,
      shiftFactor: this.#vae.shiftFactor,
      regional: true,
      guidanceWidth: table.get('time_embedding.cond_proj.weight')?.shape[1] ?? null,
      zerosForEmptyText: checkpoint.zerosForEmptyText,
      pooledWidth: added === undefined ? null : added - 6 * checkpoint.unet.timeIdWidth,
      pads: checkpoint.texts.map((text) => text.pad),
    };
  }

  /**
   * The files are looked at before every use of a session: weights are mapped from them, so a file that was cut would
   * end the process, and one that was written over would paint with other numbers.
   */
  async #session(
    key: string,
    name: string,
    build: (attention: AttentionStyle) => GraphSource,
    settings = this.#settings,
  ): Promise<GraphSession> {
    await this.check();
    let session = this.#open.get(key);
    if (!session) {
      session = attentionStyleOf(settings).then((attention) => openGraph(name, build(attention), settings));
      this.#open.set(key, session);
      session.catch(() => this.#open.delete(key));
    }
    try {
      return await session;
    } catch (error) {
      // Opening takes seconds: what went wrong may be that the file went away meanwhile.
      await this.check();
      throw error;
    }
  }

  /** @throws StudioError 'model' if a file that weights are mapped from was removed or changed since it was recognised */
  async check(): Promise<void> {
    await Promise.all(this.#files.map(assertUnchanged));
  }

  async encodeChunks(
    chunks: readonly (readonly TokenChunk[])[],
  ): Promise<{ hidden: Tensor; pooled: Float32Array | null }[]> {
    const outs: { hidden: Tensor; pooled: Float32Array | null }[] = [];
    for (const [index, part] of this.#checkpoint.texts.entries()) {
      const sdxl = this.#checkpoint.family === 'sdxl';
      const changes = joinChanges((this.#extras.loras ?? []).map((lora) => lora.texts[index] ?? new Map()));
      const skip = Math.min(part.layers, Math.max(sdxl ? 2 : 1, this.#extras.clipSkip ?? 1));
      // On the processor whatever the device: a text is read once, and not every card can gather half precision.
      const session = await this.#session(
        `text${index}`,
        `text encoder ${index + 1}`,
        () => buildClipText(part.table, { ...part, skip, normed: !sdxl, changes }),
        { ...this.#settings, providers: ['cpu'] },
      );
      const list = chunks[index] ?? [];
      const extra = (this.#extras.embeddings ?? []).flatMap((embedding) => embedding.vectors[index] ?? []);
      const vectors = new Float32Array(Math.max(1, extra.length) * part.width);
      for (const [i, vector] of extra.entries()) vectors.set(vector.subarray(0, part.width), i * part.width);
      const out = await session.run({
        input_ids: {
          data: BigInt64Array.from(
            list.flatMap((chunk) => chunk.ids),
            BigInt,
          ),
          shape: [list.length, 77],
        },
        extra_embeddings: { data: vectors, shape: [vectors.length / part.width, part.width] },
        end_index: { data: BigInt64Array.from(list, (chunk) => BigInt(chunk.end)), shape: [list.length] },
      });
      const pooled = fetched(out, 'pooled');
      outs.push({ hidden: fetched(out, 'hidden'), pooled: pooled.data.slice(0, pooled.shape.at(-1)) });
    }
    return outs;
  }

  async denoise(rows: readonly StockRow[], call: StockCall): Promise<Tensor> {
    const { unet } = this.#checkpoint;
    const { ipAdapter, loras } = this.#extras;
    const isolation =
      call.isolate && rows.some((row) => row.segments.length > 0) ? (this.#extras.isolation ?? SHIELD) : undefined;
    // One of the two at a time: each maps the whole network.
    const [key, other] = isolation ? ['denoiser+shield', 'denoiser'] : ['denoiser', 'denoiser+shield'];
    await this.#close([other]);
    const session = await this.#session(key, 'denoiser', (attention) =>
      buildUnet(unet.table, {
        heads: unet.heads,
        groups: unet.groups,
        timeIdWidth: unet.timeIdWidth,
        attention,
        changes: joinChanges((loras ?? []).map((lora) => lora.unet)),
        ...(isolation && { isolation }),
        ...(ipAdapter && { ipAdapter: ipAdapter.layers }),
      }),
    );
    const { height, width } = call.latent;
    const levels = attentionLevels(unet.table);
    const regional = rows.map(({ base, segments }) => ({
      base: base.states,
      segments: segments.map((segment) => segment?.own),
    }));
    const feeds: Record<string, Fed> = {
      sample: joinRows(
        rows.map((row) => row.sample),
        [this.traits.inputChannels, height, width],
      ),
      timestep: { data: Float32Array.of(call.timestep), shape: [1] },
      ...this.#regions.feeds(regional, call.masks, call.latent, levels),
      ...conditionFeeds(this.traits, rows, call),
    };
    if (isolation) Object.assign(feeds, isolationFeeds(regional, call.masks, call.latent, levels));
    if (ipAdapter) {
      const contextWidth = rows[0]?.base.states.width ?? 0;
      const images = rows.map((row) => row.images);
      Object.assign(feeds, ipAdapterFeeds(images, ipAdapter.layers.tokens, contextWidth, call.latent, levels));
    }
    return fetched(await session.run(feeds), 'prediction');
  }

  async decode(latent: Tensor): Promise<Tensor> {
    const session = await this.#session('decoder', 'autoencoder (decoder)', (attention) =>
      buildVaeDecoder(this.#vae.table, { ...this.#vae, attention }),
    );
    return fetched(await session.run({ latent }), 'image');
  }

  async encode(image: Tensor): Promise<{ mean: Tensor; logVariance: Tensor }> {
    const session = await this.#session('encoder', 'autoencoder (encoder)', (attention) =>
      buildVaeEncoder(this.#vae.table, { ...this.#vae, attention }),
    );
    const out = await session.run({ image });
    return { mean: fetched(out, 'mean'), logVariance: fetched(out, 'log_variance') };
  }

  async rest(part: 'texts' | 'denoiser' | 'autoencoder'): Promise<void> {
    if (part === 'denoiser') this.#regions.forget();
    const keys = [...this.#open.keys()].filter((key) =>
      part === 'texts'
        ? key.startsWith('text')
        : part === 'denoiser'
          ? key.startsWith('denoiser')
          : key === 'decoder' || key === 'encoder',
    );
    await this.#close(keys);
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

/** Rows behind each other as a batch. */
export function joinRows(rows: readonly Float32Array[], shape: readonly number[]): Fed {
  const each = shape.reduce((product, side) => product * side, 1);
  const data = new Float32Array(rows.length * each);
  for (const [i, row] of rows.entries()) {
    if (row.length !== each)
      throw new StudioError('internal', `a row of ${row.length} numbers where [${shape.join(', ')}] belongs`);
    data.set(row, i * each);
  }
  return { data, shape: [rows.length, ...shape] };
}

/** SDXL's pooled text and sizes (height, width, crop top, left, target height, width); LCM's guidance scale. */
export function conditionFeeds(traits: StockTraits, rows: readonly StockRow[], call: StockCall): Record<string, Fed> {
  const feeds: Record<string, Fed> = {};
  if (traits.pooledWidth !== null) {
    const width = traits.pooledWidth;
    feeds['text_embeds'] = joinRows(
      rows.map((row) => row.base.pooled ?? new Float32Array(width)),
      [width],
    );
    const { height: h, width: w } = call.picture;
    feeds['time_ids'] = joinRows(
      rows.map(() => Float32Array.of(h, w, 0, 0, h, w)),
      [6],
    );
  }
  if (traits.guidanceWidth !== null) {
    const embedding = guidanceScaleEmbedding(call.guidance, traits.guidanceWidth).data;
    feeds['timestep_cond'] = joinRows(
      rows.map(() => embedding),
      [traits.guidanceWidth],
    );
  }
  return feeds;
}
