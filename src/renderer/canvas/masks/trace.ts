import type { Point } from '#shared/document/geometry.ts';
import type { SceneRecord, SegmentRecord } from '#shared/document/records.ts';
import { maskContours } from '#shared/masks/contour.ts';
import { COVERED, maskBounds } from '#shared/masks/mask.ts';
import type { Mask, PixelBox } from '#shared/masks/mask.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import { segmentMask } from '#shared/masks/segment-mask.ts';
import type { Rect } from '../geometry/boxes.ts';
import { traceSize } from './trace-size.ts';

export interface Traced {
  /** Closed rings in scene pixels, to be filled by the even-odd rule. */
  readonly rings: readonly (readonly Point[])[];
  readonly bounds: Rect | undefined;
  readonly mask: Mask;
  /** The box of all pixels that are covered at all. */
  readonly box: PixelBox | null;
  /** Mask pixels per scene pixel. */
  readonly scale: Point;
}

/** A segment's area as outlines; see traceSize for the resolution. */
export function traceSegment(
  scene: SceneRecord,
  segment: SegmentRecord,
  bitmaps: BitmapLookup,
  detail: 'draft' | 'full' = 'full',
): Traced {
  const size = traceSize(scene, detail);
  const mask = segmentMask({ [scene.id]: scene, [segment.id]: segment }, segment, size, bitmaps);
  return traceMask(mask, scene);
}

/** The same for any mask that shows the whole canvas. */
export function traceMask(mask: Mask, scene: Pick<SceneRecord, 'width' | 'height'>): Traced {
  const scale: Point = [mask.width / scene.width, mask.height / scene.height];
  const box = maskBounds(mask);
  if (!box) return { rings: [], bounds: undefined, mask, box, scale };
  const rings = maskContours(mask, { tolerance: 0.12, scaleX: 1 / scale[0], scaleY: 1 / scale[1] }).map(
    ({ points }) => points,
  );
  const solid = maskBounds(mask, COVERED) ?? box;
  return {
    rings,
    bounds: {
      x: solid.left / scale[0],
      y: solid.top / scale[1],
      width: (solid.right - solid.left) / scale[0],
      height: (solid.bottom - solid.top) / scale[1],
    },
    mask,
    box,
    scale,
  };
}
