import type { GenerateRequest, JobPurpose } from '#shared/api/generation.ts';
import type { PackSummary } from '#shared/api/packs.ts';
import { sceneOf, toDocument } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { SceneRecord, SlotContent } from '#shared/document/records.ts';
import type { GuidanceSettings } from '#shared/document/settings.ts';
import { StudioError } from '#shared/errors.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import { scalesOf } from '#shared/stages.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { loadBitmaps } from '../image/bitmaps.ts';
import { encodePng, resizePicture, toPixels } from '../image/picture.ts';
import type { Picture } from '../image/picture.ts';
import type { OpenPack } from '../packs/open-pack.ts';
import type { JobContext, Maker } from '../pipelines/maker.ts';
import { JobMeter, Pace } from '../pipelines/pace.ts';
import type { SpeedLedger } from '../pipelines/speed-ledger.ts';
import { meanScore } from '../pipelines/pixel/finish.ts';
import type { Order } from '../pipelines/pixel/orders.ts';
import type { ChosenDevice } from '../runtime/devices.ts';
import type { Scheduler } from '../schedulers/index.ts';
import { NoiseStream, tensor } from '../tensor/index.ts';
import type { Tensor } from '../tensor/index.ts';
import type { PreviewMap } from './autoencoder.ts';
import { decodeLatents, fitPreviewMap, previewOf } from './autoencoder.ts';
import { Companion } from './companion.ts';
import { finishedOf, speakingSegments } from './finished.ts';
import type { Made } from './finished.ts';
import { ImageTokens } from './image-tokens.ts';
import { cellsInView, encodeInView, inpaintingChannels, knownPicture, layOver } from './known.ts';
import type { KnownPicture } from './known.ts';
import { makeLatents } from './make.ts';
import { estimateMemory, requireMemory, usableMemory } from './memory.ts';
import type { LoadedStock, OpenStock } from './open-stock.ts';
import { loadStock, traitsOf, versionsOf } from './open-stock.ts';
import { cellsOf, jobCost, ordersFor, planStages } from './plan-job.ts';
import type { PlannedStage } from './plan-job.ts';
import { prepareStock, warningsOf } from './prepare.ts';
import type { PreparedStock } from './prepare.ts';
import { reckonCost } from './reckon.ts';
import { dialsOf, toldScale } from './sampling.ts';
import { expectedSpeed } from './speed.ts';
import { stagesOf } from './stages.ts';
import type { DenoiseStage, EnlargeStage, Stage } from './stages.ts';
import { TextReader } from './text.ts';
import { cutCanvas, sizingOf, viewOfCanvas } from './view.ts';
import type { View } from './view.ts';

/** Previews at most this often: people see no more, and encoding them costs. */
const PREVIEW_EVERY_MS = 400;
/** Rows of a call of the denoiser: the passes of one step. */
const ROWS = 3;

interface Ready extends LoadedStock {
  readonly reader: TextReader;
  readonly tokens: ImageTokens | null;
}

/** What all pictures of a job share. */
interface Job {
  readonly ready: Ready;
  readonly document: StudioDocument;
  readonly scene: SceneRecord;
  readonly purpose: JobPurpose;
  readonly bitmaps: BitmapLookup;
  readonly known: KnownPicture | null;
  readonly scheduler: Scheduler;
  readonly stages: readonly (PlannedStage | EnlargeStage)[];
  /** Side in latent cells of the squares that the model was trained on. */
  readonly trained: number;
  /** Parts are closed as soon as the next one begins. */
  readonly offload: boolean;
  readonly context: JobContext;
  readonly meter: JobMeter;
}

export interface StockMakerOptions {
  /** The embedded pack, which judges and enlarges; null: there is none. */
  readonly companion?: () => Promise<OpenPack | null>;
  /** Bytes that a job may use, asked at its beginning. */
  readonly memory?: () => number;
  /** How fast models ran here before. */
  readonly speeds?: SpeedLedger;
}

