import { StudioError } from '#shared/errors.ts';
import { ANCHOR_CHANNELS } from '../packs/schema.ts';
import type { SketchAnchor } from '../packs/schema.ts';

/** One prediction, and what it is held to. */
export interface HeldPrediction {
  /** [3, places] guided v prediction, changed in place. */
  readonly v: Float32Array;
  /** [3, places] the noisy picture as the network saw it (variance preserving: alpha x0 + sigma noise). */
  readonly x: Float32Array;
  /** [channels, places] the sketch map, at least ANCHOR_CHANNELS planes. */
  readonly sketch: Float32Array;
  /** How much of the segments is in the prediction: everywhere the same, or for each place. Counts as 0..1. */
  readonly share: number | Float32Array;
  /** Cumulative alpha of the timestep, 0..1: how much of the clean picture's variance is left. */
  readonly alphaCumprod: number;
}

/**
 * Holds a guided v prediction to the sketch. If the clean picture were the sketch s plus normal noise of deviation d,
 * the best guess of v given x would be sigma (alpha (1 - d^2) x - s) / (d^2 alpha^2 + sigma^2). As far as the sketch
 * says that the thing is there, this takes the place of v while x is mostly noise (half of it at sigma = `until`) and
 * leaves it as x gets clear. It comes after guidance, so that no scale extrapolates it: what does not follow the
 * canvas, extrapolated from what does, feeds on itself (docs/decisions/0804).
 * @throws StudioError `internal` where the lengths do not fit
 */
export function holdToSketch({ v, x, sketch, share, alphaCumprod }: HeldPrediction, anchor: SketchAnchor): void {
  const places = v.length / 3;
  if (x.length !== v.length || sketch.length < ANCHOR_CHANNELS * places)
    throw new StudioError('internal', `a prediction of ${v.length} numbers, a sketch map of ${sketch.length}`);
  const alpha2 = Math.min(1, Math.max(0, alphaCumprod));
  const sigma2 = Math.max(1 - alpha2, 1e-4);
  const spread2 = anchor.spread ** 2;
  const trust = sigma2 ** 2 / (sigma2 ** 2 + anchor.until ** 4);
  const scale = Math.sqrt(sigma2) / (spread2 * alpha2 + sigma2);
  const ofCanvas = Math.sqrt(alpha2) * (1 - spread2);
  for (let p = 0; p < places; p += 1) {
    const part = (sketch[3 * places + p] ?? 0) * (sketch[4 * places + p] ?? 0);
    const counts = typeof share === 'number' ? share : (share[p] ?? 0);
    const held = Math.min(1, Math.max(0, counts)) * trust * part;
    if (held === 0) continue;
    for (let i = p; i < v.length; i += places) {
      const own = v[i] ?? 0;
      const way = scale * (ofCanvas * (x[i] ?? 0) - (sketch[i] ?? 0));
      v[i] = own + held * (way - own);
    }
  }
}
