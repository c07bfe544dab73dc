import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { decodePicture } from '#engine/image/picture.ts';
import type { Picture } from '#engine/image/picture.ts';
import { StudioError } from '#shared/errors.ts';
import { createMask } from '#shared/masks/mask.ts';
import type { Mask } from '#shared/masks/mask.ts';
import { snapToEdges } from '#shared/masks/snap/snap-to-edges.ts';
import type { SampleView } from './sample.ts';

/** Finds where the things of a scene really are in its picture, for the local IoU. */
export interface Segmenter {
  readonly name: string;
  /** What it takes for each segment of the view, at the masks' size; null where it cannot say. */
  find(view: SampleView): Promise<(Mask | null)[]>;
}

/**
 * Without a network: lets each drawn outline snap to the picture's edges and takes what comes out. It starts from the
 * drawn mask, so it knows where to look and is kinder than a segmenter that does not; use it to compare, not as the
 * paper's figure.
 */
export const edgeSegmenter: Segmenter = {
  name: 'edges of the picture next to the drawn outline (kind: it starts from the drawn mask)',
  async find(view) {
    const image = toRgba(view.picture);
    return view.segments.map(({ mask }) => snapToEdges(mask, image));
  },
};

function toRgba(picture: Picture) {
  const { width, height, channels } = picture;
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i += 1) {
    for (let k = 0; k < 3; k += 1) data[4 * i + k] = picture.data[i * channels + (channels === 1 ? 0 : k)] ?? 0;
    data[4 * i + 3] = 255;
  }
  return { width, height, data };
}

/**
 * Results of any segmenter, made elsewhere: a folder with a grey PNG for each sample (named like its picture), whose
 * values are 0 for nothing and k for what was taken for the k-th visible segment (1 is the lowest).
 */
export function labelFolderSegmenter(folder: string): Segmenter {
  return {
    name: `label maps in ${path.basename(folder)}`,
    async find(view) {
      const file = path.join(folder, `${view.name}.png`);
      const bytes = await readFile(file).catch((error: unknown) => {
        if ((error as { code?: string }).code === 'ENOENT') return null;
        throw StudioError.from(error, `reading ${file}`);
      });
      if (!bytes) return view.segments.map(() => null);
      const map = await decodePicture(bytes, 1);
      return view.segments.map(({ label }) => whereEqual(map, label, view.picture.width, view.picture.height));
    },
  };
}

/** Labels are numbers, not brightness: nearest neighbour, never interpolated. */
function whereEqual(map: Picture, label: number, width: number, height: number): Mask {
  const mask = createMask(width, height);
  for (let y = 0; y < height; y += 1) {
    const from = Math.min(map.height - 1, Math.floor(((y + 0.5) * map.height) / height)) * map.width;
    for (let x = 0; x < width; x += 1) {
      const column = Math.min(map.width - 1, Math.floor(((x + 0.5) * map.width) / width));
      if (map.data[from + column] === label) mask.data[y * width + x] = 255;
    }
  }
  return mask;
}

/**
 * Which of the asked classes wins each pixel, the background taking part.
 * @param logits [1 + classes, h, w]; class 0 is the background
 */
export function assignAsked(
  logits: Float32Array,
  h: number,
  w: number,
  asked: readonly (number | null)[],
  width: number,
  height: number,
): (Mask | null)[] {
  const classes = [0, ...new Set(asked.filter((one) => one !== null))];
  const winner = new Int32Array(h * w);
  for (let i = 0; i < h * w; i += 1) {
    let best = -Infinity;
    for (const one of classes) {
      const value = logits[one * h * w + i] ?? -Infinity;
      if (value > best) {
        best = value;
        winner[i] = one;
      }
    }
  }
  return asked.map((one) => {
    if (one === null) return null;
    const mask = createMask(width, height);
    for (let y = 0; y < height; y += 1) {
      const from = Math.min(h - 1, Math.floor(((y + 0.5) * h) / height)) * w;
      for (let x = 0; x < width; x += 1)
        if (winner[from + Math.min(w - 1, Math.floor(((x + 0.5) * w) / width))] === one) mask.data[y * width + x] = 255;
    }
    return mask;
  });
}
