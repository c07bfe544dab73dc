import type { Affine } from '../document/geometry.ts';

export const IDENTITY: Affine = [1, 0, 0, 1, 0, 0];

/** The map that does `inner` first, then `outer`. */
export function composeAffine(outer: Affine, inner: Affine): Affine {
  const [a, b, c, d, e, f] = outer;
  const [p, q, r, s, t, u] = inner;
  return [a * p + c * q, b * p + d * q, a * r + c * s, b * r + d * s, a * t + c * u + e, b * t + d * u + f];
}

/** The inverse map; null if the plane is flattened to a line or a point. */
export function invertAffine([a, b, c, d, e, f]: Affine): Affine | null {
  const det = a * d - b * c;
  if (!Number.isFinite(1 / det)) return null;
  return [d / det, -b / det, -c / det, a / det, (c * f - d * e) / det, (b * e - a * f) / det];
}

/** The factor by which lengths grow, if it is the same in all directions (shape kept, maybe mirrored); else null. */
export function similarityScale([a, b, c, d]: Affine): number | null {
  const across = Math.hypot(a, b);
  const down = Math.hypot(c, d);
  const tolerance = 1e-6 * Math.max(across, down);
  if (Math.abs(across - down) > tolerance || Math.abs(a * c + b * d) > tolerance * Math.max(across, down)) return null;
  return across;
}

/** A bound on how much any length can grow: the larger singular value, at most the Frobenius norm. */
export const affineReach = ([a, b, c, d]: Affine): number => Math.hypot(a, b, c, d);
