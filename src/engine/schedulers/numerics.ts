/**
 * The corners of numpy and torch that decide whether a schedule is the published one: float32 rounding, rounding
 * half to even, and how their linspace, arange and interp arrive at a number.
 */

/** Rounds to float32. */
export const f32 = Math.fround;

/** To the nearest whole number, a half going to the even one (numpy's round; Math.round goes up). */
export function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** numpy.linspace in float64, the end included. One point is the start. */
export function linspace(start: number, stop: number, count: number): number[] {
  const step = count > 1 ? (stop - start) / (count - 1) : 0;
  const points = Array.from({ length: count }, (_, i) => i * step + start);
  if (count > 1) points[count - 1] = stop;
  return points;
}

/** torch.linspace in float32: counted from both ends, the step rounded, the sum rounded once. */
export function linspaceFloat32(start: number, stop: number, count: number): Float32Array {
  const first = f32(start);
  const last = f32(stop);
  const step = count > 1 ? f32(f32(last - first) / (count - 1)) : 0;
  const half = Math.floor(count / 2);
  return Float32Array.from({ length: count }, (_, i) =>
    i < half || count === 1 ? first + step * i : last - step * (count - 1 - i),
  );
}

/** numpy.arange(start, stop, step) for floats: the step that counts is (start + step) - start. */
export function arange(start: number, stop: number, step: number): number[] {
  const length = Math.max(0, Math.ceil((stop - start) / step));
  const delta = start + step - start;
  return Array.from({ length }, (_, i) => start + i * delta);
}

/** numpy.interp over the points 0, 1, 2, ...: straight lines between the values, the end values beyond them. */
export function interpolate(x: number, values: ArrayLike<number>): number {
  const last = values.length - 1;
  if (x <= 0) return values[0] as number;
  if (x >= last) return values[last] as number;
  const low = Math.floor(x);
  const from = values[low] as number;
  return ((values[low + 1] as number) - from) * (x - low) + from;
}

/**
 * Solves a x = b by elimination with pivoting. The systems of UniPC have at most three rows.
 * @param rows the matrix, row by row
 */
export function solve(rows: readonly (readonly number[])[], b: readonly number[]): number[] {
  const n = b.length;
  const m = rows.map((row, i) => [...row, b[i] as number]);
  const at = (i: number, j: number): number => (m[i] as number[])[j] as number;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let i = column + 1; i < n; i++) if (Math.abs(at(i, column)) > Math.abs(at(pivot, column))) pivot = i;
    const swapped = m[pivot] as number[];
    m[pivot] = m[column] as number[];
    m[column] = swapped;
    for (let i = column + 1; i < n; i++) {
      const factor = at(i, column) / at(column, column);
      for (let j = column; j <= n; j++) (m[i] as number[])[j] = at(i, j) - factor * at(column, j);
    }
  }
  const x = b.map(() => 0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = at(i, n);
    for (let j = i + 1; j < n; j++) sum -= at(i, j) * (x[j] as number);
    x[i] = sum / at(i, i);
  }
  return x;
}
