import { StudioError } from '#shared/errors.ts';
import { batchOf, requireSameShape, type Tensor } from '../tensor/index.ts';
import type { GuidanceStep, GuidanceTerm, PassName } from './plan.ts';
import type { WeightMap } from './weights.ts';

/** What the network said under each pass. */
export type Predictions = Readonly<Partial<Record<PassName, Tensor>>>;

const PLAIN: WeightMap = { kind: 'uniform', value: 1 };

/** A term with its numbers looked up. */
type Part = { readonly data: Float32Array; readonly constant: number; readonly weighted: number };

/**
 * Puts the passes of a call together: eps = sum of (constant + weighted * W) * prediction, then guidance rescale
 * (Lin et al. 2024, eq. 15 and 16; for each sample of the batch by itself). One loop over the numbers, in float64,
 * rounded once.
 * @param predictions at least step.passes, all of one shape, [batch, channels, height, width] when W is a map
 * @param weight W; uniform 1 when left out
 * @param out where the result goes, of the same length and none of the predictions; allocated when left out
 */
export function combine(
  step: GuidanceStep,
  predictions: Predictions,
  weight: WeightMap = PLAIN,
  out?: Float32Array,
): Tensor {
  const first = predictionOf(predictions, step.terms[0]?.pass ?? 'none');
  const parts = partsOf(step.terms, predictions, first);
  const data = out ?? new Float32Array(first.data.length);
  if (data.length !== first.data.length)
    throw new StudioError('bad-use', `a buffer of ${data.length} numbers for ${first.data.length}`);
  if (parts.some((part) => part.data.buffer === data.buffer && part.data.byteOffset === data.byteOffset))
    throw new StudioError('bad-use', 'the result of guidance cannot be written over one of its passes');

  const isSpatial = weight.kind === 'map' && [...step.terms, ...step.reference].some((term) => term.weighted !== 0);
  if (isSpatial) requireGrid(first, weight.height, weight.width);
  if (isSpatial) mixByMap(parts, weight.data, data);
  else mix(parts, weight.kind === 'uniform' ? weight.value : 0, data);

  if (step.rescale > 0) rescale(step, partsOf(step.reference, predictions, first), weight, data, batchOf(first));
  return { data, shape: first.shape };
}

/**
 * How much of the segments is in a combined prediction: the coefficients of the passes that saw them, added up.
 * @returns one number, or one for each place where the weight is a map
 */
export function shareOfSegments(step: GuidanceStep, weight: WeightMap = PLAIN): number | Float32Array {
  const seen = step.terms.filter(({ pass }) => pass === 'local' || pass === 'both');
  const constant = seen.reduce((sum, term) => sum + term.constant, 0);
  const weighted = seen.reduce((sum, term) => sum + term.weighted, 0);
  if (weight.kind === 'uniform') return constant + weighted * weight.value;
  return weighted === 0 ? constant : weight.data.map((w) => constant + weighted * w);
}

function predictionOf(predictions: Predictions, pass: PassName): Tensor {
  const prediction = predictions[pass];
  if (!prediction) throw new StudioError('bad-use', `guidance needs the pass '${pass}', which was not run`);
  return prediction;
}

function partsOf(terms: readonly GuidanceTerm[], predictions: Predictions, first: Tensor): Part[] {
  return terms.map(({ pass, constant, weighted }) => {
    const prediction = predictionOf(predictions, pass);
    requireSameShape(first, prediction, 'the first pass', `the pass '${pass}'`);
    return { data: prediction.data, constant, weighted };
  });
}

function requireGrid(x: Tensor, height: number, width: number): void {
  const [h, w] = x.shape.slice(-2);
  if (x.shape.length < 3 || h !== height || w !== width)
    throw new StudioError(
      'bad-use',
      `weights on ${height} x ${width} places for predictions of [${x.shape.join(', ')}]`,
    );
}

/** Everywhere the same weight. */
function mix(parts: readonly Part[], weight: number, out: Float32Array): void {
  const [a, b, c] = parts as [Part, Part?, Part?];
  const ka = a.constant + a.weighted * weight;
  const xa = a.data;
  if (!b) {
    for (let i = 0; i < out.length; i++) out[i] = ka * (xa[i] as number);
    return;
  }
  const kb = b.constant + b.weighted * weight;
  const xb = b.data;
  if (!c) {
    for (let i = 0; i < out.length; i++) out[i] = ka * (xa[i] as number) + kb * (xb[i] as number);
    return;
  }
  const kc = c.constant + c.weighted * weight;
  const xc = c.data;
  for (let i = 0; i < out.length; i++)
    out[i] = ka * (xa[i] as number) + kb * (xb[i] as number) + kc * (xc[i] as number);
}

/** A weight for each place, the same for every channel and sample. There are at most three terms. */
function mixByMap(parts: readonly Part[], map: Float32Array, out: Float32Array): void {
  const [a, b, c] = threeOf(parts);
  const places = map.length;
  for (let offset = 0; offset < out.length; offset += places) {
    for (let p = 0; p < places; p++) {
      const w = map[p] as number;
      const i = offset + p;
      out[i] =
        (a.constant + a.weighted * w) * (a.data[i] as number) +
        (b.constant + b.weighted * w) * (b.data[i] as number) +
        (c.constant + c.weighted * w) * (c.data[i] as number);
    }
  }
}

/** Padded to three terms by terms that count nothing, so that one loop serves all. */
function threeOf(parts: readonly Part[]): readonly [Part, Part, Part] {
  const a = parts[0] as Part;
  const nothing = { data: a.data, constant: 0, weighted: 0 };
  return [a, parts[1] ?? nothing, parts[2] ?? nothing];
}

/** Gives each sample back the standard deviation that it has at scale 1, by the share step.rescale. */
function rescale(
  step: GuidanceStep,
  reference: readonly Part[],
  weight: WeightMap,
  data: Float32Array,
  batch: number,
): void {
  const each = data.length / batch;
  const map = weight.kind === 'map' ? weight.data : null;
  const uniform = weight.kind === 'uniform' ? weight.value : 0;
  const [a, b, c] = threeOf(reference);
  for (let start = 0; start < data.length; start += each) {
    // sums of squares in float64 are exact enough for numbers around 1; n - 1 or n cancels in the ratio
    let sum = 0;
    let squares = 0;
    let sumAtOne = 0;
    let squaresAtOne = 0;
    for (let i = start; i < start + each; i++) {
      const value = data[i] as number;
      sum += value;
      squares += value * value;
      const w = map ? (map[i % map.length] as number) : uniform;
      const atOne =
        (a.constant + a.weighted * w) * (a.data[i] as number) +
        (b.constant + b.weighted * w) * (b.data[i] as number) +
        (c.constant + c.weighted * w) * (c.data[i] as number);
      sumAtOne += atOne;
      squaresAtOne += atOne * atOne;
    }
    const variance = squares - (sum * sum) / each;
    const varianceAtOne = squaresAtOne - (sumAtOne * sumAtOne) / each;
    if (!(variance > 0) || !(varianceAtOne >= 0)) continue; // a flat prediction has no spread to restore
    const factor = step.rescale * Math.sqrt(varianceAtOne / variance) + 1 - step.rescale;
    for (let i = start; i < start + each; i++) data[i] = (data[i] as number) * factor;
  }
}
