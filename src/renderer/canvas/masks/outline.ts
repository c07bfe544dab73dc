import type { Point } from '#shared/document/geometry.ts';
import type { Rect } from '../geometry/boxes.ts';
import type { TraceAnswer } from './protocol.ts';

/** A segment's area as it is drawn: outlines in scene pixels, and for soft edges an alpha picture. */
export class Outline {
  /** To be filled by the even-odd rule. */
  readonly path: Path2D;
  readonly bounds: Rect | undefined;
  readonly soft: ImageBitmap | undefined;
  #top: Point | undefined;
  readonly #points: Float32Array;
  readonly #starts: Uint32Array;

  constructor({ points, starts, bounds, soft }: TraceAnswer) {
    this.#points = points;
    this.#starts = starts;
    this.bounds = bounds;
    this.soft = soft;
    this.path = this.#toPath();
  }

  rings(): Point[][] {
    const rings: Point[][] = [];
    for (const [index, start] of this.#starts.entries()) {
      const ring: Point[] = [];
      const end = this.#starts[index + 1] ?? this.#points.length;
      for (let at = start; at < end; at += 2) ring.push([this.#points[at] ?? 0, this.#points[at + 1] ?? 0]);
      rings.push(ring);
    }
    return rings;
  }

  /** Where a label's tail would touch: the highest point, the middle one if there are several. */
  top(): Point | undefined {
    this.#top ??= this.#findTop();
    return this.#top;
  }

  #findTop(): Point | undefined {
    let y = Infinity;
    for (let at = 1; at < this.#points.length; at += 2) y = Math.min(y, this.#points[at] ?? Infinity);
    if (y === Infinity) return undefined;
    let left = Infinity;
    let right = -Infinity;
    for (let at = 0; at < this.#points.length; at += 2)
      if ((this.#points[at + 1] ?? 0) <= y + 1) {
        left = Math.min(left, this.#points[at] ?? Infinity);
        right = Math.max(right, this.#points[at] ?? -Infinity);
      }
    return [(left + right) / 2, y];
  }

  /** Gives up the alpha picture. */
  destroy(): void {
    this.soft?.close();
  }

  #toPath(): Path2D {
    const path = new Path2D();
    for (const [index, start] of this.#starts.entries()) {
      const end = this.#starts[index + 1] ?? this.#points.length;
      path.moveTo(this.#points[start] ?? 0, this.#points[start + 1] ?? 0);
      for (let at = start + 2; at < end; at += 2) path.lineTo(this.#points[at] ?? 0, this.#points[at + 1] ?? 0);
      path.closePath();
    }
    return path;
  }
}
