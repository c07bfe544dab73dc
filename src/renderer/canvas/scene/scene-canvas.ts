import { Canvas } from 'fabric';
import type { FabricObject, TMat2D } from 'fabric';
import type { Rect } from '../geometry/boxes.ts';
import { touches } from '../geometry/boxes.ts';
import { SegmentObject } from './segment.ts';

/** Screen pixels of a tile: a stroke touches one or two, and a whole frame is a handful of them. */
const TILE = 384;

/**
 * Fabric's canvas, painted tile by tile, so that a part can be painted anew. A stroke changes one segment; painting
 * fifty others for it would hold up the next one. The tiles lie still on the screen, and a whole frame is painted by
 * the same ones: browsers smooth an edge a little differently for each clip, and a part painted by a clip of its own
 * would not be what the whole frame shows there.
 */
export class SceneCanvas extends Canvas {
  /** What the next frame must paint, in scene pixels; undefined: everything. Fabric's constructor asks for frames. */
  declare areas: Rect[] | undefined;

  /** Everything is painted with the next frame. Fabric calls it for whatever it does by itself. */
  override requestRenderAll(): void {
    this.areas = undefined;
    super.requestRenderAll();
  }

  /** What is on the screen was painted for another view. */
  override setViewportTransform(transform: TMat2D): void {
    this.areas = undefined;
    super.setViewportTransform(transform);
  }

  /** An area of the scene is painted with the next frame. */
  requestRender(area: Rect): void {
    this.areas?.push(area);
    super.requestRenderAll();
  }

  override renderCanvas(context: CanvasRenderingContext2D, objects: FabricObject[]): void {
    if (context !== this.contextContainer) {
      super.renderCanvas(context, objects);
      return;
    }
    const areas = this.areas ?? [];
    this.areas = [];
    for (const tile of this.#tiles()) {
      const box = this.#inScene(tile);
      if (areas.length > 0 && !areas.some((area) => touches(area, box))) continue;
      context.save();
      clipTo(context, tile);
      super.renderCanvas(
        context,
        objects.filter((object) => !(object instanceof SegmentObject) || this.#reaches(object, box)),
      );
      context.restore();
    }
  }

  /** The tiles of the screen, in its pixels. */
  *#tiles(): Generator<Rect> {
    const { width, height } = this.lowerCanvasEl;
    for (let y = 0; y < height; y += TILE)
      for (let x = 0; x < width; x += TILE) yield { x, y, width: TILE, height: TILE };
  }

  #inScene(tile: Rect): Rect {
    const [zoom, , , , left, top] = this.viewportTransform;
    const ratio = this.getRetinaScaling();
    return {
      x: (tile.x / ratio - left) / zoom,
      y: (tile.y / ratio - top) / zoom,
      width: tile.width / ratio / zoom,
      height: tile.height / ratio / zoom,
    };
  }

  #reaches(segment: SegmentObject, box: Rect): boolean {
    const bounds = segment.paintedBounds(this.getZoom());
    return bounds !== undefined && touches(bounds, box);
  }
}

/** Clips to whole pixels of the screen, whatever the context's scale. */
function clipTo(context: CanvasRenderingContext2D, { x, y, width, height }: Rect): void {
  const before = context.getTransform();
  context.resetTransform();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.setTransform(before);
}
