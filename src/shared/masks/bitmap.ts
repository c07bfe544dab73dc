import type { Affine } from '../document/geometry.ts';
import { composeAffine, invertAffine } from './affine.ts';
import type { PaintOp } from './fill.ts';
import { COVERED } from './mask.ts';
import type { Mask } from './mask.ts';

/** A grey or alpha picture, one byte a pixel. */
export interface Bitmap {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Summed areas of the covered pixels, kept as long as the pixels themselves. */
const sums = new WeakMap<Uint8Array, Float64Array>();

function summedArea(bitmap: Bitmap): Float64Array {
  const known = sums.get(bitmap.data);
  if (known) return known;
  const { width, height, data } = bitmap;
  const stride = width + 1;
  const table = new Float64Array(stride * (height + 1));
  for (let y = 0; y < height; y += 1) {
    let row = 0;
    for (let x = 0; x < width; x += 1) {
      if ((data[y * width + x] ?? 0) >= COVERED) row += 1;
      table[(y + 1) * stride + x + 1] = (table[y * stride + x + 1] ?? 0) + row;
    }
  }
  sums.set(bitmap.data, table);
  return table;
}

/**
 * Paints a bitmap laid over the rectangle (x, y, width, height) of the shape's space. A place counts as covered where
 * the picture's value is at least one half. Drawn smaller than it is, every output pixel takes the exact share of
 * covered pixels below it; drawn larger or turned, the values are interpolated first, so that its edges stay smooth.
 */
export function paintBitmap(
  target: Mask,
  bitmap: Bitmap,
  box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  matrix: Affine,
  op: PaintOp,
): void {
  if (!(box.width > 0 && box.height > 0) || bitmap.width < 1 || bitmap.height < 1) return;
  const place: Affine = [box.width / bitmap.width, 0, 0, box.height / bitmap.height, box.x, box.y];
  const forward = composeAffine(matrix, place);
  const back = invertAffine(forward);
  if (!back) return;
  const corners = [
    [0, 0],
    [bitmap.width, 0],
    [0, bitmap.height],
    [bitmap.width, bitmap.height],
  ].map(([x = 0, y = 0]) => [
    forward[0] * x + forward[2] * y + forward[4],
    forward[1] * x + forward[3] * y + forward[5],
  ]);
  const xs = corners.map((corner) => corner[0] ?? 0);
  const ys = corners.map((corner) => corner[1] ?? 0);
  const left = Math.max(0, Math.floor(Math.min(...xs)));
  const right = Math.min(target.width, Math.ceil(Math.max(...xs)));
  const top = Math.max(0, Math.floor(Math.min(...ys)));
  const bottom = Math.min(target.height, Math.ceil(Math.max(...ys)));
  if (left >= right || top >= bottom) return;

  const upright = Math.abs(back[1]) < 1e-9 && Math.abs(back[2]) < 1e-9;
  const smaller = Math.abs(back[0]) >= 1 - 1e-6 && Math.abs(back[3]) >= 1 - 1e-6;
  const share = upright && smaller ? boxShare(bitmap, back) : sampledShare(bitmap, back);
  for (let y = top; y < bottom; y += 1) {
    for (let x = left; x < right; x += 1) {
      const value = Math.round(255 * share(x, y));
      if (value === 0) continue;
      const at = y * target.width + x;
      const was = target.data[at] ?? 0;
      if (op === 'add') {
        if (value > was) target.data[at] = value;
      } else if (255 - value < was) target.data[at] = 255 - value;
    }
  }
}

/** The covered share of an output pixel whose image in the bitmap is an upright box. */
function boxShare(bitmap: Bitmap, back: Affine): (x: number, y: number) => number {
  const table = summedArea(bitmap);
  const stride = bitmap.width + 1;
  /** Covered area left of and above a point, linear inside each pixel. */
  const before = (x: number, y: number): number => {
    const cx = Math.min(bitmap.width, Math.max(0, x));
    const cy = Math.min(bitmap.height, Math.max(0, y));
    const ix = Math.min(bitmap.width - 1, Math.floor(cx));
    const iy = Math.min(bitmap.height - 1, Math.floor(cy));
    const fx = cx - ix;
    const fy = cy - iy;
    const at = iy * stride + ix;
    const upper = (table[at] ?? 0) * (1 - fx) + (table[at + 1] ?? 0) * fx;
    const lower = (table[at + stride] ?? 0) * (1 - fx) + (table[at + stride + 1] ?? 0) * fx;
    return upper * (1 - fy) + lower * fy;
  };
  const [a, , , d, e, f] = back;
  const whole = Math.abs(a * d);
  return (x, y) => {
    const x0 = Math.min(a * x, a * (x + 1)) + e;
    const x1 = Math.max(a * x, a * (x + 1)) + e;
    const y0 = Math.min(d * y, d * (y + 1)) + f;
    const y1 = Math.max(d * y, d * (y + 1)) + f;
    return Math.max(0, before(x1, y1) - before(x0, y1) - before(x1, y0) + before(x0, y0)) / whole;
  };
}

/** The covered share by a grid of samples, each interpolated and compared with one half. */
function sampledShare(bitmap: Bitmap, back: Affine): (x: number, y: number) => number {
  const { width, height, data } = bitmap;
  const reach = Math.max(Math.hypot(back[0], back[1]), Math.hypot(back[2], back[3]));
  const n = Math.min(16, Math.max(4, Math.ceil(reach)));
  const value = (x: number, y: number): number => data[y * width + x] ?? 0;
  return (px, py) => {
    let hits = 0;
    for (let j = 0; j < n; j += 1) {
      for (let i = 0; i < n; i += 1) {
        const ox = px + (i + 0.5) / n;
        const oy = py + (j + 0.5) / n;
        const sx = back[0] * ox + back[2] * oy + back[4];
        const sy = back[1] * ox + back[3] * oy + back[5];
        if (sx < 0 || sy < 0 || sx >= width || sy >= height) continue;
        const ux = Math.min(width - 1, Math.max(0, sx - 0.5));
        const uy = Math.min(height - 1, Math.max(0, sy - 0.5));
        const ix = Math.floor(ux);
        const iy = Math.floor(uy);
        const jx = Math.min(width - 1, ix + 1);
        const jy = Math.min(height - 1, iy + 1);
        const fx = ux - ix;
        const fy = uy - iy;
        const upper = value(ix, iy) * (1 - fx) + value(jx, iy) * fx;
        const lower = value(ix, jy) * (1 - fx) + value(jx, jy) * fx;
        if (upper * (1 - fy) + lower * fy >= 127.5) hits += 1;
      }
    }
    return hits / (n * n);
  };
}
