import type { Point } from '#shared/document/geometry.ts';
import { LIMITS } from '#shared/document/limits.ts';
import { simplifyClosed } from './simplify.ts';

const short = (value: number): string => String(Math.round(value * 100) / 100);

/** Closed rings as SVG path data; fill it by the even-odd rule, so that rings inside rings are holes. */
export function ringsToPath(rings: readonly (readonly Point[])[]): string {
  const parts: string[] = [];
  for (const ring of rings) {
    if (ring.length < 3) continue;
    parts.push(`M${ring.map(([x, y]) => `${short(x)} ${short(y)}`).join('L')}Z`);
  }
  return parts.join('');
}

/**
 * The same, simplified until it fits the document's limit on path data. Starts at `tolerance` scene pixels and
 * doubles it; very small rings go first when even that is too long.
 * @returns undefined when nothing is left
 */
export function compactPath(rings: readonly (readonly Point[])[], tolerance = 0.25): string | undefined {
  for (let reach = tolerance; reach < 64; reach *= 2) {
    const kept = rings.map((ring) => simplifyClosed(ring, reach)).filter((ring) => ring.length >= 3);
    const d = ringsToPath(kept);
    if (d.length === 0) return undefined;
    if (d.length <= LIMITS.pathData) return d;
  }
  return undefined;
}
