import type { StrokePoint } from '#shared/document/geometry.ts';
import type { SegmentId } from '#shared/document/records.ts';
import type { Outline } from './masks/outline.ts';
import { paintSegment } from './scene/segment.ts';
import type { SegmentStyle } from './scene/segment-style.ts';
import type { Size, Viewport } from './viewport/viewport.ts';

interface LiveStroke {
  readonly points: readonly StrokePoint[];
  readonly width: number;
  readonly colour: string;
  readonly erase: boolean;
}

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
  readonly #strokes: LiveStroke[] = [];
  #lifted: { outline: Outline; style: SegmentStyle } | undefined;
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
  lift(outline: Outline, style: SegmentStyle): void {
    this.#lifted = { outline, style };
    this.#dirty = true;
    this.#repaint();
  }

  /** Begins a stroke. `points` grows while it is drawn; tell each growth by extend(). */
  stroke(points: readonly StrokePoint[], width: number, colour: string, erase: boolean): void {
    this.#strokes.push({ points, width, colour, erase });
    this.#dirty = true;
  }

  /** Paints what the last stroke has gained since it had `from` points. */
  extend(from: number): void {
    const stroke = this.#strokes.at(-1);
    if (!stroke || !this.#context) return;
    this.#context.save();
    this.#enterScene(this.#context);
    paintStretch(this.#context, stroke, from);
    this.#context.restore();
  }

  /** Takes the last stroke back. */
  dropStroke(): void {
    this.#strokes.pop();
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

  #repaint(): void {
    const context = this.#context;
    if (!context) return;
    context.clearRect(0, 0, this.#element.width, this.#element.height);
    context.save();
    this.#enterScene(context);
    if (this.#lifted) paintSegment(context, this.#lifted.outline, this.#lifted.style, this.#view.zoom, undefined);
    for (const stroke of this.#strokes) paintStretch(context, stroke, 0);
    context.restore();
  }
}

/** Round-ended pieces as wide as the pressure at their ends, like the discs of the stroke's area. */
function paintStretch(context: CanvasRenderingContext2D, stroke: LiveStroke, from: number): void {
  const { points, width, colour, erase } = stroke;
  context.globalCompositeOperation = erase ? 'destination-out' : 'source-over';
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  const start = Math.max(0, from - 1);
  const first = points[start];
  if (!first) return;
  if (start === 0 && from === 0) {
    context.beginPath();
    context.arc(first[0], first[1], (width * first[2]) / 2, 0, 2 * Math.PI);
    context.fill();
  }
  let previous = first;
  let open = false;
  let openWidth = 0;
  for (let index = start + 1; index < points.length; index += 1) {
    const point = points[index];
    if (!point) continue;
    const thickness = (width * (previous[2] + point[2])) / 2;
    // pieces of equal width are one path: fewer joins, no seams
    if (!open || Math.abs(thickness - openWidth) > width * 0.01) {
      if (open) context.stroke();
      context.beginPath();
      context.lineWidth = thickness;
      context.moveTo(previous[0], previous[1]);
      open = true;
      openWidth = thickness;
    }
    context.lineTo(point[0], point[1]);
    previous = point;
  }
  if (open) context.stroke();
}
