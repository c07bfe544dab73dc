import type { Size } from '../viewport/viewport.ts';
import { checker } from './patterns.ts';
import { SceneObject } from './scene-object.ts';
import type { CanvasTheme } from './theme.ts';

/** The sheet: where the picture will be. */
export class SheetObject extends SceneObject {
  #theme: CanvasTheme;

  constructor(size: Size, theme: CanvasTheme) {
    super(size);
    this.#theme = theme;
  }

  update(size: Size, theme: CanvasTheme): void {
    this.resize(size);
    this.#theme = theme;
  }

  override paint(context: CanvasRenderingContext2D, zoom: number): void {
    const { width, height } = this;
    const { edge, checkA, checkB } = this.#theme;
    context.fillStyle = checker(context, checkA, checkB, zoom) ?? checkA;
    context.fillRect(0, 0, width, height);
    const line = 1 / zoom;
    context.strokeStyle = edge;
    context.lineWidth = line;
    context.strokeRect(-line / 2, -line / 2, width + line, height + line);
  }
}
