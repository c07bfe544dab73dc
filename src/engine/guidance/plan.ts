import { StudioError } from '#shared/errors.ts';
import { callProgress, type Interval, isActive, type SegmentGuidance, weightMap, type WeightMap, weightOutside, weightsAt } from './weights.ts'; // prettier-ignore

/**
 * What the network is asked under: no condition, the negative text in its place, the global text, the segments, or
 * both. In the order in which they lie in a batch.
 */
export const PASSES = ['none', 'negative', 'global', 'local', 'both'] as const;
export type PassName = (typeof PASSES)[number];

/** The dials (GuidanceSettings of the document). */
export type GuidanceDials = {
  readonly mode: 'multi' | 'single' | 'joint';
  /** Scales of the global and the local text: multi and joint. */
  readonly globalScale: number;
  readonly localScale: number;
  /** The one dial of single. */
  readonly scale: number;
  /** Outside this stretch of the schedule guidance is off: the plain conditional prediction remains. */
  readonly interval: Interval;
  /** Guidance rescale, 0..1. */
  readonly rescale: number;
};

/** What the scene has. A pass under a condition that is not there is the pass without it. */
export type Conditions = {
  readonly global: boolean;
  readonly local: boolean;
  /** A negative text stands in for "no condition". */
  readonly negative?: boolean;
};

/** A pass and its coefficient: constant + weighted * W, where W is the weight of the local term at a place. */
export type GuidanceTerm = { readonly pass: PassName; readonly constant: number; readonly weighted: number };

/** One call's guidance: what to run, and how to put it together. */
export type GuidanceStep = {
  /** The passes that matter, in the order of PASSES. Never empty. */
  readonly passes: readonly PassName[];
  /** eps = sum of terms. */
  readonly terms: readonly GuidanceTerm[];
  /** The same at scale 1, whose spread guidance rescale restores; empty without rescale. */
  readonly reference: readonly GuidanceTerm[];
  readonly rescale: number;
};

/** A coefficient this small changes no digit of a float32 prediction. */
const NEGLIGIBLE = 1e-9;

type Coefficients = Map<PassName, { constant: number; weighted: number }>;

/**
 * Plans one call.
 *
 * With n = e(none), g = e(global), l = e(local), b = e(both) and W the weight of the local term:
 * - multi:  n + sGlobal (g - n) + sLocal W (l - n)    (SpaText, section 3.4)
 * - joint:  n + sGlobal (g - n) + sLocal W (b - g)
 * - single: joint with both scales the same, which is n + s (b - n) where W = 1
 * - outside the interval: joint with both scales 1, which is b where W = 1
 *
 * Passes whose coefficient is zero everywhere are left out: scale 0, weight 0, outside the interval, and also where
 * coefficients cancel (a scale of exactly 1 needs no unconditional pass).
 * @param progress 0 (first call) to 1; see callProgress
 * @param weights the values that W takes; between them it may have any value
 */
export function planGuidance(
  dials: GuidanceDials,
  progress: number,
  conditions: Conditions,
  weights: readonly number[] = [1],
): GuidanceStep {
  for (const scale of [dials.globalScale, dials.localScale, dials.scale, dials.rescale])
    if (!Number.isFinite(scale)) throw new StudioError('bad-use', `a guidance scale of ${scale}`);
  const isOn = isActive(dials.interval, progress);
  const isMulti = dials.mode === 'multi';
  const [sGlobal, sLocal] =
    dials.mode === 'single' ? [dials.scale, dials.scale] : [dials.globalScale, dials.localScale];

  const terms = used(coefficients(isMulti && isOn, isOn ? sGlobal : 1, isOn ? sLocal : 1, conditions), weights);
  const rescale = isOn ? Math.min(1, Math.max(0, dials.rescale)) : 0;
  const reference = rescale > 0 ? used(coefficients(isMulti, 1, 1, conditions), weights) : [];
  const needed = new Set([...terms, ...reference].map((term) => term.pass));
  return { passes: PASSES.filter((pass) => needed.has(pass)), terms, reference, rescale };
}

/** The names of the passes that a call needs; see planGuidance. */
export function planPasses(
  dials: GuidanceDials,
  progress: number,
  conditions: Conditions,
  weights: readonly number[] = [1],
): readonly PassName[] {
  return planGuidance(dials, progress, conditions, weights).passes;
}

function coefficients(isMulti: boolean, sGlobal: number, sLocal: number, conditions: Conditions): Coefficients {
  const sum: Coefficients = new Map();
  const add = (pass: PassName, constant: number, weighted: number): void => {
    const before = sum.get(pass) ?? { constant: 0, weighted: 0 };
    sum.set(pass, { constant: before.constant + constant, weighted: before.weighted + weighted });
  };
  const base = conditions.negative ? 'negative' : 'none';
  const global = conditions.global ? 'global' : 'none';
  const both = conditions.global ? 'both' : 'local';

  add(base, 1 - sGlobal, 0);
  add(global, sGlobal, 0);
  if (!conditions.local) return sum;
  add(isMulti ? base : global, 0, -sLocal);
  add(isMulti ? 'local' : both, 0, sLocal);
  return sum;
}

/** The terms that count for at least one weight; the coefficient is linear in it, so its ends decide. */
function used(all: Coefficients, weights: readonly number[]): GuidanceTerm[] {
  const values = weights.length > 0 ? weights : [1];
  return PASSES.flatMap((pass) => {
    const term = all.get(pass);
    if (!term || values.every((w) => Math.abs(term.constant + term.weighted * w) <= NEGLIGIBLE)) return [];
    return [{ pass, ...term }];
  });
}

/** The guidance of one model call, with its weights laid out. */
export type GuidanceCall = { readonly step: GuidanceStep; readonly weight: WeightMap };

/**
 * Plans a whole run, so that its cost is known before it begins. Calls with the same weights share their map.
 * @param calls all model calls of the schedule, those that image-to-image skips included
 * @param segments in the order of `masks`; empty without segments
 * @param masks each segment's cover of the model's grid, 0..1
 */
export function planGuidanceRun(
  dials: GuidanceDials,
  calls: number,
  conditions: Conditions,
  segments: readonly SegmentGuidance[] = [],
  masks: readonly Float32Array[] = [],
  height = 1,
  width = 1,
): GuidanceCall[] {
  const maps = new Map<string, WeightMap>();
  return Array.from({ length: calls }, (_, index) => {
    const progress = callProgress(index, calls);
    const weights = weightsAt(segments, progress);
    const key = weights.join(' ');
    const weight = maps.get(key) ?? weightMap(masks, weights, height, width);
    maps.set(key, weight);
    return { step: planGuidance(dials, progress, conditions, [...weights, weightOutside(weights)]), weight };
  });
}

/** Passes through the network of the calls from `startIndex` on. */
export function countPasses(run: readonly GuidanceCall[], startIndex = 0): number {
  return run.slice(startIndex).reduce((sum, { step }) => sum + step.passes.length, 0);
}
