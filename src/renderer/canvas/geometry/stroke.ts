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

/**
 * Turns pointer samples into a stroke: steadies them as they come (what is drawn live is what is kept) and
 * simplifies at the end. Distances are measured on the screen, so a stroke at 800 % keeps eight times the detail.
 */
export class StrokeBuilder {
  readonly points: StrokePoint[] = [];
  readonly #zoom: number;
  readonly #width: number;
  readonly #x = new OneEuroFilter(4, 0.05);
  readonly #y = new OneEuroFilter(4, 0.05);
  readonly #pressure = new OneEuroFilter(8, 1);
  #last: PenSample | undefined;

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
      const previous = this.points.at(-1);
      if (previous && Math.hypot(previous[0] - x, previous[1] - y) * this.#zoom < 0.25) continue;
      if (this.points.length < LIMITS.pointsPerStroke) this.points.push([round(x), round(y), round(pressure)]);
    }
    return before;
  }

  /** Draws on to where the pen was lifted: the filter lags by a few pixels. Returns the count before. */
  finish(): number {
    const before = this.points.length;
    const last = this.#last;
    const tail = this.points.at(-1);
    if (last && tail && Math.hypot(last.x - tail[0], last.y - tail[1]) * this.#zoom >= 0.25) {
      if (this.points.length < LIMITS.pointsPerStroke) this.points.push([round(last.x), round(last.y), tail[2]]);
    }
    return before;
  }

  /** The stroke as the document keeps it: within 0.3 screen pixels of what was drawn. */
  simplified(): StrokePoint[] {
    return simplify(this.points, 0.3 / this.#zoom, [1, 1, this.#width / 2]);
  }
}

/** Hundredths of a pixel are enough at 3200 % and keep the document small. */
const round = (value: number): number => Math.round(value * 100) / 100;
