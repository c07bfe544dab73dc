import { createScene, createSegment } from '../document/create.ts';
import { toDocument } from '../document/document.ts';
import type { StudioDocument } from '../document/document.ts';
import { Shape } from '../document/geometry.ts';
import type { ShapeInput } from '../document/geometry.ts';
import type { SegmentRecord } from '../document/records.ts';
import type { Mask } from './mask.ts';
import { NO_BITMAPS, rasterizeShapes } from './rasterize.ts';
import type { BitmapLookup } from './rasterize.ts';

/** Shapes on a square canvas of `side` scene pixels, drawn at `out` pixels. */
export function draw(
  shapes: readonly ShapeInput[],
  side: number,
  out: number = side,
  bitmaps: BitmapLookup = NO_BITMAPS,
): Mask {
  return rasterizeShapes(
    shapes.map((shape) => Shape.parse(shape)),
    { width: side, height: side, outWidth: out, outHeight: out, bitmaps },
  );
}

export const disc = (cx: number, cy: number, r: number): ShapeInput => ({ kind: 'ellipse', cx, cy, rx: r, ry: r });
export const rect = (x: number, y: number, width: number, height: number): ShapeInput => ({
  kind: 'rect',
  x,
  y,
  width,
  height,
});

/** A document of segments a, b, c ... from the lowest to the topmost. */
export function sceneWith(
  segments: readonly { shapes: readonly ShapeInput[]; text?: string; fields?: Partial<SegmentRecord> }[],
  side = 512,
): StudioDocument {
  const records = segments.flatMap(({ shapes, text, fields }, index) =>
    createSegment(index < 26 ? String.fromCodePoint(97 + index) : `s${index}`, text ?? `thing ${index}`, shapes, {
      order: index,
      ...fields,
    }),
  );
  return toDocument([createScene({ width: side, height: side }), ...records]);
}

/** The largest difference of two masks, 0..255. */
export function largestDifference(a: Mask, b: Mask): number {
  let worst = 0;
  for (let i = 0; i < a.data.length; i += 1) worst = Math.max(worst, Math.abs((a.data[i] ?? 0) - (b.data[i] ?? 0)));
  return worst;
}

/** The mask at half the size: each pixel the mean of four. */
export function halved(mask: Mask): Mask {
  const width = mask.width / 2;
  const height = mask.height / 2;
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = 2 * y * mask.width + 2 * x;
      const sum =
        (mask.data[at] ?? 0) +
        (mask.data[at + 1] ?? 0) +
        (mask.data[at + mask.width] ?? 0) +
        (mask.data[at + mask.width + 1] ?? 0);
      data[y * width + x] = Math.round(sum / 4);
    }
  }
  return { width, height, data };
}
