// Trained packs against tensors recorded in PyTorch: every stage alone, then whole runs. Which pack, and which stages
// it has, is told by reference.json. An export that lies elsewhere is checked by
// SPATEXT_MODELS=FOLDER-OF-PACKS SPATEXT_REFERENCE=PACK/reference.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { npyToTensor, readNpy, slice, split, tensor } from '../../tensor/index.ts';
import type { Tensor } from '../../tensor/index.ts';
import { openHashLedger } from '../../packs/hash-ledger.ts';
import { modelsFolder } from '../../packs/models-folder.ts';
import { openPack } from '../../packs/open-pack.ts';
import { planPartial, samplerFor } from '../../schedulers/index.ts';
import { drawSketches, fineSketchMap, mapFeatures } from '../../spatext/features.ts';
import type { StFeatures } from '../../spatext/pixel-model.ts';
import { PixelModel } from '../../spatext/pixel-model.ts';
import { denoiseEmbeddings } from '../../spatext/prior.ts';
import { maskInFrame, pasteSketches, segmentFrames } from '../../spatext/sketch.ts';
import { GuidanceSettings } from '#shared/document/settings.ts';
import { NoiseStream } from '../../tensor/index.ts';
import { probeOnDevice } from '../../runtime/probe-network.ts';
import { denoise } from './denoise.ts';
import type { PreparedScene } from './prepare.ts';
import { createScene } from '#shared/document/create.ts';

const GIVEN = process.env['SPATEXT_REFERENCE'];
const FOLDERS = GIVEN ? [GIVEN] : ['test/fixtures/pack-reference-v4', 'test/fixtures/pack-reference'];

interface Reference {
  pack: string;
  files: Record<string, unknown>;
  texts: { text: string; input_ids: number[] }[];
  prior_timesteps: number[];
}
const fixtureIn = (folder: string, name: string): Tensor =>
  npyToTensor(readNpy(readFileSync(path.join(folder, `${name}.npy`))));
const referenceIn = (folder: string): Reference =>
  JSON.parse(readFileSync(path.join(folder, 'reference.json'), 'utf8')) as Reference;
const openRecorded = ({ pack }: Reference) => openPack(path.join(modelsFolder(), pack), openHashLedger());

