import type { Point } from '../document/geometry.ts';
import { maskBounds } from './mask.ts';
import type { Mask } from './mask.ts';

/** A closed outline; outer ones run clockwise as seen on the screen, holes counter-clockwise. */
export interface Contour {
  readonly points: readonly Point[];
  readonly hole: boolean;
}

export interface ContourOptions {
  /** How far the outline may leave the exact one, in mask pixels. */
  readonly tolerance?: number;
  /** Size of a mask pixel in the wanted unit (scene pixels). */
  readonly scaleX?: number;
  readonly scaleY?: number;
  /** The outline runs where the coverage passes this value, 0..255. */
  readonly level?: number;
}

/** Sides of a cell between four pixel centres. */
const TOP = 0;
const RIGHT = 1;
const BOTTOM = 2;
const LEFT = 3;
type Side = typeof TOP | typeof RIGHT | typeof BOTTOM | typeof LEFT;

/**
 * For each of the sixteen ways in which the corners (top left 1, top right 2, bottom right 4, bottom left 8) are
 * covered: from which side to which the outline runs, covered area to its right. The two saddles are decided by the
 * middle of the cell.
 */
const RUNS: readonly (readonly (readonly [Side, Side])[])[] = [
  [],
  [[TOP, LEFT]],
  [[RIGHT, TOP]],
  [[RIGHT, LEFT]],
  [[BOTTOM, RIGHT]],
  [], // saddle
  [[BOTTOM, TOP]],
  [[BOTTOM, LEFT]],
  [[LEFT, BOTTOM]],
  [[TOP, BOTTOM]],
  [], // saddle
  [[RIGHT, BOTTOM]],
  [[LEFT, RIGHT]],
  [[TOP, RIGHT]],
  [[LEFT, TOP]],
  [],
];
const SADDLE_JOINED: Readonly<Record<number, readonly (readonly [Side, Side])[]>> = {
  5: [
    [TOP, RIGHT],
    [BOTTOM, LEFT],
  ],
  10: [
    [LEFT, TOP],
    [RIGHT, BOTTOM],
  ],
};
const SADDLE_APART: Readonly<Record<number, readonly (readonly [Side, Side])[]>> = {
  5: [
    [TOP, LEFT],
    [BOTTOM, RIGHT],
  ],
  10: [
    [RIGHT, TOP],
    [LEFT, BOTTOM],
  ],
};

/**
 * The outlines of a mask by marching squares: they pass between pixel centres where the interpolated coverage has the
 * level, so soft edges give smooth outlines. Beyond the mask everything counts as uncovered; outlines are closed along
 * its border.
 */
export function maskContours(mask: Mask, options: ContourOptions = {}): Contour[] {
  const { tolerance = 0.25, scaleX = 1, scaleY = 1, level = 127.5 } = options;
  const bounds = maskBounds(mask, Math.max(1, Math.ceil(level)));
  if (!bounds) return [];
  const { width, height, data } = mask;
  const at = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= width || y >= height ? 0 : (data[y * width + x] ?? 0);
  // Sides are numbered by the pixel at their upper or left end: even ones lie between x neighbours, odd ones between y.
  const stride = width + 2;
  const sideId = (x: number, y: number, side: Side): number => {
    switch (side) {
      case TOP:
        return 2 * ((y + 1) * stride + x + 1);
      case BOTTOM:
        return 2 * ((y + 2) * stride + x + 1);
      case LEFT:
        return 2 * ((y + 1) * stride + x + 1) + 1;
      case RIGHT:
        return 2 * ((y + 1) * stride + x + 2) + 1;
    }
  };
  const next = new Map<number, number>();
  for (let y = bounds.top - 1; y < bounds.bottom; y += 1) {
    // Each cell's right side is the next one's left side; rows above and below the mask are uncovered.
    const upper = y >= 0 ? y * width : -1;
    const lower = y + 1 < height ? (y + 1) * width : -1;
    let b = at(bounds.left - 1, y);
    let c = at(bounds.left - 1, y + 1);
    for (let x = bounds.left - 1; x < bounds.right; x += 1) {
      const a = b;
      const d = c;
      b = upper >= 0 && x + 1 < width ? (data[upper + x + 1] ?? 0) : 0;
      c = lower >= 0 && x + 1 < width ? (data[lower + x + 1] ?? 0) : 0;
      const kind = (a > level ? 1 : 0) | (b > level ? 2 : 0) | (c > level ? 4 : 0) | (d > level ? 8 : 0);
      if (kind === 0 || kind === 15) continue;
      const runs =
        (kind === 5 || kind === 10 ? ((a + b + c + d) / 4 > level ? SADDLE_JOINED : SADDLE_APART)[kind] : RUNS[kind]) ??
        [];
      for (const [from, to] of runs) next.set(sideId(x, y, from), sideId(x, y, to));
    }
  }
  const place = (id: number): Point => {
    const cell = id >> 1;
    const y = Math.floor(cell / stride) - 1;
    const x = (cell % stride) - 1;
    const first = at(x, y);
    const second = id & 1 ? at(x, y + 1) : at(x + 1, y);
    const t = (level - first) / (second - first);
    return id & 1 ? [(x + 0.5) * scaleX, (y + 0.5 + t) * scaleY] : [(x + 0.5 + t) * scaleX, (y + 0.5) * scaleY];
  };
  const contours: Contour[] = [];
  for (const start of next.keys()) {
    const points: Point[] = [];
    let id = start;
    for (let to = next.get(id); to !== undefined; to = next.get(id)) {
      points.push(place(id));
      next.delete(id);
      id = to;
    }
    if (points.length < 3) continue;
    const hole = signedArea(points) < 0;
    const simple = simplifyRing(points, tolerance * Math.sqrt(scaleX * scaleY));
    if (simple.length >= 3) contours.push({ points: simple, hole });
  }
  return contours;
}

