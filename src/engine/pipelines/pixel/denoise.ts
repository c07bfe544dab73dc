import type { GuidanceSettings } from '#shared/document/settings.ts';
import { StudioError } from '#shared/errors.ts';
import { combine, countPasses, planGuidanceRun, shareOfSegments } from '../../guidance/index.ts';
import type { GuidanceCall, PassName } from '../../guidance/index.ts';
import { beginsAtNoise, isDone, timestepOf } from '../../schedulers/index.ts';
import type { Scheduler, SchedulerPlan } from '../../schedulers/index.ts';
import { concat, linear, normalBatch, slice, tensor } from '../../tensor/index.ts';
import type { NoiseStream, Tensor } from '../../tensor/index.ts';
import type { DenoiserRow, PixelModel } from '../../spatext/pixel-model.ts';
import { holdToSketch } from '../../spatext/sketch-anchor.ts';
import type { PreparedScene } from './prepare.ts';

/** One picture of a batch: its noise and its guidance; the scene is common to all. */
export interface PictureToMake {
  readonly seed: number;
  /** Unit noise of shape [1, 3, n, n]; the stream goes on with the noise of the steps. */
  readonly noise: Tensor;
  readonly stream: NoiseStream;
  readonly guidance: GuidanceSettings;
}

/** A picture that the new one starts from (img2img), or that stays outside a mask (redo). */
export interface KnownPicture {
  /** [3, n, n] in -1..1 */
  readonly original: Float32Array;
  /** [n * n], 1 where the new picture goes, 0 where the known one stays; null: everywhere new. */
  readonly mask: Float32Array | null;
}

export interface DenoiseOptions {
  readonly scheduler: Scheduler;
  readonly plan: SchedulerPlan;
  readonly startIndex: number;
  readonly known: KnownPicture | null;
  readonly breathe: () => Promise<void>;
  /** After each call of the network: how many passes went through it in how many milliseconds. */
  readonly onPasses: (passes: number, milliseconds: number) => void;
  /** After each step: predicted x0 of the batch [B, 3, n, n]. */
  readonly onStep: (index: number, predictedOriginal: Tensor) => Promise<void>;
}

/**
 * Most rows of one call of the network. More in a batch wins nothing on a processor (bench/passes.ts), and a
 * cancel has to wait for the call to end.
 */
const MAX_ROWS = 4;

/** A picture's guidance over the whole schedule: what each call needs, and how it is put together. */
export function planPicture(
  prepared: PreparedScene,
  guidance: GuidanceSettings,
  calls: number,
  n: number,
): GuidanceCall[] {
  const conditions = {
    global: prepared.global !== null,
    local: prepared.features !== null,
    negative: prepared.negativeGlobal !== null || prepared.negativeFeatures !== null,
  };
  const masks = prepared.segments.map(({ mask }) => Float32Array.from(mask, (value) => value / 255));
  return planGuidanceRun(
    guidance,
    calls,
    conditions,
    prepared.segments.map(({ record }) => record),
    masks,
    n,
    n,
  );
}

/** Passes of all pictures, known before the first one. */
export function passesOf(
  prepared: PreparedScene,
  guidances: readonly GuidanceSettings[],
  plan: SchedulerPlan,
  startIndex: number,
  n: number,
): number {
  return guidances.reduce(
    (sum, guidance) => sum + countPasses(planPicture(prepared, guidance, plan.timesteps.length, n), startIndex),
    0,
  );
}

/**
 * The sketch map as super-resolution is told it: as strong as guidance let the segments be at their strongest, at most
 * as it is, so that a picture made without them is enlarged without them.
 * @param calls of the whole schedule
 */
export function sketchToShow(
  model: PixelModel,
  prepared: PreparedScene,
  guidance: GuidanceSettings,
  calls: number,
): Float32Array | null {
  const { fineSketch } = prepared;
  if (!fineSketch) return null;
  const n = model.size;
  const side = n * model.sketchScale;
  const strongest = new Float32Array(n * n);
  for (const { step, weight } of planPicture(prepared, guidance, calls, n)) {
    const share = shareOfSegments(step, weight);
    strongest.forEach((most, p) => {
      strongest[p] = Math.min(1, Math.max(most, typeof share === 'number' ? share : (share[p] ?? 0)));
    });
  }
  return fineSketch.map((value, i) => {
    const x = Math.floor((i % side) / model.sketchScale);
    const y = Math.floor((Math.floor(i / side) % side) / model.sketchScale);
    return value * (strongest[y * n + x] ?? 0);
  });
}

/**
 * The sampling loop: every picture of the batch one step at a time, all passes of a step in as few calls of
 * the network as pays, guidance per picture.
 * @returns [B, 3, n, n]; values in about -1..1
 */
