import type { Mask } from './mask.ts';

/** Closed polylines in output pixels; the last point of each is joined to its first. */
export interface Polylines {
  /** x, y, x, y, ... */
  readonly points: readonly number[];
  /** Index into `points` at which each polyline starts. */
  readonly starts: readonly number[];
}

export type FillRule = 'nonzero' | 'evenodd';

/** What painting does to what is there: the larger of both values, or the smaller of it and the complement. */
export type PaintOp = 'add' | 'subtract';

/** Cells in flight: large canvases are filled in bands, so that the accumulator stays within the cache. */
const BAND_CELLS = 1 << 19;
let cells = new Float32Array(0);
let rowFirst = new Int32Array(0);
let rowLast = new Int32Array(0);

/**
 * Fills polylines with exact area coverage. Each edge adds, to every cell it passes, the signed area between itself
 * and the cell's right side, and its height to the cells right of it; a running sum along the row is then the winding
 * number averaged over the pixel (the accumulation buffer of FreeType and font-rs). The fill rule is applied to that
 * average, so only pixels in which outlines cross each other are approximate.
 */
export function fillPolylines(target: Mask, lines: Polylines, rule: FillRule, op: PaintOp): void {
  const { points, starts } = lines;
  if (points.length < 6) return;
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  for (let i = 0; i < points.length; i += 2) {
    const x = points[i] ?? 0;
    const y = points[i + 1] ?? 0;
    if (x < minX) minX = x;
    if (x > maxX) maxX = x;
    if (y < minY) minY = y;
    if (y > maxY) maxY = y;
  }
  const left = Math.max(0, Math.floor(minX));
  const right = Math.min(target.width, Math.ceil(maxX));
  const top = Math.max(0, Math.floor(minY));
  const bottom = Math.min(target.height, Math.ceil(maxY));
  if (!(left < right && top < bottom)) return;

  const columns = right - left;
  const stride = columns + 2;
  const bandRows = Math.max(1, Math.min(bottom - top, Math.floor(BAND_CELLS / stride)));
  if (cells.length < bandRows * stride) cells = new Float32Array(bandRows * stride);
  if (rowFirst.length < bandRows) {
    rowFirst = new Int32Array(bandRows);
    rowLast = new Int32Array(bandRows);
  }
  for (let bandTop = top; bandTop < bottom; bandTop += bandRows) {
    const rows = Math.min(bandRows, bottom - bandTop);
    rowFirst.fill(stride, 0, rows);
    rowLast.fill(-1, 0, rows);
    for (let line = 0; line < starts.length; line += 1) {
      const start = starts[line] ?? 0;
      const end = starts[line + 1] ?? points.length;
      if (end - start < 6) continue;
      let ax = (points[end - 2] ?? 0) - left;
      let ay = (points[end - 1] ?? 0) - bandTop;
      for (let i = start; i < end; i += 2) {
        const bx = (points[i] ?? 0) - left;
        const by = (points[i + 1] ?? 0) - bandTop;
        if (ay < by) addEdge(ax, ay, bx, by, 1, columns, rows, stride);
        else if (ay > by) addEdge(bx, by, ax, ay, -1, columns, rows, stride);
        ax = bx;
        ay = by;
      }
    }
    sweep(target, left, bandTop, columns, rows, stride, rule, op);
  }
}

/** Clips a downward edge (ay < by) to the band; what lies left of it counts as running along its left side. */
function addEdge(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  direction: number,
  columns: number,
  rows: number,
  stride: number,
): void {
  if (by <= 0 || ay >= rows) return;
  const slope = (bx - ax) / (by - ay);
  let x0 = ax;
  let y0 = ay;
  let x1 = bx;
  let y1 = by;
  if (y0 < 0) {
    x0 = ax - ay * slope;
    y0 = 0;
  }
  if (y1 > rows) {
    x1 = ax + (rows - ay) * slope;
    y1 = rows;
  }
  if (x0 >= columns && x1 >= columns) return; // right of everything: no pixel sees it
  if (x0 >= 0 && x1 >= 0 && x0 <= columns && x1 <= columns) {
    addInside(x0, y0, x1, y1, direction, columns, stride);
    return;
  }
  if (x0 <= 0 && x1 <= 0) {
    addInside(0, y0, 0, y1, direction, columns, stride);
    return;
  }
  // The edge crosses the left or right side (or both): cut it there.
  const yLeft = y0 + (0 - x0) / slope;
  const yRight = y0 + (columns - x0) / slope;
  const cuts = [y0, ...[yLeft, yRight].filter((y) => y > y0 && y < y1).toSorted((a, b) => a - b), y1];
  for (let i = 0; i + 1 < cuts.length; i += 1) {
    const from = cuts[i] ?? y0;
    const to = cuts[i + 1] ?? y1;
    if (!(from < to)) continue;
    const middle = x0 + ((from + to) / 2 - y0) * slope;
    if (middle >= columns) continue;
    if (middle <= 0) addInside(0, from, 0, to, direction, columns, stride);
    else {
      const clamp = (x: number): number => Math.min(columns, Math.max(0, x));
      addInside(clamp(x0 + (from - y0) * slope), from, clamp(x0 + (to - y0) * slope), to, direction, columns, stride);
    }
  }
}

