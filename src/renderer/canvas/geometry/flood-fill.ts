/** A filled region: 1 inside, 0 outside, row by row. */
export interface Region {
  readonly mask: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Pixels inside. */
  readonly area: number;
}

/**
 * Scan-line flood fill from (x, y) over 4-connected pixels for which `open` holds.
 * @returns undefined if the start lies outside or is not open
 */
export function floodFill(
  width: number,
  height: number,
  x: number,
  y: number,
  open: (index: number) => boolean,
): Region | undefined {
  const startX = Math.floor(x);
  const startY = Math.floor(y);
  if (startX < 0 || startY < 0 || startX >= width || startY >= height) return undefined;
  if (!open(startY * width + startX)) return undefined;
  const mask = new Uint8Array(width * height);
  const stack: number[] = [startY * width + startX];
  let area = 0;
  for (let seed = stack.pop(); seed !== undefined; seed = stack.pop()) {
    if (mask[seed] === 1) continue;
    const row = seed - (seed % width);
    let left = seed;
    while (left > row && mask[left - 1] === 0 && open(left - 1)) left -= 1;
    let right = seed;
    while (right < row + width - 1 && mask[right + 1] === 0 && open(right + 1)) right += 1;
    mask.fill(1, left, right + 1);
    area += right - left + 1;
    for (const step of [-width, width]) {
      const from = left + step;
      if (from < 0 || from >= mask.length) continue;
      let inRun = false;
      for (let index = from; index <= right + step; index += 1) {
        const fillable = mask[index] === 0 && open(index);
        if (fillable && !inRun) stack.push(index);
        inRun = fillable;
      }
    }
  }
  return { mask, width, height, area };
}

/**
 * The connected region of one colour around (x, y).
 * @param rgba width * height * 4 values 0..255
 * @param tolerance 0..1; the largest allowed distance from the clicked colour, 1 being black to white
 */
export function fillByColour(
  rgba: Uint8ClampedArray | Uint8Array,
  width: number,
  height: number,
  x: number,
  y: number,
  tolerance: number,
): Region | undefined {
  const start = (Math.floor(y) * width + Math.floor(x)) * 4;
  const r = rgba[start] ?? 0;
  const g = rgba[start + 1] ?? 0;
  const b = rgba[start + 2] ?? 0;
  // weighted as the eye weighs them (redmean would be finer, but this is cheap and close enough to pick areas)
  const limit = tolerance * tolerance * 9 * 255 * 255;
  return floodFill(width, height, x, y, (index) => {
    const dr = (rgba[index * 4] ?? 0) - r;
    const dg = (rgba[index * 4 + 1] ?? 0) - g;
    const db = (rgba[index * 4 + 2] ?? 0) - b;
    return 2 * dr * dr + 4 * dg * dg + 3 * db * db <= limit;
  });
}

/** The region with enclosed holes of at most `largest` pixels filled: speckles do not belong to an artist's area. */
export function fillHoles({ mask, width, height }: Region, largest: number): Region {
  const out = mask.slice();
  const seen = mask.slice();
  for (let start = 0; start < seen.length; start += 1) {
    if (seen[start] !== 0) continue;
    const hole = floodFill(width, height, start % width, Math.floor(start / width), (index) => seen[index] === 0);
    if (!hole) continue;
    let touchesEdge = false;
    for (let index = start; index < seen.length; index += 1) {
      if (hole.mask[index] !== 1) continue;
      seen[index] = 1;
      const column = index % width;
      if (column === 0 || column === width - 1 || index < width || index >= width * (height - 1)) touchesEdge = true;
    }
    if (touchesEdge || hole.area > largest) continue;
    for (let index = start; index < out.length; index += 1) if (hole.mask[index] === 1) out[index] = 1;
  }
  let area = 0;
  for (const value of out) area += value;
  return { mask: out, width, height, area };
}
