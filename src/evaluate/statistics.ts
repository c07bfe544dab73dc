/** A number with the bounds between which 95 % of repeated measurements would lie. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** How many values it is made of. */
  readonly count: number;
}

/** Xorshift32: the same resamples on every machine and in every run. */
export function seededRandom(seed: number): (below: number) => number {
  let state = Math.imul(seed + 1, 0x9e37_79b9) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const RESAMPLES = 1000;

/**
 * The mean with a bootstrap interval. Values of one scene belong together (its segments share a picture), so whole
 * scenes are drawn anew, not single values: otherwise the interval would be too narrow.
 * @param groups values by scene; scenes without values do not count
 * @returns null if there is no value at all
 */
export function bootstrapMean(groups: readonly (readonly number[])[], seed = 7): Estimate | null {
  const scenes = groups.filter((group) => group.length > 0);
  const values = scenes.flat();
  if (values.length === 0) return null;
  const value = meanOf(values);
  const sums = scenes.map((scene) => scene.reduce((sum, v) => sum + v, 0));
  const random = seededRandom(seed);
  const means: number[] = [];
  for (let round = 0; round < RESAMPLES; round += 1) {
    let sum = 0;
    let count = 0;
    for (let i = 0; i < scenes.length; i += 1) {
      const pick = random(scenes.length);
      sum += sums[pick] ?? 0;
      count += scenes[pick]?.length ?? 0;
    }
    means.push(sum / count);
  }
  means.sort((a, b) => a - b);
  return { value, low: quantile(means, 0.025), high: quantile(means, 0.975), count: values.length };
}

/** A quantile of sorted numbers, interpolated. */
export function quantile(sorted: readonly number[], q: number): number {
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const a = sorted[low] ?? 0;
  return a + (at - low) * ((sorted[low + 1] ?? a) - a);
}

/** Wilson's score interval of a share: right also for few answers and shares near 0 or 1, unlike the usual one. */
export function wilson(successes: number, count: number, z = 1.959964): Estimate {
  if (count === 0) return { value: 0, low: 0, high: 1, count };
  const p = successes / count;
  const z2 = z * z;
  const centre = (p + z2 / (2 * count)) / (1 + z2 / count);
  const half = (z / (1 + z2 / count)) * Math.sqrt((p * (1 - p)) / count + z2 / (4 * count * count));
  return {
    value: p,
    low: successes === 0 ? 0 : centre - half,
    high: successes === count ? 1 : centre + half,
    count,
  };
}

/** How likely a fair coin is to be at least as lopsided (two-sided sign test). */
export function signTest(successes: number, count: number): number {
  if (count === 0) return 1;
  const most = Math.max(successes, count - successes);
  let logChoose = 0;
  let tail = 0;
  for (let k = 0; k <= count; k += 1) {
    if (k > 0) logChoose += Math.log((count - k + 1) / k);
    if (k >= most) tail += Math.exp(logChoose - count * Math.LN2);
  }
  return Math.min(1, 2 * tail);
}
