import type { Rect } from '../geometry/boxes.ts';
import type { Size, Viewport } from '../viewport/viewport.ts';
import { paintStretch } from './live-stroke.ts';
import type { LiveStroke, Paints } from './live-stroke.ts';

/** Deviations reached by a blur. */
const REACH = 3;
/** The largest blur in screen pixels: far in, the whole screen lies within the edge anyway. */
const WIDEST = 96;

/**
 * Strokes with soft edges while they are drawn. Softening is not additive (two halves of a stroke, softened apart,
 * leave a seam), so the strokes are gathered crisp on a sheet of their own, and the part that has changed is softened
 * from there as a whole.
 */
export class SoftStrokes {
  readonly erase: boolean;
  readonly softness: number;
  readonly #strokes: LiveStroke[] = [];
  readonly #sheet = new OffscreenCanvas(1, 1);
  readonly #context = this.#sheet.getContext('2d');
  #view: Viewport = { zoom: 1, x: 0, y: 0 };

  constructor({ erase, softness }: LiveStroke) {
    this.erase = erase;
    this.softness = softness;
  }

  /** Strokes that are softened by the same amount and do the same are softened together. */
  takes(stroke: LiveStroke): boolean {
    return stroke.erase === this.erase && stroke.softness === this.softness;
  }

  add(stroke: LiveStroke): void {
    this.#strokes.push(stroke);
  }

  /** Takes the last stroke back; layOut() shows it. @returns whether another one is left */
  drop(): boolean {
    this.#strokes.pop();
    return this.#strokes.length > 0;
  }

  /** Gathers the strokes anew for another view. @param view in pixels of the screen */
  layOut(view: Viewport, { width, height }: Size): void {
    this.#view = view;
    this.#sheet.width = width;
    this.#sheet.height = height;
    for (const stroke of this.#strokes) this.#gather(stroke, 0);
  }

  /** Gathers what the last stroke has gained since it had `from` points. */
  extend(from: number): void {
    const stroke = this.#strokes.at(-1);
    if (stroke) this.#gather(stroke, from);
  }

  /** Screen pixels around a stretch that its softened edge reaches. */
  get reach(): number {
    return Math.ceil(REACH * this.#deviation) + 1;
  }

  /** Paints the strokes, softened, within a box of whole screen pixels that the caller has cleared and clipped to. */
  paint(context: Paints, box: Rect): void {
    const { reach } = this;
    const left = Math.max(0, box.x - reach);
    const top = Math.max(0, box.y - reach);
    const width = Math.min(this.#sheet.width, box.x + box.width + reach) - left;
    const height = Math.min(this.#sheet.height, box.y + box.height + reach) - top;
    if (width <= 0 || height <= 0) return;
    context.save();
    context.resetTransform();
    context.globalCompositeOperation = this.erase ? 'destination-out' : 'source-over';
    context.filter = `blur(${this.#deviation}px)`;
    context.drawImage(this.#sheet, left, top, width, height, left, top, width, height);
    context.restore();
  }

  get #deviation(): number {
    return Math.min(WIDEST, this.softness * this.#view.zoom);
  }

  #gather(stroke: LiveStroke, from: number): void {
    const { zoom, x, y } = this.#view;
    this.#context?.setTransform(zoom, 0, 0, zoom, x, y);
    if (this.#context) paintStretch(this.#context, stroke, from);
  }
}