/** Positive for rings that run clockwise on a screen (y down). */
export function signedArea(points: readonly Point[]): number {
  let sum = 0;
  let [px, py] = points.at(-1) ?? [0, 0];
  for (const [x, y] of points) {
    sum += px * y - x * py;
    px = x;
    py = y;
  }
  return sum / 2;
}

/** Ramer-Douglas-Peucker on a ring, cut at its two points that lie farthest apart (roughly). */
export function simplifyRing(points: readonly Point[], tolerance: number): Point[] {
  if (points.length < 4 || tolerance <= 0) return [...points];
  const first = points[0] ?? [0, 0];
  let far = 0;
  let most = -1;
  for (const [i, [x, y]] of points.entries()) {
    const d = (x - first[0]) ** 2 + (y - first[1]) ** 2;
    if (d > most) {
      most = d;
      far = i;
    }
  }
  const there = simplifyLine(points.slice(0, far + 1), tolerance);
  const back = simplifyLine([...points.slice(far), first], tolerance);
  return [...there.slice(0, -1), ...back.slice(0, -1)];
}

/** Ramer-Douglas-Peucker: the ends stay, every left-out point lies within `tolerance` of the rest. */
export function simplifyLine(points: readonly Point[], tolerance: number): Point[] {
  if (points.length < 3) return [...points];
  const keep = new Uint8Array(points.length);
  keep[0] = 1;
  keep[points.length - 1] = 1;
  const stack: [number, number][] = [[0, points.length - 1]];
  for (let span = stack.pop(); span; span = stack.pop()) {
    const [from, to] = span;
    const [ax, ay] = points[from] ?? [0, 0];
    const [bx, by] = points[to] ?? [0, 0];
    const dx = bx - ax;
    const dy = by - ay;
    const length2 = dx * dx + dy * dy;
    let worst = tolerance * tolerance;
    let at = -1;
    for (let i = from + 1; i < to; i += 1) {
      const [x, y] = points[i] ?? [0, 0];
      const t = length2 > 0 ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length2)) : 0;
      const d = (x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2;
      if (d > worst) {
        worst = d;
        at = i;
      }
    }
    if (at < 0) continue;
    keep[at] = 1;
    stack.push([from, at], [at, to]);
  }
  return points.filter((_, i) => keep[i] === 1);
}

/** SVG path data of outlines; fill with either rule, since holes run the other way round. */
export function contoursToPath(contours: readonly Contour[], digits = 2): string {
  const n = (value: number): string => String(Number(value.toFixed(digits)));
  return contours
    .map(({ points }) => `${points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${n(x)} ${n(y)}`).join('')}Z`)
    .join('');
}
