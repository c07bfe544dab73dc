import path from 'node:path';
import { StudioError } from '#shared/errors.ts';
import type { OpenPack } from '../packs/open-pack.ts';
import { SKETCH_SIDE, sketchChannelsOf } from '../packs/schema.ts';
import type { ComponentName, SketchAnchor } from '../packs/schema.ts';
import { trainingTables } from '../schedulers/index.ts';
import { openNetwork } from '../runtime/sessions.ts';
import type { Feed, Network, SessionSettings } from '../runtime/sessions.ts';
import { openWordPiece } from './wordpiece.ts';
import type { TextTokenizer } from './wordpiece.ts';

/** What the texts of a batch became. */
export interface EncodedTexts {
  /** [texts, embedding width], unit length: CLIP text embeddings. */
  readonly text: Float32Array[];
  /** [texts, sentence width], unit length: the frozen sentence encoder's, which the prior reads as well. */
  readonly sentence: Float32Array[];
}

/** The map's features, computed once per generation: tensor name -> [1, channels, h, w]. */
export type StFeatures = Readonly<Record<string, Feed & { readonly data: Float32Array }>>;

/** One row of a denoiser batch. */
export interface DenoiserRow {
  /** [3, n, n] noisy picture. */
  readonly sample: Float32Array;
  readonly timestep: number;
  /** [embedding width], or null for "no global text". */
  readonly global: Float32Array | null;
  /** null for "no map". */
  readonly features: StFeatures | null;
}

/** Most segments in one run of the sketch: a batch of a hundred would hold memory that nothing else needs. */
export const MAX_SKETCHES = 64;

/**
 * The networks of a SpaText pixel pack behind plain arrays. Networks are opened when first used and stay
 * open until `release`.
 */
export class PixelModel {
  readonly pack: OpenPack;
  readonly #settings: SessionSettings;
  readonly #networks = new Map<ComponentName, Promise<Network>>();
  #tokenizer: Promise<TextTokenizer> | undefined;
  #sentenceWidth: number | undefined;
  #alphasCumprod: Float32Array | undefined;

  constructor(pack: OpenPack, settings: SessionSettings) {
    this.pack = pack;
    this.#settings = settings;
  }

  get width(): number {
    return this.pack.pack.embeddingWidth;
  }

  get size(): number {
    return this.pack.pack.sampleSize;
  }

  /** Channels of a segment's sketch; 0: this pack draws none. */
  get sketchChannels(): number {
    return sketchChannelsOf(this.pack.pack);
  }

  /** The sketch map among the map's features [channels * n * n], and how predictions are held to it; null: they are not. */
  sketchMapIn(features: StFeatures): { readonly map: Float32Array; readonly anchor: SketchAnchor } | null {
    const anchor = this.pack.pack.components.unet.sketchAnchor;
    const finest = features[`st_${this.size}`]?.data;
    if (!anchor || !finest) return null;
    return { map: finest.subarray(finest.length - this.sketchChannels * this.size ** 2), anchor };
  }

