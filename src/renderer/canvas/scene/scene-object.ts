import { FabricObject } from 'fabric';
import type { Size } from '../viewport/viewport.ts';

/**
 * A Fabric object that paints in scene pixels, whatever Fabric does with its own coordinates. Not selectable: only the
 * transform box takes part in Fabric's interaction, and what it does becomes an edit of the document.
 */
export abstract class SceneObject extends FabricObject {
  constructor(size: Size) {
    super({
      left: 0,
      top: 0,
      originX: 'left',
      originY: 'top',
      width: size.width,
      height: size.height,
      strokeWidth: 0,
      selectable: false,
      evented: false,
      // a cache would be a bitmap at one zoom; paths are painted crisp at each
      objectCaching: false,
    });
  }

  resize(size: Size): void {
    if (this.width === size.width && this.height === size.height) return;
    this.set({ width: size.width, height: size.height });
    this.setCoords();
  }

  /** @param zoom screen pixels per scene pixel: lines that keep their width are divided by it */
  abstract paint(context: CanvasRenderingContext2D, zoom: number): void;

  override _render(context: CanvasRenderingContext2D): void {
    context.translate(-this.width / 2, -this.height / 2);
    this.paint(context, this.canvas?.getZoom() ?? 1);
  }
}
