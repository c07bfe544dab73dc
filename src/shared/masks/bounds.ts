import type { Affine, Shape } from '../document/geometry.ts';
import { IDENTITY, composeAffine } from './affine.ts';
import { flattenEllipse, flattenPath, flattenPolygon } from './flatten.ts';
import { parsePath } from './svg-path.ts';

/** A box in scene pixels. */
export interface Bounds {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * The box around everything that the shapes add, on the canvas or beyond; null if they add nothing with an area.
 * The `canvas` shape has no place of its own and is left out.
 */
export function shapesBounds(shapes: readonly Shape[], matrix: Affine = IDENTITY): Bounds | null {
  let box: Bounds | null = null;
  for (const shape of shapes) {
    if (shape.op !== 'add') continue;
    const own = shape.transform ? composeAffine(matrix, shape.transform) : matrix;
    const other = shape.kind === 'group' ? shapesBounds(shape.shapes, own) : pointBounds(pointsOf(shape, own));
    if (!other) continue;
    box = box
      ? {
          left: Math.min(box.left, other.left),
          top: Math.min(box.top, other.top),
          right: Math.max(box.right, other.right),
          bottom: Math.max(box.bottom, other.bottom),
        }
      : other;
  }
  return box;
}

function pointBounds(points: readonly number[]): Bounds | null {
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  for (let i = 0; i < points.length; i += 2) {
    const x = points[i] ?? 0;
    const y = points[i + 1] ?? 0;
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  return right > left && bottom > top ? { left, top, right, bottom } : null;
}

function pointsOf(shape: Exclude<Shape, { kind: 'group' }>, matrix: Affine): readonly number[] {
  switch (shape.kind) {
    case 'strokes': {
      const [a, b, c, d, e, f] = matrix;
      const points: number[] = [];
      for (const stroke of shape.strokes) {
        for (const [x, y, pressure] of stroke.points) {
          // The image of a disc is an ellipse; its half sides are the norms of the matrix's rows.
          const r = (stroke.width / 2) * pressure;
          const rx = r * Math.hypot(a, c);
          const ry = r * Math.hypot(b, d);
          const px = a * x + c * y + e;
          const py = b * x + d * y + f;
          points.push(px - rx, py - ry, px + rx, py + ry);
        }
      }
      return points;
    }
    case 'polygon':
      return flattenPolygon(shape.points, matrix).points;
    case 'rect':
    case 'bitmap': {
      const { x, y, width, height } = shape;
      const corners: [number, number][] = [
        [x, y],
        [x + width, y],
        [x + width, y + height],
        [x, y + height],
      ];
      return width > 0 && height > 0 ? flattenPolygon(corners, matrix).points : [];
    }
    case 'ellipse':
      return flattenEllipse(shape.cx, shape.cy, shape.rx, shape.ry, matrix).points;
    case 'path':
      return flattenPath(parsePath(shape.d).commands, matrix).points;
    case 'canvas':
      return [];
  }
}
