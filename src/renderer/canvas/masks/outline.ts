import type { Point } from '#shared/document/geometry.ts';
import type { Rect } from '../geometry/boxes.ts';
import { simplify } from '../geometry/simplify.ts';
import type { TraceAnswer } from './protocol.ts';

/** Screen pixels by which a line may leave the outline: less than can be seen, and half of the points are gone. */
const UNSEEN = 0.15;
/** From this power of two on outlines are painted as they were traced (0.12 of a pixel of a mask of 1,536 or so). */
const FINEST_LEVEL = 1;

/** A segment's area as it is drawn: outlines in scene pixels, and for soft edges an alpha picture. */
export class Outline {
  /** To be filled by the even-odd rule. */
  readonly path: Path2D;
  readonly bounds: Rect | undefined;
  readonly soft: ImageBitmap | undefined;
  #top: Point | undefined;
  /** By the power of two of the zoom that they are good for. */
  readonly #simpler = new Map<number, Path2D>();
  readonly #points: Float32Array;
  readonly #starts: Uint32Array;

  constructor({ points, starts, bounds, soft }: TraceAnswer) {
    this.#points = points;
    this.#starts = starts;
    this.bounds = bounds;
    this.soft = soft;
    this.path = toPath(this.rings());
  }

  /**
   * The outline as it is painted: what is traced finely for a close look costs the most where it is seen from afar.
   * @param zoom pixels of the screen per scene pixel
   */
  pathAt(zoom: number): Path2D {
    const level = Math.ceil(Math.log2(zoom));
    if (level >= FINEST_LEVEL) return this.path;
    let path = this.#simpler.get(level);
    if (!path) {
      path = toPath(this.rings().map((ring) => simplify(ring, UNSEEN / 2 ** level)));
      this.#simpler.set(level, path);
    }
    return path;
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
}

function toPath(rings: readonly (readonly Point[])[]): Path2D {
  const path = new Path2D();
  for (const ring of rings) {
    for (const [index, [x, y]] of ring.entries())
      if (index === 0) path.moveTo(x, y);
      else path.lineTo(x, y);
    path.closePath();
  }
  return path;
}
