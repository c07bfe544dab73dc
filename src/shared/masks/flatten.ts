import type { Affine, Point } from '../document/geometry.ts';
import { affineReach } from './affine.ts';
import type { Polylines } from './fill.ts';
import type { PathCommand } from './svg-path.ts';

/** Area in output pixels by which one curve and its polyline may differ. */
const AREA_ERROR = 0.03;
const MAX_PIECES = 4096;

/** Path data may hold any number; beyond this nothing on a canvas can tell the difference. */
const FAR = 1e7;
const bounded = (value: number): number => (value > FAR ? FAR : value < -FAR ? -FAR : value === value ? value : 0);

/** Pieces for a curve whose middle lies `sagitta` from its chord and which is `length` long, in output pixels. */
function piecesFor(sagitta: number, length: number): number {
  // Each of n pieces leaves 2/3 of its own sagitta (1/n² of the whole) times its chord.
  const pieces = Math.ceil(Math.sqrt(((2 / 3) * sagitta * length) / AREA_ERROR));
  return Math.min(MAX_PIECES, Math.max(1, Number.isFinite(pieces) ? pieces : MAX_PIECES));
}

/** Collects closed polylines in output pixels from points in the shape's own space. */
class Flattener implements Polylines {
  readonly points: number[] = [];
  readonly starts: number[] = [];
  readonly #matrix: Affine;

  constructor(matrix: Affine) {
    this.#matrix = matrix;
  }

  begin(): void {
    this.starts.push(this.points.length);
  }

  add(x: number, y: number): void {
    const [a, b, c, d, e, f] = this.#matrix;
    this.points.push(bounded(a * x + c * y + e), bounded(b * x + d * y + f));
  }
}

/** One closed polygon. */
export function flattenPolygon(points: readonly Point[], matrix: Affine): Polylines {
  const out = new Flattener(matrix);
  out.begin();
  for (const [x, y] of points) out.add(x, y);
  return out;
}

/** An ellipse as a polygon of exactly its area (the vertices lie a hair outside the curve). */
export function flattenEllipse(cx: number, cy: number, rx: number, ry: number, matrix: Affine): Polylines {
  const out = new Flattener(matrix);
  if (!(rx > 0 && ry > 0)) return out;
  const radius = Math.max(rx, ry) * affineReach(matrix);
  const pieces = Math.min(MAX_PIECES, Math.max(32, Math.ceil(24 * Math.sqrt(radius))));
  const angle = (2 * Math.PI) / pieces;
  const swell = Math.sqrt(angle / Math.sin(angle));
  out.begin();
  for (let i = 0; i < pieces; i += 1)
    out.add(cx + rx * swell * Math.cos(i * angle), cy + ry * swell * Math.sin(i * angle));
  return out;
}

