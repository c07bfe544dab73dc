import { StudioError } from '#shared/errors.ts';
import type { GuidanceCall, PassName, SegmentGuidance } from '../guidance/index.ts';
import { combine, weightsAt, callProgress } from '../guidance/index.ts';
import type { IpImage } from '../checkpoints/ip-adapter.ts';
import { beginsAtNoise, isDone, timestepOf } from '../schedulers/index.ts';
import type { Scheduler, SchedulerPlan } from '../schedulers/index.ts';
import { linear, slice } from '../tensor/index.ts';
import type { Tensor } from '../tensor/index.ts';
import type { EncodedText, StockCall, StockNetworks, StockRow } from './networks.ts';

/** A segment as the denoiser gets it. */
export interface StockSegment {
  /** Its words; an empty text where only pictures speak. */
  readonly local: EncodedText;
  readonly negative: EncodedText | null;
  readonly guidance: SegmentGuidance;
  /** Pictures that fill its slot (IP-Adapter), and the same places looking at nothing for the passes without them. */
  readonly images: readonly IpImage[];
  readonly blankImages: readonly IpImage[];
}

/** Everything about a scene that does not change from step to step. */
export interface StockScene {
  readonly latent: { readonly height: number; readonly width: number };
  readonly picture: { readonly height: number; readonly width: number };
  /** Coverage 0..1 on the latent grid, one per segment, bottom to top, disjoint. */
  readonly masks: readonly Float32Array[];
  readonly segments: readonly StockSegment[];
  /** The empty text: what "no condition" is told. */
  readonly empty: EncodedText;
  readonly negative: EncodedText | null;
  readonly global: EncodedText | null;
}

/** What the network says under each pass, for one picture. */
export type Predict = (
  passes: readonly PassName[],
  input: Tensor,
  timestep: number,
  index: number,
) => Promise<Partial<Record<PassName, Tensor>>>;

/** Latents that stay (img2img, inpainting). */
export interface KnownLatents {
  /** [1, 4, h, w], multiplied by the scaling factor. */
  readonly original: Tensor;
  /** [h * w], 1 where the new picture goes; null: everywhere. */
  readonly mask: Float32Array | null;
}

export interface StockRun {
  readonly scheduler: Scheduler;
  readonly plan: SchedulerPlan;
  readonly startIndex: number;
  readonly calls: readonly GuidanceCall[];
  /** Unit noise [1, 4, h, w]. */
  readonly noise: Tensor;
  /** Unit noise of the same shape for the step after a call. */
  readonly stepNoise: (index: number) => Tensor;
  readonly known: KnownLatents | null;
  readonly breathe: () => Promise<void>;
  /** After each step: predicted x0, [1, 4, h, w], and the latents. */
  readonly onStep: (index: number, predictedOriginal: Tensor, sample: Tensor) => Promise<void>;
}

/**
 * The sampling loop of one picture.
 *
 * @returns latents [1, 4, h, w], multiplied by the scaling factor
 */
export async function denoiseStock(predict: Predict, run: StockRun): Promise<Tensor> {
  const { scheduler, plan, startIndex, known, noise } = run;
  let state = scheduler.start(plan, startIndex);
  if (isDone(state)) {
    if (!known) throw new StudioError('internal', 'nothing to denoise');
    return known.original;
  }
  let sample =
    known && !beginsAtNoise(plan, startIndex)
      ? scheduler.addNoise(plan, known.original, noise, startIndex)
      : linear([[plan.initNoiseSigma, noise]]);
  while (!isDone(state)) {
    const { index } = state;
    const call = run.calls[index];
    if (!call) throw new StudioError('internal', `call ${index} was not planned`);
    const input = scheduler.scaleModelInput(state, sample);
    const predictions = await predict(call.step.passes, input, timestepOf(state), index);
    const prediction = combine(call.step, predictions, call.weight);
    const stepNoise = plan.draws[index] === true ? run.stepNoise(index) : undefined;
    const stepped = scheduler.step(state, prediction, sample, stepNoise);
    ({ sample, state } = stepped);
    if (known?.mask) {
      // Blended latent diffusion (Avrahami et al. 2023): outside the mask the known latents, as noisy as this step.
      const outside = isDone(state) ? known.original : scheduler.addNoise(plan, known.original, noise, state.index);
      sample = blend(outside, sample, known.mask);
    }
    await run.onStep(index, stepped.predictedOriginal, sample);
    await run.breathe();
  }
  return sample;
}

/** a where the mask is 0, b where it is 1. */
export function blend(a: Tensor, b: Tensor, mask: Float32Array): Tensor {
  const data = new Float32Array(a.data.length);
  for (let i = 0; i < data.length; i++) {
    const m = mask[i % mask.length] ?? 0;
    data[i] = (a.data[i] ?? 0) * (1 - m) + (b.data[i] ?? 0) * m;
  }
  return { data, shape: a.shape };
}

