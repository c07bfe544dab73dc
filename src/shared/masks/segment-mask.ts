import type { StudioDocument } from '../document/document.ts';
import { sceneOf, segmentsOf } from '../document/document.ts';
import type { SegmentId, SegmentRecord } from '../document/records.ts';
import { featherMask, smoothMask } from './blur.ts';
import { growMask } from './distance.ts';
import { COVERED, createMask, invertMask } from './mask.ts';
import type { Mask, Size } from './mask.ts';
import { rasterizeShapes } from './rasterize.ts';
import type { BitmapLookup } from './rasterize.ts';

/**
 * The whole area of a segment, as if no other lay on top: its shapes, then invert, grow or shrink, smooth, feather.
 * @param size of the mask in pixels; it shows the whole canvas
 * @returns coverage 0..255
 */
export function segmentMask(document: StudioDocument, segment: SegmentRecord, size: Size, bitmaps: BitmapLookup): Mask {
  const { width, height } = sceneOf(document);
  const spacing = { x: width / size.width, y: height / size.height };
  let mask = rasterizeShapes(segment.shapes, {
    width,
    height,
    outWidth: size.width,
    outHeight: size.height,
    bitmaps,
  });
  if (segment.invert) mask = invertMask(mask);
  mask = growMask(mask, segment.grow, spacing);
  mask = smoothMask(mask, segment.smooth, spacing);
  return featherMask(mask, segment.feather, spacing);
}

export interface DisjointSegment {
  readonly segmentId: SegmentId;
  /** What the model gets: 255 where this segment fills the pixel, else 0; no pixel belongs to two segments. */
  readonly mask: Mask;
  /** The share of each pixel left to this segment by those on top; the shares of all segments never exceed 255. */
  readonly soft: Mask;
}

export interface DisjointMasks extends Size {
  /** Visible segments, the lowest first. */
  readonly segments: readonly DisjointSegment[];
  /** Per pixel 0 for none, or k + 1 for `segments[k]`. */
  readonly labelMap: Uint16Array;
}

/** Called with each visible segment's mask while the layers are laid, topmost first. */
export interface LayerVisitor {
  /** The whole area as drawn; to be copied if kept. */
  drawn?(segment: SegmentRecord, mask: Mask): void;
  /** What the segments on top leave of it. */
  share?(segment: SegmentRecord, mask: Mask): void;
}

/**
 * Lays the visible segments over each other, topmost first: each takes what it covers of what is still free. A pixel
 * belongs to the segment with the largest share if all shares together fill at least half of it (so touching
 * segments leave no gap between them); equal shares go to the upper one.
 * @param areaOf gives a segment's mask, which is then changed; see area-memory.ts
 */
export function layerSegments(
  document: StudioDocument,
  size: Size,
  bitmaps: BitmapLookup,
  visitor: LayerVisitor = {},
  areaOf: typeof segmentMask = segmentMask,
): { labelMap: Uint16Array; segments: readonly SegmentRecord[] } {
  const segments = segmentsOf(document).filter((segment) => segment.visible);
  const pixels = size.width * size.height;
  const free = new Uint8Array(pixels).fill(255);
  const best = new Uint8Array(pixels);
  const labelMap = new Uint16Array(pixels);
  for (let index = segments.length - 1; index >= 0; index -= 1) {
    const segment = segments[index];
    if (!segment) continue;
    const share = areaOf(document, segment, size, bitmaps);
    visitor.drawn?.(segment, share);
    for (let i = 0; i < pixels; i += 1) {
      const left = free[i] ?? 0;
      const wants = share.data[i] ?? 0;
      if (wants === 0) continue;
      const gets = wants < left ? wants : left;
      if (gets !== wants) share.data[i] = gets;
      free[i] = left - gets;
      if (gets > (best[i] ?? 0)) {
        best[i] = gets;
        labelMap[i] = index + 1;
      }
    }
    visitor.share?.(segment, share);
  }
  for (let i = 0; i < pixels; i += 1) if (255 - (free[i] ?? 0) < COVERED) labelMap[i] = 0;
  return { labelMap, segments };
}

/**
 * Which segment each pixel belongs to, without keeping a mask for each: for large sizes.
 * @returns per pixel 0 for none, or k + 1 for `segments[k]` (the lowest first)
 */
export function labelSegments(
  document: StudioDocument,
  size: Size,
  bitmaps: BitmapLookup,
): { labelMap: Uint16Array; segments: readonly SegmentId[] } {
  const { labelMap, segments } = layerSegments(document, size, bitmaps);
  return { labelMap, segments: segments.map((segment) => segment.id) };
}

/** The visible segments as disjoint masks: where they overlap the topmost wins (SpaText, section 3.1). */
export function disjointMasks(document: StudioDocument, size: Size, bitmaps: BitmapLookup): DisjointMasks {
  const shares = new Map<SegmentId, Mask>();
  const { labelMap, segments } = layerSegments(document, size, bitmaps, {
    share: (segment, mask) => shares.set(segment.id, mask),
  });
  const masks = segments.map(() => createMask(size.width, size.height));
  for (let i = 0; i < labelMap.length; i += 1) {
    const label = labelMap[i] ?? 0;
    const mask = label > 0 ? masks[label - 1] : undefined;
    if (mask) mask.data[i] = 255;
  }
  return {
    width: size.width,
    height: size.height,
    labelMap,
    segments: segments.map((segment, index) => ({
      segmentId: segment.id,
      mask: masks[index] ?? createMask(size.width, size.height),
      soft: shares.get(segment.id) ?? createMask(size.width, size.height),
    })),
  };
}
