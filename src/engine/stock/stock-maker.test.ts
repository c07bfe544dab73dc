import { copyFile, cp, mkdtemp, readFile, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { GenerateRequest } from '#shared/api/generation.ts';
import type { JobProgress } from '#shared/api/generation.ts';
import { createScene, createSegment } from '#shared/document/create.ts';
import type { SegmentRecord, SlotContent } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { openBlobStore } from '../blobs/blob-store.ts';
import { embeddingFile, inFullPrecision, withInputChannels, withoutTensors } from '../checkpoints/edited.testkit.ts';
import { CHECKPOINTS } from '../checkpoints/graphs/fixtures.testkit.ts';
import { parameterCount } from '../checkpoints/weights.ts';
import { decodePicture, encodePng } from '../image/picture.ts';
import type { FinishedResult } from '../jobs/engine-api.ts';
import type { JobContext } from '../pipelines/maker.ts';
import { estimateMemory } from './memory.ts';
import type { LaidOver } from './memory.ts';
import { stockPackReader } from './open-stock.ts';
import { StockMaker } from './stock-maker.ts';
import type { StockMakerOptions } from './stock-maker.ts';

// Opening a network costs under a second, and many seconds where everything else runs beside it.
vi.setConfig({ testTimeout: 240_000 });
const DEVICE = { id: 'cpu', providers: ['cpu'], threads: 1, fallback: undefined } as const;
const PIPELINES = join(import.meta.dirname, '../../../test/fixtures/pipelines');
const SD15 = join(CHECKPOINTS, 'sd15-tiny.safetensors');
let folder: string;
let blobs: BlobStore;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stock-'));
  blobs = openBlobStore(join(folder, 'blobs'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Told {
  results: FinishedResult[];
  progress: JobProgress[];
  previews: number;
  notices: string[];
}

/** @param side for which the model is said to be trained: with 96 a scene of 128 x 64 is made in one stage */
async function makerOf(path: string, side = 96, options: StockMakerOptions = {}): Promise<StockMaker> {
  const { opened, summary } = await stockPackReader.open(path);
  return new StockMaker(opened, { ...summary, outputSize: { width: side, height: side } }, DEVICE, options);
}

type Drawn = { content: SlotContent | string; x: number; more?: Partial<SegmentRecord> };

function scene(fields: Parameters<typeof createScene>[0], drawn: readonly Drawn[] = []) {
  return [
    createScene({
      width: 128,
      height: 64,
      text: 'a field',
      sampler: { name: 'ddim', steps: 2 },
      seed: 5,
      guidance: { globalScale: 4, localScale: 4 },
      ...fields,
    }),
    ...drawn.flatMap(({ content, x, more }, i) =>
      createSegment(`s${i}`, content, [{ kind: 'rect', x, y: 8, width: 40, height: 48 }], { order: i, ...more }),
    ),
  ];
}

async function make(
  maker: StockMaker,
  records: ReturnType<typeof scene>,
  more: Omit<z.input<typeof GenerateRequest>, 'records'> = {},
  breathe: () => Promise<void> = async () => undefined,
): Promise<Told> {
  const told: Told = { results: [], progress: [], previews: 0, notices: [] };
  const context: JobContext = {
    job: 'job-test',
    blobs,
    progress: (progress) => void told.progress.push(progress),
    preview: () => void (told.previews += 1),
    picture: () => undefined,
    result: (finished) => void told.results.push(finished),
    notice: (message) => void told.notices.push(message),
    breathe,
  };
  await maker.run(GenerateRequest.parse({ records, ...more }), context);
  return told;
}

const pictureOf = async (told: Told) => decodePicture(await blobs.read(told.results[0]!.result.picture), 3);
const largestStep = (a: Uint8Array, b: Uint8Array) =>
  a.reduce((worst, v, i) => Math.max(worst, Math.abs(v - b[i]!)), 0);
const TWO: Drawn[] = [
  { content: 'a red fox', x: 8 },
  { content: 'the full moon', x: 72, more: { weight: 0.5, negativeText: 'blurry' } },
];

describe('a checkpoint as a pack', () => {
  test('says at once what it is', async () => {
    const { summary } = await stockPackReader.open(SD15);
    expect(summary).toMatchObject({
      id: 'sd15-tiny',
      kind: 'stable-diffusion',
      source: 'checkpoint',
      problem: null,
      anySize: true,
    });
    expect(summary.name).toContain('Stable Diffusion 1.x, epsilon, fp16, full');
    expect((await stockPackReader.open(join(CHECKPOINTS, 'sd21v-tiny.safetensors'))).summary.name).toContain(
      'v-prediction',
    );
    expect((await stockPackReader.open(join(CHECKPOINTS, 'sdxl-tiny.safetensors'))).summary.kind).toBe('sdxl');
    expect((await stockPackReader.open(join(PIPELINES, 'tiny-lcm'))).summary).toMatchObject({
      kind: 'lcm',
      defaults: { sampler: 'lcm', steps: 4, globalScale: 1 },
    });
  });

  test.each([
    ['lora-tiny-kohya.safetensors', 'is a LoRA'],
    ['vae-tiny.safetensors', 'an autoencoder (VAE)'],
    ['ip-adapter-tiny.safetensors', 'an IP-Adapter'],
    ['ip-adapter-tiny.image_encoder/model.safetensors', 'a CLIP image encoder'],
  ])('refuses %s by its kind', async (file, message) => {
    expect(await stockPackReader.claims(join(CHECKPOINTS, file))).toBe(true);
    await expect(stockPackReader.open(join(CHECKPOINTS, file))).rejects.toThrow(message);
  });

  test('a scene with segments: the passes promised are the passes made, the same seed makes the same picture', async () => {
    const maker = await makerOf(SD15);
    const told = await make(maker, scene({ negativeText: 'dull' }, TWO));
    const [{ result }] = told.results as [FinishedResult];
    expect(result).toMatchObject({ width: 128, height: 64, seed: 5, pack: { id: 'sd15-tiny' }, passes: 6 });
    expect(told.progress.find(({ phase }) => phase === 'denoise')?.passesTotal).toBe(6);
    expect(told.progress.at(-1)?.passesDone).toBe(6);
    const again = await make(maker, scene({ negativeText: 'dull' }, TWO));
    expect(again.results[0]!.result.picture).toBe(result.picture);
    // A snapshot makes its picture again.
    const replay = await make(maker, result.records as ReturnType<typeof scene>);
    expect(replay.results[0]!.result.picture).toBe(result.picture);
    const other = await make(maker, scene({ negativeText: 'dull' }, [{ content: 'a blue boat', x: 8 }, TWO[1]!]));
    expect(other.results[0]!.result.picture).not.toBe(result.picture);
    const shielded = await make(
      maker,
      scene({ negativeText: 'dull', guidance: { globalScale: 4, localScale: 4, isolate: true } }, TWO),
    );
    expect(shielded.results[0]!.result.picture).not.toBe(result.picture);
    await maker.release();
  });

  test('without segments: two passes a step, and a LoRA row changes the picture', async () => {
    const maker = await makerOf(SD15);
    const plain = await make(maker, scene({}));
    expect(plain.results[0]!.result.passes).toBe(4);
    const lora = { file: join(CHECKPOINTS, 'lora-tiny-kohya.safetensors'), strength: 0.8 };
    const changed = await make(maker, scene({ loras: [lora] }));
    const off = await make(maker, scene({ loras: [{ ...lora, strength: 0 }] }));
    // The same name with other weights: trained further, here down to nothing.
    const file = join(folder, 'training.safetensors');
    const bytes = await readFile(lora.file);
    await writeFile(file, bytes);
    const early = await make(maker, scene({ loras: [{ file, strength: 0.8 }] }));
    await writeFile(file, bytes.fill(0, 8 + Number(bytes.readBigUInt64LE())));
    const late = await make(maker, scene({ loras: [{ file, strength: 0.8 }] }));
    expect((await pictureOf(early)).data).toEqual((await pictureOf(changed)).data);
    expect(largestStep((await pictureOf(late)).data, (await pictureOf(plain)).data)).toBeLessThanOrEqual(1);
    expect(largestStep((await pictureOf(changed)).data, (await pictureOf(plain)).data)).toBeGreaterThan(4);
    expect(largestStep((await pictureOf(off)).data, (await pictureOf(plain)).data)).toBeLessThanOrEqual(1);
    await maker.release();
  });

  test('sizes that are no whole cells, and a start picture at strengths 0 and 0.5', async () => {
    const maker = await makerOf(SD15);
    const data = Uint8Array.from({ length: 101 * 67 * 3 }, (_, i) => (i * 7) % 256);
    const blob = await blobs.write(await encodePng({ width: 101, height: 67, channels: 3, data }));
    const at = async (strength: number) =>
      make(maker, scene({ width: 101, height: 67, start: { blob, strength } }, [TWO[0]!]));
    const [kept, half] = [await at(0), await at(0.5)];
    expect(kept.results[0]!.result).toMatchObject({ width: 101, height: 67, passes: 0 });
    expect(half.results[0]!.result.passes).toBe(3);
    await maker.release();
  });

  test('redo one segment: everything outside its mask comes back pixel for pixel', async () => {
    const maker = await makerOf(SD15);
    const records = scene({}, TWO);
    const first = await make(maker, records);
    const before = await pictureOf(first);
    const redone = await make(maker, scene({ seed: 9 }, TWO), {
      purpose: { kind: 'redo-segment', segment: 'segment:s0', picture: first.results[0]!.result.picture },
    });
    const after = await pictureOf(redone);
    let outside = 0;
    let inside = 0;
    for (let i = 0; i < before.data.length; i++) {
      const [x, y] = [Math.floor(i / 3) % 128, Math.floor(i / 3 / 128)];
      const step = Math.abs(before.data[i]! - after.data[i]!);
      if (x >= 8 && x < 48 && y >= 8 && y < 56) inside = Math.max(inside, step);
      else outside = Math.max(outside, step);
    }
    expect(outside).toBe(0);
    expect(inside).toBeGreaterThan(0);
    await maker.release();
  });

  test('two stages make twice the size', async () => {
    const maker = await makerOf(SD15);
    const told = await make(
      maker,
      scene({ upscale: 2, width: 64, height: 64, sampler: { name: 'dpmpp-2m', steps: 5 } }, []),
    );
    expect(told.results[0]!.result).toMatchObject({ width: 128, height: 128 });
    // Five steps of two passes, then the last two of five again.
    expect(told.results[0]!.result.passes).toBe(14);
    await maker.release();
  });

  test('cancelling ends between two passes', async () => {
    const maker = await makerOf(SD15);
    let breaths = 0;
    const breathe = async () => {
      breaths += 1;
      if (breaths > 8) throw new StudioError('cancelled', 'cancelled');
    };
    await expect(make(maker, scene({ sampler: { name: 'euler', steps: 50 } }, TWO), {}, breathe)).rejects.toThrow(
      'cancelled',
    );
    await maker.release();
  });
});

describe('memory', () => {
  /** The scene of these tests: 128 latent cells. */
  const SMALL = { rows: 3, cells: 128, cellSide: 8 };
  const asked = async (memory: number) => {
    const maker = await makerOf(SD15, 96, { memory: () => memory });
    const told = await make(maker, scene({}, TWO));
    await maker.release();
    return told.results[0]!.result;
  };

  test('too little: refused before the first pass, in words and with the figures', async () => {
    const error = await asked(1e6).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(StudioError);
    expect(error).toMatchObject({ code: 'memory', kept: 'nothing was started' });
    expect((error as StudioError).message).toMatch(/this needs about .* of memory; .* are free/);
  });

  test('just enough for one part at a time: the same picture, parts closed in between', async () => {
    const { opened } = await stockPackReader.open(SD15);
    const { peak } = estimateMemory(opened, { ...SMALL, free: Infinity });
    const tight = estimateMemory(opened, { ...SMALL, free: peak - 1 });
    expect(tight).toMatchObject({ offload: true });
    expect(tight.peak).toBeLessThan(peak);
    expect((await asked(tight.peak)).picture).toBe((await asked(peak)).picture);
  });

  test("a scene's own autoencoder is what is counted, not the one it stands in for", async () => {
    const vae = join(folder, 'wide-vae.safetensors');
    await writeFile(vae, inFullPrecision(await readFile(join(CHECKPOINTS, 'vae-tiny.safetensors'))));
    const maker = await makerOf(SD15, 96, { memory: () => 1 });
    const decoder = async (additions: object): Promise<number> => {
      const error: unknown = await make(maker, scene({ additions })).catch((caught: unknown) => caught);
      return ((error as StudioError).details as { decoder: number }).decoder;
    };
    // 85,675 weights: mapped as they are, four bytes each, instead of two and a share of four more while they are widened.
    expect((await decoder({ vae })) - (await decoder({}))).toBeCloseTo(85_675 * (4 - 2 - 0.36 * 4), 3);
    await maker.release();
  });

  test('what lies over a checkpoint is counted: LoRAs and adapters, widened weights, an image encoder', async () => {
    const { opened } = await stockPackReader.open(SD15);
    const none = { vae: null, inline: 0, computes: false, pictures: null };
    const at = (over: Partial<LaidOver>) =>
      estimateMemory(opened, { ...SMALL, free: Infinity, over: { ...none, ...over } });
    const plain = at({});
    expect(plain).toEqual(estimateMemory(opened, { ...SMALL, free: Infinity }));
    expect(at({ inline: 1e6 }).denoiser - plain.denoiser).toBe(3e6);
    const { unet, vae } =
      opened.source.kind === 'checkpoint' ? opened.source.checkpoint : expect.fail('not a checkpoint');
    // Half precision, widened once and kept: four bytes of each weight instead of the share that is alive in a pass.
    expect(at({ computes: true }).denoiser - plain.denoiser).toBeCloseTo(
      parameterCount(unet.table) * 4 * (1 - 0.36),
      3,
    );
    expect(at({ pictures: vae.table }).texts - plain.texts).toBeCloseTo(85_675 * (2 + 0.36 * 4), 3);
  });

  test('the leak shield is counted: it writes down the score of every pair of places', async () => {
    const { opened } = await stockPackReader.open(SD15);
    const at = (isolated: boolean) =>
      estimateMemory(opened, { ...SMALL, cells: 4096, free: Infinity, isolated }).denoiser;
    expect(at(true) - at(false)).toBe(3 * 4096 ** 2 * 8 * 4 * 2);
  });
});

describe('other kinds of checkpoints', () => {
  test.each(['sd21v-tiny.safetensors', 'sdxl-tiny.safetensors', 'sd15-tiny-diffusers'])(
    '%s: segments inside the network, three passes a step',
    async (file) => {
      const maker = await makerOf(join(CHECKPOINTS, file));
      const told = await make(maker, scene({}, TWO));
      expect(told.results[0]!.result.passes).toBe(6);
      const silent = await make(maker, scene({}, [{ content: 'a red fox', x: 8 }]));
      expect(silent.results[0]!.result.picture).not.toBe(told.results[0]!.result.picture);
      await maker.release();
    },
  );

  test('an inpainting model: with no weight on what it reads besides, it is the ordinary model', async () => {
    const path = join(folder, 'inpainting.safetensors');
    await writeFile(path, withInputChannels(await readFile(SD15), 9));
    await symlink(join(CHECKPOINTS, 'sd15-tiny.config'), join(folder, 'inpainting.config'));
    const { summary } = await stockPackReader.open(path);
    expect(summary.name).toContain('inpainting');
    const [ordinary, inpainting] = [await makerOf(SD15), await makerOf(path)];
    const first = await make(ordinary, scene({}, TWO));
    expect((await pictureOf(await make(inpainting, scene({}, TWO)))).data).toEqual((await pictureOf(first)).data);
    const redo = {
      purpose: { kind: 'redo-segment', segment: 'segment:s0', picture: first.results[0]!.result.picture },
    } as const;
    const records = scene({ seed: 9 }, TWO);
    const redone = await make(inpainting, records, redo);
    expect((await pictureOf(redone)).data).toEqual((await pictureOf(await make(ordinary, records, redo))).data);
    await ordinary.release();
    await inpainting.release();
  });
});

describe('sizes', () => {
  test('a canvas larger than the model can lay out is made in two stages, a smaller one is made larger and shrunk', async () => {
    const maker = await makerOf(SD15, 64);
    const fields = { sampler: { name: 'ddim', steps: 5 } } as const;
    const large = (await make(maker, scene({ ...fields, width: 128, height: 96 }))).results[0]!.result;
    expect(large).toMatchObject({ width: 128, height: 96, passes: 5 * 2 + 2 * 2 });
    // One of two steps is less than a second stage has to run.
    const hasty = scene({ sampler: { name: 'ddim', steps: 2 }, width: 128, height: 96 });
    expect((await make(maker, hasty)).results[0]!.result).toMatchObject({ width: 128, passes: 4 });
    // The leak shield belongs to the stage that lays the picture out.
    const dials = { globalScale: 4, localScale: 4, isolate: true } as const;
    const shielded = await make(maker, scene({ ...fields, width: 128, height: 96, guidance: dials }, TWO));
    expect(shielded.results[0]!.result.passes).toBe(5 * 3 + 2 * 3);
    const small = (await make(maker, scene({ ...fields, width: 32, height: 24 }))).results[0]!.result;
    expect(small).toMatchObject({ width: 32, height: 24, passes: 10 });
    await maker.release();
  });
});

describe('the cost that is told before anything is opened is the cost that is run', () => {
  const shared: Drawn[] = [
    { content: 'snow', x: 0 },
    { content: 'snow', x: 56 },
    { content: 'a field', x: 84, more: { negativeText: 'rain', interval: [0.5, 1] } },
  ];
  const lcm = { sampler: { name: 'lcm', steps: 4 } } as const;
  const ddim = { sampler: { name: 'ddim', steps: 5 } } as const;
  test.each([
    ['a checkpoint in two stages', SD15, 64, scene({ ...ddim, width: 128, height: 96 }, TWO), {}],
    ['several pictures', SD15, 96, scene({ batch: { count: 2, bestOf: 3 }, text: '' }, TWO), {}],
    ['one dial', SD15, 96, scene({ guidance: { mode: 'single', scale: 4, interval: [0, 0.5] } }, TWO), {}],
    ['a grid', SD15, 96, scene({}, TWO), { purpose: { kind: 'grid', points: [[1, 0], [4, 4]], steps: 2 } }], // prettier-ignore
    ['windows of a black box', join(PIPELINES, 'tiny-sd15'), 32, scene({ ...ddim, negativeText: 'fog' }, shared), {}],
    ['a few-step black box', join(PIPELINES, 'tiny-lcm'), 32, scene(lcm, shared), {}],
  ] as const)('%s', async (_name, path, side, records, more) => {
    const maker = await makerOf(path, side);
    const request = { records: [...records], ...more } as z.input<typeof GenerateRequest>;
    const cost = await maker.cost(GenerateRequest.parse(request), blobs);
    const told = await make(maker, [...records], more as Parameters<typeof make>[2]);
    expect(told.progress.at(-1)?.passesDone).toBe(cost.passes);
    expect(cost.passes).toBeGreaterThan(0);
    expect(cost.seconds).toBeGreaterThan(0);
    await maker.release();
  });
});

describe('recipes', () => {
  const write = async (name: string, recipe: Record<string, unknown>) => {
    const path = join(folder, `${name}.recipe.json`);
    await writeFile(path, JSON.stringify({ formatVersion: 1, kind: 'checkpoint-recipe', checkpoint: SD15, ...recipe }));
    return path;
  };

  test('a picture fills a segment through an IP-Adapter; without one the scene is refused in words', async () => {
    const data = Uint8Array.from({ length: 24 * 24 * 3 }, (_, i) => (i % 3) * 100);
    const blob = await blobs.write(await encodePng({ width: 24, height: 24, channels: 3, data }));
    const picture: SlotContent = { kind: 'image', blob, box: null, mask: null };
    const path = await write('with-pictures', {
      ipAdapter: {
        file: join(CHECKPOINTS, 'ip-adapter-tiny.safetensors'),
        imageEncoder: join(CHECKPOINTS, 'ip-adapter-tiny.image_encoder/model.safetensors'),
      },
      vae: join(CHECKPOINTS, 'vae-tiny.safetensors'),
      clipSkip: 2,
    });
    const { summary } = await stockPackReader.open(path);
    expect(summary.abilities).toContain('picture-slots');
    const maker = await makerOf(path);
    const told = await make(maker, scene({}, [{ content: picture, x: 8 }, TWO[1]!]));
    expect(told.results).toHaveLength(1);
    const other = await make(maker, scene({}, [{ content: 'red', x: 8 }, TWO[1]!]));
    expect(other.results[0]!.result.picture).not.toBe(told.results[0]!.result.picture);
    await maker.release();
    const plain = await makerOf(SD15);
    await expect(make(plain, scene({}, [{ content: picture, x: 8 }]))).rejects.toThrow('is filled by a picture');
    await plain.release();
  });

  const vae = join(CHECKPOINTS, 'vae-tiny.safetensors');

  test('as part of the scene: a VAE, and taking it off gives the old picture back; a folder takes none', async () => {
    const maker = await makerOf(SD15);
    const plain = await make(maker, scene({}, TWO));
    const decoded = await make(maker, scene({ additions: { vae } }, TWO));
    expect(decoded.results[0]!.result.picture).not.toBe(plain.results[0]!.result.picture);
    expect((await make(maker, scene({}, TWO))).results[0]!.result.picture).toBe(plain.results[0]!.result.picture);
    await maker.release();
    const folderMaker = await makerOf(join(PIPELINES, 'tiny-sd15'), 32);
    await expect(make(folderMaker, scene({ additions: { vae } }))).rejects.toThrow('which takes no other VAE');
    await folderMaker.release();
  });

  test('a LoRA of which a part fits nothing: used as far as it fits, and said once', async () => {
    const whole = join(CHECKPOINTS, 'lora-tiny-kohya.safetensors');
    const file = join(folder, 'partly.safetensors');
    // A block that no such model has, under a name of the same length.
    const bytes = (await readFile(whole)).toString('latin1').replaceAll('unet_up_blocks_3', 'unet_up_blocks_7');
    await writeFile(file, bytes, 'latin1');
    const maker = await makerOf(SD15);
    const loras = (name: string) => scene({ loras: [{ file: name, strength: 1 }] });
    const told = await make(maker, loras(file));
    expect(told.notices).toEqual([
      expect.stringMatching(/^\d+ of \d+ layers of partly\.safetensors fit nothing in sd15-tiny/),
    ]);
    expect((await make(maker, loras(file))).notices).toEqual([]);
    const all = await make(maker, loras(whole));
    expect(all.notices).toEqual([]);
    expect(all.results[0]!.result.picture).not.toBe(told.results[0]!.result.picture);
    await maker.release();
  });

  test('as part of the scene: an IP-Adapter, its image encoder found beside it or missed in words', async () => {
    const data = Uint8Array.from({ length: 24 * 24 * 3 }, (_, i) => (i % 3) * 100);
    const blob = await blobs.write(await encodePng({ width: 24, height: 24, channels: 3, data }));
    const drawn: Drawn[] = [{ content: { kind: 'image', blob, box: null, mask: null }, x: 8 }];
    const maker = await makerOf(SD15);
    const adapter = { file: join(CHECKPOINTS, 'ip-adapter-tiny.safetensors') };
    const shown = await make(maker, scene({ additions: { ipAdapter: adapter } }, drawn));
    const loud = await make(maker, scene({ additions: { ipAdapter: { ...adapter, scale: 2 } } }, drawn));
    expect(loud.results[0]!.result.picture).not.toBe(shown.results[0]!.result.picture);
    const alone = join(folder, 'alone.safetensors');
    await writeFile(alone, await readFile(adapter.file));
    await expect(make(maker, scene({ additions: { ipAdapter: { file: alone } } }, drawn))).rejects.toMatchObject({
      code: 'not-found',
      message: 'alone.safetensors needs the CLIP image encoder that was published with it',
    });
    await maker.release();
  });

  test('as part of the scene: an embedding, its name a word; the record makes the picture again', async () => {
    const { opened } = await stockPackReader.open(SD15);
    const width = opened.source.kind === 'checkpoint' ? opened.source.checkpoint.texts[0]!.width : 0;
    const word = join(folder, 'inkwell.safetensors');
    await writeFile(word, embeddingFile(width));
    const texts: Drawn[] = [{ content: 'inkwell', x: 8 }];
    const maker = await makerOf(SD15);
    const asWord = await make(maker, scene({ additions: { embeddings: [word] } }, texts));
    expect(asWord.results[0]!.result.picture).not.toBe(
      (await make(maker, scene({}, texts))).results[0]!.result.picture,
    );
    const records = asWord.results[0]!.result.records as ReturnType<typeof scene>;
    expect((await make(maker, records)).results[0]!.result.picture).toBe(asWord.results[0]!.result.picture);
    await maker.release();
  });

  test('a checkpoint without a VAE is there, says what it needs, and makes pictures with one', async () => {
    const path = join(folder, 'bare.safetensors');
    await writeFile(path, withoutTensors(await readFile(SD15), 'first_stage_model.'));
    await symlink(join(CHECKPOINTS, 'sd15-tiny.config'), join(folder, 'bare.config'));
    const { summary } = await stockPackReader.open(path);
    expect(summary).toMatchObject({ problem: null, needs: 'vae' });
    const maker = await makerOf(path);
    await expect(make(maker, scene({}))).rejects.toThrow('bare lacks the autoencoder (VAE): drop a VAE file');
    const told = await make(maker, scene({ additions: { vae: join(CHECKPOINTS, 'vae-tiny.safetensors') } }));
    expect(told.results).toHaveLength(1);
    await maker.release();
  });

  test.each([
    ['no such file', { loras: [{ file: 'missing.safetensors' }] }, 'no such file'],
    ['a VAE as LoRA', { loras: [{ file: join(CHECKPOINTS, 'vae-tiny.safetensors') }] }, 'an autoencoder'],
    ['an unknown field', { lora: [] }, 'Unrecognized'],
  ])('refuse %s when added', async (name, recipe, message) => {
    await expect(stockPackReader.open(await write(name.replaceAll(' ', '-'), recipe))).rejects.toThrow(message);
  });
});

describe('a model that goes away while it is in use: one sentence, no crash', () => {
  /** Makes a picture and does something to the model once a step of it is done. */
  const interrupted = async (maker: StockMaker, records: ReturnType<typeof scene>, harm: () => Promise<void>) => {
    let harmed = false;
    const context: JobContext = {
      job: 'job-test',
      blobs,
      progress: ({ passesDone }) => void (harmed ||= passesDone > 0),
      preview: () => undefined,
      picture: () => undefined,
      result: () => undefined,
      async breathe() {
        if (harmed) await harm();
      },
    };
    await maker.run(GenerateRequest.parse({ records }), context);
  };
  /** A copy of the recorded checkpoint that may be harmed. */
  const copied = async (name: string): Promise<string> => {
    const path = join(folder, `${name}.safetensors`);
    await copyFile(SD15, path);
    await symlink(join(CHECKPOINTS, 'sd15-tiny.config'), join(folder, `${name}.config`));
    return path;
  };

  test('before the job', async () => {
    const path = await copied('going');
    const maker = await makerOf(path);
    await rm(path);
    await expect(make(maker, scene({}))).rejects.toThrow('going.safetensors is no longer where it was');
    await maker.release();
  });

  test.each([
    ['removed', (path: string) => rm(path, { force: true }), 'is no longer where it was'],
    ['cut', (path: string) => truncate(path, 5000), 'was changed while it was in use'],
    ['written over', (path: string) => writeFile(path, 'x', { flag: 'r+' }), 'was changed while it was in use'],
  ])('%s between two passes, and put back', async (harm, act, words) => {
    const path = await copied(harm.replace(' ', '-'));
    const { mtime } = await stat(path);
    const maker = await makerOf(path);
    await expect(interrupted(maker, scene({}, TWO), () => act(path))).rejects.toThrow(words);
    await copyFile(SD15, path);
    await utimes(path, mtime, mtime);
    const told = await make(await makerOf(path), scene({}, TWO));
    const untouched = await makerOf(SD15);
    expect(told.results[0]!.result.picture).toBe((await make(untouched, scene({}, TWO))).results[0]!.result.picture);
    await maker.release();
    await untouched.release();
  });

  test("a scene's own VAE, before it has painted anything", async () => {
    const vae = join(folder, 'cut-vae.safetensors');
    await copyFile(join(CHECKPOINTS, 'vae-tiny.safetensors'), vae);
    await symlink(join(CHECKPOINTS, 'vae-tiny.config'), join(folder, 'cut-vae.config'));
    const maker = await makerOf(SD15);
    const going = interrupted(maker, scene({ additions: { vae } }), () => truncate(vae, 5000));
    await expect(going).rejects.toThrow('cut-vae.safetensors was changed while it was in use');
    await maker.release();
  });

  test('a graph of an exported folder', async () => {
    const path = join(folder, 'exported');
    await cp(join(PIPELINES, 'tiny-sd15'), path, { recursive: true });
    const maker = await makerOf(path, 32);
    const small = scene({ width: 32, height: 32 });
    const going = interrupted(maker, small, () => utimes(join(path, 'unet/model.onnx'), 1, 1));
    await expect(going).rejects.toThrow('exported/unet was changed while it was in use');
    const gone = interrupted(maker, small, () => rm(join(path, 'vae_decoder'), { recursive: true, force: true }));
    await expect(gone).rejects.toThrow(/exported\/(unet|vae_decoder) (was changed|is no longer)/);
    await maker.release();
  });
});

describe('a black box (folder exported by optimum)', () => {
  test.each(['tiny-sd15', 'tiny-sdxl', 'tiny-lcm'])('%s makes segments around the network', async (name) => {
    const maker = await makerOf(join(PIPELINES, name), 32);
    const drawn = TWO.map((segment) => ({ ...segment, more: {} }));
    const told = await make(
      maker,
      scene({ width: 32, height: 32, sampler: { name: 'ddim', steps: 4 } }, [
        { ...drawn[0]!, x: 0 },
        { ...drawn[1]!, x: 16 },
      ]),
    );
    const planned = told.progress.find(({ phase }) => phase === 'denoise')!.passesTotal;
    expect(told.results[0]!.result.passes).toBe(planned);
    const other = await make(
      maker,
      scene({ width: 32, height: 32, sampler: { name: 'ddim', steps: 4 } }, [
        { ...drawn[0]!, content: 'snow', x: 0 },
        { ...drawn[1]!, x: 16 },
      ]),
    );
    expect(other.results[0]!.result.picture).not.toBe(told.results[0]!.result.picture);
    await maker.release();
  });

  test('equal texts share a pass; LoRAs are refused', async () => {
    const maker = await makerOf(join(PIPELINES, 'tiny-lcm'), 32);
    const at = async (second: string) =>
      (
        await make(
          maker,
          scene({ width: 32, height: 32, sampler: { name: 'lcm', steps: 4 } }, [
            { content: 'snow', x: 0 },
            { content: second, x: 16 },
          ]),
        )
      ).results[0]!.result.passes;
    expect([await at('snow'), await at('rain')]).toEqual([8, 12]);
    await expect(
      make(maker, scene({ loras: [{ file: join(CHECKPOINTS, 'lora-tiny-kohya.safetensors'), strength: 1 }] })),
    ).rejects.toThrow('takes no LoRA');
    await maker.release();
  });
});
