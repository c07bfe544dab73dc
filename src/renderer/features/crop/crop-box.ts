import { sceneOf } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { Box, SegmentRecord } from '#shared/document/records.ts';
import { maskBounds } from '#shared/masks/mask.ts';
import { NO_BITMAPS } from '#shared/masks/rasterize.ts';
import { segmentMask } from '#shared/masks/segment-mask.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The smallest side of a crop, in the picture's pixels: less says nothing to the image encoder. */
export const MIN_CROP = 8;

const clamp = (value: number, min: number, max: number): number => Math.min(Math.max(value, min), max);

/** The box spanned by two points, inside the picture and not below the smallest crop. */
export function boxBetween(a: { x: number; y: number }, b: { x: number; y: number }, size: Size): Box {
  const left = clamp(Math.min(a.x, b.x), 0, size.width - MIN_CROP);
  const top = clamp(Math.min(a.y, b.y), 0, size.height - MIN_CROP);
  return {
    x: Math.round(left),
    y: Math.round(top),
    width: Math.round(clamp(Math.max(a.x, b.x) - left, MIN_CROP, size.width - left)),
    height: Math.round(clamp(Math.max(a.y, b.y) - top, MIN_CROP, size.height - top)),
  };
}

/** Moves a box, or (`resize`) its lower right corner. */
export function moveBox(box: Box, x: number, y: number, size: Size, resize: boolean): Box {
  if (resize)
    return {
      ...box,
      width: clamp(box.width + x, MIN_CROP, size.width - box.x),
      height: clamp(box.height + y, MIN_CROP, size.height - box.y),
    };
  return {
    ...box,
    x: clamp(box.x + x, 0, size.width - box.width),
    y: clamp(box.y + y, 0, size.height - box.height),
  };
}

/** Where a segment lies in a picture of the scene, with a little around it; the whole picture if nothing is drawn. */
export function segmentBox(document: StudioDocument, segment: SegmentRecord, size: Size): Box {
  const scene = sceneOf(document);
  const scale = 128 / Math.max(scene.width, scene.height);
  const small = { width: Math.ceil(scene.width * scale), height: Math.ceil(scene.height * scale) };
  const bounds = maskBounds(segmentMask(document, segment, small, NO_BITMAPS), 128);
  if (!bounds) return { x: 0, y: 0, width: size.width, height: size.height };
  const [x, y] = [size.width / small.width, size.height / small.height];
  const margin = 2;
  return boxBetween(
    { x: (bounds.left - margin) * x, y: (bounds.top - margin) * y },
    { x: (bounds.right + margin) * x, y: (bounds.bottom + margin) * y },
    size,
  );
}
