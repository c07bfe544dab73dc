import type { StrokePoint } from '#shared/document/geometry.ts';
import { LIMITS } from '#shared/document/limits.ts';
import { OneEuroFilter } from './one-euro.ts';
import { simplify } from './simplify.ts';

/** One sample of a pointer, in scene pixels. */
export interface PenSample {
  readonly x: number;
  readonly y: number;
  /** 0..1; mice report a constant and are read as 1 by the caller. */
  readonly pressure: number;
  /** Milliseconds on any clock that only rises. */
  readonly time: number;
}

/** A width below which a light touch does not sink, as a fraction of the brush. */
const LIGHTEST = 0.08;

/** Screen pixels between the points that a curve is written down with, before simplification. */
const CURVE_STEP = 3;
const CURVE_PIECES = 24;

/**
 * Turns pointer samples into a stroke: steadies them as they come (what is drawn live is what is kept) and
 * simplifies at the end. A fast hand leaves samples far apart: between their middles the stroke runs along quadratic
 * curves with the samples as control points. Distances are measured on the screen, so a stroke at 800 % keeps eight
 * times the detail.
 */
export class StrokeBuilder {
  readonly points: StrokePoint[] = [];
  readonly #zoom: number;
  readonly #width: number;
  readonly #x = new OneEuroFilter(4, 0.05);
  readonly #y = new OneEuroFilter(4, 0.05);
  readonly #pressure = new OneEuroFilter(8, 1);
  #last: PenSample | undefined;
  /** The last two filtered samples. */
  #before: StrokePoint | undefined;
  #latest: StrokePoint | undefined;

  /** @param zoom screen pixels per scene pixel; @param width the brush's diameter in scene pixels */
  constructor(zoom: number, width: number) {
    this.#zoom = zoom;
    this.#width = width;
  }

  /** Adds samples; returns how many points were there before, so that only the new stretch is drawn. */
  add(samples: readonly PenSample[]): number {
    const before = this.points.length;
    for (const sample of samples) {
      const seconds = sample.time / 1000;
      // filtered in screen pixels: the hand shakes by the same amount at any zoom
      const x = this.#x.next(sample.x * this.#zoom, seconds) / this.#zoom;
      const y = this.#y.next(sample.y * this.#zoom, seconds) / this.#zoom;
      const pressure = Math.max(LIGHTEST, Math.min(1, this.#pressure.next(sample.pressure, seconds)));
      this.#last = sample;
      const latest = this.#latest;
      if (latest && Math.hypot(latest[0] - x, latest[1] - y) * this.#zoom < 0.25) continue;
      this.#curveTo([x, y, pressure]);
    }
    return before;
  }

  /** Draws on to where the pen was lifted: the filter and the curve lag by a few pixels. Returns the count before. */
  finish(): number {
    const before = this.points.length;
    if (this.#latest) this.#push(this.#latest);
    if (this.#last) this.#push([this.#last.x, this.#last.y, this.#latest?.[2] ?? 1]);
    return before;
  }

  /** The stroke as the document keeps it: within 0.3 screen pixels of what was drawn. */
  simplified(): StrokePoint[] {
    return simplify(this.points, 0.3 / this.#zoom, [1, 1, this.#width / 2]);
  }

  /** Goes on from the middle before the last sample to the middle after it, around that sample. */
  #curveTo(next: StrokePoint): void {
    const control = this.#latest;
    const previous = this.#before;
    this.#before = control;
    this.#latest = next;
    if (!control) {
      this.#push(next);
      return;
    }
    const from = previous ? middle(previous, control) : control;
    const to = middle(control, next);
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]) * this.#zoom;
    const pieces = Math.max(1, Math.min(CURVE_PIECES, Math.ceil(length / CURVE_STEP)));
    for (let piece = 1; piece <= pieces; piece += 1) {
      const t = piece / pieces;
      const a = (1 - t) ** 2;
      const b = 2 * (1 - t) * t;
      const c = t * t;
      this.#push([
        a * from[0] + b * control[0] + c * to[0],
        a * from[1] + b * control[1] + c * to[1],
        a * from[2] + b * control[2] + c * to[2],
      ]);
    }
  }

  #push([x, y, pressure]: StrokePoint): void {
    const point: StrokePoint = [round(x), round(y), round(pressure)];
    const last = this.points.at(-1);
    if (last && last[0] === point[0] && last[1] === point[1]) return;
    if (this.points.length < LIMITS.pointsPerStroke) this.points.push(point);
  }
}

const middle = (a: StrokePoint, b: StrokePoint): StrokePoint => [
  (a[0] + b[0]) / 2,
  (a[1] + b[1]) / 2,
  (a[2] + b[2]) / 2,
];

/** Hundredths of a pixel are enough at 3200 % and keep the document small. */
const round = (value: number): number => Math.round(value * 100) / 100;
