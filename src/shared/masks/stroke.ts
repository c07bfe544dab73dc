import type { Affine, StrokePoint } from '../document/geometry.ts';
import { similarityScale } from './affine.ts';
import { fillPolylines } from './fill.ts';
import type { PaintOp } from './fill.ts';
import type { Mask } from './mask.ts';

/** Output pixels by which a stroke may be simplified: below what coverage in 1/255 lets one see. */
const TOLERANCE = 0.06;

/** No part of a pixel lies farther from its centre than half its diagonal. */
const REACH = Math.SQRT1_2;

/**
 * Share of a unit pixel on the inner side of a straight edge, exactly.
 * @param distance of the pixel's centre from the edge, positive outside
 * @param nx, ny the edge's unit normal
 */
function halfPlane(distance: number, nx: number, ny: number): number {
  const p = nx < 0 ? -nx : nx;
  const q = ny < 0 ? -ny : ny;
  const major = p > q ? p : q;
  const minor = p > q ? q : p;
  const off = distance < 0 ? -distance : distance;
  // Across the pixel the share falls linearly, then, once the edge cuts a corner, as the triangle that is left.
  let outer: number;
  if (off >= (major + minor) / 2) outer = 0;
  else if (off <= (major - minor) / 2) outer = 0.5 - off / major;
  else outer = ((major + minor) / 2 - off) ** 2 / (2 * major * minor);
  return distance < 0 ? 1 - outer : outer;
}

/**
 * Paints a brush stroke: discs of diameter `width` times pressure along the polyline, united, so round caps and joins.
 * Each piece between two points is the hull of two discs; its coverage comes from the signed distance to that hull.
 * Pieces are united by the larger coverage, so overlapping pieces leave no seams and no thickened edges.
 */
export function paintStroke(
  target: Mask,
  points: readonly StrokePoint[],
  width: number,
  matrix: Affine,
  op: PaintOp,
): void {
  const scale = similarityScale(matrix);
  if (scale === null) {
    paintSkewedStroke(target, points, width, matrix, op);
    return;
  }
  if (!(scale > 0)) return;
  const line = simplifyStroke(mapStroke(points, width / 2, scale, matrix));
  const first = line[0];
  if (!first) return;
  const painter = new PiecePainter(target, op);
  if (line.length === 1) painter.paint(first, first);
  for (let i = 0; i + 1 < line.length; i += 1) {
    const a = line[i];
    const b = line[i + 1];
    if (a && b) painter.paint(a, b);
  }
}

/** A disc in output pixels. */
interface Disc {
  readonly x: number;
  readonly y: number;
  readonly r: number;
}

function mapStroke(points: readonly StrokePoint[], radius: number, scale: number, matrix: Affine): Disc[] {
  const [a, b, c, d, e, f] = matrix;
  return points.map(([x, y, pressure]) => ({
    x: a * x + c * y + e,
    y: b * x + d * y + f,
    r: radius * pressure * scale,
  }));
}

/** Ramer-Douglas-Peucker over x, y and radius, without recursion; the ends stay. */
function simplifyStroke(line: readonly Disc[]): Disc[] {
  if (line.length < 3) return [...line];
  const keep = new Uint8Array(line.length);
  keep[0] = 1;
  keep[line.length - 1] = 1;
  // Very long runs are cut up front, so that a spiral of 20,000 points stays near linear.
  const stack: [number, number][] = [];
  const run = 256;
  for (let start = 0; start < line.length - 1; start += run) {
    const end = Math.min(line.length - 1, start + run);
    keep[end] = 1;
    stack.push([start, end]);
  }
  for (let span = stack.pop(); span; span = stack.pop()) {
    const [from, to] = span;
    const a = line[from];
    const b = line[to];
    if (!a || !b || to - from < 2) continue;
    const dx = b.x - a.x;
    const dy = b.y - a.y;
    const dr = b.r - a.r;
    const length2 = dx * dx + dy * dy;
    let worst = 0;
    let at = -1;
    for (let i = from + 1; i < to; i += 1) {
      const p = line[i];
      if (!p) continue;
      const t = length2 > 0 ? Math.min(1, Math.max(0, ((p.x - a.x) * dx + (p.y - a.y) * dy) / length2)) : 0;
      const off = Math.hypot(p.x - a.x - t * dx, p.y - a.y - t * dy) + Math.abs(p.r - a.r - t * dr);
      if (off > worst) {
        worst = off;
        at = i;
      }
    }
    if (worst <= TOLERANCE || at < 0) continue;
    keep[at] = 1;
    stack.push([from, at], [at, to]);
  }
  return line.filter((_, i) => keep[i] === 1);
}

/** Paints pieces of one stroke, each the hull of two discs, remembering what they have filled wholly. */
class PiecePainter {
  readonly #data: Uint8Array;
  readonly #width: number;
  readonly #height: number;
  readonly #add: boolean;
  /** Per row a stretch of pixels that this stroke has covered wholly: pieces overlap, most of each is there already. */
  readonly #doneFrom: Int32Array;
  readonly #doneTo: Int32Array;

