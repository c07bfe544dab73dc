import type { Affine, Point } from '#shared/document/geometry.ts';

/**
 * Affine maps in SVG's order [a, b, c, d, e, f]: x' = a x + c y + e, y' = b x + d y + f.
 * All functions return new maps; lengths are scene pixels, angles radians (clockwise, since y points down).
 */
export const IDENTITY: Affine = [1, 0, 0, 1, 0, 0];

/** The map that applies `inner` first, then `outer`. */
export const multiply = (outer: Affine, inner: Affine): Affine => [
  outer[0] * inner[0] + outer[2] * inner[1],
  outer[1] * inner[0] + outer[3] * inner[1],
  outer[0] * inner[2] + outer[2] * inner[3],
  outer[1] * inner[2] + outer[3] * inner[3],
  outer[0] * inner[4] + outer[2] * inner[5] + outer[4],
  outer[1] * inner[4] + outer[3] * inner[5] + outer[5],
];

export const applyTo = (map: Affine, [x, y]: Point): Point => [
  map[0] * x + map[2] * y + map[4],
  map[1] * x + map[3] * y + map[5],
];

export const translation = (dx: number, dy: number): Affine => [1, 0, 0, 1, dx, dy];

/** `map` carried out about a fixed point instead of the origin. */
const about = ([x, y]: Point, map: Affine): Affine => multiply(translation(x, y), multiply(map, translation(-x, -y)));

export const scaling = (sx: number, sy: number, centre: Point = [0, 0]): Affine => about(centre, [sx, 0, 0, sy, 0, 0]);

export const rotation = (angle: number, centre: Point = [0, 0]): Affine => {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  return about(centre, [cos, sin, -sin, cos, 0, 0]);
};

/** Mirrors left and right (`horizontal`) or top and bottom about `centre`. */
export const mirroring = (axis: 'horizontal' | 'vertical', centre: Point): Affine =>
  axis === 'horizontal' ? scaling(-1, 1, centre) : scaling(1, -1, centre);

/** Signed change of area; 0 for a map that flattens. */
export const determinant = (map: Affine): number => map[0] * map[3] - map[1] * map[2];

/** The inverse map, or undefined for one that flattens everything to a line or a point. */
export function invert(map: Affine): Affine | undefined {
  const det = determinant(map);
  if (!Number.isFinite(det) || Math.abs(det) < 1e-12) return undefined;
  const [a, b, c, d, e, f] = map;
  return [d / det, -b / det, -c / det, a / det, (c * f - d * e) / det, (b * e - a * f) / det];
}

export const isIdentity = (map: Affine, tolerance = 1e-9): boolean =>
  map.every((value, index) => Math.abs(value - (IDENTITY[index] ?? 0)) <= tolerance);
