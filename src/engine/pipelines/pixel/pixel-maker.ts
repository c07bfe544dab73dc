import { randomBytes } from 'node:crypto';
import os from 'node:os';
import type { GenerateRequest, JobPurpose, Result, ResultId } from '#shared/api/generation.ts';
import type { PackSummary } from '#shared/api/packs.ts';
import { sceneOf, segmentsOf, toDocument, toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { createScene } from '#shared/document/create.ts';
import { StudioError } from '#shared/errors.ts';
import { loadBitmaps } from '../../image/bitmaps.ts';
import { decodePicture, encodePng, resizePicture, toPixels } from '../../image/picture.ts';
import type { Picture } from '../../image/picture.ts';
import type { OpenPack } from '../../packs/open-pack.ts';
import type { ComponentName } from '../../packs/schema.ts';
import type { ChosenDevice } from '../../runtime/devices.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { sceneFrame } from '../../spatext/frame.ts';
import type { SceneRecord, SlotContent } from '#shared/document/records.ts';
import { tensor } from '../../tensor/index.ts';
import type { PictureToMake } from './denoise.ts';
import { cutCanvas, enlarge, meanScore, scorePicture } from './finish.ts';
import { compositeInto, knownPicture } from './known-picture.ts';
import type { Known } from './known-picture.ts';
import { firstOrder, ordersOf } from './orders.ts';
import type { Order } from './orders.ts';
import { planPartial, samplerFor } from '../../schedulers/index.ts';
import { MAX_SKETCHES, PixelModel } from '../../spatext/pixel-model.ts';
import { SlotFiller } from '../../spatext/slots.ts';
import type { JobContext, Maker } from '../maker.ts';
import { JobMeter, Pace } from '../pace.ts';
import { denoise, passesOf, sketchToShow } from './denoise.ts';
import type { Scored } from './finish.ts';
import { prepareScene } from './prepare.ts';
import type { PreparedScene } from './prepare.ts';
import { enlargePicture } from './enlarge-picture.ts';

/** Previews at most this often: people see no more, and encoding them costs. */
const PREVIEW_EVERY_MS = 180;
/** What a generation needs; not every pack has a sketch or an enlargement. */
const NETWORKS: readonly ComponentName[] = [
  'textEncoder',
  'imageEncoder',
  'prior',
  'sketch',
  'stProjector',
  'unet',
  'superResolution',
  'enlargement',
];

/** Bytes that drawing one segment's sketch holds at its peak, measured with the network of training/nets/sketch.py. */
const SKETCH_BYTES = 1.5e6;

/** The pixel system of the paper: texts -> prior -> map -> 64 px denoiser -> super-resolution. */
export class PixelMaker implements Maker {
  readonly summary: PackSummary;
  readonly #model: PixelModel;
  readonly #filler: SlotFiller;
  readonly #pace = new Pace();
  readonly #device: ChosenDevice;

  constructor(pack: OpenPack, summary: PackSummary, device: ChosenDevice) {
    this.summary = summary;
    this.#device = device;
    this.#model = new PixelModel(pack, { providers: device.providers, threads: device.threads });
    this.#filler = new SlotFiller(this.#model);
  }

  async embed(content: SlotContent, blobs: BlobStore): Promise<{ values: Float32Array; space: string }> {
    if (content.kind === 'mix') throw new StudioError('bad-use', 'a mix has no embedding without its scene');
    const document = toDocument([createScene()]);
    const [filled] = await this.#filler.fill([content], document, blobs, async () => undefined);
    if (!filled) throw new StudioError('internal', 'the slot was not filled');
    return { values: filled.embedding, space: this.#model.space };
  }

  release(): Promise<void> {
    return this.#model.release();
  }

  async run(request: GenerateRequest, context: JobContext): Promise<void> {
    const meter = new JobMeter(this.#pace, (progress) => context.progress(progress));
    const document = toDocument(request.records);
    const scene = sceneOf(document);
    this.#reserveMemory(scene, segmentsOf(document).length);
    meter.enter('loading');
    await this.#model.load(NETWORKS.filter((name) => this.#model.pack.pack.components[name] !== undefined));
    await context.breathe();
    if (request.purpose.kind === 'upscale') return this.#upscale(request, request.purpose, document, context, meter);

    const bitmaps = await loadBitmaps(document, context.blobs);
    const known = await knownPicture(this.#model.size, request, document, scene, bitmaps, context.blobs);
    const prepared = await prepareScene(document, known.frame, this.#model, this.#filler, bitmaps, context.blobs, {
      phase: (phase) => meter.enter(phase),
      breathe: () => context.breathe(),
    });
    const orders = ordersOf(request.purpose, scene);
    const steps =
      request.purpose.kind === 'grid' || request.purpose.kind === 'live' ? request.purpose.steps : scene.sampler.steps;
    const scheduler = samplerFor(scene.sampler.name, this.#model.pack.pack.components.unet.scheduler);
    const { plan, startIndex } = planPartial(scheduler, steps, known.strength, { eta: scene.sampler.eta });
    const n = this.#model.size;
    const toMake = (order: Order): PictureToMake => {
      const { noise, stream } = order.noise([1, 3, n, n]);
      return { seed: order.seed, noise: tensor(noise, [1, 3, n, n]), stream, guidance: order.guidance };
    };
    meter.images = orders.length;
    meter.steps = plan.timesteps.length;
    meter.passesTotal = passesOf(
      prepared,
      orders.map(({ guidance }) => guidance),
      plan,
      startIndex,
      n,
    );

    const bestOf = request.purpose.kind === 'generate' ? scene.batch.bestOf : 1;
    let best: { made: Made; order: Order } | undefined;
    for (const [index, order] of orders.entries()) {
      meter.image = index;
      meter.enter('denoise');
      const before = meter.passesDone;
      let lastPreview = performance.now();
      const sample = await denoise(this.#model, prepared, [toMake(order)], {
        scheduler,
        plan,
        startIndex,
        known: known.picture,
        breathe: () => context.breathe(),
        onPasses: (passes, milliseconds) => meter.passed(passes, milliseconds),
        onStep: async (step, predicted) => {
          meter.step = step + 1;
          const now = performance.now();
          if (now - lastPreview < PREVIEW_EVERY_MS || request.purpose.kind === 'grid') return;
          lastPreview = now;
          const small = cutCanvas(toPixels(predicted.data, n, n), known.frame, scene, n / known.frame.side);
          if (known.frame.side === sceneFrame(scene).side) context.preview(index, step + 1, await encodePng(small));
        },
      });
      const tail = performance.now();
      meter.enter('upscale');
      const sketch = sketchToShow(this.#model, prepared, order.guidance, plan.timesteps.length);
      const picture = await this.#finishPicture(sample.data, sketch, scene, known, request.purpose, context);
      await context.breathe();
      if (request.purpose.kind === 'grid' || request.purpose.kind === 'live') {
        context.picture(index, await context.blobs.write(await encodePng(picture)), order.point);
        meter.pictureFinished(performance.now() - tail);
        continue;
      }
      meter.enter('score');
      const scored = await scorePicture(this.#model, picture, document, prepared, bitmaps);
      const made: Made = { picture, scored, passes: meter.passesDone - before };
      if (!best || meanScore(scored) > meanScore(best.made.scored)) best = { made, order };
      meter.pictureFinished(performance.now() - tail);
      if ((index + 1) % bestOf !== 0) continue;
      meter.enter('saving');
      await this.#deliver(best.made, best.order, request, document, prepared, context, meter.takeTimings());
      best = undefined;
    }
    meter.enter('saving');
  }

  /** Memory is promised before the first step: a refusal in words beats a crash after the last pass. */
  #reserveMemory(scene: SceneRecord, segments: number): void {
    const weights = this.#model.pack.bytes * 2;
    const side = Math.max(scene.width, scene.height) * scene.upscale;
    const sketches = this.#model.sketchChannels > 0 ? Math.min(segments, MAX_SKETCHES) * SKETCH_BYTES : 0;
    // Measured (bench/memory.ts): the widest layer of super-resolution, and the picture in its several forms.
    const activations = 150e6 + Math.min(side, 1024) ** 2 * 48 * 4 * 1.5 + side ** 2 * 12 + sketches;
    const free = os.freemem() + process.memoryUsage.rss();
    if (weights + activations > free)
      throw new StudioError(
        'memory',
        `this needs about ${Math.ceil((weights + activations) / 1e6)} MB; ${Math.floor(free / 1e6)} MB are free`,
        {
          kept: 'nothing was started',
          remedy: 'close other programs, or choose a smaller canvas',
        },
      );
  }

  async #finishPicture(
    sample: Float32Array,
    sketch: Float32Array | null,
    scene: SceneRecord,
    known: Known,
    purpose: JobPurpose,
    context: JobContext,
  ): Promise<Picture> {
    if (known.base && known.soft && purpose.kind === 'redo-segment') {
      const scale = known.base.width / scene.width;
      const side = Math.max(1, Math.round(known.frame.side * scale));
      const part = await enlarge(this.#model, sample, sketch, side, () => context.breathe());
      return compositeInto(
        known.base,
        part,
        Math.round(known.frame.x * scale),
        Math.round(known.frame.y * scale),
        known.soft,
      );
    }
    const quick = purpose.kind === 'grid' || purpose.kind === 'live';
    const natural = this.#model.pack.pack.outputSize;
    const longest = Math.max(scene.width, scene.height);
    const scale = quick ? Math.min(1, natural / longest) : 1;
    const side = Math.max(1, Math.round(known.frame.side * scale));
    const square = await enlarge(this.#model, sample, sketch, side, () => context.breathe());
    let picture = cutCanvas(square, known.frame, scene, scale);
    if (!quick && scene.upscale > 1) {
      picture = await enlargePicture(this.#model, picture, () => context.breathe());
      picture = await resizePicture(picture, scene.width * scene.upscale, scene.height * scene.upscale);
    }
    return picture;
  }

  async #deliver(
    made: Made,
    order: Order,
    request: GenerateRequest,
    document: StudioDocument,
    prepared: PreparedScene,
    context: JobContext,
    timings: Record<string, number>,
  ): Promise<void> {
    const { picture, scored } = made;
    const { pack, fingerprint } = this.#model.pack;
    // The snapshot makes this one picture again: its own seed, a batch of one.
    const scene: SceneRecord = { ...prepared.scene, seed: order.seed, batch: { count: 1, bestOf: 1 }, pack: pack.id };
    const result: Result = {
      id: newResultId(),
      job: context.job,
      createdAt: Date.now(),
      kind: request.purpose.kind,
      picture: await context.blobs.write(await encodePng(picture)),
      width: picture.width,
      height: picture.height,
      seed: order.seed,
      pack: { id: pack.id, name: pack.name, fingerprint },
      parents: request.parents,
      records: toRecords({ ...document, [scene.id]: scene }),
      purpose: order.purpose,
      passes: made.passes,
      timings,
      scores: scored.scores,
      globalScore: scored.globalScore,
      warnings: [...prepared.warnings],
    };
    const embeddings = prepared.segments.flatMap(({ record, words }, index) => {
      const values = scored.embeddings[index];
      return values ? [{ segment: record.id, text: words, values }] : [];
    });
    context.result({ result, embeddings, space: this.#model.space });
  }

  async #upscale(
    request: GenerateRequest,
    purpose: Extract<JobPurpose, { kind: 'upscale' }>,
    document: StudioDocument,
    context: JobContext,
    meter: JobMeter,
  ): Promise<void> {
    meter.enter('upscale');
    const base = await decodePicture(await context.blobs.read(purpose.picture), 3);
    const width = base.width * purpose.factor;
    const height = base.height * purpose.factor;
    if (width * height > 64e6)
      throw new StudioError(
        'too-large',
        `${width} x ${height} pixels is more than this studio enlarges to (64 million)`,
      );
    const picture = await resizePicture(
      await enlargePicture(this.#model, base, () => context.breathe()),
      width,
      height,
    );
    meter.enter('score');
    const bitmaps = await loadBitmaps(document, context.blobs);
    const scene = sceneOf(document);
    const prepared = await prepareScene(
      document,
      sceneFrame(scene),
      this.#model,
      this.#filler,
      bitmaps,
      context.blobs,
      {
        phase: () => undefined,
        breathe: () => context.breathe(),
      },
    );
    const scored = await scorePicture(this.#model, picture, document, prepared, bitmaps);
    const order: Order = { ...firstOrder(scene), purpose };
    await this.#deliver(
      { picture, scored, passes: 0 },
      order,
      request,
      document,
      prepared,
      context,
      meter.takeTimings(),
    );
  }

  get device(): ChosenDevice {
    return this.#device;
  }
}

interface Made {
  readonly picture: Picture;
  readonly scored: Scored;
  readonly passes: number;
}

const newResultId = (): ResultId => `result-${Date.now().toString(36)}-${randomBytes(5).toString('hex')}`;
