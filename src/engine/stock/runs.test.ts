import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { CHECKPOINTS, CPU, TEXTS, distance, formulaInput, recorded } from '../checkpoints/graphs/fixtures.testkit.ts';
import type { IpImage } from '../checkpoints/ip-adapter.ts';
import { readIpAdapter } from '../checkpoints/ip-adapter.ts';
import { readLora } from '../checkpoints/lora.ts';
import { recogniseCheckpoint } from '../checkpoints/recognise.ts';
import { planGuidanceRun } from '../guidance/index.ts';
import { createScheduler } from '../schedulers/index.ts';
import { linear, slice } from '../tensor/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { readNpy } from '../tensor/npy.ts';
import type { CheckpointExtras } from './checkpoint-networks.ts';
import { CheckpointNetworks } from './checkpoint-networks.ts';
import type { StockScene, StockSegment } from './denoise.ts';
import { denoiseStock, regionalPredict } from './denoise.ts';
import type { StockNetworks } from './networks.ts';
import { OptimumNetworks, isOptimumFolder, recogniseOptimum } from './optimum.ts';
import { TextReader } from './text.ts';

// Sessions take seconds to open where the machine does other things too.
vi.setConfig({ testTimeout: 240_000 });

const nothing = async () => undefined;

interface RunOptions {
  prompt: string;
  negative: string | null;
  steps: number;
  guidance: number;
  rescale?: number;
  noise: Tensor;
  stepNoise?: (index: number) => Tensor;
  segments?: readonly StockSegment[];
  masks?: readonly Float32Array[];
}

/** A whole run with the global text only, as diffusers' pipelines do it. */
async function run(
  networks: StockNetworks,
  options: RunOptions,
): Promise<{ steps: Tensor[]; final: Tensor; decoded: Tensor; timesteps: readonly number[] }> {
  const { traits } = networks;
  const reader = new TextReader(networks);
  const read = (text: string, none = false) => reader.read(text, { weighted: false }, 1, none);
  const [height = 0, width = 0] = options.noise.shape.slice(2);
  const picture = { height: height * traits.latentCell, width: width * traits.latentCell };
  const scene: StockScene = {
    latent: { height, width },
    picture,
    masks: options.masks ?? [],
    segments: options.segments ?? [],
    empty: await read('', true),
    negative: options.negative === null ? null : await read(options.negative),
    global: await read(options.prompt),
  };
  const scheduler = createScheduler(traits.scheduler);
  const plan = scheduler.plan(options.steps);
  const told = traits.guidanceWidth !== null;
  const scale = told ? 1 : options.guidance;
  const dials = {
    mode: 'multi',
    globalScale: scale,
    localScale: 0,
    scale: 1,
    interval: [0, 1],
    rescale: options.rescale ?? 0,
  } as const;
  const steps: Tensor[] = [];
  const final = await denoiseStock(
    regionalPredict(networks, scene, {
      calls: plan.timesteps.length,
      guidance: options.guidance,
      inpainting: null,
      isolate: false,
      breathe: nothing,
      onPasses: () => undefined,
    }),
    {
      scheduler,
      plan,
      startIndex: 0,
      calls: planGuidanceRun(dials, plan.timesteps.length, {
        global: true,
        local: false,
        negative: options.negative !== null,
      }),
      noise: options.noise,
      stepNoise: options.stepNoise ?? (() => options.noise),
      known: null,
      breathe: nothing,
      onStep: async (_, __, sample) => void steps.push(sample),
    },
  );
  const decoded = await networks.decode(linear([[1 / traits.scalingFactor, final]]));
  return { steps, final, decoded, timesteps: plan.timesteps };
}

const largest = (data: Float32Array) => data.reduce((m, v) => Math.max(m, Math.abs(v)), 0);

describe.each(['sd15-tiny.safetensors', 'sd21v-tiny.safetensors', 'sdxl-tiny.safetensors'])(
  '%s, four steps',
  (model) => {
    const name = model.replace('.safetensors', '');

    test('every step of the latents and the decoded picture as diffusers computes them', async () => {
      const networks = new CheckpointNetworks(await recogniseCheckpoint(join(CHECKPOINTS, model)), {}, CPU);
      const out = await run(networks, {
        prompt: TEXTS.global,
        negative: TEXTS.negative,
        steps: 4,
        guidance: 5,
        noise: formulaInput('initial_noise'),
      });
      await networks.release();
      expect(out.timesteps).toEqual([751, 501, 251, 1]);
      const wanted = await recorded(`${name}/run_step_latents`);
      for (const [i, step] of out.steps.entries())
        expect(distance(step.data, slice(wanted, i, i + 1).data)).toBeLessThan(2e-5 * largest(wanted.data));
      expect(distance(out.decoded.data, (await recorded(`${name}/run_decoded`)).data)).toBeLessThan(5e-5);
    });
  },
);

