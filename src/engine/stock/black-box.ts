import type { PassName } from '../guidance/index.ts';
import { callProgress, weightsAt } from '../guidance/index.ts';
import type { Scheduler, SchedulerPlan } from '../schedulers/index.ts';
import { NoiseStream, slice } from '../tensor/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { blend, withInpainting } from './denoise.ts';
import type { PassOptions, Predict, StockScene } from './denoise.ts';
import type { EncodedText, StockCall, StockNetworks, StockRow } from './networks.ts';
import { areaOf, cutWindow, joinWindows, shareOf } from './windows.ts';
import type { Window } from './windows.ts';

/*
 * Segments around a network that knows nothing of them. MultiDiffusion (Bar-Tal et al. 2023): the canvas
 * is denoised once per text, and each place takes the prediction of its own text. Bootstrapping: in the
 * first steps a segment's pass sees a plain background instead of the others, so that its object forms
 * inside the mask. For models of few steps SemanticDraw (Lee et al. 2024) averages predicted clean
 * pictures and draws noise once: with one prediction for each place that is the same sum, since a
 * clean picture is linear in the prediction; its soft masks, quantised over the schedule, are below. On canvases
 * larger than the model was trained for, a segment's pass sees a window around the segment only (windows.ts).
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
  /** What each segment's pass sees; null: the whole canvas. */
  readonly windows: readonly (Window | null)[];
}

/** The threshold at which soft masks are widest. */
export const LEAST_SOFT = 0.05;
/** Share of the schedule with a plain background that the authors of MultiDiffusion use. */
export const BOOTSTRAP = 0.2;

/** One pass through the network, and the segments that take its prediction. */
interface Look {
  readonly text: EncodedText;
  /** Cells of the canvas that it sees; null: all. */
  readonly window: Window | null;
  /** The segment that is seen before a plain background; null: the canvas as it is. */
  readonly before: number | null;
  readonly segments: readonly number[];
}

/**
 * The passes for the texts of the active segments. Equal texts share one, in a common window unless windows of their
 * own are less work together; a text that runs over the whole canvas anyway costs nothing more. While bootstrapping
 * each segment sees its own background, so nothing is shared.
 */
function looksOf(
  scene: StockScene,
  active: readonly number[],
  which: (i: number) => EncodedText | null,
  windows: readonly (Window | null)[],
  bootstrapping: boolean,
  whole: ReadonlySet<EncodedText>,
): Look[] {
  const speaking = [...scene.segments.keys()].flatMap((i) => {
    const text = active[i] === 0 ? null : which(i);
    return text ? [{ i, text }] : [];
  });
  const own = (text: EncodedText, i: number): Look => ({
    text,
    window: windows[i] ?? null,
    before: bootstrapping ? i : null,
    segments: [i],
  });
  if (bootstrapping) return speaking.map(({ text, i }) => own(text, i));
  const looks: Look[] = [];
  for (const text of new Set(speaking.map((one) => one.text))) {
    const segments = speaking.filter((one) => one.text === text).map(({ i }) => i);
    const common = whole.has(text)
      ? null
      : joinWindows(
          segments.map((i) => windows[i] ?? null),
          scene.latent,
        );
    const apart = segments.reduce((sum, i) => sum + areaOf(windows[i] ?? null, scene.latent), 0);
    if (whole.has(text) || areaOf(common, scene.latent) <= apart)
      looks.push({ text, window: common, before: null, segments });
    else looks.push(...segments.map((i) => own(text, i)));
  }
  return looks;
}

/** What a call needs: for each pass of guidance the whole canvas under its base text, then its segments' looks. */
function plannedLooks(
  scene: StockScene,
  passes: readonly PassName[],
  progress: number,
  bootstrapping: boolean,
  windows: readonly (Window | null)[],
): ReadonlyMap<PassName, PlannedLooks> {
  const active = weightsAt(
    scene.segments.map((segment) => segment.guidance),
    progress,
  );
  const whole = new Set(passes.map((pass) => baseOf(scene, pass)));
  const planned = (): Map<PassName, PlannedLooks> => {
    const of = (which: (i: number) => EncodedText | null): Look[] =>
      looksOf(scene, active, which, windows, bootstrapping, whole);
    return new Map(
      passes.map((pass) => {
        const base: Look = { text: baseOf(scene, pass), window: null, before: null, segments: [] };
        if (pass === 'local' || pass === 'both')
          return [pass, { base, looks: of((i) => scene.segments[i]?.local ?? null) }];
        if (pass === 'negative') return [pass, { base, looks: of((i) => scene.segments[i]?.negative ?? null) }];
        return [pass, { base, looks: [] }];
      }),
    );
  };
  const first = planned();
  if (bootstrapping) return first;
  // One pass of guidance may want a text here and another one there: where that adds up to more than the canvas, the
  // whole canvas once serves both.
  const nameOf = naming();
  const wanted = new Map<EncodedText, Map<string, number>>();
  for (const { looks } of first.values())
    for (const look of looks) {
      const areas = wanted.get(look.text) ?? new Map<string, number>();
      wanted.set(look.text, areas.set(nameOf(look), shareOf(look.window, scene.latent)));
    }
  const before = whole.size;
  for (const [text, areas] of wanted) if ([...areas.values()].reduce((sum, area) => sum + area, 0) > 1) whole.add(text);
  return whole.size > before ? planned() : first;
}

