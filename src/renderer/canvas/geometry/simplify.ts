/** Longer lines are cut into stretches of this many points: the time stays linear, at one more kept point a stretch. */
const STRETCH = 1024;

/**
 * Ramer-Douglas-Peucker on points of any dimension: keeps few points such that none of the dropped
 * ones lies farther than `tolerance` from the kept line. Iterative, so that long strokes cannot exhaust the stack.
 * @param weights scales each dimension before distances are taken (pressure counts in pixels of width)
 */
export function simplify<P extends readonly number[]>(
  points: readonly P[],
  tolerance: number,
  weights?: readonly number[],
): P[] {
  if (points.length <= 2) return [...points];
  const keep = new Uint8Array(points.length);
  const limit = tolerance * tolerance;
  const end = points.length - 1;
  keep[0] = 1;
  const stack: [number, number][] = [];
  for (let first = 0; first < end; first += STRETCH) {
    const last = Math.min(end, first + STRETCH);
    keep[last] = 1;
    stack.push([first, last]);
  }
  for (let span = stack.pop(); span; span = stack.pop()) {
    const [first, last] = span;
    let farthest = -1;
    let distance = limit;
    for (let index = first + 1; index < last; index += 1) {
      const d = squaredDistance(points[index], points[first], points[last], weights);
      if (d > distance) {
        distance = d;
        farthest = index;
      }
    }
    if (farthest < 0) continue;
    keep[farthest] = 1;
    stack.push([first, farthest], [farthest, last]);
  }
  return points.filter((_, index) => keep[index] === 1);
}

/** Squared distance of `p` from the stretch a..b. */
function squaredDistance(
  p: readonly number[] | undefined,
  a: readonly number[] | undefined,
  b: readonly number[] | undefined,
  weights: readonly number[] | undefined,
): number {
  if (!p || !a || !b) return 0;
  let along = 0;
  let length = 0;
  for (let k = 0; k < p.length; k += 1) {
    const weight = weights?.[k] ?? 1;
    const direction = ((b[k] ?? 0) - (a[k] ?? 0)) * weight;
    along += ((p[k] ?? 0) - (a[k] ?? 0)) * weight * direction;
    length += direction * direction;
  }
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, along / length));
  let sum = 0;
  for (let k = 0; k < p.length; k += 1) {
    const weight = weights?.[k] ?? 1;
    const from = a[k] ?? 0;
    const d = ((p[k] ?? 0) - from - t * ((b[k] ?? 0) - from)) * weight;
    sum += d * d;
  }
  return sum;
}

/**
 * The same for a closed line: it is cut at its two farthest points, so that no corner is lost at the seam.
 * The first point is not repeated at the end, neither in nor out.
 */
export function simplifyClosed<P extends readonly number[]>(points: readonly P[], tolerance: number): P[] {
  const first = points[0];
  if (!first || points.length < 4) return [...points];
  let opposite = 0;
  let distance = -1;
  for (const [index, point] of points.entries()) {
    const d = ((point[0] ?? 0) - (first[0] ?? 0)) ** 2 + ((point[1] ?? 0) - (first[1] ?? 0)) ** 2;
    if (d > distance) {
      distance = d;
      opposite = index;
    }
  }
  const there = simplify(points.slice(0, opposite + 1), tolerance);
  const back = simplify([...points.slice(opposite), first], tolerance);
  return [...there, ...back.slice(1, -1)];
}
