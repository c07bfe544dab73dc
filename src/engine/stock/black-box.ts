import type { PassName } from '../guidance/index.ts';
import { callProgress, weightsAt } from '../guidance/index.ts';
import type { Scheduler, SchedulerPlan } from '../schedulers/index.ts';
import { NoiseStream, slice } from '../tensor/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { blend, withInpainting } from './denoise.ts';
import type { PassOptions, Predict, StockScene } from './denoise.ts';
import type { EncodedText, StockCall, StockNetworks, StockRow } from './networks.ts';

/*
 * Segments around a network that knows nothing of them. MultiDiffusion (Bar-Tal et al. 2023): the canvas
 * is denoised once per text, and each place takes the prediction of its own text. Bootstrapping: in the
 * first steps a segment's pass sees a plain background instead of the others, so that its object forms
 * inside the mask. For models of few steps SemanticDraw (Lee et al. 2024) averages predicted clean
 * pictures and draws noise once: with one prediction for each place that is the same sum, since a
 * clean picture is linear in the prediction; its soft masks, quantised over the schedule, are below.
 */

export interface BlackBoxOptions extends PassOptions {
  readonly scheduler: Scheduler;
  readonly plan: SchedulerPlan;
  /** Share of the calls in which segments see a plain background. */
  readonly bootstrap: number;
  /** Latents [1, 4, h, w] of plain backgrounds, one for each segment, multiplied by the scaling factor. */
  readonly backgrounds: readonly Tensor[];
  /** Unit noise of the run, which the backgrounds get too. */
  readonly noise: Tensor;
  /** Few-step models: masks that grow from soft to drawn over the schedule. */
  readonly softMasks: boolean;
}

/** Share of the schedule with a plain background that the authors of MultiDiffusion use. */
export const BOOTSTRAP = 0.2;

/** Equal texts are one pass. */
interface TextPass {
  readonly text: EncodedText;
  readonly segments: number[];
}

/** Texts of the active segments, each once. */
export function sharedTexts(
  scene: StockScene,
  active: readonly number[],
  which: (i: number) => EncodedText | null,
): TextPass[] {
  const passes: TextPass[] = [];
  for (const i of scene.segments.keys()) {
    const text = active[i] === 0 ? null : which(i);
    if (!text) continue;
    const same = passes.find((pass) => pass.text === text);
    if (same) same.segments.push(i);
    else passes.push({ text, segments: [i] });
  }
  return passes;
}

/** Network passes of one call: known before the first one, so that the cost can be told. */
export function blackBoxPasses(
  scene: StockScene,
  passes: readonly PassName[],
  progress: number,
  bootstrapping: boolean,
): number {
  const active = weightsAt(
    scene.segments.map((segment) => segment.guidance),
    progress,
  );
  const count = (which: (i: number) => EncodedText | null) => {
    const texts = sharedTexts(scene, active, which);
    // While bootstrapping each segment sees its own background, so equal texts cannot share.
    return bootstrapping ? texts.reduce((sum, text) => sum + text.segments.length, 0) : texts.length;
  };
  const locals =
    passes.includes('local') || passes.includes('both') ? count((i) => scene.segments[i]?.local ?? null) : 0;
  const negatives = passes.includes('negative') ? count((i) => scene.segments[i]?.negative ?? null) : 0;
  const base = new Set(passes.map((pass) => baseOf(scene, pass)));
  return base.size + locals + negatives;
}

function baseOf(scene: StockScene, pass: PassName): EncodedText {
  switch (pass) {
    case 'none':
      return scene.empty;
    case 'negative':
    case 'local':
      return scene.negative ?? scene.empty;
    case 'global':
    case 'both':
      return scene.global ?? scene.empty;
  }
}

/** A separable blur: the soft masks of SemanticDraw. */
export function blurMask(mask: Float32Array, height: number, width: number, sigma: number): Float32Array {
  const radius = Math.max(1, Math.ceil(3 * sigma));
  const kernel = Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)));
  const total = kernel.reduce((sum, v) => sum + v, 0);
  const along = (from: Float32Array, step: number, length: number, lines: number, lineStep: number) => {
    const out = new Float32Array(from.length);
    for (let line = 0; line < lines; line++)
      for (let i = 0; i < length; i++) {
        let sum = 0;
        for (const [k, weight] of kernel.entries())
          sum += weight * (from[line * lineStep + Math.min(length - 1, Math.max(0, i + k - radius)) * step] ?? 0);
        out[line * lineStep + i * step] = sum / total;
      }
    return out;
  };
  return along(along(mask, 1, width, height, width), width, height, width, 1);
}

/** A mask as a call sees it: blurred and cut at a threshold that rises to one half, so that it begins wide and ends as drawn. */
export function quantisedMask(soft: Float32Array, progress: number): Float32Array {
  const threshold = 0.5 * Math.min(1, Math.max(0.1, progress * 1.25));
  return soft.map((v) => (v > threshold ? 1 : 0));
}

