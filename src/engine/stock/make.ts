import type { GuidanceSettings } from '#shared/document/settings.ts';
import { callProgress, countPasses, planGuidanceRun } from '../guidance/index.ts';
import type { GuidanceCall } from '../guidance/index.ts';
import type { Scheduler, SchedulerPlan } from '../schedulers/index.ts';
import type { NoiseStream, Tensor } from '../tensor/index.ts';
import { BOOTSTRAP, blackBoxPasses, blackBoxPredict, plainBackgrounds } from './black-box.ts';
import type { KnownLatents, StockScene } from './denoise.ts';
import { denoiseStock, regionalPredict } from './denoise.ts';
import type { StockNetworks, StockTraits } from './networks.ts';

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
  readonly onPasses: (passes: number, milliseconds: number) => void;
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

/** Passes through the denoiser that a picture takes, known before the first one. */
export function planCost(
  traits: StockTraits,
  scene: StockScene,
  dials: GuidanceSettings,
  plan: SchedulerPlan,
  startIndex: number,
  fewSteps: boolean,
): number {
  const calls = callsOf(traits, scene, dials, plan.timesteps.length);
  if (traits.regional) return countPasses(calls, startIndex);
  const boot = bootstraps(traits, scene, fewSteps, startIndex);
  return calls.slice(startIndex).reduce((sum, { step }, i) => {
    const progress = callProgress(startIndex + i, calls.length);
    return sum + blackBoxPasses(scene, step.passes, progress, boot && progress < BOOTSTRAP);
  }, 0);
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
