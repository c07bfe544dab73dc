import type { Affine, Point } from '#shared/document/geometry.ts';
import type { Rect } from '../geometry/boxes.ts';

/** Where the scene lies on the screen: screen = scene * zoom + (x, y), in CSS pixels of the canvas element. */
export interface Viewport {
  readonly zoom: number;
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const ZOOM_MIN = 0.05;
export const ZOOM_MAX = 32;

export const clampZoom = (zoom: number): number => Math.min(ZOOM_MAX, Math.max(ZOOM_MIN, zoom));

export const toScene = (view: Viewport, [x, y]: Point): Point => [(x - view.x) / view.zoom, (y - view.y) / view.zoom];

export const toScreen = (view: Viewport, [x, y]: Point): Point => [x * view.zoom + view.x, y * view.zoom + view.y];

export const boxToScreen = (view: Viewport, box: Rect): Rect => ({
  x: box.x * view.zoom + view.x,
  y: box.y * view.zoom + view.y,
  width: box.width * view.zoom,
  height: box.height * view.zoom,
});

export const toAffine = ({ zoom, x, y }: Viewport): Affine => [zoom, 0, 0, zoom, x, y];

/** Zooms so that the scene point under `at` (screen pixels) stays there. */
export function zoomTo(view: Viewport, zoom: number, at: Point): Viewport {
  const next = clampZoom(zoom);
  const factor = next / view.zoom;
  return { zoom: next, x: at[0] - (at[0] - view.x) * factor, y: at[1] - (at[1] - view.y) * factor };
}

export const zoomBy = (view: Viewport, factor: number, at: Point): Viewport => zoomTo(view, view.zoom * factor, at);

export const panBy = (view: Viewport, dx: number, dy: number): Viewport => ({
  zoom: view.zoom,
  x: view.x + dx,
  y: view.y + dy,
});

/**
 * The whole box in the middle of the screen, as large as it fits.
 * @param margin screen pixels kept free on each side (for tool bars)
 */
export function fit(
  box: Rect,
  screen: Size,
  margin: { left: number; right: number; top: number; bottom: number },
  largest = ZOOM_MAX,
): Viewport {
  const width = Math.max(1, screen.width - margin.left - margin.right);
  const height = Math.max(1, screen.height - margin.top - margin.bottom);
  const zoom = clampZoom(Math.min(largest, width / Math.max(1, box.width), height / Math.max(1, box.height)));
  return {
    zoom,
    x: margin.left + (width - box.width * zoom) / 2 - box.x * zoom,
    y: margin.top + (height - box.height * zoom) / 2 - box.y * zoom,
  };
}

/** Keeps some of the sheet in sight: a strip of `keep` screen pixels can always be taken hold of. */
export function keepInSight(view: Viewport, sheet: Size, screen: Size, keep = 48): Viewport {
  const x = Math.min(screen.width - keep, Math.max(keep - sheet.width * view.zoom, view.x));
  const y = Math.min(screen.height - keep, Math.max(keep - sheet.height * view.zoom, view.y));
  return x === view.x && y === view.y ? view : { zoom: view.zoom, x, y };
}

/**
 * The zoom factor of one wheel event. Lines and pages are turned into pixels; trackpads send many small
 * deltas and mice few large ones, so the factor is exponential in the distance and bounded per event.
 */
export function wheelFactor(event: { deltaY: number; deltaMode: number; ctrlKey: boolean }): number {
  const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
  // a pinch on a trackpad arrives as ctrl + small deltas
  const speed = event.ctrlKey && Math.abs(event.deltaY) < 40 ? 0.01 : 0.0022;
  const exponent = Math.max(-0.5, Math.min(0.5, -event.deltaY * unit * speed));
  return Math.exp(exponent);
}

export type WheelAction =
  | { readonly kind: 'zoom'; readonly factor: number }
  | { readonly kind: 'pan'; readonly dx: number; readonly dy: number };

/**
 * What a wheel event asks for. A mouse's wheel and a pinch zoom; two fingers on a trackpad (sideways or fine steps) and
 * the wheel with Shift pan. Browsers do not say which device it was, so small or sideways steps count as a trackpad's.
 */
export function wheelAction(event: {
  readonly deltaX: number;
  readonly deltaY: number;
  readonly deltaMode: number;
  readonly ctrlKey: boolean;
  readonly shiftKey: boolean;
}): WheelAction {
  const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
  if (event.ctrlKey) return { kind: 'zoom', factor: wheelFactor(event) };
  if (event.shiftKey) return { kind: 'pan', dx: -(event.deltaX || event.deltaY) * unit, dy: 0 };
  const fine = event.deltaMode === 0 && Math.abs(event.deltaY) < 40;
  if (event.deltaX !== 0 || fine) return { kind: 'pan', dx: -event.deltaX * unit, dy: -event.deltaY * unit };
  return { kind: 'zoom', factor: wheelFactor(event) };
}

/** What the zoom chip shows. */
export const zoomPercent = (zoom: number): number => Math.round(zoom * 100);
