import type { SegmentScore } from '#shared/api/generation.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { SegmentRecord } from '#shared/document/records.ts';
import { disjointMasks } from '#shared/masks/segment-mask.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import { cropPicture, fromPixels, resizePicture, toPixels } from '../../image/picture.ts';
import type { Picture } from '../../image/picture.ts';
import { boxOfMask, segmentCrop, wholeCrop } from '../../spatext/crops.ts';
import type { Frame } from '../../spatext/frame.ts';
import type { PixelModel } from '../../spatext/pixel-model.ts';
import { cosineSimilarity } from '../../tensor/index.ts';
import { enlargePicture } from './enlarge-picture.ts';

/**
 * A 64 px sample to a picture of the frame's part of the canvas: super-resolution, enlarged as often as the size
 * asks for, then exactly to size.
 * @param sample [3, n, n] in -1..1
 * @param sketch what super-resolution is told of the segments; null for packs that tell it nothing
 * @param target side in pixels that the whole frame shall have
 */
export async function enlarge(
  model: PixelModel,
  sample: Float32Array,
  sketch: Float32Array | null,
  target: number,
  breathe: () => Promise<void>,
): Promise<Picture> {
  const { data, width, height } = await model.superResolve(clip(sample), model.size, model.size, sketch);
  let picture = toPixels(data, width, height);
  // Larger as long as that is not beyond what was asked: beyond 1024 px an ordinary filter does.
  while (picture.width < target && picture.width * model.enlargement <= 1024)
    picture = await enlargePicture(model, picture, breathe);
  return resizePicture(picture, target, target);
}

const clip = (values: Float32Array): Float32Array => values.map((value) => (value < -1 ? -1 : value > 1 ? 1 : value));

/** The canvas cut out of a picture of its frame, `scale` pixels per scene pixel. */
export function cutCanvas(
  picture: Picture,
  frame: Frame,
  scene: { width: number; height: number },
  scale: number,
): Picture {
  return cropPicture(
    picture,
    Math.round(-frame.x * scale),
    Math.round(-frame.y * scale),
    Math.round(scene.width * scale),
    Math.round(scene.height * scale),
  );
}

/** A picture of the canvas as the denoiser sees the frame: [3, n, n] in -1..1; beyond the canvas its edge goes on. */
export async function canvasToSample(
  picture: Picture,
  frame: Frame,
  scene: { width: number; height: number },
  n: number,
): Promise<Float32Array> {
  const scale = picture.width / scene.width;
  const side = Math.max(1, Math.round(frame.side * scale));
  const x = Math.round(frame.x * scale);
  const y = Math.round(frame.y * scale);
  const data = new Uint8Array(side * side * 3);
  const clampTo = (value: number, most: number): number => (value < 0 ? 0 : value > most ? most : value);
  for (let row = 0; row < side; row += 1)
    for (let column = 0; column < side; column += 1) {
      const from =
        (clampTo(y + row, picture.height - 1) * picture.width + clampTo(x + column, picture.width - 1)) *
        picture.channels;
      data.set(picture.data.subarray(from, from + 3), (row * side + column) * 3);
    }
  return fromPixels(await resizePicture({ width: side, height: side, channels: 3, data }, n, n));
}

export interface Scored {
  readonly scores: SegmentScore[];
  readonly globalScore: number | null;
  /** The crops' image embeddings, in the order of the prepared segments; null where nothing is left of one. */
  readonly embeddings: (Float32Array | null)[];
}

/** What a picture is judged by. */
export interface Judged {
  readonly segments: readonly {
    readonly record: SegmentRecord;
    /** CLIP embeddings of its words and of what filled its slot; null where there are none. */
    readonly slot: { readonly text: Float32Array | null; readonly embedding: Float32Array | null };
  }[];
  readonly globalText: Float32Array | null;
}

/**
 * The paper's local and global scores with the pack's own encoders: the cosine of each masked crop with its
 * text (and with the embedding that filled the slot), and of the whole picture with the global text.
 */
export async function scorePicture(
  model: PixelModel,
  picture: Picture,
  document: StudioDocument,
  prepared: Judged,
  bitmaps: BitmapLookup,
): Promise<Scored> {
  // Masks at a size that is enough for a 64 px crop; a 2048 px canvas would cost more than the picture.
  const shrink = Math.min(1, 512 / Math.max(picture.width, picture.height));
  const width = Math.max(1, Math.round(picture.width * shrink));
  const height = Math.max(1, Math.round(picture.height * shrink));
  const small = await resizePicture(picture, width, height);
  const masks = new Map(
    disjointMasks(document, { width, height }, bitmaps).segments.map(({ segmentId, mask }) => [segmentId, mask.data]),
  );
  const crops: Float32Array[] = [await wholeCrop(small, model.size)];
  const cropOf = prepared.segments.map(() => -1);
  for (const [index, { record }] of prepared.segments.entries()) {
    const mask = masks.get(record.id);
    const box = mask && boxOfMask(mask, width, height);
    if (!mask || !box) continue;
    cropOf[index] = crops.length;
    crops.push(await segmentCrop(small, box, mask, model.size));
  }
  const embedded = await model.encodeImages(crops);
  const embeddings = cropOf.map((crop) => embedded[crop] ?? null);
  const scores = prepared.segments.map(({ record, slot }, index): SegmentScore => {
    const embedding = embeddings[index] ?? null;
    return {
      segment: record.id,
      clip: embedding && slot.text ? cosineSimilarity(embedding, slot.text) : null,
      slot: embedding && slot.embedding ? cosineSimilarity(embedding, slot.embedding) : null,
      iou: null,
    };
  });
  const whole = embedded[0];
  return {
    scores,
    embeddings,
    globalScore: whole && prepared.globalText ? cosineSimilarity(whole, prepared.globalText) : null,
  };
}

/** One number to choose the best of several by: the mean of the segments' scores, else the global one. */
export function meanScore(scored: Scored): number {
  const values = scored.scores.map(({ clip, slot }) => clip ?? slot).filter((value) => value !== null);
  if (values.length === 0) return scored.globalScore ?? 0;
  return values.reduce((a, b) => a + b, 0) / values.length;
}