/** Largest distance between two lists of numbers. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i += 1)
    largest = Math.max(largest, Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN)));
  return largest;
}
const rows = (x: Tensor): Float32Array[] => split(x).map((row) => row.data);
const at = <T>(list: readonly T[], index: number): T => {
  const value = list[index];
  if (value === undefined) throw new Error(`nothing at ${index}`);
  return value;
};
const breathe = async (): Promise<void> => undefined;
const featuresOf = async (
  model: PixelModel,
  labels: Uint16Array,
  embeddings: readonly Float32Array[],
): Promise<StFeatures> => mapFeatures(model, labels, embeddings, await drawSketches(model, labels, embeddings));

describe.each(FOLDERS)('a pack against its recorded tensors, %s', (folder) => {
  const FOLDER = path.resolve(folder);
  const reference = referenceIn(FOLDER);
  const fixture = (name: string): Tensor => fixtureIn(FOLDER, name);
  const recorded = (stage: string): boolean => `${stage}.npy` in reference.files;
  let model: PixelModel;
  beforeAll(async () => {
    model = new PixelModel(await openRecorded(reference), { providers: ['cpu'], threads: 2 });
  });
  afterAll(() => model.release());

  test('texts become the recorded token ids', async () => {
    const tokenizer = await model.tokenizer();
    for (const { text, input_ids } of reference.texts) expect(tokenizer.encode(text).ids, text).toEqual(input_ids);
  });

  test('text encoder: within what an int8 graph may differ from processor to processor', async () => {
    const { sentence, text } = await model.encodeTexts(reference.texts.map((entry) => entry.text));
    const expected = { sentence: rows(fixture('sentence_embeds')), text: rows(fixture('text_embeds')) };
    sentence.forEach((row, i) => expect(distance(row, at(expected.sentence, i))).toBeLessThan(1e-2));
    text.forEach((row, i) => expect(distance(row, at(expected.text, i))).toBeLessThan(1e-2));
  });

  test('image encoder', async () => {
    const pixels = readNpy(readFileSync(path.join(FOLDER, 'pictures.npy')));
    const plane = 64 * 64;
    const pictures = Array.from({ length: 4 }, (_, picture) =>
      Float32Array.from({ length: 3 * plane }, (_, k) => {
        const channel = Math.floor(k / plane);
        return Number(pixels.data[(picture * plane + (k % plane)) * 3 + channel]) / 127.5 - 1;
      }),
    );
    const embedded = await model.encodeImages(pictures);
    const expected = rows(fixture('image_embeds'));
    embedded.forEach((row, i) => expect(distance(row, at(expected, i))).toBeLessThan(1e-5));
  });

  const conditions = () => {
    const text = rows(fixture('text_embeds'));
    const sentence = rows(fixture('sentence_embeds'));
    return text.map((row, i) => ({ text: row, sentence: at(sentence, i), reading: 0 }));
  };

  test('prior: one call', async () => {
    const timesteps = readNpy(readFileSync(path.join(FOLDER, 'prior_timestep.npy')));
    const noise = rows(fixture('prior_noise'));
    const expected = rows(fixture('prior_call'));
    for (const [i, condition] of conditions().entries()) {
      const [row] = await model.predictEmbeddings([at(noise, i)], Number(timesteps.data[i]), [condition]);
      expect(distance(row ?? [], at(expected, i))).toBeLessThan(1e-5 * 16);
    }
  });

  test('prior: the whole run', async () => {
    const noise = rows(fixture('prior_noise'));
    const queries = conditions().map((query, i) => ({ query, start: at(noise, i) }));
    const embeddings = await denoiseEmbeddings(model, queries, breathe);
    const expected = rows(fixture('prior_run'));
    embeddings.forEach((row, i) => expect(distance(row, at(expected, i))).toBeLessThan(1e-5));
  });

  const sceneMap = () => {
    const run = rows(fixture('prior_run'));
    const labels = Uint16Array.from(readNpy(readFileSync(path.join(FOLDER, 'labels.npy'))).data as ArrayLike<number>);
    return { labels, embeddings: [at(run, 0), at(run, 1), at(run, 3)], global: at(run, 11) };
  };

  test('the recorded stages are those of the pack', () => {
    for (const stage of ['segment_masks', 'sketch', 'sketch_map'])
      expect(recorded(stage), stage).toBe(model.sketchChannels > 0);
  });

  describe.runIf(recorded('sketch'))('sketch', () => {
    const framed = () => {
      const { labels, embeddings } = sceneMap();
      const cells = { labels, width: model.size, height: model.size };
      return { cells, embeddings, frames: segmentFrames(cells, embeddings.length) };
    };

    test('shapes in their frames', () => {
      const { cells, frames } = framed();
      rows(fixture('segment_masks')).forEach((expected, i) => {
        const frame = frames[i];
        if (!frame) throw new Error(`segment ${i} owns nothing`);
        expect(distance(maskInFrame(cells, i + 1, frame), expected), `${i}`).toBeLessThan(1e-4);
      });
    });

    test('the network', async () => {
      const drawn = await model.sketch(framed().embeddings, rows(fixture('segment_masks')));
      const expected = rows(fixture('sketch'));
      expect(drawn).toHaveLength(expected.length);
      drawn.forEach((row, i) => expect(distance(row, at(expected, i))).toBeLessThan(1e-4));
    });

    test('pasted into the map', () => {
      const { cells, frames } = framed();
      const map = pasteSketches(cells, frames, rows(fixture('sketch')), model.sketchChannels);
      expect(distance(map, fixture('sketch_map').data)).toBeLessThan(1e-4);
    });

    test('the projector puts it at the end of st_64', async () => {
      const map = fixture('sketch_map').data;
      const empty = new Float32Array(model.width * model.size ** 2);
      const found = (await model.projectMap(empty, map))['st_64']?.data ?? [];
      expect(distance(found.slice(found.length - map.length), map)).toBe(0);
    });
  });

  test('map and its features', async () => {
    const { labels, embeddings } = sceneMap();
    const features = await featuresOf(model, labels, embeddings);
    for (const name of ['st_64', 'st_32', 'st_16', 'st_8'])
      expect(distance(features[name]?.data ?? [], fixture(name).data), name).toBeLessThan(1e-5 * 16);
  });

  test('denoiser: one call', async () => {
    const { labels, embeddings, global } = sceneMap();
    const features = await featuresOf(model, labels, embeddings);
    const [out] = await model.denoise([{ sample: fixture('noise').data, timestep: 599, global, features }]);
    expect(distance(out ?? [], fixture('unet_call').data)).toBeLessThan(1e-5);
  });

  const wholeRun = async (sampler: 'ddim' | 'dpmpp-2m', steps: number, guidance: GuidanceSettings) => {
    const { labels, embeddings, global } = sceneMap();
    const features = await featuresOf(model, labels, embeddings);
    const prepared: PreparedScene = {
      scene: createScene(),
      frame: { x: 0, y: 0, side: 512 },
      segments: [],
      labels,
      global,
      globalText: null,
      features,
      fineSketch: null,
      negativeGlobal: null,
      negativeFeatures: null,
      warnings: [],
    };
    const scheduler = samplerFor(sampler, model.pack.pack.components.unet.scheduler);
    const { plan, startIndex } = planPartial(scheduler, steps, 1);
    const picture = {
      seed: 0,
      noise: tensor(fixture('noise').data, [1, 3, 64, 64]),
      stream: new NoiseStream(0),
      guidance,
    };
    const options = { scheduler, plan, startIndex, known: null, breathe, onPasses: () => undefined, onStep: breathe };
    return slice(await denoise(model, prepared, [picture], options), 0, 1).data;
  };

  test('whole run: DDIM, multi-scale guidance 1.5 and 3', async () => {
    const sample = await wholeRun(
      'ddim',
      20,
      GuidanceSettings.parse({ mode: 'multi', globalScale: 1.5, localScale: 3 }),
    );
    expect(distance(sample, fixture('run_ddim_multi').data)).toBeLessThan(1e-3);
  });

  test('whole run: DPM++ 2M, single-scale guidance 2', async () => {
    const sample = await wholeRun('dpmpp-2m', 16, GuidanceSettings.parse({ mode: 'single', scale: 2 }));
    expect(distance(sample, fixture('run_dpmpp2m_single').data)).toBeLessThan(1e-3);
  });

  test('super-resolution', async () => {
    const sample = fixture('run_ddim_multi').data.map((value) => Math.min(1, Math.max(-1, value)));
    let told: Float32Array | null = null;
    if (recorded('fine_sketch_map')) {
      const scale = model.sketchScale;
      const { labels, embeddings } = sceneMap();
      const drawn = await drawSketches(model, labels, embeddings);
      const side = 64 * scale;
      const ownerOf = (i: number) => labels[Math.floor(i / side / scale) * 64 + Math.floor((i % side) / scale)] ?? 0;
      const owners = Uint16Array.from({ length: side * side }, (_, i) => ownerOf(i));
      const fine = { labels: owners, width: side, height: side };
      told = drawn && fineSketchMap(drawn, fine, scale, model.sketchChannels);
      expect(distance(told ?? [], fixture('fine_sketch_map').data)).toBeLessThan(1e-4);
    }
    const { data, width, height } = await model.superResolve(sample, 64, 64, told);
    expect([width, height]).toEqual([256, 256]);
    expect(distance(data, fixture('super_resolution').data)).toBeLessThan(1e-4);
  });

  test.skipIf(!recorded('enlargement'))('enlargement of a part of that', async () => {
    const sharp = fixture('super_resolution').data;
    const part = Float32Array.from({ length: 3 * 64 * 64 }, (_, i) => {
      const [channel, row, column] = [Math.floor(i / 4096), 100 + (Math.floor(i / 64) % 64), 100 + (i % 64)];
      return Math.min(1, Math.max(-1, sharp[(channel * 256 + row) * 256 + column] ?? Number.NaN));
    });
    const made = await model.enlargeTile(part, 64, 64);
    expect(distance(made, fixture('enlargement').data)).toBeLessThan(1e-4);
  });
});

// A graphics card, or one imitated by the processor (Chromium's SwiftShader), checks the GPU path. Only here: a
// whole studio on an imitated card would be no test but a wait.
if (process.env['SPATEXT_SOFTWARE_GPU']) process.env['VK_DRIVER_FILES'] ??= process.env['SPATEXT_SOFTWARE_GPU'];
const webgpu = await probeOnDevice('webgpu').then(
  ({ largestError }) => largestError < 1e-3,
  () => false,
);
describe.skipIf(!webgpu)('the same on WebGPU', () => {
  test('the map and the denoiser compute what the processor does', async () => {
    const FOLDER = path.resolve(FOLDERS[0] ?? '');
    const fixture = (name: string): Tensor => fixtureIn(FOLDER, name);
    const model = new PixelModel(await openRecorded(referenceIn(FOLDER)), { providers: ['webgpu', 'cpu'], threads: 2 });
    const run = rows(fixture('prior_run'));
    const labels = Uint16Array.from(readNpy(readFileSync(path.join(FOLDER, 'labels.npy'))).data as ArrayLike<number>);
    const features = await featuresOf(model, labels, [at(run, 0), at(run, 1), at(run, 3)]);
    const [out] = await model.denoise([
      { sample: fixture('noise').data, timestep: 599, global: at(run, 11), features },
    ]);
    expect(distance(out ?? [], fixture('unet_call').data)).toBeLessThan(2e-3);
    await model.release();
    // An imitated card compiles every shader on the processor.
  }, 240_000);
});
