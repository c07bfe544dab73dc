import type { OpenPack } from '#engine/packs/open-pack.ts';
import type { SessionSettings } from '#engine/runtime/sessions.ts';
import { PixelModel } from '#engine/spatext/pixel-model.ts';

/** What a picture looks like to an encoder. */
export interface Seen {
  /** Unit length, comparable with texts. */
  readonly embedding: Float32Array;
  /** For comparing distributions of pictures; often the layer before the embedding. */
  readonly features: Float32Array;
}

/**
 * A joint encoder of texts and pictures, as the paper's metrics need it (it used CLIP). The one that trained a model
 * judges it kindly: an independent one is the fairer judge.
 */
export interface Encoder {
  readonly name: string;
  /** Side of the square pictures it takes, in pixels. */
  readonly side: number;
  /** Unit-length text embeddings. */
  encodeTexts(texts: readonly string[]): Promise<Float32Array[]>;
  /** @param pictures [3, side, side] in -1..1 each */
  encodePictures(pictures: readonly Float32Array[]): Promise<Seen[]>;
  release(): Promise<void>;
}

/** Pictures that go through the network at once: enough to be quick, few enough for any memory. */
export const BATCH = 32;

/** The encoders of a pack itself. */
export function packEncoder(pack: OpenPack, settings: SessionSettings): Encoder {
  const model = new PixelModel(pack, settings);
  return {
    name: pack.pack.name,
    side: model.size,
    encodeTexts: async (texts) => (await model.encodeTexts(texts)).text,
    async encodePictures(pictures) {
      const seen: Seen[] = [];
      for (let from = 0; from < pictures.length; from += BATCH)
        for (const embedding of await model.encodeImages(pictures.slice(from, from + BATCH)))
          seen.push({ embedding, features: embedding });
      return seen;
    },
    release: () => model.release(),
  };
}
