/** How much of each pixel is covered, 0..255, row by row from the top left corner. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A size in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A half-open box of pixels: x from `left` up to, not including, `right`. */
export interface PixelBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** From this value on a pixel counts as covered where a yes or no is needed (at least one half). */
export const COVERED = 128;

/** An empty mask. */
export const createMask = (width: number, height: number): Mask => ({
  width,
  height,
  data: new Uint8Array(width * height),
});

/** A mask of which `covered(x, y)` pixels are fully covered. */
export function maskFrom(width: number, height: number, covered: (x: number, y: number) => boolean): Mask {
  const mask = createMask(width, height);
  for (let y = 0, i = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1, i += 1) if (covered(x, y)) mask.data[i] = 255;
  return mask;
}

function assertSameSize(a: Mask, b: Mask): void {
  if (a.width !== b.width || a.height !== b.height)
    throw new RangeError(`masks of ${a.width} x ${a.height} and ${b.width} x ${b.height} cannot be combined`);
}

/**
 * Boolean operations take the larger (union), the smaller (intersection) and 255 minus the value (complement).
 * On soft edges these stay idempotent and obey De Morgan, which adding or multiplying coverages would not.
 */
function combine(a: Mask, b: Mask, each: (a: number, b: number) => number): Mask {
  assertSameSize(a, b);
  const out = new Uint8Array(a.data.length);
  for (let i = 0; i < out.length; i += 1) out[i] = each(a.data[i] ?? 0, b.data[i] ?? 0);
  return { width: a.width, height: a.height, data: out };
}

export const unionMasks = (a: Mask, b: Mask): Mask => combine(a, b, (p, q) => (p > q ? p : q));
export const intersectMasks = (a: Mask, b: Mask): Mask => combine(a, b, (p, q) => (p < q ? p : q));
export const subtractMasks = (a: Mask, b: Mask): Mask => combine(a, b, (p, q) => (p < 255 - q ? p : 255 - q));

export function invertMask(mask: Mask): Mask {
  const out = new Uint8Array(mask.data.length);
  for (let i = 0; i < out.length; i += 1) out[i] = 255 - (mask.data[i] ?? 0);
  return { width: mask.width, height: mask.height, data: out };
}

/** Pixels covered by at least one half become 255, the others 0. */
export function binaryMask(mask: Mask): Mask {
  const out = new Uint8Array(mask.data.length);
  for (let i = 0; i < out.length; i += 1) out[i] = (mask.data[i] ?? 0) >= COVERED ? 255 : 0;
  return { width: mask.width, height: mask.height, data: out };
}

/** Covered area in pixels, partly covered pixels counting in part. */
export function maskArea(mask: Mask): number {
  let sum = 0;
  for (const value of mask.data) sum += value;
  return sum / 255;
}

/** How many pixels are covered by at least one half. */
export function coveredPixels(mask: Mask): number {
  let count = 0;
  for (const value of mask.data) if (value >= COVERED) count += 1;
  return count;
}

/** The smallest box around all pixels of at least `threshold`; null for none. */
export function maskBounds(mask: Mask, threshold = 1): PixelBox | null {
  const { width, height, data } = mask;
  let left = width;
  let right = 0;
  let top = -1;
  let bottom = 0;
  for (let y = 0; y < height; y += 1) {
    const row = y * width;
    let first = 0;
    while (first < width && (data[row + first] ?? 0) < threshold) first += 1;
    if (first === width) continue;
    let last = width - 1;
    while ((data[row + last] ?? 0) < threshold) last -= 1;
    if (top < 0) top = y;
    bottom = y + 1;
    if (first < left) left = first;
    if (last + 1 > right) right = last + 1;
  }
  return top < 0 ? null : { left, top, right, bottom };
}

/** Overlap by union of two soft masks (sum of the smaller by sum of the larger), 0..1; two empty masks give 1. */
export function maskIou(a: Mask, b: Mask): number {
  assertSameSize(a, b);
  let both = 0;
  let either = 0;
  for (let i = 0; i < a.data.length; i += 1) {
    const p = a.data[i] ?? 0;
    const q = b.data[i] ?? 0;
    both += p < q ? p : q;
    either += p < q ? q : p;
  }
  return either === 0 ? 1 : both / either;
}
