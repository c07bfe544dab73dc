import type { SegmentId } from '#shared/document/records.ts';
import type { Rect } from './geometry/boxes.ts';
import { paintStretch, stretchBounds } from './live/live-stroke.ts';
import type { LiveStroke } from './live/live-stroke.ts';
import { SoftStrokes } from './live/soft-strokes.ts';
import type { SegmentObject } from './scene/segment.ts';
import type { Size, Viewport } from './viewport/viewport.ts';

/**
 * Strokes while they are drawn: a canvas above the others onto which only the new stretch is painted, so that its
 * cost depends neither on the number of segments nor on the length of the stroke. What was painted stays until the
 * segment's own outline has caught up.
 */
export class LiveLayer {
  /** Whose strokes are shown; `new` for a segment that is only being begun. */
  owner: SegmentId | 'new' | undefined;
  readonly #element: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D | null;
  /** In the order they were drawn. */
  readonly #strokes: (LiveStroke | SoftStrokes)[] = [];
  #lifted: SegmentObject | undefined;
  #size: Size = { width: 0, height: 0 };
  #sheet: Size = { width: 1, height: 1 };
  #view: Viewport = { zoom: 1, x: 0, y: 0 };
  #ratio = 1;
  #dirty = false;

  constructor(element: HTMLCanvasElement) {
    this.#element = element;
    // not desynchronized: such a canvas is put together as a whole in each frame, an ordinary one where it has changed
    this.#context = element.getContext('2d');
  }

  resize(size: Size, ratio: number): void {
    if (size.width === this.#size.width && size.height === this.#size.height && ratio === this.#ratio) return;
    this.#size = size;
    this.#ratio = ratio;
    this.#element.width = Math.max(1, Math.round(size.width * ratio));
    this.#element.height = Math.max(1, Math.round(size.height * ratio));
    this.#repaint();
  }

  setViewport(view: Viewport, sheet: Size): void {
    this.#view = view;
    this.#sheet = sheet;
    if (this.#dirty) this.#repaint();
  }

  /** @param opacity of everything painted here: strokes are opaque on this layer, so that they do not darken each other */
  begin(owner: SegmentId | 'new', opacity: number): void {
    this.owner = owner;
    this.#element.style.opacity = String(opacity);
  }

  /** Shows a whole segment here, so that an eraser can take from it. */
  lift(segment: SegmentObject): void {
    this.#lifted = segment;
    this.#dirty = true;
    this.#repaint();
  }

  /** Begins a stroke. `points` grows while it is drawn; tell each growth by extend(). */
  stroke(stroke: LiveStroke): void {
    this.#dirty = true;
    if (stroke.softness === 0) {
      this.#strokes.push(stroke);
      return;
    }
    const last = this.#strokes.at(-1);
    if (last instanceof SoftStrokes && last.takes(stroke)) {
      last.add(stroke);
      return;
    }
    const soft = new SoftStrokes(stroke);
    soft.add(stroke);
    soft.layOut(this.#screenView, this.#pixels);
    this.#strokes.push(soft);
  }

  /** Paints what the last stroke has gained since it had `from` points. */
  extend(stroke: LiveStroke, from: number): void {
    const last = this.#strokes.at(-1);
    if (!last || !this.#context) return;
    if (last instanceof SoftStrokes) {
      last.extend(from);
      const bounds = stretchBounds(stroke, from);
      if (bounds) this.#compose(this.#onScreen(bounds, last.reach));
      return;
    }
    this.#context.save();
    this.#enterScene(this.#context);
    this.#paintCrisp(this.#context, last, from);
    this.#context.restore();
  }

  /** Takes the last stroke back. */
  dropStroke(): void {
    const last = this.#strokes.at(-1);
    if (!(last instanceof SoftStrokes && last.drop())) this.#strokes.pop();
    this.#repaint();
  }

  clear(): void {
    if (!this.#dirty && this.owner === undefined) return;
    this.owner = undefined;
    this.#strokes.length = 0;
    this.#lifted = undefined;
    this.#dirty = false;
    this.#context?.clearRect(0, 0, this.#element.width, this.#element.height);
  }

  #enterScene(context: CanvasRenderingContext2D): void {
    const scale = this.#view.zoom * this.#ratio;
    context.setTransform(scale, 0, 0, scale, this.#view.x * this.#ratio, this.#view.y * this.#ratio);
    // nothing outside the sheet becomes part of a segment
    context.beginPath();
    context.rect(0, 0, this.#sheet.width, this.#sheet.height);
    context.clip();
  }

  /** The view in pixels of the screen. */
  get #screenView(): Viewport {
    const { zoom, x, y } = this.#view;
    return { zoom: zoom * this.#ratio, x: x * this.#ratio, y: y * this.#ratio };
  }

  get #pixels(): Size {
    return { width: this.#element.width, height: this.#element.height };
  }

  #repaint(): void {
    for (const strokes of this.#strokes)
      if (strokes instanceof SoftStrokes) strokes.layOut(this.#screenView, this.#pixels);
    this.#compose({ x: 0, y: 0, ...this.#pixels });
  }

  /** A box of the scene as whole screen pixels, with some more around it. */
  #onScreen(box: Rect, rim: number): Rect {
    const { zoom, x, y } = this.#screenView;
    const left = Math.floor(box.x * zoom + x) - rim;
    const top = Math.floor(box.y * zoom + y) - rim;
    const right = Math.ceil((box.x + box.width) * zoom + x) + rim;
    const bottom = Math.ceil((box.y + box.height) * zoom + y) + rim;
    return { x: left, y: top, width: right - left, height: bottom - top };
  }

  /** Paints a box of whole screen pixels anew. */
  #compose(box: Rect): void {
    const context = this.#context;
    if (!context) return;
    context.save();
    context.resetTransform();
    context.beginPath();
    context.rect(box.x, box.y, box.width, box.height);
    context.clip();
    context.clearRect(box.x, box.y, box.width, box.height);
    this.#enterScene(context);
    this.#lifted?.paintLifted(context, this.#view.zoom);
    for (const strokes of this.#strokes)
      if (strokes instanceof SoftStrokes) strokes.paint(context, box);
      else this.#paintCrisp(context, strokes, 0);
    context.restore();
  }

  #paintCrisp(context: CanvasRenderingContext2D, stroke: LiveStroke, from: number): void {
    context.globalCompositeOperation = stroke.erase ? 'destination-out' : 'source-over';
    paintStretch(context, stroke, from);
    context.globalCompositeOperation = 'source-over';
  }
}