export async function denoise(
  model: PixelModel,
  prepared: PreparedScene,
  pictures: readonly PictureToMake[],
  options: DenoiseOptions,
): Promise<Tensor> {
  const { scheduler, plan, startIndex, known } = options;
  const n = model.size;
  const shape = [pictures.length, 3, n, n];
  const noise = concat(pictures.map((picture) => picture.noise));
  const original = known && concat(pictures.map(() => tensor(known.original, [1, 3, n, n])));
  const calls = pictures.map(({ guidance }) => planPicture(prepared, guidance, plan.timesteps.length, n));
  let state = scheduler.start(plan, startIndex);
  let sample: Tensor;
  if (isDone(state)) {
    if (!original) throw new StudioError('internal', 'nothing to denoise');
    return original;
  }
  // Without a known picture, or at full strength, the start is pure noise; else as much of it as belongs there.
  if (original && !beginsAtNoise(plan, startIndex)) sample = scheduler.addNoise(plan, original, noise, startIndex);
  else sample = linear([[plan.initNoiseSigma, noise]]);

  while (!isDone(state)) {
    const index = state.index;
    const input = scheduler.scaleModelInput(state, sample);
    const prediction = await predict(
      model,
      prepared,
      calls.map((run) => callAt(run, index)),
      input,
      timestepOf(state),
      options,
    );
    const stepNoise =
      plan.draws[index] === true
        ? normalBatch(
            pictures.map(({ stream }) => stream),
            [3, n, n],
          )
        : undefined;
    const stepped = scheduler.step(state, tensor(prediction, shape), sample, stepNoise);
    ({ sample, state } = stepped);
    if (known?.mask && original) {
      // Blended diffusion (Avrahami et al. 2022): outside the mask the known picture, as noisy as this step.
      const outside = isDone(state) ? original : scheduler.addNoise(plan, original, noise, state.index);
      sample = blend(outside, sample, known.mask);
    }
    await options.onStep(index, stepped.predictedOriginal);
    await options.breathe();
  }
  return sample;
}

function callAt(run: readonly GuidanceCall[], index: number): GuidanceCall {
  const call = run[index];
  if (!call) throw new StudioError('internal', `the schedule has no call ${index}`);
  return call;
}

/** All passes that one step needs, over all pictures, in calls of at most MAX_ROWS; then guidance; then the sketch. */
async function predict(
  model: PixelModel,
  prepared: PreparedScene,
  calls: readonly GuidanceCall[],
  input: Tensor,
  timestep: number,
  options: DenoiseOptions,
): Promise<Float32Array> {
  const rows: { readonly row: DenoiserRow; readonly picture: number; readonly pass: PassName }[] = [];
  calls.forEach(({ step }, picture) => {
    const sample = slice(input, picture, picture + 1).data;
    for (const pass of step.passes)
      rows.push({ row: { sample, timestep, ...conditionsOf(prepared, pass) }, picture, pass });
  });
  const predictions = calls.map((): Partial<Record<PassName, Tensor>> => ({}));
  const shape = [1, ...input.shape.slice(1)];
  for (let from = 0; from < rows.length; from += MAX_ROWS) {
    const chunk = rows.slice(from, from + MAX_ROWS);
    const begin = performance.now();
    const outputs = await model.denoise(chunk.map(({ row }) => row));
    options.onPasses(chunk.length, performance.now() - begin);
    chunk.forEach(({ picture, pass }, i) => {
      const of = predictions[picture];
      const output = outputs[i];
      if (of && output) of[pass] = tensor(output, shape);
    });
    if (from + MAX_ROWS < rows.length) await options.breathe();
  }
  const result = new Float32Array(input.data.length);
  const length = input.data.length / calls.length;
  const sketch = prepared.features ? model.sketchMapIn(prepared.features) : null;
  calls.forEach(({ step, weight }, i) => {
    const v = result.subarray(i * length, (i + 1) * length);
    combine(step, predictions[i] ?? {}, weight, v);
    if (!sketch) return;
    const x = slice(input, i, i + 1).data;
    const alphaCumprod = model.alphaCumprodAt(timestep);
    holdToSketch({ v, x, sketch: sketch.map, share: shareOfSegments(step, weight), alphaCumprod }, sketch.anchor);
  });
  return result;
}

/** What each pass is told. Where one condition is asked alone, the negative texts stand in for the other one. */
function conditionsOf(prepared: PreparedScene, pass: PassName): Pick<DenoiserRow, 'global' | 'features'> {
  switch (pass) {
    case 'none':
      return { global: null, features: null };
    case 'negative':
      return { global: prepared.negativeGlobal, features: prepared.negativeFeatures };
    case 'global':
      return { global: prepared.global, features: prepared.negativeFeatures };
    case 'local':
      return { global: prepared.negativeGlobal, features: prepared.features };
    case 'both':
      return { global: prepared.global, features: prepared.features };
  }
}

/** a outside the mask, b inside; the mask [n * n] holds for every picture and channel. */
function blend(a: Tensor, b: Tensor, mask: Float32Array): Tensor {
  const data = new Float32Array(a.data.length);
  for (let i = 0; i < data.length; i += 1) {
    const m = mask[i % mask.length] ?? 0;
    data[i] = (a.data[i] ?? 0) * (1 - m) + (b.data[i] ?? 0) * m;
  }
  return { data, shape: a.shape };
}
