import type { Canvas } from 'fabric';
import type { Viewport } from '../viewport/viewport.ts';

/**
 * A painting after which the next frame comes later than this is slow, in milliseconds: at 60 Hz it has cost a frame.
 * Only the frames tell, since canvases are painted in another process, after the drawing calls have returned.
 */
const SLOW = 24;
/** Rest of the hand after which the frame is painted at the new place. */
const REST = 90;

/**
 * Panning and zooming that never waits for painting: while the view moves, a slow frame is moved and scaled as it is,
 * and painted crisp when the hand rests. Quick frames are painted at once.
 */
export class LaggingView {
  readonly #canvas: Canvas;
  readonly #stops: (() => void)[];
  #painted: Viewport = { zoom: 1, x: 0, y: 0 };
  #current: Viewport = this.#painted;
  #slow = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(canvas: Canvas) {
    this.#canvas = canvas;
    this.#stops = [
      canvas.on('after:render', () => {
        const painted = performance.now();
        requestAnimationFrame(() => {
          this.#slow = performance.now() - painted > SLOW;
        });
        this.#painted = this.#current;
        clearTimeout(this.#timer);
        this.#timer = undefined;
        this.#move(1, 0, 0);
      }),
    ];
  }

  viewportChanged(view: Viewport): void {
    this.#current = view;
    if (!this.#slow) {
      this.#canvas.requestRenderAll();
      return;
    }
    const factor = view.zoom / this.#painted.zoom;
    this.#move(factor, view.x - this.#painted.x * factor, view.y - this.#painted.y * factor);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#canvas.requestRenderAll(), REST);
  }

  destroy(): void {
    clearTimeout(this.#timer);
    for (const stop of this.#stops) stop();
  }

  #move(factor: number, x: number, y: number): void {
    const { style } = this.#canvas.lowerCanvasEl;
    const still = factor === 1 && x === 0 && y === 0;
    style.transformOrigin = '0 0';
    style.transform = still ? '' : `translate(${x}px, ${y}px) scale(${factor})`;
  }
}