/** The artist's own models: checkpoints opened in place and folders exported by optimum. */
export class StockMaker implements Maker {
  readonly summary: PackSummary;
  readonly #opened: OpenStock;
  readonly #device: ChosenDevice;
  readonly #companion: Companion;
  readonly #memory: () => number;
  readonly #pace: Pace;
  readonly #speeds: SpeedLedger | undefined;
  #ready: Promise<Ready> | undefined;
  #readyFor = '';
  /** The set of files whose notes were told. */
  #notedFor = '';
  #previewMap: PreviewMap | undefined;

  constructor(opened: OpenStock, summary: PackSummary, device: ChosenDevice, options: StockMakerOptions = {}) {
    this.#opened = opened;
    this.summary = summary;
    this.#device = device;
    this.#companion = new Companion(options.companion ?? (async () => null), this.#settings);
    this.#memory = options.memory ?? usableMemory;
    this.#speeds = options.speeds;
    this.#pace = new Pace(this.#speeds?.get(this.#speedKey), expectedSpeed(opened, device));
  }

  get #settings(): { providers: readonly string[]; threads: number } {
    return { providers: this.#device.providers, threads: this.#device.threads };
  }

  /** The networks with the scene's files over them; another set means other graphs, opened in under a second. */
  async #load({ loras, additions }: SceneRecord): Promise<Ready> {
    // A LoRA that was trained further under the same name is another one.
    const { vae, embeddings, ipAdapter } = additions;
    const files = [...loras.map(({ file }) => file), ...embeddings, vae, ipAdapter?.file, ipAdapter?.imageEncoder];
    const named = files.filter((file) => typeof file === 'string');
    const key = `${JSON.stringify([loras, additions])} ${await versionsOf(named)}`;
    if (this.#ready && this.#readyFor !== key) await this.#close();
    this.#readyFor = key;
    this.#ready ??= loadStock(this.#opened, { loras, additions }, this.#settings).then((loaded) => ({
      ...loaded,
      reader: new TextReader(loaded.networks),
      tokens: loaded.pictures && new ImageTokens(loaded.pictures.adapter, loaded.pictures.encoder, this.#settings),
    }));
    this.#ready.catch(() => {
      this.#ready = undefined;
    });
    return this.#ready;
  }

  /** What a job will cost, told without opening a network. @throws StudioError as the job would */
  async cost(request: GenerateRequest, blobs: BlobStore): Promise<{ passes: number; seconds: number | null }> {
    const traits = await traitsOf(this.#opened, sceneOf(toDocument(request.records)).additions);
    const native = this.summary.outputSize.width;
    const judged = await this.#companion.exists();
    const { passes, work, images, pictureSize } = await reckonCost(
      this.#opened,
      traits,
      native,
      judged,
      request,
      blobs,
    );
    return { passes, seconds: this.#pace.secondsLeft(work, images * pictureSize) };
  }

  embed(content: SlotContent, blobs: BlobStore): Promise<{ values: Float32Array; space: string }> {
    return this.#companion.embed(content, blobs);
  }

  async release(): Promise<void> {
    await this.#close();
    await this.#companion.release();
  }

  /** A model on a device with so many threads: another one has another speed. */
  get #speedKey(): string {
    return `${this.#opened.fingerprint} ${this.#device.id} ${this.#device.threads}`;
  }

  async #close(): Promise<void> {
    const ready = await this.#ready?.catch(() => undefined);
    this.#ready = undefined;
    await ready?.tokens?.release();
    await ready?.networks.release();
  }

  async run(request: GenerateRequest, context: JobContext): Promise<void> {
    const meter = new JobMeter(this.#pace, (progress) => context.progress(progress));
    const document = toDocument(request.records);
    const scene = sceneOf(document);
    const { purpose } = request;
    meter.enter('loading');
    const ready = await this.#load(scene);
    // Once for each set of files, not with every picture.
    if (this.#notedFor !== this.#readyFor) for (const note of ready.notes) context.notice?.(note);
    this.#notedFor = this.#readyFor;
    const bitmaps = await loadBitmaps(document, context.blobs);
    const known = await knownPicture(request, document, bitmaps, context.blobs);
    const sizing = sizingOf(ready.networks.traits, this.summary.outputSize.width);
    const stages = stagesOf(purpose, scene, known, sizing);
    const offload = this.#reserveMemory(stages, scene, sizing.cell, ready);
    await context.breathe();

    meter.enter('texts');
    const { traits } = ready.networks;
    const plan = await planStages(traits, scene, purpose, stages, (view) =>
      this.#prepare(ready, document, view, bitmaps, context),
    );
    if (offload) {
      await ready.networks.rest('texts');
      await ready.tokens?.release();
    }
    const kept = purpose.kind !== 'grid' && purpose.kind !== 'live';
    const judged = kept && (await this.#companion.exists());
    const { orders, bestOf } = ordersFor(purpose, scene, judged);
    const trained = sizing.native / sizing.cell;
    const settled = { ready, document, scene, purpose, bitmaps, known };
    const job: Job = { ...settled, ...plan, trained, offload, context, meter };
    const cost = jobCost(traits, plan.stages, orders, this.#opened.fewSteps, trained);
    meter.images = cost.images;
    meter.passesTotal = cost.passes;
    meter.workTotal = cost.work;
    meter.pictureSize = cost.pictureSize;

    let best: Made | undefined;
    for (const [index, order] of orders.entries()) {
      meter.image = index;
      const before = meter.passesDone;
      const picture = await this.#make(job, order, index);
      const passes = meter.passesDone - before;
      await context.breathe();
      if (!kept) {
        context.picture(index, await context.blobs.write(await encodePng(picture)), order.point);
        continue;
      }
      meter.enter('score');
      const scored = judged
        ? await this.#companion.score(picture, document, speakingSegments(document), bitmaps, context.blobs)
        : null;
      const made = { picture, order, passes, scored };
      if (!best?.scored || !scored || meanScore(scored) > meanScore(best.scored)) best = made;
      if ((index + 1) % bestOf !== 0) continue;
      meter.enter('saving');
      const pack = { id: this.summary.id, name: this.summary.name, fingerprint: this.#opened.fingerprint };
      const warnings = warningsOf(document, viewOfCanvas(scene, scalesOf(scene, sizing.native).first, sizing), bitmaps);
      const { blobs } = context;
      const delivery = { request, document, job: context.job, blobs, pack, warnings, timings: meter.takeTimings() };
      context.result(await finishedOf(best, delivery));
      best = undefined;
    }
    if (this.#pace.speed) await this.#speeds?.put(this.#speedKey, this.#pace.speed);
  }

  /** Memory is promised before the first step, for every stage. @returns whether parts have to make room */
  #reserveMemory(stages: readonly Stage[], scene: SceneRecord, cellSide: number, { over }: Ready): boolean {
    const free = this.#memory();
    let offload = false;
    for (const stage of stages) {
      if (stage.kind === 'enlarge') continue;
      const isolated = scene.guidance.isolate && !stage.refines;
      const cells = cellsOf(stage.view);
      const estimate = estimateMemory(this.#opened, {
        rows: ROWS,
        cells,
        cellSide,
        free,
        isolated,
        ...(over && { over }),
      });
      requireMemory(estimate, free, isolated);
      offload ||= estimate.offload;
    }
    return offload;
  }

  /**
   * A picture's dials in a stage. The leak shield writes down the score of every pair of places, and what could leak
   * has its place by the time a picture is worked out: refining runs without.
   */
  #dials(guidance: GuidanceSettings, { refines }: DenoiseStage): GuidanceSettings {
    return { ...dialsOf(guidance, this.#opened.fewSteps), isolate: guidance.isolate && !refines };
  }

  #prepare(
    ready: Ready,
    document: StudioDocument,
    view: View,
    bitmaps: BitmapLookup,
    context: JobContext,
  ): Promise<PreparedStock> {
    return prepareStock(document, view, {
      networks: ready.networks,
      reader: ready.reader,
      embeddings: ready.embeddings,
      pictures: ready.tokens && ready.pictures ? { tokens: ready.tokens, scale: ready.pictures.scale } : null,
      bitmaps,
      blobs: context.blobs,
      breathe: () => context.breathe(),
    });
  }

  /** One picture through all its stages. */
  async #make(job: Job, order: Order, index: number): Promise<Picture> {
    let picture = job.known?.picture;
    // Time outside of the denoiser: developing, of every stage.
    let tail = 0;
    for (const [number, stage] of job.stages.entries()) {
      if (stage.kind === 'enlarge') {
        if (!picture) throw new StudioError('internal', 'nothing to enlarge');
        job.meter.enter('upscale');
        picture = await this.#companion.enlarge(picture, stage.target, () => job.context.breathe());
        continue;
      }
      const latents = await this.#denoise(job, stage, number, order, index, picture);
      const begun = performance.now();
      job.meter.enter('decode');
      if (job.offload) await job.ready.networks.rest('denoiser');
      const image = await decodeLatents(job.ready.networks, latents, { breathe: () => job.context.breathe() });
      const whole = toPixels(image.data, stage.view.picture.width, stage.view.picture.height);
      if (stage.target)
        picture = await resizePicture(cutCanvas(whole, stage.view, job.scene), stage.target.width, stage.target.height);
      else if (job.known) picture = await layOver(job.known, whole, stage.view, job.scene);
      tail += performance.now() - begun;
    }
    if (!picture) throw new StudioError('internal', 'a job without a stage');
    job.meter.pictureFinished(tail);
    return picture;
  }

  /** @returns latents of the stage's view, multiplied by the scaling factor */
  async #denoise(
    job: Job,
    stage: PlannedStage,
    number: number,
    order: Order,
    index: number,
    before: Picture | undefined,
  ): Promise<Tensor> {
    const { ready, meter, context, scene } = job;
    const { networks } = ready;
    const { view, prepared, plan, startIndex, size } = stage;
    const breathe = () => context.breathe();
    meter.enter('denoise');
    meter.steps = plan.timesteps.length;
    let known = null;
    if (stage.from !== 'noise') {
      if (!before) throw new StudioError('internal', 'a stage without a picture to start from');
      const original = await encodeInView(networks, before, view, scene, breathe);
      const redo = stage.target === null ? job.known?.redo : undefined;
      known = { original, mask: redo ? cellsInView(redo.soft, before, view, scene) : null };
    }
    const inpainting = await inpaintingChannels(networks, view.latent, known);
    if (job.offload) await networks.rest('autoencoder');
    const shape = [1, networks.traits.latentChannels, view.latent.height, view.latent.width];
    // Later stages have noise of their own, the same for every picture of that seed.
    const later = new NoiseStream((order.seed ^ Math.imul(number, 0x2545_f491)) >>> 0);
    const { noise, stream } = number === 0 ? order.noise(shape) : { noise: later.normal(shape).data, stream: later };
    return makeLatents(networks, prepared.scene, {
      scheduler: job.scheduler,
      plan,
      startIndex,
      dials: this.#dials(order.guidance, stage),
      told: toldScale(order.guidance),
      noise: tensor(noise, shape),
      stream,
      seed: order.seed,
      fewSteps: this.#opened.fewSteps,
      known,
      inpainting,
      breathe,
      trained: job.trained,
      onPasses: (passes, milliseconds, share = 1) => meter.passed(passes, milliseconds, size * share),
      onStep: this.#previews(job, stage, index),
    });
  }

  #previews(job: Job, stage: PlannedStage, index: number) {
    let last = performance.now();
    return async (step: number, predicted: Tensor): Promise<void> => {
      job.meter.step = step + 1;
      const now = performance.now();
      // A part that is redone is no picture of the canvas; a grid shows its pictures when they are done.
      if (job.purpose.kind === 'grid' || stage.target === null || now - last < PREVIEW_EVERY_MS) return;
      last = now;
      this.#previewMap ??= await fitPreviewMap(job.ready.networks);
      if (job.offload) await job.ready.networks.rest('autoencoder');
      const { width, height } = stage.view.latent;
      const small = cutCanvas(toPixels(previewOf(this.#previewMap, predicted), width, height), stage.view, job.scene);
      const png = await encodePng(await resizePicture(small, small.width * 4, small.height * 4));
      job.context.preview(index, step + 1, png);
    };
  }
}
