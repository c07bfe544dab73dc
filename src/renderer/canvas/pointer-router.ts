import { onMac } from '../app/shortcuts.ts';
import { takesText } from '../app/keyboard.ts';
import type { Stage } from './stage.ts';
import { beginPan } from './tools/pan.ts';
import type { Gesture, Keys, PointerSample, Tool } from './tools/tool.ts';
import { panBy, wheelAction, zoomBy } from './viewport/viewport.ts';
import type { Tool as ToolName } from '../store/view-store.ts';

/** Screen pixels that a press on a label must move to be a stroke that begins there. */
const SLIP = 4;

/**
 * Brings pointers and keys to the tools. It listens before Fabric does and lets through only what belongs to the
 * transform handles, so that Fabric never searches its objects while something is drawn.
 */
export class PointerRouter {
  readonly #stage: Stage;
  readonly #root: HTMLElement;
  readonly #tools: Readonly<Record<ToolName, Tool>>;
  readonly #abort = new AbortController();
  readonly #mac = onMac();
  readonly #touches = new Map<number, PointerSample>();
  #gesture: { readonly pointer: number; readonly gesture: Gesture; readonly drawing: boolean } | undefined;
  #pinch: { distance: number; x: number; y: number } | undefined;
  #onLabel: { readonly event: PointerEvent; readonly at: PointerSample } | undefined;
  #space = false;
  #last: PointerSample | undefined;
  #box: DOMRect;

