import type { Size } from '../viewport/viewport.ts';

/** Small scenes are traced finer than they are, so that outlines stay smooth when magnified; large ones coarser. */
const TARGET = 1536;
const LARGEST = 2048;
const FINEST = 4;

/** The size of first sketches, when many segments are to be shown at once. */
const DRAFT = 512;

/** The size at which a segment's area is measured for the screen. */
export function traceSize({ width, height }: Size, detail: 'draft' | 'full' = 'full'): Size {
  const longest = Math.max(width, height);
  const full = longest > LARGEST ? LARGEST / longest : Math.max(1, Math.min(FINEST, TARGET / longest));
  const scale = detail === 'draft' ? Math.min(full, DRAFT / longest) : full;
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