export interface PassOptions {
  readonly calls: number;
  /** Scale that an LCM is told. */
  readonly guidance: number;
  readonly isolate: boolean;
  /** Inpainting models: mask (1 = new) and masked picture as latents, [5, h, w], after the noisy latents. */
  readonly inpainting: Float32Array | null;
  readonly breathe: () => Promise<void>;
  /** @param share of the canvas that each pass saw, 1 unless told */
  readonly onPasses: (passes: number, milliseconds: number, share?: number) => void;
}

/**
 * Most rows of one call: three passes of guidance. More in a batch wins nothing on a processor, and a
 * cancel has to wait for the call to end.
 */
const MAX_ROWS = 3;

/**
 * Every row of a batch carries as many tokens as its longest. Reading one more costs a row about this share of a pass
 * at 512 x 512, and another batch about this share of one (weights are widened again), less the larger the picture
 * (bench/stock.ts sd15).
 */
const TOKEN_SHARE = 1.7e-4;
const BATCH_SHARE = 0.045;

/**
 * The rows of a step in batches, of three at most: rows of many segments apart from those of none, where that is less
 * work. @param cells places of the latent grid; 0: they stay together
 */
export function inBatches(rows: readonly StockRow[], cells: number): number[][] {
  const extra = (row: StockRow): number =>
    [...new Set(row.segments)].reduce((sum, text) => sum + (text && text !== row.base ? text.own.tokens : 0), 0);
  const extras = rows.map(extra);
  const most = Math.max(0, ...extras);
  const few = extras.flatMap((tokens, i) => (tokens * 2 < most ? [i] : []));
  const many = extras.flatMap((tokens, i) => (tokens * 2 < most ? [] : [i]));
  const wasted = few.reduce((sum, i) => sum + most - (extras[i] ?? 0), 0) * TOKEN_SHARE;
  const apart = few.length > 0 && wasted > BATCH_SHARE * Math.max(1, 4096 / cells);
  const groups = apart ? [few, many] : [[...rows.keys()]];
  return groups.flatMap((group) => {
    const batches: number[][] = [];
    for (let from = 0; from < group.length; from += MAX_ROWS) batches.push(group.slice(from, from + MAX_ROWS));
    return batches;
  });
}

/** Passes through a network with regions: each pass is one row, those of a step in one batch, or two. */
export function regionalPredict(networks: StockNetworks, scene: StockScene, options: PassOptions): Predict {
  return async (passes, input, timestep, index) => {
    const active = weightsAt(
      scene.segments.map((segment) => segment.guidance),
      callProgress(index, options.calls),
    );
    const sample = withInpainting(input.data, options.inpainting);
    const rows = passes.map((pass) => rowOf(scene, pass, active, sample));
    const call: StockCall = {
      timestep,
      latent: scene.latent,
      picture: scene.picture,
      masks: scene.masks,
      guidance: options.guidance,
      isolate: options.isolate,
    };
    const out: Partial<Record<PassName, Tensor>> = {};
    // The leak shield is another graph, and only one of the two is open.
    const { height, width } = scene.latent;
    const batches = inBatches(rows, options.isolate ? 0 : height * width);
    for (const [number, batch] of batches.entries()) {
      const began = performance.now();
      const chunk = batch.flatMap((i) => rows[i] ?? []);
      const predicted = await networks.denoise(chunk, call);
      options.onPasses(chunk.length, performance.now() - began);
      for (const [i, row] of batch.entries()) {
        const pass = passes[row];
        if (pass) out[pass] = slice(predicted, i, i + 1);
      }
      if (number + 1 < batches.length) await options.breathe();
    }
    return out;
  };
}

/** The channels of a sample with those that an inpainting model reads behind them. */
export function withInpainting(sample: Float32Array, more: Float32Array | null): Float32Array {
  if (!more) return sample;
  const joined = new Float32Array(sample.length + more.length);
  joined.set(sample);
  joined.set(more, sample.length);
  return joined;
}

/** What each pass is told: see guidance/. Segments that are not active at this call read the base. */
function rowOf(scene: StockScene, pass: PassName, active: readonly number[], sample: Float32Array): StockRow {
  const silent = scene.negative ?? scene.empty;
  const locals = scene.segments.map((segment, i) => (active[i] === 0 ? undefined : segment.local));
  const images = scene.segments.flatMap((segment, i) => (active[i] === 0 ? [] : segment.images));
  const blank = scene.segments.flatMap((segment, i) => (active[i] === 0 ? [] : segment.blankImages));
  switch (pass) {
    case 'none':
      return { sample, base: scene.empty, segments: [], images: blank };
    case 'negative': {
      const negatives = scene.segments.map((segment, i) =>
        active[i] === 0 ? undefined : (segment.negative ?? undefined),
      );
      return { sample, base: silent, segments: negatives.some(Boolean) ? negatives : [], images: blank };
    }
    case 'global':
      return { sample, base: scene.global ?? scene.empty, segments: [], images: blank };
    case 'local':
      return { sample, base: silent, segments: locals, images };
    case 'both':
      return { sample, base: scene.global ?? scene.empty, segments: locals, images };
  }
}
