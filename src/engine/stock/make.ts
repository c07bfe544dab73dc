import type { GuidanceSettings } from '#shared/document/settings.ts';
import { callProgress, countPasses, planGuidanceRun } from '../guidance/index.ts';
import type { GuidanceCall } from '../guidance/index.ts';
import type { Scheduler, SchedulerPlan } from '../schedulers/index.ts';
import type { NoiseStream, Tensor } from '../tensor/index.ts';
import { BOOTSTRAP, LEAST_SOFT, blackBoxCost, blackBoxPredict, plainBackgrounds, softMasksOf } from './black-box.ts';
import type { KnownLatents, StockScene } from './denoise.ts';
import { denoiseStock, regionalPredict } from './denoise.ts';
import type { StockNetworks, StockTraits } from './networks.ts';
import { windowOf } from './windows.ts';
import type { Window } from './windows.ts';

/** One picture to make. */
export interface MakeOptions {
  readonly scheduler: Scheduler;
  readonly plan: SchedulerPlan;
  readonly startIndex: number;
  readonly dials: GuidanceSettings;
  /** Guidance scale that an LCM is told instead of being run twice. */
  readonly told: number;
  /** Unit noise [1, 4, h, w]; the stream goes on with the noise of the steps. */
  readonly noise: Tensor;
  readonly stream: NoiseStream;
  readonly seed: number;
  readonly fewSteps: boolean;
  readonly known: KnownLatents | null;
  readonly inpainting: Float32Array | null;
  readonly breathe: () => Promise<void>;
  /** Side in latent cells of the squares that the model was trained on. */
  readonly trained: number;
  /** @param share of the canvas that each pass saw, 1 unless told */
  readonly onPasses: (passes: number, milliseconds: number, share?: number) => void;
  readonly onStep: (index: number, predictedOriginal: Tensor) => Promise<void>;
}

/** A model that is told its guidance scale runs once, under all conditions. */
const ONCE = {
  mode: 'joint',
  globalScale: 1,
  localScale: 1,
  scale: 1,
  interval: [0, 1],
  rescale: 0,
  isolate: false,
} as const satisfies GuidanceSettings;

function callsOf(traits: StockTraits, scene: StockScene, dials: GuidanceSettings, calls: number): GuidanceCall[] {
  const used = traits.guidanceWidth === null ? dials : { ...ONCE, interval: dials.interval, isolate: dials.isolate };
  const negative = scene.negative !== null || scene.segments.some((segment) => segment.negative !== null);
  return planGuidanceRun(
    used,
    calls,
    { global: scene.global !== null, local: scene.segments.length > 0, negative },
    scene.segments.map((segment) => segment.guidance),
    scene.masks,
    scene.latent.height,
    scene.latent.width,
  );
}

/** Whether segments of a black box first see a plain background: not when a picture is there already, nor with few steps. */
function bootstraps(traits: StockTraits, scene: StockScene, fewSteps: boolean, startIndex: number): boolean {
  return !traits.regional && scene.segments.length > 0 && !fewSteps && startIndex === 0;
}

/** What each segment's pass of a black box sees, at whatever stage of its mask's growth. */
function windowsOf(scene: StockScene, fewSteps: boolean, trained: number): (Window | null)[] {
  const masks = fewSteps ? softMasksOf(scene).map((mask) => mask.map((v) => (v > LEAST_SOFT ? 1 : 0))) : scene.masks;
  return masks.map((mask) => windowOf(mask, scene.latent, trained));
}

/** Passes through the denoiser that a picture takes, and their work in passes over its whole canvas. */
export interface PictureCost {
  readonly passes: number;
  readonly work: number;
}

/** The cost of a picture, known before its first pass. @param trained see MakeOptions */
export function planCost(
  traits: StockTraits,
  scene: StockScene,
  dials: GuidanceSettings,
  plan: SchedulerPlan,
  startIndex: number,
  fewSteps: boolean,
  trained: number,
): PictureCost {
  const calls = callsOf(traits, scene, dials, plan.timesteps.length);
  if (traits.regional) {
    const passes = countPasses(calls, startIndex);
    return { passes, work: passes };
  }
  const boot = bootstraps(traits, scene, fewSteps, startIndex);
  const windows = windowsOf(scene, fewSteps, trained);
  let [passes, work] = [0, 0];
  for (const [i, { step }] of calls.slice(startIndex).entries()) {
    const progress = callProgress(startIndex + i, calls.length);
    const cost = blackBoxCost(scene, step.passes, progress, boot && progress < BOOTSTRAP, windows);
    passes += cost.passes;
    work += cost.work;
  }
  return { passes, work };
}

/** Latents of one picture, [1, 4, h, w], multiplied by the scaling factor. */
export async function makeLatents(networks: StockNetworks, scene: StockScene, options: MakeOptions): Promise<Tensor> {
  const { traits } = networks;
  const { plan } = options;
  const calls = callsOf(traits, scene, options.dials, plan.timesteps.length);
  const passes = {
    calls: plan.timesteps.length,
    guidance: options.told,
    isolate: options.dials.isolate,
    inpainting: options.inpainting,
    breathe: options.breathe,
    onPasses: options.onPasses,
  };
  const boot = bootstraps(traits, scene, options.fewSteps, options.startIndex);
  const predict = traits.regional
    ? regionalPredict(networks, scene, passes)
    : blackBoxPredict(networks, scene, {
        ...passes,
        scheduler: options.scheduler,
        plan,
        bootstrap: boot ? BOOTSTRAP : 0,
        backgrounds: boot ? await plainBackgrounds(networks, scene, options.seed) : [],
        noise: options.noise,
        softMasks: options.fewSteps,
        windows: windowsOf(scene, options.fewSteps, options.trained),
      });
  return denoiseStock(predict, {
    scheduler: options.scheduler,
    plan,
    startIndex: options.startIndex,
    calls,
    noise: options.noise,
    stepNoise: () => options.stream.normal(options.noise.shape),
    known: options.known,
    breathe: options.breathe,
    onStep: options.onStep,
  });
}