/** Passes through a black box. */
export function blackBoxPredict(networks: StockNetworks, scene: StockScene, options: BlackBoxOptions): Predict {
  const { height, width } = scene.latent;
  const soft = options.softMasks
    ? scene.masks.map((mask) => blurMask(mask, height, width, Math.max(1, Math.min(height, width) / 32)))
    : null;
  return async (passes, input, timestep, index) => {
    const progress = callProgress(index, options.calls);
    const active = weightsAt(
      scene.segments.map((segment) => segment.guidance),
      progress,
    );
    const bootstrapping = progress < options.bootstrap && options.backgrounds.length > 0;
    const masks = soft ? disjoint(soft.map((mask) => quantisedMask(mask, progress))) : scene.masks;

    const known = new Map<string, Tensor>();
    const ids = new Map<EncodedText, number>();
    const idOf = (text: EncodedText) => {
      let id = ids.get(text);
      if (id === undefined) ids.set(text, (id = ids.size));
      return id;
    };
    const one = async (text: EncodedText, sample: Tensor, where: string): Promise<Tensor> => {
      const key = `${idOf(text)} ${where}`;
      const done = known.get(key);
      if (done) return done;
      const row: StockRow = {
        sample: withInpainting(sample.data, options.inpainting),
        base: text,
        segments: [],
        images: [],
      };
      const call: StockCall = {
        timestep,
        latent: scene.latent,
        picture: scene.picture,
        masks: [],
        guidance: options.guidance,
        isolate: false,
      };
      const began = performance.now();
      const out = slice(await networks.denoise([row], call), 0, 1);
      options.onPasses(1, performance.now() - began);
      known.set(key, out);
      await options.breathe();
      return out;
    };
    /** What segment i's pass looks at: in the first steps its own place before a plain background, as noisy as the rest. */
    const seenBy = (i: number): readonly [Tensor, string] => {
      const background = options.backgrounds[i];
      const mask = masks[i];
      if (!bootstrapping || !background || !mask) return [input, 'all'];
      const noisy = options.scheduler.addNoise(options.plan, background, options.noise, index);
      const state = { ...options.scheduler.start(options.plan), index };
      return [blend(options.scheduler.scaleModelInput(state, noisy), input, mask), `segment ${i}`];
    };
    const compose = async (base: EncodedText, which: (i: number) => EncodedText | null): Promise<Tensor> => {
      const sum = await one(base, input, 'all');
      const data = sum.data.slice();
      for (const pass of sharedTexts(scene, active, which))
        for (const i of pass.segments) {
          const mask = masks[i];
          if (!mask) continue;
          const said = await one(pass.text, ...seenBy(i));
          for (let k = 0; k < data.length; k++) {
            const m = mask[k % mask.length] ?? 0;
            if (m > 0) data[k] = (data[k] ?? 0) + m * ((said.data[k] ?? 0) - (sum.data[k] ?? 0));
          }
        }
      return { data, shape: sum.shape };
    };
    const out: Partial<Record<PassName, Tensor>> = {};
    for (const pass of passes) {
      const base = baseOf(scene, pass);
      if (pass === 'local' || pass === 'both') out[pass] = await compose(base, (i) => scene.segments[i]?.local ?? null);
      else if (pass === 'negative') out[pass] = await compose(base, (i) => scene.segments[i]?.negative ?? null);
      else out[pass] = await one(base, input, 'all');
    }
    return out;
  };
}

/** Binary masks made disjoint, the last on top. */
function disjoint(masks: readonly Float32Array[]): Float32Array[] {
  const out = masks.map((mask) => mask.slice());
  for (let i = out.length - 1; i >= 0; i--)
    for (let below = 0; below < i; below++)
      for (const [k, v] of (out[i] ?? new Float32Array()).entries()) if (v > 0) (out[below] as Float32Array)[k] = 0;
  return out;
}

/** Latents of plain backgrounds in random grey-to-colour tones, one for each segment. */
export async function plainBackgrounds(networks: StockNetworks, scene: StockScene, seed: number): Promise<Tensor[]> {
  const { latentCell, scalingFactor, shiftFactor } = networks.traits;
  const stream = new NoiseStream(seed ^ 0x5eed);
  const { height, width } = scene.latent;
  const side = 8;
  const backgrounds: Tensor[] = [];
  while (backgrounds.length < scene.segments.length) {
    const tone = Array.from(stream.normal([3]).data, (v) => Math.max(-1, Math.min(1, v * 0.5)));
    const plane = (side * latentCell) ** 2;
    const image = Float32Array.from({ length: 3 * plane }, (__, i) => tone[Math.floor(i / plane)] ?? 0);
    const { mean } = await networks.encode({ data: image, shape: [1, 3, side * latentCell, side * latentCell] });
    const channels = mean.shape[1] ?? 4;
    // One cell of the middle stands for all: a plain picture has plain latents.
    const middle = (side / 2) * side + side / 2;
    const data = new Float32Array(channels * height * width);
    for (let c = 0; c < channels; c++)
      data.fill(
        ((mean.data[c * side * side + middle] ?? 0) - shiftFactor) * scalingFactor,
        c * height * width,
        (c + 1) * height * width,
      );
    backgrounds.push({ data, shape: [1, channels, height, width] });
  }
  return backgrounds;
}
