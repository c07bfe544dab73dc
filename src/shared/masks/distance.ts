import type { Mask, PixelBox } from './mask.ts';
import { createMask, invertMask, maskBounds } from './mask.ts';

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
  if (by < 0) return invertMask(growMask(invertMask(mask), -by, spacing));
  const bounds = maskBounds(mask, FAINT);
  if (!bounds) return mask;
  const box: PixelBox = {
    left: Math.max(0, Math.floor(bounds.left - by / spacing.x - 1)),
    top: Math.max(0, Math.floor(bounds.top - by / spacing.y - 1)),
    right: Math.min(mask.width, Math.ceil(bounds.right + by / spacing.x + 1)),
    bottom: Math.min(mask.height, Math.ceil(bounds.bottom + by / spacing.y + 1)),
  };
  const out = createMask(mask.width, mask.height);
  const pixel = Math.sqrt(spacing.x * spacing.y);
  nearestCovered(mask, box, spacing, (at, distance, value) => {
    const own = mask.data[at] ?? 0;
    const beyond = distance + (0.5 - value / 255) * pixel;
    const amount = 0.5 + (by - beyond) / pixel;
    const grown = amount >= 1 ? 255 : amount <= 0 ? 0 : Math.round(amount * 255);
    out.data[at] = Math.max(own, grown);
  });
  return out;
}

/**
 * For each pixel of the box: the distance from its centre to the nearest centre of a covered pixel, and that pixel's
 * value. Exact: nearest column within each row first, then the lower envelope of parabolas down each column
 * (Felzenszwalb and Huttenlocher 2012), which also tells which pixel is nearest.
 */
function nearestCovered(
  mask: Mask,
  box: PixelBox,
  spacing: Spacing,
  visit: (at: number, distance: number, value: number) => void,
): void {
  const columns = box.right - box.left;
  const rows = box.bottom - box.top;
  const nearest = new Int32Array(columns * rows);
  for (let row = 0; row < rows; row += 1) {
    const from = (box.top + row) * mask.width + box.left;
    const to = row * columns;
    let last = -1;
    for (let x = 0; x < columns; x += 1) {
      if ((mask.data[from + x] ?? 0) >= FAINT) last = x;
      nearest[to + x] = last;
    }
    last = -1;
    for (let x = columns - 1; x >= 0; x -= 1) {
      const left = nearest[to + x] ?? -1;
      if (left === x) last = x;
      else if (last >= 0 && (left < 0 || last - x < x - left)) nearest[to + x] = last;
    }
  }
  /** Rows of the envelope's parabolas, and from where on each is the lowest. */
  const apex = new Int32Array(rows);
  const from = new Float64Array(rows + 1);
  const height = new Float64Array(rows);
  const sy2 = spacing.y * spacing.y;
  for (let x = 0; x < columns; x += 1) {
    let count = 0;
    for (let row = 0; row < rows; row += 1) {
      const column = nearest[row * columns + x] ?? -1;
      if (column < 0) continue;
      const across = (column - x) * spacing.x;
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
    if (count === 0) continue;
    let k = 0;
    for (let row = 0; row < rows; row += 1) {
      while (k + 1 < count && (from[k + 1] ?? 0) < row) k += 1;
      const other = apex[k] ?? 0;
      const down = (row - other) * spacing.y;
      const column = nearest[other * columns + x] ?? 0;
      visit(
        (box.top + row) * mask.width + box.left + x,
        Math.sqrt((height[other] ?? 0) + down * down),
        mask.data[(box.top + other) * mask.width + box.left + column] ?? 0,
      );
    }
  }
}