interface PlannedLooks {
  readonly base: Look;
  readonly looks: readonly Look[];
}

/** Names a look within a call: equal names are one pass. */
function naming(): (look: Look) => string {
  const ids = new Map<EncodedText, number>();
  return ({ text, window, before }) => {
    let id = ids.get(text);
    if (id === undefined) ids.set(text, (id = ids.size));
    return `${id} ${before ?? 'canvas'} ${window ? `${window.x} ${window.y} ${window.width} ${window.height}` : 'whole'}`;
  };
}

/** Network passes of one call, known before the first one, so that the cost can be told. */
export interface BlackBoxCost {
  readonly passes: number;
  /** The same in units of a pass over the whole canvas. */
  readonly work: number;
}

export function blackBoxCost(
  scene: StockScene,
  passes: readonly PassName[],
  progress: number,
  bootstrapping: boolean,
  windows: readonly (Window | null)[],
): BlackBoxCost {
  const nameOf = naming();
  const unique = new Map<string, Look>();
  for (const { base, looks } of plannedLooks(scene, passes, progress, bootstrapping, windows).values())
    for (const look of [base, ...looks]) unique.set(nameOf(look), look);
  const work = [...unique.values()].reduce((sum, { window }) => sum + shareOf(window, scene.latent), 0);
  return { passes: unique.size, work };
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

/** Masks of a few-step model before they are cut at a threshold. */
export const softMasksOf = ({ masks, latent: { height, width } }: StockScene): Float32Array[] =>
  masks.map((mask) => blurMask(mask, height, width, Math.max(1, Math.min(height, width) / 32)));

/** A mask as a call sees it: blurred and cut at a threshold that rises to one half, so that it begins wide and ends as drawn. */
export function quantisedMask(soft: Float32Array, progress: number): Float32Array {
  const threshold = Math.min(0.5, Math.max(LEAST_SOFT, 0.5 * progress * 1.25));
  return soft.map((v) => (v > threshold ? 1 : 0));
}

/** Passes through a black box. */
export function blackBoxPredict(networks: StockNetworks, scene: StockScene, options: BlackBoxOptions): Predict {
  const soft = options.softMasks ? softMasksOf(scene) : null;
  return async (passes, input, timestep, index) => {
    const progress = callProgress(index, options.calls);
    const bootstrapping = progress < options.bootstrap && options.backgrounds.length > 0;
    const masks = soft ? disjoint(soft.map((mask) => quantisedMask(mask, progress))) : scene.masks;

    const nameOf = naming();
    const known = new Map<string, Tensor>();
    /** What a look sees: in the first steps a segment's own place before a plain background, as noisy as the rest. */
    const seenBy = ({ before }: Look): Tensor => {
      const background = before === null ? undefined : options.backgrounds[before];
      const mask = before === null ? undefined : masks[before];
      if (!background || !mask) return input;
      const noisy = options.scheduler.addNoise(options.plan, background, options.noise, index);
      const state = { ...options.scheduler.start(options.plan), index };
      return blend(options.scheduler.scaleModelInput(state, noisy), input, mask);
    };
    /** The prediction over the look's window. */
    const predicted = async (look: Look): Promise<Tensor> => {
      const key = nameOf(look);
      const done = known.get(key);
      if (done) return done;
      const { window } = look;
      const sample = withInpainting(seenBy(look).data, options.inpainting);
      const row: StockRow = {
        sample: window ? cutWindow(sample, scene.latent, window) : sample,
        base: look.text,
        segments: [],
        images: [],
      };
      const latent = window ?? scene.latent;
      const cell = scene.picture.width / scene.latent.width;
      const call: StockCall = {
        timestep,
        latent: { height: latent.height, width: latent.width },
        picture: window ? { height: window.height * cell, width: window.width * cell } : scene.picture,
        masks: [],
        guidance: options.guidance,
        isolate: false,
      };
      const began = performance.now();
      const out = slice(await networks.denoise([row], call), 0, 1);
      options.onPasses(1, performance.now() - began, shareOf(window, scene.latent));
      known.set(key, out);
      await options.breathe();
      return out;
    };
    const out: Partial<Record<PassName, Tensor>> = {};
    for (const [pass, { base, looks }] of plannedLooks(scene, passes, progress, bootstrapping, options.windows)) {
      const outside = await predicted(base);
      const data = outside.data.slice();
      for (const look of looks) {
        const said = await predicted(look);
        for (const i of look.segments) layIn(data, outside.data, said.data, masks[i], look.window, scene.latent);
      }
      out[pass] = looks.length > 0 ? { data, shape: outside.shape } : outside;
    }
    return out;
  };
}

/** Adds mask * (said - outside) where a window of the canvas shows the mask. */
function layIn(
  data: Float32Array,
  outside: Float32Array,
  said: Float32Array,
  mask: Float32Array | undefined,
  window: Window | null,
  latent: StockScene['latent'],
): void {
  if (!mask) return;
  const { x, y, width, height } = window ?? { x: 0, y: 0, ...latent };
  const channels = data.length / mask.length;
  for (let c = 0; c < channels; c++)
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const place = (y + row) * latent.width + x + column;
        const m = mask[place] ?? 0;
        if (m === 0) continue;
        const k = c * mask.length + place;
        const own = said[(c * height + row) * width + column] ?? 0;
        data[k] = (data[k] ?? 0) + m * (own - (outside[k] ?? 0));
      }
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
