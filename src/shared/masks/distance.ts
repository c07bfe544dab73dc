import type { Mask, PixelBox } from './mask.ts';
import { createMask, maskBounds } from './mask.ts';

/** The size of one mask pixel in the unit in which distances are given (scene pixels). */
export interface Spacing {
  readonly x: number;
  readonly y: number;
}
export const UNIT_SPACING: Spacing = { x: 1, y: 1 };

/** Fainter pixels are no part of an outline. */
const FAINT = 8;

/**
 * Grows the covered area by `by` (in units of the spacing), or shrinks it if negative. Distances come from an exact
 * Euclidean distance transform, corrected by how far each edge pixel is covered, so soft edges stay where they are to
 * a fraction of a pixel. The canvas border is no edge: what runs out of the picture is not shrunk there.
 */
export function growMask(mask: Mask, by: number, spacing: Spacing = UNIT_SPACING): Mask {
  if (by === 0) return mask;
  const bounds = maskBounds(mask);
  if (!bounds) return mask;
  // Shrinking is growing what is not covered; beyond the bounds there is nothing left to take away.
  const shrink = by < 0;
  const padX = shrink ? 1 : Math.ceil(by / spacing.x + 1);
  const padY = shrink ? 1 : Math.ceil(by / spacing.y + 1);
  const box: PixelBox = {
    left: Math.max(0, bounds.left - padX),
    top: Math.max(0, bounds.top - padY),
    right: Math.min(mask.width, bounds.right + padX),
    bottom: Math.min(mask.height, bounds.bottom + padY),
  };
  const columns = box.right - box.left;
  const rows = box.bottom - box.top;
  const values = new Uint8Array(columns * rows);
  for (let row = 0; row < rows; row += 1) {
    const from = (box.top + row) * mask.width + box.left;
    for (let x = 0; x < columns; x += 1) {
      const value = mask.data[from + x] ?? 0;
      values[row * columns + x] = shrink ? 255 - value : value;
    }
  }
  const grown = growValues(values, columns, rows, Math.abs(by), spacing);
  const out = createMask(mask.width, mask.height);
  for (let row = 0; row < rows; row += 1) {
    const to = (box.top + row) * mask.width + box.left;
    for (let x = 0; x < columns; x += 1) {
      const value = grown[row * columns + x] ?? 0;
      out.data[to + x] = shrink ? 255 - value : value;
    }
  }
  return out;
}

/**
 * The exact transform finds the nearest covered pixel: nearest column within each row first, then the lower envelope
 * of parabolas down each column (Felzenszwalb and Huttenlocher 2012), which also tells which pixel is nearest.
 */
function growValues(values: Uint8Array, columns: number, rows: number, by: number, spacing: Spacing): Uint8Array {
  const pixel = Math.sqrt(spacing.x * spacing.y);
  /** Coverage of a pixel at `distance` from one of value `value`. */
  const reached = (distance: number, value: number): number => {
    const amount = 0.5 + (by - distance) / pixel - 0.5 + value / 255;
    return amount >= 1 ? 255 : amount <= 0 ? 0 : (amount * 255 + 0.5) | 0;
  };
  const nearest = nearestColumns(values, columns, rows);
  const out = new Uint8Array(values);
  /** Rows of the envelope's parabolas, their heights, and from where on each is the lowest. */
  const apex = new Int32Array(rows);
  const height = new Float64Array(rows);
  const from = new Float64Array(rows + 1);
  const sy2 = spacing.y * spacing.y;
  const farAcross = by + pixel;
  for (let x = 0; x < columns; x += 1) {
    let count = 0;
    for (let row = 0; row < rows; row += 1) {
      const column = nearest[row * columns + x] ?? -1;
      if (column < 0) continue;
      const across = Math.abs(column - x) * spacing.x;
      if (across > farAcross) continue; // too far to reach any pixel of this column
      // Deep inside a run of covered pixels no parabola can be the nearest of an uncovered one.
      if (
        across === 0 &&
        row > 0 &&
        row + 1 < rows &&
        nearest[(row - 1) * columns + x] === x &&
        nearest[(row + 1) * columns + x] === x
      )
        continue;
      const f = across * across;
      height[row] = f;
      let meets = -Infinity;
      while (count > 0) {
        const other = apex[count - 1] ?? 0;
        meets = (f + sy2 * row * row - (height[other] ?? 0) - sy2 * other * other) / (2 * sy2 * (row - other));
        if (meets > (from[count - 1] ?? 0)) break;
        count -= 1;
      }
      apex[count] = row;
      from[count] = count === 0 ? -Infinity : meets;
      count += 1;
    }
    let k = 0;
    for (let row = 0; row < rows && count > 0; row += 1) {
      const at = row * columns + x;
      const own = values[at] ?? 0;
      if (own === 255) continue;
      while (k + 1 < count && (from[k + 1] ?? 0) < row) k += 1;
      let value: number;
      if (nearest[at] === x) value = reached(0, own);
      else {
        const other = apex[k] ?? 0;
        const down = (row - other) * spacing.y;
        const column = nearest[other * columns + x] ?? 0;
        value = reached(Math.sqrt((height[other] ?? 0) + down * down), values[other * columns + column] ?? 0);
      }
      if (value > own) out[at] = value;
    }
  }
  return out;
}

/** For each pixel the column of the nearest covered pixel in its row, -1 for none. */
function nearestColumns(values: Uint8Array, columns: number, rows: number): Int32Array {
  const nearest = new Int32Array(columns * rows);
  for (let row = 0; row < rows; row += 1) {
    const base = row * columns;
    let last = -1;
    for (let x = 0; x < columns; x += 1) {
      if ((values[base + x] ?? 0) >= FAINT) last = x;
      nearest[base + x] = last;
    }
    last = -1;
    for (let x = columns - 1; x >= 0; x -= 1) {
      const left = nearest[base + x] ?? -1;
      if (left === x) last = x;
      else if (last >= 0 && (left < 0 || last - x < x - left)) nearest[base + x] = last;
    }
  }
  return nearest;
}
