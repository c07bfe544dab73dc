import { StudioError } from '#shared/errors.ts';

/** A stretch of the schedule as fractions of its calls, both ends included. */
export type Interval = readonly [start: number, end: number];

/** How much one segment's local text counts, and when. */
export type SegmentGuidance = {
  /** Multiplies the local scale inside the segment; 0 switches its guidance off. */
  readonly weight: number;
  /** Outside this stretch the weight is 0. */
  readonly interval?: Interval;
};

/**
 * The weight of the local term, place by place: one number, or a plane of the model's resolution in row-major order.
 */
export type WeightMap =
  | { readonly kind: 'uniform'; readonly value: number }
  | { readonly kind: 'map'; readonly data: Float32Array; readonly height: number; readonly width: number };

/**
 * Where in the schedule a model call lies: the middle of its share, so that [0, 0.5] and [0.5, 1] divide an even
 * number of calls without one being in both or in neither.
 */
export function callProgress(index: number, calls: number): number {
  return (index + 0.5) / calls;
}

export function isActive(interval: Interval | undefined, progress: number): boolean {
  return interval === undefined || (progress >= interval[0] && progress <= interval[1]);
}

/** The weights of the segments at a point of the schedule. */
export function weightsAt(segments: readonly SegmentGuidance[], progress: number): number[] {
  return segments.map(({ weight, interval }) => {
    if (!Number.isFinite(weight)) throw new StudioError('bad-use', `a segment's guidance weight of ${weight}`);
    return isActive(interval, progress) ? weight : 0;
  });
}

/**
 * The weight of the local term where nothing is drawn. The local pass says something there too (what surrounds the
 * segments), so it counts as long as any segment does, but never more than plainly.
 */
export function weightOutside(weights: readonly number[]): number {
  return weights.length === 0 ? 1 : Math.min(1, Math.max(...weights));
}

/**
 * Weights laid over the model's grid. Masks are disjoint; where feathered ones add up to less than 1, the rest of
 * the place lies outside.
 * @param masks one for each weight: height * width numbers, 0..1
 */
export function weightMap(
  masks: readonly Float32Array[],
  weights: readonly number[],
  height: number,
  width: number,
): WeightMap {
  if (masks.length !== weights.length)
    throw new StudioError('bad-use', `${masks.length} masks for ${weights.length} segment weights`);
  const outside = weightOutside(weights);
  if (weights.every((weight) => weight === outside)) return { kind: 'uniform', value: outside };
  const data = new Float32Array(height * width).fill(outside);
  masks.forEach((mask, i) => {
    if (mask.length !== data.length)
      throw new StudioError('bad-use', `a mask of ${mask.length} places on a grid of ${height} x ${width}`);
    const change = (weights[i] as number) - outside;
    if (change !== 0)
      for (let p = 0; p < data.length; p++) data[p] = (data[p] as number) + change * (mask[p] as number);
  });
  return { kind: 'map', data, height, width };
}