  constructor(stage: Stage, root: HTMLElement, tools: Readonly<Record<ToolName, Tool>>) {
    this.#stage = stage;
    this.#root = root;
    this.#tools = tools;
    this.#box = root.getBoundingClientRect();
    const options = { capture: true, signal: this.#abort.signal };
    root.addEventListener('pointerdown', (event) => this.#down(event), options);
    root.addEventListener('pointermove', (event) => this.#move(event), options);
    root.addEventListener('pointerup', (event) => this.#up(event), options);
    root.addEventListener('pointercancel', (event) => this.#lost(event), options);
    root.addEventListener('lostpointercapture', (event) => this.#lost(event), options);
    root.addEventListener('pointerleave', () => this.#leave(), { signal: this.#abort.signal });
    root.addEventListener('dblclick', (event) => this.#doubleClick(event), options);
    root.addEventListener('wheel', (event) => this.#wheel(event), { ...options, passive: false });
    window.addEventListener('keydown', (event) => this.#key(event, true), options);
    window.addEventListener('keyup', (event) => this.#key(event, false), options);
    window.addEventListener('blur', () => this.#setSpace(false), options);
  }

  /** The element has moved or changed its size. */
  measure(): void {
    this.#box = this.#root.getBoundingClientRect();
  }

  /** @returns whether something was being drawn */
  cancel(): boolean {
    if (this.#stage.drag.cancel()) return true;
    if (this.#gesture) {
      this.#end((gesture) => gesture.cancel());
      return true;
    }
    return this.#tool.cancel?.(this.#stage) ?? false;
  }

  /** The CSS cursor for the present tool; the ring is shown besides. */
  get cursor(): string {
    if (this.#space) return this.#gesture ? 'grabbing' : 'grab';
    switch (this.#tool.cursor) {
      case 'ring':
        return this.#ringDiameter() < 6 ? 'crosshair' : 'none';
      case 'fill':
      case 'crosshair':
        return 'crosshair';
      case 'grab':
        return 'grab';
      case 'arrow':
        return this.#stage.view.hovered ? 'pointer' : 'default';
    }
  }

  /** Shows the brush's ring where the pointer is, after size, zoom or tool have changed. */
  refreshRing(): void {
    const { preview, view } = this.#stage;
    const at = this.#last;
    if (!at || this.#tool.cursor !== 'ring' || this.#space || this.#ringDiameter() < 6) preview.hideRing();
    else preview.ring(at.screen, this.#ringDiameter() * (view.drawing ? at.pressure : 1));
  }

  destroy(): void {
    this.#abort.abort();
  }

  get #tool(): Tool {
    return this.#tools[this.#stage.view.tool];
  }

  #ringDiameter(): number {
    return this.#stage.view.brushSize * this.#stage.viewport.zoom;
  }

  #keys(event: { shiftKey: boolean; altKey: boolean; ctrlKey: boolean; metaKey: boolean }): Keys {
    return { shift: event.shiftKey, alt: event.altKey, mod: this.#mac ? event.metaKey : event.ctrlKey };
  }

  #sample(event: PointerEvent | MouseEvent): PointerSample {
    const { zoom, x, y } = this.#stage.viewport;
    const screenX = event.clientX - this.#box.left;
    const screenY = event.clientY - this.#box.top;
    const pen = 'pressure' in event && event.pointerType === 'pen' && this.#stage.view.penPressure;
    return {
      scene: [(screenX - x) / zoom, (screenY - y) / zoom],
      screen: [screenX, screenY],
      pressure: pen ? event.pressure : 1,
      time: event.timeStamp,
    };
  }

  #down(event: PointerEvent): void {
    const target = event.target as Element;
    if (target.closest('[data-canvas-ui]')) return;
    this.measure();
    const at = this.#sample(event);
    this.#last = at;
    if (event.pointerType === 'touch') this.#touches.set(event.pointerId, at);
    if (this.#touches.size === 2) {
      this.#startPinch();
      event.stopPropagation();
      return;
    }
    if (this.#gesture || this.#pinch) return event.stopPropagation();
    if (target.closest('.segment-tag')) {
      if (event.button === 0 && !target.closest('input')) this.#onLabel = { event, at };
      return;
    }
    this.#begin(event, at);
  }

  #begin(event: PointerEvent, at: PointerSample): void {
    // a field that is being edited takes its text before anything is drawn
    if (document.activeElement instanceof HTMLElement && takesText(document.activeElement))
      document.activeElement.blur();
    const pan = event.button === 1 || (event.button === 0 && this.#space);
    if (event.button !== 0 && !pan && event.button !== 5) return;
    const erasing = event.button === 5 || (event.buttons & 32) !== 0;
    const tool = erasing ? this.#tools.eraser : this.#tool;
    const started = pan ? beginPan(this.#stage, at) : tool.down(this.#stage, at, this.#keys(event));
    if (started === 'pass') return;
    event.stopPropagation();
    event.preventDefault();
    if (!started) return;
    const drawing = !pan && tool !== this.#tools.pan;
    this.#gesture = { pointer: event.pointerId, gesture: started, drawing };
    this.#root.setPointerCapture(event.pointerId);
    if (drawing) this.#stage.studio.view.setState({ drawing: true });
  }

  #move(event: PointerEvent): void {
    if (this.#touches.has(event.pointerId)) this.#touches.set(event.pointerId, this.#sample(event));
    if (this.#pinch) {
      this.#pinchMove();
      return event.stopPropagation();
    }
    const at = this.#sample(event);
    this.#last = at;
    const current = this.#gesture;
    if (current) {
      event.stopPropagation();
      if (event.pointerId !== current.pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      current.gesture.move(
        (events.length > 0 ? events : [event]).map((one) => this.#sample(one)),
        this.#keys(event),
      );
      this.refreshRing();
      return;
    }
    if (this.#onLabel) {
      const { event: press, at: from } = this.#onLabel;
      if (Math.hypot(at.screen[0] - from.screen[0], at.screen[1] - from.screen[1]) < SLIP) return;
      this.#onLabel = undefined;
      if (this.#stage.view.tool !== 'select') this.#begin(press, from);
      return;
    }
    if ((event.target as Element).closest('[data-canvas-ui]')) {
      this.#stage.preview.hideRing();
      return;
    }
    if (event.buttons === 0) this.#tool.hover?.(this.#stage, at, this.#keys(event));
    this.refreshRing();
    if (this.#stage.view.tool !== 'select') event.stopPropagation();
  }

  #up(event: PointerEvent): void {
    this.#touches.delete(event.pointerId);
    this.#onLabel = undefined;
    if (this.#pinch) {
      if (this.#touches.size < 2) this.#pinch = undefined;
      return event.stopPropagation();
    }
    if (event.pointerId !== this.#gesture?.pointer) return;
    event.stopPropagation();
    const keys = this.#keys(event);
    this.#end((gesture) => gesture.up(keys));
  }

  #lost(event: PointerEvent): void {
    this.#touches.delete(event.pointerId);
    this.#onLabel = undefined;
    if (this.#touches.size < 2) this.#pinch = undefined;
    if (event.pointerId === this.#gesture?.pointer) this.#end((gesture) => gesture.cancel());
  }

  #end(finish: (gesture: Gesture) => void): void {
    const current = this.#gesture;
    if (!current) return;
    this.#gesture = undefined;
    if (this.#root.hasPointerCapture(current.pointer)) this.#root.releasePointerCapture(current.pointer);
    try {
      finish(current.gesture);
    } finally {
      if (current.drawing) this.#stage.studio.view.setState({ drawing: false });
      this.refreshRing();
    }
  }

  #leave(): void {
    if (this.#gesture) return;
    this.#last = undefined;
    this.#stage.preview.hideRing();
    this.#stage.hoverSegment(undefined);
  }

  #doubleClick(event: MouseEvent): void {
    if ((event.target as Element).closest('[data-canvas-ui], .segment-tag')) return;
    event.stopPropagation();
    this.#tool.doubleClick?.(this.#stage, this.#sample(event));
  }

  #wheel(event: WheelEvent): void {
    if ((event.target as Element).closest('[data-canvas-ui]')) return;
    event.preventDefault();
    event.stopPropagation();
    const { viewport } = this.#stage;
    const action = wheelAction(event);
    const at = this.#sample(event);
    if (action.kind === 'zoom') this.#stage.setViewport(zoomBy(viewport, action.factor, at.screen));
    else this.#stage.setViewport(panBy(viewport, action.dx, action.dy));
    this.#last = { ...this.#sample(event) };
    this.refreshRing();
  }

  #key(event: KeyboardEvent, down: boolean): void {
    if (takesText(event.target) || this.#stage.view.dialog) return;
    // a modifier pressed during a drag changes it at once, not with the next move
    if (['Shift', 'Alt', 'Control', 'Meta'].includes(event.key)) this.#gesture?.gesture.move([], this.#keys(event));
    const onControl = event.target instanceof HTMLElement && event.target.closest('button, [role="slider"]') !== null;
    if (event.key === ' ' && (!onControl || !down)) {
      if (down) event.preventDefault();
      this.#setSpace(down);
      return;
    }
    if (down && this.#tool.key?.(this.#stage, event)) event.preventDefault();
  }

  #setSpace(down: boolean): void {
    if (down === this.#space) return;
    this.#space = down;
    this.#stage.setCursor(undefined);
    this.refreshRing();
  }

  #startPinch(): void {
    this.#end((gesture) => gesture.cancel());
    this.#pinch = this.#fingers();
  }

  #pinchMove(): void {
    const before = this.#pinch;
    const now = this.#fingers();
    if (!before || !now) return;
    const moved = panBy(this.#stage.viewport, now.x - before.x, now.y - before.y);
    this.#stage.setViewport(zoomBy(moved, now.distance / Math.max(1, before.distance), [now.x, now.y]));
    this.#pinch = now;
  }

  #fingers(): { distance: number; x: number; y: number } | undefined {
    const [a, b] = [...this.#touches.values()];
    if (!a || !b) return undefined;
    return {
      distance: Math.hypot(a.screen[0] - b.screen[0], a.screen[1] - b.screen[1]),
      x: (a.screen[0] + b.screen[0]) / 2,
      y: (a.screen[1] + b.screen[1]) / 2,
    };
  }
}
