import { StudioError } from '#shared/errors.ts';

/** Embeddings are plain vectors: float32 in the engine, float64 where a caller wants more digits. */
export type Vector = Float32Array | Float64Array;

function requireSameLength(a: Vector, b: Vector): void {
  if (a.length !== b.length)
    throw new StudioError('bad-input', `vectors of ${a.length} and ${b.length} numbers cannot be compared`);
}

/** Sum of products, in float64. */
export function dot(a: Vector, b: Vector): number {
  requireSameLength(a, b);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** Euclidean length. */
export function norm(a: Vector): number {
  return Math.sqrt(dot(a, a));
}

/** Cosine of the angle between two vectors, -1..1; 0 when one of them has no length. */
export function cosineSimilarity(a: Vector, b: Vector): number {
  requireSameLength(a, b);
  const lengths = norm(a) * norm(b);
  return lengths > 0 ? Math.min(1, Math.max(-1, dot(a, b) / lengths)) : 0;
}

/** The vector at unit length; one without length stays as it is (it has no direction to keep). */
export function normalise<V extends Vector>(a: V): V {
  const length = norm(a);
  const out = a.slice() as V;
  if (length > 0) for (let i = 0; i < out.length; i++) out[i] = (a[i] as number) / length;
  return out;
}

/** Above this |cosine| the sphere is flat to float32's eyes, and sin(angle) too small to divide by. */
const PARALLEL = 0.9995;

/**
 * Interpolation along the great circle from `a` (t = 0) to `b` (t = 1). The angle is the one between the directions;
 * the weights go on the vectors as they are, so lengths are carried along. Straight interpolation when the vectors
 * are nearly parallel, opposite, or one of them is zero. Source: Shoemake 1985, as diffusers' pipelines apply it.
 * @returns a vector of the type of `a`
 */
export function slerp<V extends Vector>(a: V, b: V, t: number): V {
  requireSameLength(a, b);
  const lengths = norm(a) * norm(b);
  const cosine = lengths > 0 ? dot(a, b) / lengths : 1;
  let weightA = 1 - t;
  let weightB = t;
  if (Math.abs(cosine) <= PARALLEL) {
    const angle = Math.acos(cosine);
    weightA = Math.sin((1 - t) * angle) / Math.sin(angle);
    weightB = Math.sin(t * angle) / Math.sin(angle);
  }
  const out = a.slice() as V;
  for (let i = 0; i < out.length; i++) out[i] = weightA * (a[i] as number) + weightB * (b[i] as number);
  return out;
}
