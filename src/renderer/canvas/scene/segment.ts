import type { Affine } from '#shared/document/geometry.ts';
import type { Outline } from '../masks/outline.ts';
import { mapBox } from '../geometry/boxes.ts';
import type { Rect } from '../geometry/boxes.ts';
import { withAlpha } from '../palette.ts';
import type { Size } from '../viewport/viewport.ts';
import { hatch } from './patterns.ts';
import { SceneObject } from './scene-object.ts';
import type { SegmentStyle } from './segment-style.ts';
import { sameStyle } from './segment-style.ts';

/** Screen pixels by which lines and their soft edges reach beyond the outline; the widest line is the halo. */
const RIM = 4;

/** A segment's area: filled, hatched and outlined at the screen's resolution. */
export class SegmentObject extends SceneObject {
  #outline: Outline | undefined;
  #style: SegmentStyle | undefined;
  /** Where a drag has taken the outline; kept until the outline of the moved shapes is here. */
  #moved: Affine | undefined;
  /** The live layer shows this segment in the meantime. */
  #lifted = false;
  /** The feathered area in the segment's colour. */
  #tinted: { outline: Outline; colour: string; image: OffscreenCanvas } | undefined;

  constructor(size: Size) {
    super(size);
    this.visible = false;
  }

  get outline(): Outline | undefined {
    return this.#outline;
  }

  get style(): SegmentStyle | undefined {
    return this.#style;
  }

  get moved(): Affine | undefined {
    return this.#moved;
  }

  /** @returns whether anything to be seen has changed */
  setOutline(outline: Outline | undefined): boolean {
    if (outline === this.#outline && !this.#moved) return false;
    this.#outline = outline;
    this.#moved = undefined;
    return this.visible;
  }

  setStyle(style: SegmentStyle | undefined): boolean {
    if (sameStyle(style, this.#style)) return false;
    this.#style = style;
    this.visible = style !== undefined && !this.#lifted;
    return true;
  }

  setMoved(map: Affine | undefined): void {
    this.#moved = map;
  }

  lift(lifted: boolean): boolean {
    if (lifted === this.#lifted) return false;
    this.#lifted = lifted;
    this.visible = this.#style !== undefined && !lifted;
    return true;
  }

  /** All that paint() may colour, in scene pixels; undefined: nothing. */
  paintedBounds(zoom: number): Rect | undefined {
    const bounds = this.#outline?.bounds;
    if (!bounds) return undefined;
    const { x, y, width, height } = this.#moved ? mapBox(this.#moved, bounds) : bounds;
    const rim = RIM / zoom;
    return { x: x - rim, y: y - rim, width: width + 2 * rim, height: height + 2 * rim };
  }

  override paint(context: CanvasRenderingContext2D, zoom: number): void {
    if (this.#outline && this.#style) paintSegment(context, this.#outline, this.#style, zoom, this.#moved, this);
  }

  /** Paints it on the live layer, while that shows it. */
  paintLifted(context: CanvasRenderingContext2D, zoom: number): void {
    if (this.#outline && this.#style) paintSegment(context, this.#outline, this.#style, zoom, undefined, this);
  }

  /** The feathered area as a picture in the given colour. */
  tinted(outline: Outline, soft: ImageBitmap, colour: string): OffscreenCanvas {
    if (this.#tinted?.outline === outline && this.#tinted.colour === colour) return this.#tinted.image;
    const image = new OffscreenCanvas(soft.width, soft.height);
    const paint = image.getContext('2d');
    if (paint) {
      paint.drawImage(soft, 0, 0);
      paint.globalCompositeOperation = 'source-in';
      paint.fillStyle = colour;
      paint.fillRect(0, 0, soft.width, soft.height);
    }
    this.#tinted = { outline, colour, image };
    return image;
  }
}

/** Paints an area in scene pixels. */
function paintSegment(
  context: CanvasRenderingContext2D,
  outline: Outline,
  style: SegmentStyle,
  zoom: number,
  moved: Affine | undefined,
  owner: SegmentObject,
): void {
  if (!outline.bounds) return;
  context.save();
  if (moved) context.transform(...moved);
  // lines keep their width although the drag scales the outline
  const stretch = moved ? Math.sqrt(Math.abs(moved[0] * moved[3] - moved[1] * moved[2])) || 1 : 1;
  const pixel = 1 / (zoom * stretch);
  const path = outline.pathAt(zoom * stretch * devicePixelRatio);
  context.globalAlpha *= style.opacity;
  if (style.fill > 0) {
    if (outline.soft) {
      const { x, y, width, height } = outline.bounds;
      context.save();
      context.globalAlpha *= style.fill;
      context.drawImage(owner.tinted(outline, outline.soft, style.colour), x, y, width, height);
      context.restore();
    } else {
      context.fillStyle = withAlpha(style.colour, style.fill);
      context.fill(path, 'evenodd');
    }
  }
  if (style.pattern) {
    context.fillStyle = hatch(context, style.pattern, withAlpha(style.colour, 0.75), zoom * stretch) ?? style.colour;
    context.fill(path, 'evenodd');
  }
  if (style.outline > 0) {
    context.lineJoin = 'round';
    context.lineCap = 'round';
    if (style.halo > 0) {
      context.strokeStyle = style.dashed ? 'rgb(8 9 12 / 28%)' : 'rgb(8 9 12 / 45%)';
      context.lineWidth = style.halo * pixel;
      context.stroke(path);
    }
    context.strokeStyle = style.colour;
    context.lineWidth = style.outline * pixel;
    if (style.dashed) context.setLineDash([6 * pixel, 4.5 * pixel]);
    context.stroke(path);
  }
  context.restore();
}