describe('whole runs with extras', () => {
  test.each([
    ['lora-tiny-kohya', 'sd15-tiny.safetensors'],
    ['lora-sdxl-tiny-kohya', 'sdxl-tiny.safetensors'],
  ])('%s', async (lora, model) => {
    const checkpoint = await recogniseCheckpoint(join(CHECKPOINTS, model));
    const extras: CheckpointExtras = {
      loras: [await readLora(join(CHECKPOINTS, `${lora}.safetensors`), checkpoint, 0.8)],
    };
    const networks = new CheckpointNetworks(checkpoint, extras, CPU);
    const out = await run(networks, {
      prompt: TEXTS.global,
      negative: TEXTS.negative,
      steps: 4,
      guidance: 5,
      noise: formulaInput('initial_noise'),
    });
    await networks.release();
    const wanted = await recorded(`${lora}/run_final_latents`);
    // diffusers itself comes 2.9e-5 of 15 away between a merged LoRA and one beside the layers.
    expect(distance(out.final.data, wanted.data)).toBeLessThan(2e-5 * largest(wanted.data));
  });

  test('IP-Adapter: two images with masks', async () => {
    const checkpoint = await recogniseCheckpoint(join(CHECKPOINTS, 'sd15-tiny.safetensors'));
    const ipAdapter = await readIpAdapter(join(CHECKPOINTS, 'ip-adapter-tiny.safetensors'), checkpoint);
    const networks = new CheckpointNetworks(checkpoint, { ipAdapter }, CPU);
    const tokens = await recorded('ip-adapter-tiny/image_tokens');
    const masks = await recorded('ip-adapter-tiny/masks');
    const zero = await zeroTokens();
    const images = (of: (i: number) => Float32Array) =>
      [0.9, 0.6].map((scale, i) => ({
        tokens: of(i),
        scale,
        mask: { data: slice(masks, i, i + 1).data, grid: { height: 64, width: 128 } },
      }));
    // Both passes of this run look at the images of their row: the plain one at the blank ones.
    const out = await runWithImages(
      networks,
      images((i) => slice(tokens, i, i + 1).data),
      images(() => zero),
    );
    await networks.release();
    const wanted = await recorded('ip-adapter-tiny/run_final_latents');
    expect(distance(out.data, wanted.data)).toBeLessThan(2e-5 * largest(wanted.data));
  });
});

async function zeroTokens(): Promise<Float32Array> {
  const { buildImageProjection } = await import('../checkpoints/graphs/image-projection.ts');
  const { fetched, openGraph } = await import('./graph-session.ts');
  const checkpoint = await recogniseCheckpoint(join(CHECKPOINTS, 'sd15-tiny.safetensors'));
  const adapter = await readIpAdapter(join(CHECKPOINTS, 'ip-adapter-tiny.safetensors'), checkpoint);
  const session = await openGraph('projection', buildImageProjection(adapter.projection), CPU);
  const out = fetched(await session.run({ embeds: { data: new Float32Array(16), shape: [1, 16] } }), 'tokens').data;
  await session.release();
  return out;
}

type Images = readonly IpImage[];

