// Milliseconds per pass of the denoiser, alone and batched; the map projected once against every step; the
// engine's own work around the network. node bench/passes.ts
import path from 'node:path';
import { createScene, createSegment } from '../src/shared/document/create.ts';
import { toDocument } from '../src/shared/document/document.ts';
import type { StudioDocument } from '../src/shared/document/document.ts';
import { GuidanceSettings } from '../src/shared/document/settings.ts';
import { NO_BITMAPS } from '../src/shared/masks/rasterize.ts';
import { openBlobStore } from '../src/engine/blobs/blob-store.ts';
import { DEFAULT_PACK } from '../src/engine/packs/embedded.ts';
import { openHashLedger } from '../src/engine/packs/hash-ledger.ts';
import { modelsFolder } from '../src/engine/packs/models-folder.ts';
import { openPack } from '../src/engine/packs/open-pack.ts';
import { denoise } from '../src/engine/pipelines/pixel/denoise.ts';
import { prepareScene } from '../src/engine/pipelines/pixel/prepare.ts';
import { planPartial, samplerFor } from '../src/engine/schedulers/index.ts';
import { drawSketches, mapFeatures } from '../src/engine/spatext/features.ts';
import { sceneFrame } from '../src/engine/spatext/frame.ts';
import { PixelModel } from '../src/engine/spatext/pixel-model.ts';
import { SlotFiller } from '../src/engine/spatext/slots.ts';
import { NoiseStream, tensor } from '../src/engine/tensor/index.ts';
import { record, spread } from './record.ts';

const ROUNDS = 9;
const pack = await openPack(path.join(modelsFolder(), process.argv[2] ?? DEFAULT_PACK), openHashLedger());
const blobs = openBlobStore('unused');
const breathe = async (): Promise<void> => undefined;
const n = pack.pack.sampleSize;

function sceneWith(segments: number): StudioDocument {
  const side = Math.ceil(Math.sqrt(segments));
  const cell = 512 / side;
  return toDocument([
    createScene({ text: 'beach' }),
    ...Array.from({ length: segments }, (_, i) => {
      const shape = {
        kind: 'rect',
        x: (i % side) * cell,
        y: Math.floor(i / side) * cell,
        width: cell * 0.8,
        height: cell * 0.8,
      } as const;
      return createSegment(`s${i}`, `thing number ${i}`, [shape], { order: i });
    }).flat(),
  ]);
}

async function measure(threads: number) {
  const model = new PixelModel(pack, { providers: ['cpu'], threads });
  const filler = new SlotFiller(model);
  const prepare = (document: StudioDocument) =>
    prepareScene(document, sceneFrame({ width: 512, height: 512 }), model, filler, NO_BITMAPS, blobs, {
      phase: () => undefined,
      breathe,
    });
  const three = await prepare(sceneWith(3));
  const sample = new NoiseStream(1).normal([1, 3, n, n]).data;
  const row = { sample, timestep: 500, global: three.global, features: three.features };

  const batches: Record<string, unknown> = {};
  let alone = 0;
  for (const rows of [1, 2, 3, 4, 6, 12]) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS + 2; round += 1) {
      const begin = performance.now();
      await model.denoise(Array.from({ length: rows }, () => row));
      if (round >= 2) times.push((performance.now() - begin) / rows);
    }
    const each = spread(times);
    if (rows === 1) alone = each.median;
    batches[`rows ${rows}`] = { msPerPass: each, ratioToAlone: Number((each.median / alone).toFixed(3)) };
  }

  const project = async (): Promise<number> => {
    const begin = performance.now();
    const embeddings = three.segments.map(({ slot }) => slot.embedding);
    await mapFeatures(model, three.labels, embeddings, await drawSketches(model, three.labels, embeddings));
    return performance.now() - begin;
  };
  await project();
  const projection = spread(await Promise.all([project(), project(), project()].map((time) => time)));

  // The engine around the network: a whole run against the time its network calls alone took.
  const run = async (prepared: typeof three): Promise<{ total: number; network: number }> => {
    const scheduler = samplerFor('dpmpp-2m', pack.pack.components.unet.scheduler);
    const { plan, startIndex } = planPartial(scheduler, 16, 1);
    let network = 0;
    const stream = new NoiseStream(7);
    const noise = tensor(stream.normal([1, 3, n, n]).data, [1, 3, n, n]);
    const begin = performance.now();
    await denoise(model, prepared, [{ seed: 7, noise, stream, guidance: GuidanceSettings.parse({}) }], {
      scheduler,
      plan,
      startIndex,
      known: null,
      breathe,
      onPasses: (_passes, milliseconds) => (network += milliseconds),
      onStep: async () => undefined,
    });
    return { total: performance.now() - begin, network };
  };
  await run(three);
  const overheads: number[] = [];
  const [one, fifty] = [await prepare(sceneWith(1)), await prepare(sceneWith(49))];
  const ratios: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const { total, network } = await run(three);
    overheads.push(((total - network) / network) * 100);
    // In turn, so that a machine that drifts does so for both.
    const a = await run(one);
    const b = await run(fifty);
    ratios.push(b.total / a.total);
  }
  await model.release();
  return {
    batches,
    mapProjectionMs: projection,
    mapOnceAgainstEveryStep: `once: ${projection.median.toFixed(1)} ms; at each of 16 steps: ${(16 * projection.median).toFixed(0)} ms`,
    overheadPercent: spread(overheads),
    fortyNineSegmentsToOne: spread(ratios),
  };
}

const figures: Record<string, unknown> = {};
for (const threads of [1, 2]) figures[`${threads} threads`] = await measure(threads);
record('passes', 'node bench/passes.ts', figures);
