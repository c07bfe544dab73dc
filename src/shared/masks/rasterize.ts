import type { Affine, Shape } from '../document/geometry.ts';
import { missingCase } from '../errors.ts';
import { composeAffine } from './affine.ts';
import { paintBitmap } from './bitmap.ts';
import type { Bitmap } from './bitmap.ts';
import { featherMask } from './blur.ts';
import { fillPolylines } from './fill.ts';
import type { PaintOp } from './fill.ts';
import { flattenEllipse, flattenPath, flattenPolygon } from './flatten.ts';
import { createMask } from './mask.ts';
import type { Mask } from './mask.ts';
import { paintStroke } from './stroke.ts';
import { parsePath } from './svg-path.ts';

/** Looks up the pixels of a bitmap shape by its blob's hash; what is not found covers nothing. */
export type BitmapLookup = (hash: string) => Bitmap | undefined;
export const NO_BITMAPS: BitmapLookup = () => undefined;

export interface RasterOptions {
  /** The canvas in scene pixels. */
  readonly width: number;
  readonly height: number;
  /** The mask to make; it shows the whole canvas, whatever its own proportions. */
  readonly outWidth: number;
  readonly outHeight: number;
  readonly bitmaps: BitmapLookup;
}

/**
 * The area of a list of shapes as coverage, 0..255 per pixel, at any resolution. Shapes are applied in order to an
 * empty mask, each adding to, taking from or intersecting what those before it covered. Only the pixels in a crisp
 * shape's bounding box are touched; a soft one is drawn and softened apart first.
 */
export function rasterizeShapes(shapes: readonly Shape[], options: RasterOptions): Mask {
  const target = createMask(options.outWidth, options.outHeight);
  const matrix: Affine = [options.outWidth / options.width, 0, 0, options.outHeight / options.height, 0, 0];
  applyShapes(target, shapes, matrix, options.bitmaps);
  return target;
}

function applyShapes(target: Mask, shapes: readonly Shape[], matrix: Affine, bitmaps: BitmapLookup): void {
  for (const shape of shapes) {
    const own = shape.transform ? composeAffine(matrix, shape.transform) : matrix;
    if (shape.op !== 'intersect' && isCrisp(shape) && (shape.kind !== 'group' || isPlainUnion(shape.shapes))) {
      paintShape(target, shape, own, shape.op, bitmaps);
      continue;
    }
    const layer = createMask(target.width, target.height);
    if (shape.kind === 'group') applyShapes(layer, shape.shapes, own, bitmaps);
    else paintShape(layer, shape, own, 'add', bitmaps);
    mergeLayer(target, softened(layer, shape, own), shape.op);
  }
}

/** A group of nothing but additions can be painted straight onto the target, without a layer of its own. */
const isPlainUnion = (shapes: readonly Shape[]): boolean =>
  shapes.every(
    (shape) => shape.op === 'add' && isCrisp(shape) && (shape.kind !== 'group' || isPlainUnion(shape.shapes)),
  );

const isCrisp = ({ feather = 0 }: Shape): boolean => feather <= 0;

/** A feather is in the shape's own pixels: a shape that is scaled takes its edge along. */
function softened(layer: Mask, { feather = 0 }: Shape, [a, b, c, d]: Affine): Mask {
  const spacing = { x: 1 / Math.hypot(a, c), y: 1 / Math.hypot(b, d) };
  return Number.isFinite(spacing.x) && Number.isFinite(spacing.y) ? featherMask(layer, feather, spacing) : layer;
}

function mergeLayer(target: Mask, layer: Mask, op: Shape['op']): void {
  const to = target.data;
  const from = layer.data;
  for (let i = 0; i < to.length; i += 1) {
    const was = to[i] ?? 0;
    const value = from[i] ?? 0;
    if (op === 'add') {
      if (value > was) to[i] = value;
    } else if (op === 'subtract') {
      if (255 - value < was) to[i] = 255 - value;
    } else if (value < was) to[i] = value;
  }
}

function paintShape(target: Mask, shape: Shape, matrix: Affine, op: PaintOp, bitmaps: BitmapLookup): void {
  switch (shape.kind) {
    case 'strokes':
      for (const stroke of shape.strokes) paintStroke(target, stroke.points, stroke.width, matrix, op);
      return;
    case 'polygon':
      fillPolylines(target, flattenPolygon(shape.points, matrix), 'evenodd', op);
      return;
    case 'rect': {
      const { x, y, width, height } = shape;
      const corners: [number, number][] = [
        [x, y],
        [x + width, y],
        [x + width, y + height],
        [x, y + height],
      ];
      fillPolylines(target, flattenPolygon(corners, matrix), 'nonzero', op);
      return;
    }
    case 'ellipse':
      fillPolylines(target, flattenEllipse(shape.cx, shape.cy, shape.rx, shape.ry, matrix), 'nonzero', op);
      return;
    case 'path':
      // An unreadable rest is left out, as every SVG viewer does; the importer tells the artist.
      fillPolylines(target, flattenPath(parsePath(shape.d).commands, matrix), shape.fillRule, op);
      return;
    case 'bitmap': {
      const bitmap = bitmaps(shape.blob);
      if (bitmap) paintBitmap(target, bitmap, shape, matrix, op);
      return;
    }
    case 'canvas':
      target.data.fill(op === 'add' ? 255 : 0);
      return;
    case 'group':
      for (const inner of shape.shapes)
        paintShape(target, inner, inner.transform ? composeAffine(matrix, inner.transform) : matrix, op, bitmaps);
      return;
    default:
      missingCase(shape);
  }
}
