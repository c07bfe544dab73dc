import { randomBytes } from 'node:crypto';
import type { GenerateRequest, JobPurpose, Result, ResultId } from '#shared/api/generation.ts';
import type { PackSummary } from '#shared/api/packs.ts';
import { sceneOf, toDocument, toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { SceneRecord } from '#shared/document/records.ts';
import type { GuidanceSettings } from '#shared/document/settings.ts';
import { StudioError } from '#shared/errors.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import { loadBitmaps } from '../image/bitmaps.ts';
import { cropPicture, encodePng, resizePicture, toPixels } from '../image/picture.ts';
import type { Picture } from '../image/picture.ts';
import type { JobContext, Maker } from '../pipelines/maker.ts';
import { JobMeter, Pace } from '../pipelines/pace.ts';
import { firstOrder, ordersOf } from '../pipelines/pixel/orders.ts';
import type { Order } from '../pipelines/pixel/orders.ts';
import type { ChosenDevice } from '../runtime/devices.ts';
import { createScheduler, parseSchedulerConfig, planPartial, samplerFor } from '../schedulers/index.ts';
import type { Scheduler, TrainingSchedule } from '../schedulers/index.ts';
import { NoiseStream, tensor } from '../tensor/index.ts';
import type { Tensor } from '../tensor/index.ts';
import type { PreviewMap } from './autoencoder.ts';
import { decodeLatents, fitPreviewMap, previewOf } from './autoencoder.ts';
import { encodeKnown, finishKnown, inpaintingChannels, knownLatents } from './known.ts';

import { ImageTokens } from './image-tokens.ts';
import { makeLatents, planCost } from './make.ts';
import { estimateMemory, requireMemory, usableMemory } from './memory.ts';
import type { LoadedStock, OpenStock } from './open-stock.ts';
import { loadStock } from './open-stock.ts';
import { modelSize, prepareStock } from './prepare.ts';
import type { PreparedStock } from './prepare.ts';
import { TextReader } from './text.ts';

/** Previews at most this often: people see no more, and encoding them costs. */
const PREVIEW_EVERY_MS = 400;
/** How much of the schedule the second stage of a high resolution runs. */
const REFINE_STRENGTH = 0.4;

interface Ready extends LoadedStock {
  readonly reader: TextReader;
  readonly tokens: ImageTokens | null;
}

/** The artist's own models: checkpoints opened in place and folders exported by optimum. */
export class StockMaker implements Maker {
  readonly summary: PackSummary;
  readonly #opened: OpenStock;
  readonly #device: ChosenDevice;
  readonly #pace = new Pace();
  #ready: Promise<Ready> | undefined;
  #readyFor = '';
  #previewMap: PreviewMap | undefined;

  constructor(opened: OpenStock, summary: PackSummary, device: ChosenDevice) {
    this.#opened = opened;
    this.summary = summary;
    this.#device = device;
  }

  /** The networks with the scene's LoRAs over them; another set means other graphs, opened in under a second. */
  async #load(loras: SceneRecord['loras']): Promise<Ready> {
    const key = JSON.stringify(loras);
    if (this.#ready && this.#readyFor !== key) await this.release();
    this.#readyFor = key;
    const settings = { providers: this.#device.providers, threads: this.#device.threads };
    this.#ready ??= loadStock(this.#opened, loras, settings).then((loaded) => ({
      ...loaded,
      reader: new TextReader(loaded.networks),
      tokens: loaded.pictures && new ImageTokens(loaded.pictures.adapter, loaded.pictures.encoder, settings),
    }));
    this.#ready.catch(() => {
      this.#ready = undefined;
    });
    return this.#ready;
  }

  embed(): Promise<{ values: Float32Array; space: string }> {
    return Promise.reject(
      new StudioError('unsupported', `${this.summary.name} has no embeddings to search by`, {
        remedy: 'choose the embedded pack for searching',
      }),
    );
  }

  async release(): Promise<void> {
    const ready = await this.#ready?.catch(() => undefined);
    this.#ready = undefined;
    await ready?.tokens?.release();
    await ready?.networks.release();
  }

  async run(request: GenerateRequest, context: JobContext): Promise<void> {
    const meter = new JobMeter(this.#pace, (progress) => context.progress(progress));
    const document = toDocument(request.records);
    const scene = sceneOf(document);
    meter.enter('loading');
    const ready = await this.#load(scene.loras);
    const { networks } = ready;
    const { traits } = networks;
    const size = modelSize(scene, traits.latentCell);
    const free = usableMemory();
    const cells = (size.width / traits.latentCell) * (size.height / traits.latentCell);
    const estimate = estimateMemory(this.#opened, 3, cells, traits.latentCell, free);
    requireMemory(estimate, free);
    await context.breathe();

    meter.enter('texts');
    const bitmaps = await loadBitmaps(document, context.blobs);
    const prepared = await this.#prepare(ready, document, size, bitmaps, context);
    if (estimate.offload) await networks.rest('texts');
    meter.enter('map');
    const known = await knownLatents(networks, request, document, size, bitmaps, context);

    const { purpose } = request;
    const orders =
      purpose.kind === 'upscale' ? [{ ...firstOrder(scene), purpose }] : ordersOf(purpose, keptOnly(scene));
    const steps = purpose.kind === 'grid' || purpose.kind === 'live' ? purpose.steps : scene.sampler.steps;
    const scheduler = this.#scheduler(scene);
    const { plan, startIndex } = planPartial(scheduler, steps, purpose.kind === 'upscale' ? 0 : known.strength, {
      eta: scene.sampler.eta,
    });
    meter.images = orders.length;
    meter.steps = plan.timesteps.length;
    meter.passesTotal = orders.reduce(
      (sum, order) =>
        sum + planCost(traits, prepared.scene, this.#dials(order.guidance), plan, startIndex, this.#opened.fewSteps),
      0,
    );

    for (const [index, order] of orders.entries()) {
      meter.image = index;
      meter.enter('denoise');
      const before = meter.passesDone;
      const { noise, stream } = order.noise([
        1,
        traits.latentChannels,
        prepared.scene.latent.height,
        prepared.scene.latent.width,
      ]);
      let picture: Picture;
      if (purpose.kind === 'upscale' && known.base)
        picture = await this.#refine(ready, known.base, purpose.factor, document, order, bitmaps, context, meter);
      else {
        const latents = await makeLatents(networks, prepared.scene, {
          scheduler,
          plan,
          startIndex,
          dials: this.#dials(order.guidance),
          told: order.guidance.globalScale,
          noise: tensor(noise, [1, traits.latentChannels, prepared.scene.latent.height, prepared.scene.latent.width]),
          stream,
          seed: order.seed,
          fewSteps: this.#opened.fewSteps,
          known: known.latents,
          inpainting: await inpaintingChannels(networks, prepared.scene.latent, known),
          breathe: () => context.breathe(),
          onPasses: (passes, milliseconds) => meter.passed(passes, milliseconds),
          onStep: this.#previews(ready, context, meter, index, purpose),
        });
        const tail = performance.now();
        meter.enter('decode');
        if (estimate.offload) await networks.rest('denoiser');
        picture = await this.#toPicture(ready, latents, scene, context);
        picture = finishKnown(picture, known);
        if (scene.upscale > 1 && (purpose.kind === 'generate' || purpose.kind === 'variations'))
          picture = await this.#refine(ready, picture, scene.upscale, document, order, bitmaps, context, meter);
        meter.pictureFinished(performance.now() - tail);
      }
      await context.breathe();
      if (purpose.kind === 'grid' || purpose.kind === 'live') {
        context.picture(index, await context.blobs.write(await encodePng(picture)), order.point);
        continue;
      }
      meter.enter('saving');
      await this.#deliver(
        picture,
        order,
        request,
        document,
        prepared,
        context,
        meter.passesDone - before,
        meter.takeTimings(),
      );
    }
  }

  #prepare(
    ready: Ready,
    document: StudioDocument,
    size: { width: number; height: number },
    bitmaps: BitmapLookup,
    context: JobContext,
  ): Promise<PreparedStock> {
    return prepareStock(document, size, {
      networks: ready.networks,
      reader: ready.reader,
      embeddings: ready.embeddings,
      pictures: ready.tokens && ready.pictures ? { tokens: ready.tokens, scale: ready.pictures.scale } : null,
      bitmaps,
      blobs: context.blobs,
      breathe: () => context.breathe(),
    });
  }

  /** The artist's sampler on the model's own training schedule; the model's own where it is bound to one (LCM). */
  #scheduler(scene: SceneRecord): Scheduler {
    const { source } = this.#opened;
    const config =
      source.kind === 'checkpoint' ? parseSchedulerConfig(source.checkpoint.scheduler) : source.folder.traits.scheduler;
    if (config._class_name === 'LCMScheduler') return createScheduler(config);
    const raw: Readonly<Record<string, unknown>> = config;
    const training: TrainingSchedule = {
      betaSchedule:
        raw['beta_schedule'] === 'linear'
          ? 'linear'
          : raw['beta_schedule'] === 'squaredcos_cap_v2'
            ? 'squaredcos_cap_v2'
            : 'scaled_linear',
      betaStart: Number(raw['beta_start'] ?? 0.00085),
      betaEnd: Number(raw['beta_end'] ?? 0.012),
      trainTimesteps: config.num_train_timesteps,
      predictionType:
        raw['prediction_type'] === 'v_prediction'
          ? 'v_prediction'
          : raw['prediction_type'] === 'sample'
            ? 'sample'
            : 'epsilon',
      zeroTerminalSnr: raw['rescale_betas_zero_snr'] === true,
    };
    return samplerFor(scene.sampler.name, training);
  }

  /** Few-step models were distilled with guidance inside: three passes for the two dials would undo it. */
  #dials(guidance: GuidanceSettings): GuidanceSettings {
    return this.#opened.fewSteps && guidance.mode === 'multi' ? { ...guidance, mode: 'joint' } : guidance;
  }

  async #toPicture(
    ready: Ready,
    latents: Tensor,
    scene: { width: number; height: number },
    context: JobContext,
  ): Promise<Picture> {
    const image = await decodeLatents(ready.networks, latents, { breathe: () => context.breathe() });
    const [, , height = 0, width = 0] = image.shape;
    // Sides that are no whole cells were made a little larger: what is too much is cut off.
    return cropPicture(toPixels(image.data, width, height), 0, 0, scene.width, scene.height);
  }

  #previews(ready: Ready, context: JobContext, meter: JobMeter, index: number, purpose: JobPurpose) {
    let last = performance.now();
    return async (step: number, predicted: Tensor): Promise<void> => {
      meter.step = step + 1;
      const now = performance.now();
      if (purpose.kind === 'grid' || now - last < PREVIEW_EVERY_MS) return;
      last = now;
      this.#previewMap ??= await fitPreviewMap(ready.networks);
      const [, , height = 0, width = 0] = predicted.shape;
      const small = toPixels(previewOf(this.#previewMap, predicted), width, height);
      context.preview(index, step + 1, await encodePng(await resizePicture(small, width * 4, height * 4)));
    };
  }

  /** High resolution in two stages: enlarged, then the last part of the schedule again with the same segments. */
  async #refine(
    ready: Ready,
    base: Picture,
    factor: number,
    document: StudioDocument,
    order: Order,
    bitmaps: BitmapLookup,
    context: JobContext,
    meter: JobMeter,
  ): Promise<Picture> {
    const { networks } = ready;
    const { traits } = networks;
    const scene = sceneOf(document);
    const target = { width: base.width * factor, height: base.height * factor };
    if (target.width * target.height > 64e6)
      throw new StudioError(
        'too-large',
        `${target.width} x ${target.height} pixels is more than this studio enlarges to (64 million)`,
      );
    // Beyond a factor of two the second stage would need more memory than it gives detail.
    const stage = { width: base.width * Math.min(2, factor), height: base.height * Math.min(2, factor) };
    const size = modelSize(stage, traits.latentCell);
    const free = usableMemory();
    const estimate = estimateMemory(
      this.#opened,
      3,
      (size.width / traits.latentCell) * (size.height / traits.latentCell),
      traits.latentCell,
      free,
    );
    requireMemory(estimate, free);
    meter.enter('upscale');
    const prepared = await this.#prepare(ready, document, size, bitmaps, context);
    const larger = await resizePicture(base, size.width, size.height);
    const original = await encodeKnown(networks, larger, context);
    const scheduler = this.#scheduler(scene);
    const { plan, startIndex } = planPartial(scheduler, scene.sampler.steps, REFINE_STRENGTH, {
      eta: scene.sampler.eta,
    });
    const stream = new NoiseStream((order.seed ^ 0x2545_f491) >>> 0);
    const known = { original, mask: null };
    meter.passesTotal =
      meter.passesDone +
      planCost(traits, prepared.scene, this.#dials(order.guidance), plan, startIndex, this.#opened.fewSteps);
    const latents = await makeLatents(networks, prepared.scene, {
      scheduler,
      plan,
      startIndex,
      dials: this.#dials(order.guidance),
      told: order.guidance.globalScale,
      noise: stream.normal(original.shape),
      stream,
      seed: order.seed,
      fewSteps: this.#opened.fewSteps,
      known,
      inpainting: await inpaintingChannels(networks, prepared.scene.latent, { latents: null }),
      breathe: () => context.breathe(),
      onPasses: (passes, milliseconds) => meter.passed(passes, milliseconds),
      onStep: async (step) => {
        meter.step = step + 1;
      },
    });
    meter.enter('decode');
    const picture = await this.#toPicture(ready, latents, stage, context);
    return resizePicture(picture, target.width, target.height);
  }

  async #deliver(
    picture: Picture,
    order: Order,
    request: GenerateRequest,
    document: StudioDocument,
    prepared: PreparedStock,
    context: JobContext,
    passes: number,
    timings: Record<string, number>,
  ): Promise<void> {
    // The snapshot makes this one picture again: its own seed, a batch of one.
    const scene: SceneRecord = {
      ...sceneOf(document),
      seed: order.seed,
      batch: { count: 1, bestOf: 1 },
      pack: this.summary.id,
    };
    const result: Result = {
      id: newResultId(),
      job: context.job,
      createdAt: Date.now(),
      kind: request.purpose.kind,
      picture: await context.blobs.write(await encodePng(picture)),
      width: picture.width,
      height: picture.height,
      seed: order.seed,
      pack: { id: this.summary.id, name: this.summary.name, fingerprint: this.#opened.fingerprint },
      parents: request.parents,
      records: toRecords({ ...document, [scene.id]: scene }),
      purpose: order.purpose,
      passes,
      timings,
      scores: [],
      globalScore: null,
      warnings: [...prepared.warnings],
    };
    context.result({ result, embeddings: [], space: `none:${this.summary.id}` });
  }
}

/** Nothing here can judge a picture, so "the best of several" is the one. */
function keptOnly(scene: SceneRecord): SceneRecord {
  return { ...scene, batch: { ...scene.batch, bestOf: 1 } };
}

const newResultId = (): ResultId => `result-${Date.now().toString(36)}-${randomBytes(5).toString('hex')}`;
