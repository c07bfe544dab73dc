import { resizePicture } from '#engine/image/picture.ts';
import type { Picture } from '#engine/image/picture.ts';
import { boxOfMask, segmentCrop, wholeCrop } from '#engine/spatext/crops.ts';
import { sceneOf, slotOf, slotText } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { SegmentId } from '#shared/document/records.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import { disjointMasks } from '#shared/masks/segment-mask.ts';
import { coveredPixels } from '#shared/masks/mask.ts';
import type { Mask } from '#shared/masks/mask.ts';

/** A picture and the scene that it was made from. */
export interface Sample {
  /** Names the scene; samples of two folders with the same name are compared with each other. */
  readonly name: string;
  readonly document: StudioDocument;
  readonly bitmaps: BitmapLookup;
  /** Read when its turn comes: a thousand pictures need not be in memory together. Three channels. */
  readonly readPicture: () => Promise<Picture>;
}

/** A segment of a sample as the metrics see it. */
export interface SegmentView {
  readonly id: SegmentId;
  /** Its number in label maps: 1 for the lowest visible segment of the scene, and so on. */
  readonly label: number;
  /** Its words; empty for a picture slot. */
  readonly text: string;
  /** At the picture's size (at most 512 px), 0 or 255; nothing of it is hidden by others. */
  readonly mask: Mask;
  /** Share of the canvas. */
  readonly area: number;
  /** The square crop, black outside the mask: [3, side, side] in -1..1. */
  readonly crop: Float32Array;
}

export interface SampleView {
  readonly name: string;
  readonly globalText: string;
  /** The picture at the size of the masks. */
  readonly picture: Picture;
  /** The whole picture as the encoder takes it. */
  readonly whole: Float32Array;
  /** Visible segments of which something is left on the canvas, the lowest first. */
  readonly segments: readonly SegmentView[];
}

/** Masks finer than this tell an encoder of 64 or 224 pixels nothing. */
const LARGEST_SIDE = 512;

/**
 * Cuts a sample up as the paper's metrics want it: the local distance looks at each segment's crop, a square of 1.08
 * times the longer side of its box, centred on it, black outside the mask and outside the picture (pack.json,
 * imageEncoder).
 * @param side pixels of the encoder's input
 */
export async function viewSample(sample: Sample, side: number): Promise<SampleView> {
  const { document } = sample;
  const original = await sample.readPicture();
  const shrink = Math.min(1, LARGEST_SIDE / Math.max(original.width, original.height));
  const width = Math.max(1, Math.round(original.width * shrink));
  const height = Math.max(1, Math.round(original.height * shrink));
  const picture = await resizePicture(original, width, height);
  const segments: SegmentView[] = [];
  const { segments: drawn } = disjointMasks(document, { width, height }, sample.bitmaps);
  for (const [index, { segmentId, mask }] of drawn.entries()) {
    const box = boxOfMask(mask.data, width, height);
    const record = document[segmentId];
    if (!box || record?.type !== 'segment') continue;
    segments.push({
      id: segmentId,
      label: index + 1,
      text: slotText(document, slotOf(document, record.slot).content),
      mask,
      area: coveredPixels(mask) / (width * height),
      crop: await segmentCrop(picture, box, mask.data, side),
    });
  }
  return {
    name: sample.name,
    globalText: sceneOf(document).text.trim(),
    picture,
    whole: await wholeCrop(picture, side),
    segments,
  };
}
