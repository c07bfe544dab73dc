import type { Box } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { buildClipVision } from '../checkpoints/graphs/clip-vision.ts';
import { buildImageProjection } from '../checkpoints/graphs/image-projection.ts';
import type { ImageEncoder, IpAdapter } from '../checkpoints/ip-adapter.ts';
import { cropPicture, decodePicture, resizePicture } from '../image/picture.ts';
import type { Picture } from '../image/picture.ts';
import type { GraphSession, GraphSettings } from './graph-session.ts';
import { fetched, openGraph } from './graph-session.ts';

/** CLIP's normalisation of red, green and blue. */
const MEAN = [0.48145466, 0.4578275, 0.40821073] as const;
const DEVIATION = [0.26862954, 0.26130258, 0.27577711] as const;
const CACHE_SIZE = 64;

/** A picture (or a part of one) that fills a slot. */
export interface SlotPicture {
  readonly blob: string;
  readonly box: Box | null;
  readonly mask: string | null;
}

/** Pictures to IP-Adapter tokens: encoder and projection, remembered by content. */
export class ImageTokens {
  readonly #adapter: IpAdapter;
  readonly #encoder: ImageEncoder;
  readonly #settings: GraphSettings;
  readonly #cache = new Map<string, Float32Array>();
  #open: Promise<{ vision: GraphSession; projection: GraphSession; side: number; plus: boolean }> | undefined;

  constructor(adapter: IpAdapter, encoder: ImageEncoder, settings: GraphSettings) {
    this.#adapter = adapter;
    this.#encoder = encoder;
    // On the processor whatever the device, like the text encoders: a picture is read once.
    this.#settings = { ...settings, providers: ['cpu'] };
  }

  #sessions() {
    this.#open ??= (async () => {
      const vision = buildClipVision(this.#encoder.table, this.#encoder);
      const projection = buildImageProjection(this.#adapter.projection);
      return {
        side: vision.side,
        plus: projection.plus,
        vision: await openGraph('image encoder', vision, this.#settings),
        projection: await openGraph('image projection', projection, this.#settings),
      };
    })();
    return this.#open;
  }

  /** [tokens, width] of a picture. */
  async of(picture: SlotPicture, blobs: BlobStore): Promise<Float32Array> {
    const { box, mask } = picture;
    return this.#remembered(
      `${picture.blob} ${box ? [box.x, box.y, box.width, box.height].join() : ''} ${mask ?? ''}`,
      async () => {
        const whole = await decodePicture(await blobs.read(picture.blob), 3);
        const part = box
          ? cropPicture(
              whole,
              Math.round(box.x),
              Math.round(box.y),
              Math.max(1, Math.round(box.width)),
              Math.max(1, Math.round(box.height)),
            )
          : whole;
        const held =
          mask === null
            ? null
            : await resizePicture(await decodePicture(await blobs.read(mask), 1), part.width, part.height);
        const { side } = await this.#sessions();
        return this.#encode(normalise(await resizePicture(squared(part, held?.data ?? null), side, side)));
      },
    );
  }

  /** What the passes without a picture look at: plain adapters a zero embedding, plus ones a zero picture. */
  async blank(): Promise<Float32Array> {
    return this.#remembered('', async () => {
      const { side, plus, projection } = await this.#sessions();
      if (plus) return this.#encode(new Float32Array(3 * side * side));
      const embeds = { data: new Float32Array(this.#adapter.reads), shape: [1, this.#adapter.reads] };
      return fetched(await projection.run({ embeds }), 'tokens').data;
    });
  }

  async #encode(pixels: Float32Array): Promise<Float32Array> {
    const { vision, projection, side, plus } = await this.#sessions();
    const seen = await vision.run({ pixels: { data: pixels, shape: [1, 3, side, side] } });
    const read = plus ? 'penultimate' : 'embeds';
    return fetched(await projection.run({ [read]: fetched(seen, read) }), 'tokens').data;
  }

  async #remembered(key: string, make: () => Promise<Float32Array>): Promise<Float32Array> {
    const known = this.#cache.get(key);
    if (known) return known;
    const made = await make();
    this.#cache.set(key, made);
    const [oldest] = this.#cache.keys();
    if (this.#cache.size > CACHE_SIZE && oldest !== undefined) this.#cache.delete(oldest);
    return made;
  }

  async release(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open
      ?.then(({ vision, projection }) => Promise.all([vision.release(), projection.release()]))
      .catch(() => undefined);
  }
}

/** On a black square, so that nothing is squeezed; what the mask leaves out is black too, as a segment's crop is. */
function squared(picture: Picture, mask: Uint8Array | null): Picture {
  if (picture.channels !== 3) throw new StudioError('internal', 'a picture with three channels was expected');
  const side = Math.max(picture.width, picture.height);
  const [x, y] = [Math.floor((side - picture.width) / 2), Math.floor((side - picture.height) / 2)];
  const data = Uint8Array.from(picture.data);
  if (mask)
    for (let i = 0; i < data.length; i++)
      data[i] = Math.round(((data[i] ?? 0) * (mask[Math.floor(i / 3)] ?? 255)) / 255);
  return cropPicture({ ...picture, data }, -x, -y, side, side);
}

function normalise(picture: Picture): Float32Array {
  const plane = picture.width * picture.height;
  return Float32Array.from({ length: 3 * plane }, (_, i) => {
    const c = Math.floor(i / plane);
    return ((picture.data[(i % plane) * 3 + c] ?? 0) / 255 - (MEAN[c] ?? 0)) / (DEVIATION[c] ?? 1);
  });
}
