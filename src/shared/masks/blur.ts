import type { Spacing } from './distance.ts';
import { UNIT_SPACING } from './distance.ts';
import type { Mask, PixelBox } from './mask.ts';
import { createMask, maskBounds } from './mask.ts';

/** Three box filters of fractional width have exactly this deviation and look like a Gaussian. */
const PASSES = 3;

interface BoxFilter {
  readonly radius: number;
  /** Weight of the two pixels just outside the radius. */
  readonly rim: number;
}

/** The extended box filter of a deviation in pixels (Gwosdek et al. 2011, eq. 6 to 8). */
function boxFilter(sigma: number): BoxFilter {
  const variance = (sigma * sigma) / PASSES;
  const radius = Math.floor((Math.sqrt(12 * variance + 1) - 1) / 2);
  const rim = ((2 * radius + 1) * (radius * (radius + 1) - 3 * variance)) / (6 * (variance - (radius + 1) ** 2));
  return { radius, rim };
}

const reachOf = (filter: BoxFilter): number => PASSES * (filter.radius + 1);

/** A feather's radius in deviations of the Gaussian that makes it. */
export const FEATHERS_PER_DEVIATION = 2;

/**
 * Softens the edge so that it falls off over about `radius` (in units of the spacing) to either side, like a Gaussian
 * of half that deviation. The canvas border is no edge.
 */
export function featherMask(mask: Mask, radius: number, spacing: Spacing = UNIT_SPACING): Mask {
  if (radius <= 0) return mask;
  return blurred(mask, radius / FEATHERS_PER_DEVIATION, spacing, (value) => value);
}

/**
 * Rounds off corners and notches smaller than about `radius` and drops specks: the mask is blurred and cut at one
 * half, with the edge as crisp as before.
 */
export function smoothMask(mask: Mask, radius: number, spacing: Spacing = UNIT_SPACING): Mask {
  if (radius <= 0) return mask;
  const sigma = radius / 2;
  // A blurred straight edge rises by this much per pixel at its middle; dividing by it gives one pixel of ramp again.
  const pixels = sigma / Math.sqrt(spacing.x * spacing.y);
  const gain = Math.max(1, pixels * Math.sqrt(2 * Math.PI));
  return blurred(mask, sigma, spacing, (value) => (value - 127.5) * gain + 127.5);
}

function blurred(mask: Mask, sigma: number, spacing: Spacing, finish: (value: number) => number): Mask {
  const bounds = maskBounds(mask);
  if (!bounds) return mask;
  const across = boxFilter(sigma / spacing.x);
  const down = boxFilter(sigma / spacing.y);
  const box: PixelBox = {
    left: Math.max(0, bounds.left - reachOf(across)),
    top: Math.max(0, bounds.top - reachOf(down)),
    right: Math.min(mask.width, bounds.right + reachOf(across)),
    bottom: Math.min(mask.height, bounds.bottom + reachOf(down)),
  };
  const columns = box.right - box.left;
  const rows = box.bottom - box.top;
  const values = new Float32Array(columns * rows);
  for (let y = 0; y < rows; y += 1) {
    const from = (box.top + y) * mask.width + box.left;
    for (let x = 0; x < columns; x += 1) values[y * columns + x] = mask.data[from + x] ?? 0;
  }
  const turned = blurRows(values, columns, rows, across);
  const back = blurRows(turned, rows, columns, down);
  const out = createMask(mask.width, mask.height);
  for (let y = 0; y < rows; y += 1) {
    const to = (box.top + y) * mask.width + box.left;
    for (let x = 0; x < columns; x += 1) {
      const value = finish(back[y * columns + x] ?? 0);
      out.data[to + x] = value <= 0 ? 0 : value >= 255 ? 255 : (value + 0.5) | 0;
    }
  }
  return out;
}

/** Filters each row and writes the result transposed, so that the second call filters the columns. */
function blurRows(values: Float32Array, columns: number, rows: number, filter: BoxFilter): Float32Array {
  const { radius, rim } = filter;
  const pad = radius + 1;
  const out = new Float32Array(columns * rows);
  const line = new Float64Array(columns + 2 * pad);
  const sum = new Float64Array(columns + 2 * pad + 1);
  const weight = 1 / (2 * radius + 1 + 2 * rim);
  for (let row = 0; row < rows; row += 1) {
    const base = row * columns;
    for (let x = 0; x < columns; x += 1) line[pad + x] = values[base + x] ?? 0;
    for (let pass = 0; pass < PASSES; pass += 1) {
      line.fill(line[pad] ?? 0, 0, pad);
      line.fill(line[pad + columns - 1] ?? 0, pad + columns);
      let running = 0;
      for (let i = 0; i < line.length; i += 1) {
        running += line[i] ?? 0;
        sum[i + 1] = running;
      }
      // Only the sums are read from here on, so the line can be written in place.
      for (let x = 0; x < columns; x += 1) {
        const at = pad + x;
        const whole = (sum[at + radius + 1] ?? 0) - (sum[at - radius] ?? 0);
        const behind = (sum[at - radius] ?? 0) - (sum[at - radius - 1] ?? 0);
        const ahead = (sum[at + radius + 2] ?? 0) - (sum[at + radius + 1] ?? 0);
        line[at] = (whole + rim * (behind + ahead)) * weight;
      }
    }
    for (let x = 0; x < columns; x += 1) out[x * rows + row] = line[pad + x] ?? 0;
  }
  return out;
}
