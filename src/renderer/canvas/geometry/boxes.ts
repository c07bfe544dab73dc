import type { Affine, Point } from '#shared/document/geometry.ts';
import { applyTo } from './affine.ts';

/** An axis-aligned box; width and height are never negative. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export const centreOf = (box: Rect): Point => [box.x + box.width / 2, box.y + box.height / 2];

export const cornersOf = ({ x, y, width, height }: Rect): [Point, Point, Point, Point] => [
  [x, y],
  [x + width, y],
  [x + width, y + height],
  [x, y + height],
];

/** The smallest box around points; undefined for none. */
export function boxAround(points: Iterable<readonly [number, number, ...number[]]>): Rect | undefined {
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  for (const [x, y] of points) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x);
    bottom = Math.max(bottom, y);
  }
  return left > right ? undefined : { x: left, y: top, width: right - left, height: bottom - top };
}

/** The smallest upright box around a mapped box. */
export function mapBox(map: Affine, box: Rect): Rect {
  return boxAround(cornersOf(box).map((corner) => applyTo(map, corner))) ?? box;
}

export function unite(a: Rect | undefined, b: Rect | undefined): Rect | undefined {
  if (!a || !b) return a ?? b;
  return boxAround([...cornersOf(a), ...cornersOf(b)]);
}

/** The area two boxes share. */
export function overlap(a: Rect, b: Rect): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return width > 0 && height > 0 ? width * height : 0;
}

/** The box spanned by a drag from `from` to `to`, as the rectangle and ellipse tools read it. */
export function dragBox(from: Point, to: Point, how: { square: boolean; fromCentre: boolean }): Rect {
  let dx = to[0] - from[0];
  let dy = to[1] - from[1];
  if (how.square) {
    const side = Math.max(Math.abs(dx), Math.abs(dy));
    dx = dx < 0 ? -side : side;
    dy = dy < 0 ? -side : side;
  }
  const start: Point = how.fromCentre ? [from[0] - dx, from[1] - dy] : from;
  const end: Point = [from[0] + dx, from[1] + dy];
  return {
    x: Math.min(start[0], end[0]),
    y: Math.min(start[1], end[1]),
    width: Math.abs(end[0] - start[0]),
    height: Math.abs(end[1] - start[1]),
  };
}

/** Whether two boxes share more than an edge. */
export const touches = (a: Rect, b: Rect): boolean =>
  a.x < b.x + b.width && a.x + a.width > b.x && a.y < b.y + b.height && a.y + a.height > b.y;
