/*
 * The part of a canvas that one segment's pass through a black box sees. A network draws well at the size it was
 * trained for and not much below, so a window is never smaller than that: windows save work on canvases larger than
 * the trained size, where a pass over everything would mostly compute what nobody takes.
 */

/** Cells of the latent grid. */
export interface Window {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Grid {
  readonly width: number;
  readonly height: number;
}

/** Exported networks halve the picture three times. */
const STEP = 8;
/** A segment sees this share of its own size around itself. */
const CONTEXT = 0.5;
/** A window that leaves out less than this of the canvas is not worth its edge. */
const WORTH = 0.85;

export const areaOf = (window: Window | null, grid: Grid): number =>
  window ? window.width * window.height : grid.width * grid.height;

/** A pass over the window in units of one over the whole canvas. */
export const shareOf = (window: Window | null, grid: Grid): number => areaOf(window, grid) / (grid.width * grid.height);

/**
 * The window around a mask.
 * @param mask coverage on the grid
 * @param trained side in cells of the squares that the network was trained on
 * @returns null for the whole canvas
 */
export function windowOf(mask: ArrayLike<number>, grid: Grid, trained: number): Window | null {
  let [left, top, right, bottom] = [grid.width, grid.height, 0, 0];
  for (let y = 0; y < grid.height; y++)
    for (let x = 0; x < grid.width; x++)
      if ((mask[y * grid.width + x] ?? 0) > 0) {
        left = Math.min(left, x);
        right = Math.max(right, x + 1);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y + 1);
      }
  if (right <= left) return null;
  const [x, width] = spanOf(left, right, grid.width, trained);
  const [y, height] = spanOf(top, bottom, grid.height, trained);
  return worthwhile({ x, y, width, height }, grid);
}

/** From begin to end with context, of a length that the network can do, inside 0..size. */
function spanOf(begin: number, end: number, size: number, trained: number): [from: number, length: number] {
  const around = Math.max(STEP, Math.ceil((end - begin) * CONTEXT));
  const wanted = Math.max(Math.ceil(trained / STEP) * STEP, Math.ceil((end - begin + 2 * around) / STEP) * STEP);
  const length = Math.min(size, wanted);
  const middle = Math.round((begin + end - length) / 2);
  return [Math.max(0, Math.min(size - length, middle)), length];
}

/** The smallest window that holds all of them. */
export function joinWindows(windows: readonly (Window | null)[], grid: Grid): Window | null {
  let joined: Window | undefined;
  for (const window of windows) {
    if (!window) return null;
    if (!joined) {
      joined = window;
      continue;
    }
    const x = Math.min(joined.x, window.x);
    const y = Math.min(joined.y, window.y);
    const width = Math.max(joined.x + joined.width, window.x + window.width) - x;
    const height = Math.max(joined.y + joined.height, window.y + window.height) - y;
    joined = fitted({ x, y, width, height }, grid);
  }
  return joined ? worthwhile(joined, grid) : null;
}

/** Grown to sides that the network can do. */
function fitted({ x, y, width, height }: Window, grid: Grid): Window {
  const wide = Math.min(grid.width, Math.ceil(width / STEP) * STEP);
  const high = Math.min(grid.height, Math.ceil(height / STEP) * STEP);
  return { x: Math.min(x, grid.width - wide), y: Math.min(y, grid.height - high), width: wide, height: high };
}

const worthwhile = (window: Window, grid: Grid): Window | null => (shareOf(window, grid) > WORTH ? null : window);

/** The window's part of planes over the grid. @param planes [channels, height, width] */
export function cutWindow(planes: Float32Array, grid: Grid, { x, y, width, height }: Window): Float32Array {
  const places = grid.width * grid.height;
  const channels = planes.length / places;
  const out = new Float32Array(channels * width * height);
  for (let c = 0; c < channels; c++)
    for (let row = 0; row < height; row++) {
      const from = c * places + (y + row) * grid.width + x;
      out.set(planes.subarray(from, from + width), (c * height + row) * width);
    }
  return out;
}
