import type { Picture } from '#engine/image/picture.ts';
import { createScene, createSegment } from '#shared/document/create.ts';
import { toDocument } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { ShapeInput } from '#shared/document/geometry.ts';
import { NO_BITMAPS } from '#shared/masks/rasterize.ts';
import { disjointMasks } from '#shared/masks/segment-mask.ts';
import type { Encoder, Seen } from './encoder.ts';
import type { Sample } from './sample.ts';

export type Rgb = readonly [number, number, number];
export const COLOURS: Readonly<Record<string, Rgb>> = {
  red: [220, 30, 30],
  green: [30, 200, 40],
  blue: [40, 60, 220],
  yellow: [220, 210, 40],
  violet: [170, 40, 200],
  orange: [240, 140, 20],
};

const unit = (values: number[]): Float32Array => {
  const length = Math.hypot(...values) || 1;
  return Float32Array.from(values, (value) => value / length);
};
const grey = 110;

/** An encoder that knows colours and nothing else: a text is its colour word, a picture its mean that is not black. */
export const colourEncoder: Encoder = {
  name: 'colours',
  side: 32,
  async encodeTexts(texts) {
    return texts.map((text) => {
      const word = Object.keys(COLOURS).find((name) => text.includes(name));
      const colour = word ? COLOURS[word] : undefined;
      return unit(colour ? colour.map((v) => v - grey) : [1, 1, 1]);
    });
  },
  async encodePictures(pictures) {
    return pictures.map((picture): Seen => {
      const plane = picture.length / 3;
      const sums = [0, 0, 0];
      let count = 0;
      for (let i = 0; i < plane; i += 1) {
        const pixel = [0, 1, 2].map((k) => ((picture[k * plane + i] ?? 0) + 1) * 127.5);
        if (Math.max(...pixel) < 40) continue;
        count += 1;
        for (let k = 0; k < 3; k += 1) sums[k] = (sums[k] ?? 0) + (pixel[k] ?? 0);
      }
      const mean = sums.map((sum) => sum / Math.max(1, count));
      return { embedding: unit(mean.map((v) => v - grey)), features: Float32Array.from(mean, (v) => v / 255) };
    });
  },
  release: async () => undefined,
};

export interface Thing {
  readonly text: string;
  readonly shapes: readonly ShapeInput[];
}

export function sceneOfThings(text: string, things: readonly Thing[], side = 128): StudioDocument {
  return toDocument([
    createScene({ text, width: side, height: side }),
    ...things.flatMap((thing, i) => createSegment(`t${i}`, thing.text, thing.shapes, { order: i })),
  ]);
}

/** A picture of the document: ground colour, and each segment filled with a colour (its index, lowest first). */
export function paint(document: StudioDocument, ground: Rgb, colours: readonly Rgb[], side = 128): Picture {
  const { labelMap } = disjointMasks(document, { width: side, height: side }, NO_BITMAPS);
  const data = new Uint8Array(side * side * 3);
  for (let i = 0; i < labelMap.length; i += 1) data.set(colours[(labelMap[i] ?? 0) - 1] ?? ground, i * 3);
  return { width: side, height: side, channels: 3, data };
}

export const sampleOf = (name: string, document: StudioDocument, picture: Picture): Sample => ({
  name,
  document,
  bitmaps: NO_BITMAPS,
  readPicture: async () => picture,
});