  /** How much of the clean picture's variance is left at a timestep of the denoiser's training, 0..1. */
  alphaCumprodAt(timestep: number): number {
    const { scheduler } = this.pack.pack.components.unet;
    this.#alphasCumprod ??= trainingTables({
      num_train_timesteps: scheduler.trainTimesteps,
      beta_schedule: scheduler.betaSchedule,
      beta_start: scheduler.betaStart ?? 0.0001,
      beta_end: scheduler.betaEnd ?? 0.02,
    }).alphasCumprod;
    const last = this.#alphasCumprod.length - 1;
    return this.#alphasCumprod[Math.min(Math.max(Math.round(timestep), 0), last)] ?? 0;
  }

  /** Names the embedding space: embeddings of other encoders are never compared with these. */
  get space(): string {
    const { imageEncoder, textEncoder } = this.pack.pack.components;
    return `clip-${imageEncoder.sha256.slice(0, 12)}-${textEncoder.sha256.slice(0, 12)}`;
  }

  /** Opens the networks that a job will need, so that loading is a phase of its own and fails first. */
  async load(components: readonly ComponentName[]): Promise<void> {
    await Promise.all(components.map((component) => this.#network(component)));
  }

  #network(component: ComponentName): Promise<Network> {
    let network = this.#networks.get(component);
    if (!network) {
      // Small, once a generation, and made of steps that graphics providers get wrong: the sketch stays on the processor.
      const providers = component === 'sketch' ? ['cpu'] : this.#settings.providers;
      network = openNetwork(this.pack.pathOf(component), { ...this.#settings, providers });
      // A failed opening must not stay: memory may be free at the next try.
      network.catch(() => this.#networks.delete(component));
      this.#networks.set(component, network);
    }
    return network;
  }

  tokenizer(): Promise<TextTokenizer> {
    const { tokenizer } = this.pack.pack;
    this.#tokenizer ??= openWordPiece(path.join(this.pack.folder, tokenizer.file), tokenizer.maxLength);
    return this.#tokenizer;
  }

  /**
   * CLIP text and sentence embeddings. Texts are run one by one: padding to a common length moves an int8
   * encoder's result (6e-5 measured), and a text must mean the same whatever stands beside it.
   */
  async encodeTexts(texts: readonly string[]): Promise<EncodedTexts> {
    const tokenizer = await this.tokenizer();
    const network = await this.#network('textEncoder');
    const text: Float32Array[] = [];
    const sentence: Float32Array[] = [];
    for (const one of texts) {
      const { ids } = tokenizer.encode(one);
      const feed = (values: number[]): Feed => ({
        data: BigInt64Array.from(values.map(BigInt)),
        shape: [1, ids.length],
      });
      const out = await network.run({
        input_ids: feed(ids),
        attention_mask: feed(ids.map(() => 1)),
        token_type_ids: feed(ids.map(() => 0)),
      });
      text.push(output(out, 'text_embeds', network));
      sentence.push(output(out, 'sentence_embeds', network));
    }
    this.#sentenceWidth ??= sentence[0]?.length;
    return { text, sentence };
  }

  /** CLIP image embeddings (unit length) of [3, n, n] pictures in -1..1. */
  async encodeImages(pictures: readonly Float32Array[]): Promise<Float32Array[]> {
    if (pictures.length === 0) return [];
    const network = await this.#network('imageEncoder');
    const side = this.size;
    const out = await network.run({ pixel_values: stack(pictures, [3, side, side]) });
    return unstack(output(out, 'image_embeds', network), pictures.length);
  }

  /**
   * One call of the prior: predicts clean image embeddings from noisy ones.
   * @param noisy [width] each, in the prior's scale (embeddingScale times unit length)
   * @param conditions null: the unconditional pass
   */
  async predictEmbeddings(
    noisy: readonly Float32Array[],
    timestep: number,
    conditions: readonly ({ readonly text: Float32Array; readonly sentence: Float32Array } | null)[],
  ): Promise<Float32Array[]> {
    const network = await this.#network('prior');
    const sentenceWidth = (this.#sentenceWidth ??= this.#declaredSentenceWidth());
    const none = { text: new Float32Array(this.width), sentence: new Float32Array(sentenceWidth) };
    const out = await network.run({
      hidden_states: stack(noisy, [this.width]),
      timestep: { data: new BigInt64Array(noisy.length).fill(BigInt(timestep)), shape: [noisy.length] },
      text_embeds: stack(
        conditions.map((condition) => (condition ?? none).text),
        [this.width],
      ),
      sentence_embeds: stack(
        conditions.map((condition) => (condition ?? none).sentence),
        [sentenceWidth],
      ),
    });
    return unstack(output(out, 'predicted_image_embedding', network), noisy.length);
  }

  #declaredSentenceWidth(): number {
    const last = this.pack.pack.components.textEncoder.outputs['sentence_embeds']?.shape.at(-1);
    if (typeof last !== 'number')
      throw new StudioError('model', `${this.pack.pack.name}: the width of sentence_embeds is not told`);
    return last;
  }

  /**
   * Small pictures of segments in their own frames.
   * @param embeddings [width] each, unit length
   * @param masks [SKETCH_SIDE * SKETCH_SIDE] each, 0..1
   * @returns [sketchChannels * SKETCH_SIDE * SKETCH_SIDE] each
   */
  async sketch(embeddings: readonly Float32Array[], masks: readonly Float32Array[]): Promise<Float32Array[]> {
    if (embeddings.length === 0) return [];
    const network = await this.#network('sketch');
    const drawn: Float32Array[] = [];
    for (let from = 0; from < embeddings.length; from += MAX_SKETCHES) {
      const rows = embeddings.slice(from, from + MAX_SKETCHES);
      const out = await network.run({
        image_embeds: stack(rows, [this.width]),
        segment_masks: stack(masks.slice(from, from + MAX_SKETCHES), [1, SKETCH_SIDE, SKETCH_SIDE]),
      });
      const data = output(out, 'sketch', network);
      const expected = rows.length * this.sketchChannels * SKETCH_SIDE ** 2;
      if (data.length !== expected)
        throw new StudioError('model', `${network.name} drew ${data.length} numbers where ${expected} belong`, {
          remedy: 'get the pack again from where it came: pack.json describes another network',
        });
      drawn.push(...unstack(data, rows.length));
    }
    return drawn;
  }

  /**
   * The map through its linear projections, once per generation.
   * @param map [width, n, n]
   * @param sketchMap [sketchChannels, n, n]; null for packs without a sketch
   */
  async projectMap(map: Float32Array, sketchMap: Float32Array | null): Promise<StFeatures> {
    const channels = this.sketchChannels;
    if ((sketchMap !== null) !== channels > 0)
      throw new StudioError('internal', `a map ${sketchMap ? 'with' : 'without'} sketches for ${this.pack.pack.name}`);
    const network = await this.#network('stProjector');
    const feeds: Record<string, Feed> = { spatio_textual_map: stack([map], [this.width, this.size, this.size]) };
    if (sketchMap) feeds['sketch_map'] = stack([sketchMap], [channels, this.size, this.size]);
    return network.run(feeds);
  }

  /** One batched call of the denoiser. @returns the raw prediction of each row, [3, n, n] */
  async denoise(rows: readonly DenoiserRow[]): Promise<Float32Array[]> {
    const network = await this.#network('unet');
    const side = this.size;
    const count = rows.length;
    const global = new Float32Array(count * this.width);
    rows.forEach((row, i) => row.global && global.set(row.global, i * this.width));
    const feeds: Record<string, Feed> = {
      sample: stack(
        rows.map((row) => row.sample),
        [3, side, side],
      ),
      timestep: { data: BigInt64Array.from(rows.map((row) => BigInt(Math.round(row.timestep)))), shape: [count] },
      global_embeds: { data: global, shape: [count, this.width] },
    };
    for (const [name, spec] of Object.entries(this.pack.pack.components.stProjector.outputs)) {
      const shape = spec.shape.slice(1).map(Number);
      const length = shape.reduce((a, b) => a * b, 1);
      const data = new Float32Array(count * length);
      rows.forEach((row, i) => {
        const feature = row.features?.[name];
        if (feature) data.set(feature.data, i * length);
      });
      feeds[name] = { data, shape: [count, ...shape] };
    }
    return unstack(output(await network.run(feeds), 'out_sample', network), count);
  }

  /** How many times as fine as its input super-resolution reads the sketch map; 0: it reads none. */
  get sketchScale(): number {
    return this.pack.pack.components.superResolution.sketchScale ?? 0;
  }

  /**
   * Super-resolution of one [3, h, w] picture in -1..1.
   * @param sketchMap [sketchChannels, h * sketchScale, w * sketchScale], for packs whose super-resolution reads one;
   * null: nothing is known of what the picture shows
   */
  async superResolve(
    sample: Float32Array,
    width: number,
    height: number,
    sketchMap: Float32Array | null = null,
  ): Promise<{ data: Float32Array; width: number; height: number }> {
    const network = await this.#network('superResolution');
    const { factor } = this.pack.pack.components.superResolution;
    const feeds: Record<string, Feed> = { sample: { data: sample, shape: [1, 3, height, width] } };
    if (this.sketchScale > 0) {
      const shape = [this.sketchChannels, height * this.sketchScale, width * this.sketchScale];
      const length = shape.reduce((a, b) => a * b, 1);
      feeds['sketch_map'] = stack([sketchMap ?? new Float32Array(length)], shape);
    } else if (sketchMap)
      throw new StudioError(
        'internal',
        `a sketch map for the super-resolution of ${this.pack.pack.name}, which reads none`,
      );
    const out = await network.run(feeds);
    return { data: output(out, 'upscaled', network), width: width * factor, height: height * factor };
  }

  /** How many times as large `enlargeTile` makes a picture. */
  get enlargement(): number {
    const { enlargement, superResolution } = this.pack.pack.components;
    return (enlargement ?? superResolution).factor;
  }

  /**
   * A part of a finished picture, [3, h, w] in -1..1, made larger in one run: by the pack's enlargement or else by its
   * super-resolution.
   */
  async enlargeTile(sample: Float32Array, width: number, height: number): Promise<Float32Array> {
    if (!this.pack.pack.components.enlargement) return (await this.superResolve(sample, width, height)).data;
    const network = await this.#network('enlargement');
    const out = await network.run({ sample: { data: sample, shape: [1, 3, height, width] } });
    const data = output(out, 'upscaled', network);
    if (data.length !== sample.length * this.enlargement ** 2)
      throw new StudioError('model', `${network.name} does not enlarge by ${this.enlargement} as its pack says`, {
        remedy: 'get the pack again from where it came: pack.json describes another network',
      });
    return data;
  }

  async release(): Promise<void> {
    const networks = [...this.#networks.values()];
    this.#networks.clear();
    for (const network of await Promise.allSettled(networks))
      if (network.status === 'fulfilled') await network.value.release();
  }
}

function output(out: Readonly<Record<string, { data: Float32Array }>>, name: string, network: Network): Float32Array {
  const value = out[name];
  if (!value) throw new StudioError('model', `${network.name} has no output ${name}`);
  return value.data;
}

function stack(rows: readonly Float32Array[], shape: readonly number[]): Feed {
  const length = shape.reduce((a, b) => a * b, 1);
  const data = new Float32Array(rows.length * length);
  rows.forEach((row, i) => {
    if (row.length !== length)
      throw new StudioError('internal', `a row of ${row.length} numbers where ${length} belong`);
    data.set(row, i * length);
  });
  return { data, shape: [rows.length, ...shape] };
}

/** Copies, so that a row can outlive the runtime's buffer. */
function unstack(data: Float32Array, rows: number): Float32Array[] {
  const length = data.length / rows;
  return Array.from({ length: rows }, (_, i) => data.slice(i * length, (i + 1) * length));
}
