import type { StudioDocument } from '#shared/document/document.ts';
import { slotOf } from '#shared/document/document.ts';
import type { SlotContent } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { decodePicture, cropPicture, resizePicture } from '../image/picture.ts';
import { slerp } from '../tensor/index.ts';
import { segmentCrop, wholeCrop } from './crops.ts';
import type { PixelModel } from './pixel-model.ts';
import { samplePrior } from './prior.ts';

/** What a slot became. */
export interface FilledSlot {
  /** Unit-length CLIP image embedding: goes into the map. */
  readonly embedding: Float32Array;
  /** Unit-length CLIP text embedding of its words, null where there are none: what the result is scored against. */
  readonly text: Float32Array | null;
}

const CACHE_SIZE = 4096;

/**
 * Fills slots: text by text encoder and prior, pictures by the image encoder, mixes by slerp. Remembers what
 * it computed, keyed by content: turning a dial computes no embedding again.
 */
export class SlotFiller {
  readonly #model: PixelModel;
  readonly #cache = new Map<string, FilledSlot>();

  constructor(model: PixelModel) {
    this.#model = model;
  }

  /** Fills many contents at once; texts not yet known go through encoder and prior as one batch. */
  async fill(
    contents: readonly SlotContent[],
    document: StudioDocument,
    blobs: BlobStore,
    breathe: () => Promise<void>,
  ): Promise<FilledSlot[]> {
    const leaves = new Map<string, SlotContent>();
    const collect = (content: SlotContent): void => {
      if (content.kind === 'mix') for (const id of [content.a, content.b]) collect(slotOf(document, id).content);
      else leaves.set(keyOf(content), content);
    };
    contents.forEach(collect);
    const unknown = [...leaves].filter(([key]) => !this.#cache.has(key)).map(([, content]) => content);
    await this.#fillTexts(
      unknown.filter((content) => content.kind === 'text'),
      breathe,
    );
    for (const content of unknown)
      if (content.kind === 'image' || content.kind === 'crop') await this.#fillPicture(content, blobs);
    const resolve = (content: SlotContent): FilledSlot => {
      if (content.kind !== 'mix') return this.#known(content);
      const a = resolve(slotOf(document, content.a).content);
      const b = resolve(slotOf(document, content.b).content);
      const text = a.text && b.text ? slerp(a.text, b.text, content.t) : null;
      return { embedding: slerp(a.embedding, b.embedding, content.t), text };
    };
    return contents.map(resolve);
  }

  #known(content: SlotContent): FilledSlot {
    const key = keyOf(content);
    const filled = this.#cache.get(key);
    if (!filled) throw new StudioError('internal', 'a slot was not filled');
    // Most recently used last, so that the oldest goes first.
    this.#cache.delete(key);
    this.#cache.set(key, filled);
    return filled;
  }

  #remember(content: SlotContent, filled: FilledSlot): void {
    this.#cache.set(keyOf(content), filled);
    const oldest = this.#cache.keys().next();
    if (this.#cache.size > CACHE_SIZE && !oldest.done) this.#cache.delete(oldest.value);
  }

  async #fillTexts(
    contents: readonly Extract<SlotContent, { kind: 'text' }>[],
    breathe: () => Promise<void>,
  ): Promise<void> {
    const { text, sentence } = await this.#model.encodeTexts(contents.map((content) => content.text.trim()));
    const queries = contents.map((content, i) => {
      const [t, s] = [text[i], sentence[i]];
      if (!t || !s) throw new StudioError('internal', 'a text was not encoded');
      return { text: t, sentence: s, reading: content.reading };
    });
    const embeddings = await samplePrior(this.#model, queries, breathe);
    contents.forEach((content, i) => {
      const [embedding, query] = [embeddings[i], queries[i]];
      if (embedding && query) this.#remember(content, { embedding, text: query.text });
    });
  }

  async #fillPicture(content: Extract<SlotContent, { kind: 'image' | 'crop' }>, blobs: BlobStore): Promise<void> {
    const picture = await decodePicture(await blobs.read(content.blob), 3);
    const side = this.#model.size;
    let crop: Float32Array;
    if (content.box || content.mask) {
      const box = content.box ?? { x: 0, y: 0, width: picture.width, height: picture.height };
      const [x, y, width, height] = [box.x, box.y, box.width, box.height].map(Math.round) as [
        number,
        number,
        number,
        number,
      ];
      if (x >= picture.width || y >= picture.height || x + width <= 0 || y + height <= 0)
        throw new StudioError('bad-input', 'the crop of a slot lies outside its picture', {
          remedy: 'choose the crop again',
        });
      const part = cropPicture(picture, x, y, Math.max(1, width), Math.max(1, height));
      const mask = content.mask ? await maskOf(blobs, content.mask, part.width, part.height) : null;
      crop = await segmentCrop(part, { x: 0, y: 0, width: part.width, height: part.height }, mask, side);
    } else crop = await wholeCrop(picture, side);
    const [embedding] = await this.#model.encodeImages([crop]);
    if (embedding) this.#remember(content, { embedding, text: null });
  }
}

async function maskOf(blobs: BlobStore, hash: string, width: number, height: number): Promise<Uint8Array> {
  return (await resizePicture(await decodePicture(await blobs.read(hash), 1), width, height)).data;
}

function keyOf(content: SlotContent): string {
  switch (content.kind) {
    case 'text':
      return `t${content.reading}:${content.text.trim()}`;
    case 'image':
    case 'crop':
      return `i${content.blob}:${content.box ? [content.box.x, content.box.y, content.box.width, content.box.height].join(',') : ''}:${content.mask ?? ''}`;
    case 'mix':
      throw new StudioError('internal', 'a mix has no key of its own');
  }
}
