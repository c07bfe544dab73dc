import { COVERED } from './mask.ts';
import type { Mask, PixelBox } from './mask.ts';

export interface Component {
  /** Its number in the label map, from 1. */
  readonly label: number;
  readonly pixels: number;
  readonly box: PixelBox;
}

export interface Components {
  /** Per pixel 0 for none, or the component's label. */
  readonly labels: Uint32Array;
  /** The largest first. */
  readonly components: readonly Component[];
}

/** The connected parts of the covered pixels (at least one half); pixels that touch at a corner belong together. */
export function connectedComponents(mask: Mask, threshold: number = COVERED): Components {
  const { width, height, data } = mask;
  const labels = new Uint32Array(width * height);
  const components: Component[] = [];
  const stack: number[] = [];
  for (let start = 0; start < labels.length; start += 1) {
    if (labels[start] !== 0 || (data[start] ?? 0) < threshold) continue;
    const label = components.length + 1;
    let pixels = 0;
    let left = width;
    let right = 0;
    let top = height;
    let bottom = 0;
    labels[start] = label;
    stack.push(start);
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const x = at % width;
      const y = (at - x) / width;
      pixels += 1;
      if (x < left) left = x;
      if (x >= right) right = x + 1;
      if (y < top) top = y;
      if (y >= bottom) bottom = y + 1;
      const fromX = x > 0 ? x - 1 : 0;
      const toX = x + 1 < width ? x + 1 : x;
      const toY = y + 1 < height ? y + 1 : y;
      for (let ny = y > 0 ? y - 1 : 0; ny <= toY; ny += 1) {
        for (let nx = fromX; nx <= toX; nx += 1) {
          const other = ny * width + nx;
          if (labels[other] === 0 && (data[other] ?? 0) >= threshold) {
            labels[other] = label;
            stack.push(other);
          }
        }
      }
    }
    components.push({ label, pixels, box: { left, top, right, bottom } });
  }
  return { labels, components: components.toSorted((a, b) => b.pixels - a.pixels) };
}