/** Accumulates an edge that lies wholly inside the band, 0 <= x <= columns. */
function addInside(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  direction: number,
  columns: number,
  stride: number,
): void {
  if (ay >= by) return;
  const buffer = cells;
  const slope = (bx - ax) / (by - ay);
  const lastRow = Math.ceil(by);
  let x = ax;
  for (let row = Math.floor(ay); row < lastRow; row += 1) {
    const y0 = row > ay ? row : ay;
    const y1 = row + 1 < by ? row + 1 : by;
    let next = y1 === by ? bx : ax + (y1 - ay) * slope;
    if (next < 0) next = 0;
    else if (next > columns) next = columns;
    const cover = (y1 - y0) * direction;
    const xa = x < next ? x : next;
    const xb = x < next ? next : x;
    const first = Math.floor(xa);
    const last = Math.ceil(xb);
    const base = row * stride;
    if (first < (rowFirst[row] ?? 0)) rowFirst[row] = first;
    const touched = last > first ? last : first + 1;
    if (touched > (rowLast[row] ?? 0)) rowLast[row] = touched;
    if (last <= first + 1) {
      const share = 0.5 * (x + next) - first;
      buffer[base + first] = (buffer[base + first] ?? 0) + cover - cover * share;
      buffer[base + first + 1] = (buffer[base + first + 1] ?? 0) + cover * share;
    } else {
      const perPixel = 1 / (xb - xa);
      const inFirst = 1 - (xa - first);
      const inLast = xb - last + 1;
      const areaFirst = 0.5 * perPixel * inFirst * inFirst;
      const areaLast = 0.5 * perPixel * inLast * inLast;
      buffer[base + first] = (buffer[base + first] ?? 0) + cover * areaFirst;
      if (last === first + 2) {
        buffer[base + first + 1] = (buffer[base + first + 1] ?? 0) + cover * (1 - areaFirst - areaLast);
      } else {
        const second = perPixel * (0.5 + inFirst);
        buffer[base + first + 1] = (buffer[base + first + 1] ?? 0) + cover * (second - areaFirst);
        for (let cell = first + 2; cell < last - 1; cell += 1)
          buffer[base + cell] = (buffer[base + cell] ?? 0) + cover * perPixel;
        const before = second + (last - first - 3) * perPixel;
        buffer[base + last - 1] = (buffer[base + last - 1] ?? 0) + cover * (1 - before - areaLast);
      }
      buffer[base + last] = (buffer[base + last] ?? 0) + cover * areaLast;
    }
    x = next;
  }
}

/** Turns the accumulated cells into coverage, paints it and leaves the cells empty for the next band. */
function sweep(
  target: Mask,
  left: number,
  top: number,
  columns: number,
  rows: number,
  stride: number,
  rule: FillRule,
  op: PaintOp,
): void {
  const buffer = cells;
  const { data, width } = target;
  const evenOdd = rule === 'evenodd';
  const add = op === 'add';
  for (let row = 0; row < rows; row += 1) {
    const last = rowLast[row] ?? -1;
    if (last < 0) continue;
    const base = row * stride;
    const out = (top + row) * width + left;
    const end = last < columns ? last + 1 : columns;
    let winding = 0;
    for (let x = rowFirst[row] ?? 0; x < end; x += 1) {
      winding += buffer[base + x] ?? 0;
      buffer[base + x] = 0;
      const value = coverage(winding, evenOdd);
      if (value === 0) continue;
      if (value === 255) {
        // Inside: nothing changes until the next touched cell.
        let next = x + 1;
        while (next < end && buffer[base + next] === 0) next += 1;
        data.fill(add ? 255 : 0, out + x, out + next);
        x = next - 1;
        continue;
      }
      const was = data[out + x] ?? 0;
      if (add) {
        if (value > was) data[out + x] = value;
      } else if (255 - value < was) data[out + x] = 255 - value;
    }
    for (let x = end; x <= last; x += 1) buffer[base + x] = 0;
    // Edges beyond the right side were left out, so the winding may go on to the end of the row.
    const rest = coverage(winding, evenOdd);
    if (rest === 0) continue;
    for (let x = end; x < columns; x += 1) {
      const was = data[out + x] ?? 0;
      if (add) {
        if (rest > was) data[out + x] = rest;
      } else if (255 - rest < was) data[out + x] = 255 - rest;
    }
  }
}

function coverage(winding: number, evenOdd: boolean): number {
  let amount = winding < 0 ? -winding : winding;
  if (evenOdd && amount > 1) {
    amount %= 2;
    if (amount > 1) amount = 2 - amount;
  } else if (amount > 1) amount = 1;
  return (amount * 255 + 0.5) | 0;
}