/** The fixture's images belong to the global text: a segment everywhere with that text, whose pass is "both". */
async function runWithImages(networks: CheckpointNetworks, images: Images, blank: Images): Promise<Tensor> {
  const reader = new TextReader(networks);
  const read = (text: string) => reader.read(text, { weighted: false });
  const whole = await read(TEXTS.global);
  const segment: StockSegment = {
    local: { ...whole, own: whole.states },
    negative: null,
    guidance: { weight: 1 },
    images,
    blankImages: blank,
  };
  const scene: StockScene = {
    latent: { height: 8, width: 16 },
    picture: { height: 64, width: 128 },
    masks: [new Float32Array(128).fill(1)],
    segments: [segment],
    empty: await read(''),
    negative: await read(TEXTS.negative),
    global: null,
  };
  const scheduler = createScheduler(networks.traits.scheduler);
  const plan = scheduler.plan(4);
  const dials = { mode: 'multi', globalScale: 0, localScale: 5, scale: 1, interval: [0, 1], rescale: 0 } as const;
  return denoiseStock(
    regionalPredict(networks, scene, {
      calls: 4,
      guidance: 5,
      inpainting: null,
      isolate: false,
      breathe: nothing,
      onPasses: () => undefined,
    }),
    {
      scheduler,
      plan,
      startIndex: 0,
      calls: planGuidanceRun(
        dials,
        4,
        { global: false, local: true, negative: true },
        [segment.guidance],
        scene.masks as Float32Array[],
        8,
        16,
      ),
      noise: formulaInput('initial_noise'),
      stepNoise: () => formulaInput('initial_noise'),
      known: null,
      breathe: nothing,
      onStep: nothing,
    },
  );
}

describe.each(['tiny-sd15', 'tiny-sd21-v', 'tiny-sdxl', 'tiny-lcm'])('%s, exported by optimum', (name) => {
  const folder = join(import.meta.dirname, '../../../test/fixtures/pipelines', name);
  const load = async (tensor: string): Promise<Tensor> => {
    const array = readNpy(await readFile(join(folder, 'expected', `${tensor}.npy`)));
    return { shape: array.shape, data: Float32Array.from(array.data as ArrayLike<number>, Number) };
  };

  test('components: text states and the autoencoder both ways', async () => {
    expect(await isOptimumFolder(folder)).toBe(true);
    const optimum = await recogniseOptimum(folder);
    const networks = new OptimumNetworks(optimum, CPU);
    const expected = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8')) as {
      prompt: string;
      negative_prompt: string;
      scaling_factor: number;
      vae_scale_factor: number;
    };
    expect(optimum.traits).toMatchObject({
      scalingFactor: expected.scaling_factor,
      latentCell: expected.vae_scale_factor,
      inputChannels: 4,
    });
    const reader = new TextReader(networks);
    const wanted = await load('unet_encoder_hidden_states');
    for (const [i, text] of [expected.negative_prompt, expected.prompt].entries()) {
      const { states } = await reader.read(text, { weighted: false });
      expect(distance(states.data, slice(wanted, i, i + 1).data)).toBeLessThan(5e-5);
    }
    const { mean, logVariance } = await networks.encode(await load('vae_image'));
    const parameters = (await load('vae_latent_parameters')).data;
    expect(distance(Float32Array.from([...mean.data, ...logVariance.data]), parameters)).toBeLessThan(2e-5);
    expect(
      distance((await networks.decode(await load('vae_latents'))).data, (await load('vae_decoded')).data),
    ).toBeLessThan(2e-5);
    await networks.release();
  });

  test('whole runs', async () => {
    const { runs } = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8')) as {
      runs: {
        id: string;
        prompt: string;
        negative_prompt: string | null;
        num_inference_steps: number;
        guidance_scale: number;
        guidance_rescale: number;
        timesteps: number[];
      }[];
    };
    const networks = new OptimumNetworks(await recogniseOptimum(folder), CPU);
    for (const r of runs) {
      const stepNoise = name === 'tiny-lcm' ? await load(`${r.id}_step_noise`) : undefined;
      const out = await run(networks, {
        prompt: r.prompt,
        negative: r.negative_prompt,
        steps: r.num_inference_steps,
        guidance: r.guidance_scale,
        rescale: r.guidance_rescale,
        noise: await load(`${r.id}_initial_noise`),
        ...(stepNoise && {
          stepNoise: (index: number) => ({
            data: slice(stepNoise, index, index + 1).data,
            shape: stepNoise.shape.slice(1),
          }),
        }),
      });
      expect(out.timesteps).toEqual(r.timesteps);
      const wanted = await load(`${r.id}_step_latents`);
      const tolerance = 5e-5 * largest(wanted.data);
      for (const [i, step] of out.steps.entries())
        expect(distance(step.data, slice(wanted, i, i + 1).data)).toBeLessThan(tolerance);
      expect(distance(out.final.data, (await load(`${r.id}_final_latents`)).data)).toBeLessThan(tolerance);
      expect(distance(out.decoded.data, (await load(`${r.id}_decoded`)).data)).toBeLessThan(1e-4);
    }
    await networks.release();
  });
});