  #a: Disc = { x: 0, y: 0, r: 0 };
  #b: Disc = { x: 0, y: 0, r: 0 };
  #length = 0;
  /** Direction from the first disc to the second, and the lean of the outer tangents against it. */
  #ux = 1;
  #uy = 0;
  #sin = 0;
  #cos = 1;
  #left = 0;
  #right = -1;

  constructor(target: Mask, op: PaintOp) {
    this.#data = target.data;
    this.#width = target.width;
    this.#height = target.height;
    this.#add = op === 'add';
    this.#doneFrom = new Int32Array(target.height);
    this.#doneTo = new Int32Array(target.height);
  }

  paint(first: Disc, second: Disc): void {
    if (!this.#take(first, second)) return;
    const [a, b] = [this.#a, this.#b];
    const top = Math.max(0, Math.floor(Math.min(a.y - a.r, b.y - b.r) - REACH));
    const bottom = Math.min(this.#height, Math.ceil(Math.max(a.y + a.r, b.y + b.r) + REACH));
    for (let row = top; row < bottom; row += 1) {
      const y = row + 0.5;
      this.#crossRow(y, REACH);
      if (!(this.#left <= this.#right)) continue;
      const from = Math.max(0, Math.floor(this.#left - 0.5));
      const to = Math.min(this.#width, Math.ceil(this.#right + 0.5));
      const doneFrom = this.#doneFrom[row] ?? 0;
      const doneTo = this.#doneTo[row] ?? 0;
      if (from >= to || (from >= doneFrom && to <= doneTo)) continue;
      this.#crossRow(y, -REACH);
      const solidFrom = Math.max(from, Math.ceil(this.#left - 0.5));
      const solidTo = Math.min(to, Math.floor(this.#right - 0.5) + 1);
      if (!(this.#left <= this.#right) || solidFrom >= solidTo) {
        this.#paintEdge(row, from, to, doneFrom, doneTo);
        continue;
      }
      this.#paintEdge(row, from, solidFrom, doneFrom, doneTo);
      this.#paintEdge(row, solidTo, to, doneFrom, doneTo);
      this.#fill(row, solidFrom, solidTo, doneFrom, doneTo);
    }
  }

  /** Sets up the hull of two discs; false if there is nothing of it. */
  #take(first: Disc, second: Disc): boolean {
    const dx = second.x - first.x;
    const dy = second.y - first.y;
    const length = Math.hypot(dx, dy);
    if (first.r <= 0 && second.r <= 0) return false;
    if (length <= Math.abs(first.r - second.r) + 1e-9) {
      // One disc holds the other.
      this.#a = this.#b = first.r >= second.r ? first : second;
      this.#length = this.#sin = this.#uy = 0;
      this.#ux = this.#cos = 1;
      return true;
    }
    this.#a = first;
    this.#b = second;
    this.#length = length;
    this.#ux = dx / length;
    this.#uy = dy / length;
    this.#sin = (first.r - second.r) / length;
    this.#cos = Math.sqrt(1 - this.#sin * this.#sin);
    return true;
  }

  /** Where a row crosses the hull with its discs enlarged by `grow`: left to right, empty if right < left. */
  #crossRow(y: number, grow: number): void {
    this.#left = Infinity;
    this.#right = -Infinity;
    const a = this.#a;
    const b = this.#b;
    const ra = a.r + grow;
    const rb = b.r + grow;
    this.#crossDisc(y, a.x, a.y, ra);
    if (this.#length === 0) return;
    this.#crossDisc(y, b.x, b.y, rb);
    if (ra <= 0 || rb <= 0) return;
    this.#crossTangent(y, ra, rb, -1);
    this.#crossTangent(y, ra, rb, 1);
  }

  #crossDisc(y: number, cx: number, cy: number, r: number): void {
    const dy = y - cy;
    if (r <= 0 || dy > r || dy < -r) return;
    const half = Math.sqrt(r * r - dy * dy);
    if (cx - half < this.#left) this.#left = cx - half;
    if (cx + half > this.#right) this.#right = cx + half;
  }

  /** Between the discs the outline follows one of the two outer tangents. */
  #crossTangent(y: number, ra: number, rb: number, side: number): void {
    const nx = this.#sin * this.#ux - side * this.#cos * this.#uy;
    const ny = this.#sin * this.#uy + side * this.#cos * this.#ux;
    const y0 = this.#a.y + ra * ny;
    const y1 = this.#b.y + rb * ny;
    if ((y < y0 && y < y1) || (y > y0 && y > y1) || y0 === y1) return;
    const x0 = this.#a.x + ra * nx;
    const x = x0 + ((y - y0) / (y1 - y0)) * (this.#b.x + rb * nx - x0);
    if (x < this.#left) this.#left = x;
    if (x > this.#right) this.#right = x;
  }

  #fill(row: number, from: number, to: number, doneFrom: number, doneTo: number): void {
    const base = row * this.#width;
    const value = this.#add ? 255 : 0;
    const joined = doneFrom < doneTo && from <= doneTo && to >= doneFrom;
    if (!joined) {
      this.#data.fill(value, base + from, base + to);
      // Of two stretches apart the latest is remembered: the next piece will be near it.
      this.#doneFrom[row] = from;
      this.#doneTo[row] = to;
      return;
    }
    if (from < doneFrom) {
      this.#data.fill(value, base + from, base + doneFrom);
      this.#doneFrom[row] = from;
    }
    if (to > doneTo) {
      this.#data.fill(value, base + doneTo, base + to);
      this.#doneTo[row] = to;
    }
  }

  /** Paints pixels that the outline may cross, but those already covered wholly. */
  #paintEdge(row: number, from: number, to: number, doneFrom: number, doneTo: number): void {
    if (doneFrom >= doneTo || doneTo <= from || doneFrom >= to) this.#paintPixels(row, from, to);
    else {
      if (from < doneFrom) this.#paintPixels(row, from, doneFrom);
      if (doneTo < to) this.#paintPixels(row, doneTo, to);
    }
  }

  #paintPixels(row: number, from: number, to: number): void {
    const data = this.#data;
    const a = this.#a;
    const b = this.#b;
    const length = this.#length;
    const ux = this.#ux;
    const uy = this.#uy;
    const sin = this.#sin;
    const cos = this.#cos;
    const base = row * this.#width;
    const full = this.#add ? 255 : 0;
    const py = row + 0.5 - a.y;
    for (let x = from; x < to; x += 1) {
      const was = data[base + x] ?? 0;
      if (was === full) continue;
      const px = x + 0.5 - a.x;
      const along = px * ux + py * uy;
      let across = px * uy - py * ux;
      const side = across < 0 ? -1 : 1;
      across *= side;
      const onTangent = along * cos - across * sin;
      let distance: number;
      let radius: number;
      let nx: number;
      let ny: number;
      if (onTangent <= 0) {
        const far = Math.sqrt(px * px + py * py) || 1e-9;
        nx = px / far;
        ny = py / far;
        radius = a.r;
        distance = far - radius;
      } else if (onTangent >= length * cos) {
        const qx = px - length * ux;
        const qy = py - length * uy;
        const far = Math.sqrt(qx * qx + qy * qy) || 1e-9;
        nx = qx / far;
        ny = qy / far;
        radius = b.r;
        distance = far - radius;
      } else {
        nx = sin * ux + side * cos * uy;
        ny = sin * uy - side * cos * ux;
        radius = a.r + ((b.r - a.r) * onTangent) / (length * cos);
        distance = along * sin + across * cos - a.r;
      }
      // Near one edge, less what already lies beyond the opposite one (for lines thinner than a pixel).
      const amount = halfPlane(distance, nx, ny) - halfPlane(distance + 2 * radius, nx, ny);
      if (amount <= 0) continue;
      const value = amount >= 1 ? 255 : (amount * 255 + 0.5) | 0;
      if (this.#add) {
        if (value > was) data[base + x] = value;
      } else if (255 - value < was) data[base + x] = 255 - value;
    }
  }
}

/** Under a map that turns discs into ellipses each piece is filled as the polygon of its hull. */
function paintSkewedStroke(
  target: Mask,
  points: readonly StrokePoint[],
  width: number,
  matrix: Affine,
  op: PaintOp,
): void {
  const [ma, mb, mc, md, me, mf] = matrix;
  const reach = Math.hypot(ma, mb, mc, md);
  const local = simplifyStroke(
    points.map(([x, y, pressure]) => ({ x: x * reach, y: y * reach, r: (width / 2) * pressure * reach })),
  ).map(({ x, y, r }) => ({ x: x / reach, y: y / reach, r: r / reach }));
  const hull = (a: Disc, b: Disc): void => {
    const big = a.r >= b.r ? a : b;
    const length = Math.hypot(b.x - a.x, b.y - a.y);
    const single = length <= Math.abs(a.r - b.r) + 1e-9;
    if (big.r <= 0) return;
    const pieces = Math.min(256, Math.max(16, Math.ceil(6 * Math.sqrt(big.r * reach))));
    const out: number[] = [];
    const arc = (disc: Disc, from: number, sweep: number): void => {
      const n = Math.max(2, Math.ceil((pieces * sweep) / (2 * Math.PI)));
      for (let i = 0; i <= n; i += 1) {
        const angle = from + (sweep * i) / n;
        const x = disc.x + disc.r * Math.cos(angle);
        const y = disc.y + disc.r * Math.sin(angle);
        out.push(ma * x + mc * y + me, mb * x + md * y + mf);
      }
    };
    if (single) arc(big, 0, 2 * Math.PI);
    else {
      const heading = Math.atan2(b.y - a.y, b.x - a.x);
      const lean = Math.acos((a.r - b.r) / length);
      arc(b, heading - lean, 2 * lean);
      arc(a, heading + lean, 2 * Math.PI - 2 * lean);
    }
    fillPolylines(target, { points: out, starts: [0] }, 'nonzero', op);
  };
  const first = local[0];
  if (first && local.length === 1) hull(first, first);
  for (let i = 0; i + 1 < local.length; i += 1) {
    const a = local[i];
    const b = local[i + 1];
    if (a && b) hull(a, b);
  }
}
