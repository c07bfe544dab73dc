import { CROP_MARGIN, SKETCH_SIDE } from '../packs/schema.ts';

/** Which segment owns each cell of a map. */
export interface OwnedCells {
  /** [height * width]; 0: nobody, k: the k-th segment */
  readonly labels: Uint16Array;
  readonly width: number;
  readonly height: number;
}

/** The square that a segment's crop has in training, in cells of the map (0.5 is the middle of the first cell). */
export interface SegmentFrame {
  readonly cx: number;
  readonly cy: number;
  readonly side: number;
}

/**
 * The frame of each segment: around the middle of the cells that it owns, a little wider than their longer side.
 * @returns for label 1 to `count`; null for a segment that owns no cell
 */
export function segmentFrames({ labels, width }: OwnedCells, count: number): (SegmentFrame | null)[] {
  const boxes = Array.from({ length: count }, () => ({ x0: Infinity, y0: Infinity, x1: 0, y1: 0 }));
  labels.forEach((label, cell) => {
    const box = boxes[label - 1];
    if (!box) return;
    const x = cell % width;
    const y = Math.floor(cell / width);
    box.x0 = Math.min(box.x0, x);
    box.y0 = Math.min(box.y0, y);
    box.x1 = Math.max(box.x1, x + 1);
    box.y1 = Math.max(box.y1, y + 1);
  });
  return boxes.map(({ x0, y0, x1, y1 }) =>
    x1 === 0 ? null : { cx: (x0 + x1) / 2, cy: (y0 + y1) / 2, side: CROP_MARGIN * Math.max(x1 - x0, y1 - y0) },
  );
}

/**
 * A segment's shape as its frame shows it: ownership (0 or 1 per cell) sampled bilinearly, nothing beyond the map
 * (torch's grid_sample with zeros for padding, align_corners off).
 * @returns [SKETCH_SIDE * SKETCH_SIDE] in 0..1
 */
export function maskInFrame({ labels, width, height }: OwnedCells, label: number, frame: SegmentFrame): Float32Array {
  const owned = (x: number, y: number): number =>
    x >= 0 && y >= 0 && x < width && y < height && labels[y * width + x] === label ? 1 : 0;
  const mask = new Float32Array(SKETCH_SIDE * SKETCH_SIDE);
  for (let i = 0; i < SKETCH_SIDE; i += 1) {
    const y = frame.cy + ((i + 0.5) / SKETCH_SIDE - 0.5) * frame.side - 0.5;
    const top = Math.floor(y);
    const down = y - top;
    for (let j = 0; j < SKETCH_SIDE; j += 1) {
      const x = frame.cx + ((j + 0.5) / SKETCH_SIDE - 0.5) * frame.side - 0.5;
      const left = Math.floor(x);
      const right = x - left;
      mask[i * SKETCH_SIDE + j] =
        (1 - down) * ((1 - right) * owned(left, top) + right * owned(left + 1, top)) +
        down * ((1 - right) * owned(left, top + 1) + right * owned(left + 1, top + 1));
    }
  }
  return mask;
}

/**
 * Lays each segment's sketch into the cells that it owns, sampled bilinearly (torch's grid_sample with the border for
 * padding, align_corners off); cells of nobody, and of segments without a sketch, stay 0.
 * @param sketches [channels * SKETCH_SIDE * SKETCH_SIDE] each, by label; null: this segment has none
 * @returns [channels, height, width]
 */
export function pasteSketches(
  { labels, width, height }: OwnedCells,
  frames: readonly (SegmentFrame | null)[],
  sketches: readonly (Float32Array | null)[],
  channels: number,
): Float32Array {
  const plane = width * height;
  const area = SKETCH_SIDE * SKETCH_SIDE;
  const map = new Float32Array(channels * plane);
  labels.forEach((label, cell) => {
    const frame = frames[label - 1];
    const sketch = sketches[label - 1];
    if (!frame || !sketch) return;
    const u = toSketch((cell % width) + 0.5, frame.cx, frame.side);
    const v = toSketch(Math.floor(cell / width) + 0.5, frame.cy, frame.side);
    const left = Math.floor(u);
    const top = Math.floor(v);
    const right = Math.min(left + 1, SKETCH_SIDE - 1);
    const bottom = Math.min(top + 1, SKETCH_SIDE - 1);
    const [across, down] = [u - left, v - top];
    for (let channel = 0; channel < channels; channel += 1) {
      const at = (x: number, y: number): number => sketch[channel * area + y * SKETCH_SIDE + x] ?? 0;
      map[channel * plane + cell] =
        (1 - down) * ((1 - across) * at(left, top) + across * at(right, top)) +
        down * ((1 - across) * at(left, bottom) + across * at(right, bottom));
    }
  });
  return map;
}

/** A place of the map in pixels of the sketch (0 is the middle of the first one), inside it. */
function toSketch(place: number, centre: number, side: number): number {
  const pixel = ((place - centre) / side + 0.5) * SKETCH_SIDE - 0.5;
  return Math.min(Math.max(pixel, 0), SKETCH_SIDE - 1);
}