/** Path commands as closed polylines; open subpaths are closed, as filling demands. */
export function flattenPath(commands: readonly PathCommand[], matrix: Affine): Polylines {
  const out = new Flattener(matrix);
  const reach = affineReach(matrix);
  let x = 0;
  let y = 0;
  let startX = 0;
  let startY = 0;
  let open = false;
  const ensureOpen = (): void => {
    if (open) return;
    // After Z drawing goes on from the start of the closed subpath.
    out.begin();
    out.add(x, y);
    open = true;
  };
  for (const command of commands) {
    switch (command.type) {
      case 'M':
        x = startX = command.x;
        y = startY = command.y;
        open = false;
        break;
      case 'L':
        ensureOpen();
        x = command.x;
        y = command.y;
        out.add(x, y);
        break;
      case 'C': {
        ensureOpen();
        const { x1, y1, x2, y2 } = command;
        // The largest second difference bounds the distance from the chord (Wang's formula: 3/4 of it, n = 1).
        const bend = Math.max(
          Math.hypot(x - 2 * x1 + x2, y - 2 * y1 + y2),
          Math.hypot(x1 - 2 * x2 + command.x, y1 - 2 * y2 + command.y),
        );
        const length =
          Math.hypot(x1 - x, y1 - y) + Math.hypot(x2 - x1, y2 - y1) + Math.hypot(command.x - x2, command.y - y2);
        const n = piecesFor(0.75 * bend * reach, length * reach);
        for (let i = 1; i <= n; i += 1) {
          const t = i / n;
          const s = 1 - t;
          const [p, q, r, u] = [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t];
          out.add(p * x + q * x1 + r * x2 + u * command.x, p * y + q * y1 + r * y2 + u * command.y);
        }
        x = command.x;
        y = command.y;
        break;
      }
      case 'Q': {
        ensureOpen();
        const { x1, y1 } = command;
        const bend = Math.hypot(x - 2 * x1 + command.x, y - 2 * y1 + command.y);
        const length = Math.hypot(x1 - x, y1 - y) + Math.hypot(command.x - x1, command.y - y1);
        const n = piecesFor(0.25 * bend * reach, length * reach);
        for (let i = 1; i <= n; i += 1) {
          const t = i / n;
          const s = 1 - t;
          out.add(s * s * x + 2 * s * t * x1 + t * t * command.x, s * s * y + 2 * s * t * y1 + t * t * command.y);
        }
        x = command.x;
        y = command.y;
        break;
      }
      case 'A':
        ensureOpen();
        addArc(out, x, y, command, reach);
        x = command.x;
        y = command.y;
        break;
      case 'Z':
        x = startX;
        y = startY;
        open = false;
        break;
    }
  }
  return out;
}

/** An arc by its end points (SVG 2, appendix B.2.4 and B.2.5). */
function addArc(out: Flattener, x0: number, y0: number, arc: PathCommand & { type: 'A' }, reach: number): void {
  const { x, y } = arc;
  let { rx, ry } = arc;
  if (rx === 0 || ry === 0 || (x0 === x && y0 === y)) {
    out.add(x, y);
    return;
  }
  const turn = (arc.rotation * Math.PI) / 180;
  const cos = Math.cos(turn);
  const sin = Math.sin(turn);
  const px = (cos * (x0 - x) + sin * (y0 - y)) / 2;
  const py = (-sin * (x0 - x) + cos * (y0 - y)) / 2;
  const excess = (px / rx) ** 2 + (py / ry) ** 2;
  if (excess > 1) {
    // Radii too small to span the end points are enlarged until they just do.
    rx *= Math.sqrt(excess);
    ry *= Math.sqrt(excess);
  }
  const ratio = Math.max(0, (rx * ry) ** 2 - (rx * py) ** 2 - (ry * px) ** 2) / ((rx * py) ** 2 + (ry * px) ** 2);
  const factor = Math.sqrt(ratio) * (arc.large === arc.sweep ? -1 : 1);
  const qx = (factor * rx * py) / ry;
  const qy = (-factor * ry * px) / rx;
  const cx = cos * qx - sin * qy + (x0 + x) / 2;
  const cy = sin * qx + cos * qy + (y0 + y) / 2;
  const from = Math.atan2((py - qy) / ry, (px - qx) / rx);
  const to = Math.atan2((-py - qy) / ry, (-px - qx) / rx);
  let sweep = to - from;
  if (arc.sweep && sweep < 0) sweep += 2 * Math.PI;
  else if (!arc.sweep && sweep > 0) sweep -= 2 * Math.PI;
  const radius = Math.max(rx, ry) * reach;
  const n = piecesFor(radius * (1 - Math.cos(Math.min(Math.PI, Math.abs(sweep)) / 2)), radius * Math.abs(sweep));
  for (let i = 1; i < n; i += 1) {
    const angle = from + (sweep * i) / n;
    const u = rx * Math.cos(angle);
    const v = ry * Math.sin(angle);
    out.add(cx + cos * u - sin * v, cy + sin * u + cos * v);
  }
  out.add(x, y);
}
