// What a StockMaker says when memory is short or a model goes away under it.
import { copyFile, cp, readFile, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { GenerateRequest } from '#shared/api/generation.ts';
import { StudioError } from '#shared/errors.ts';
import { inFullPrecision } from '../checkpoints/edited.testkit.ts';
import { CHECKPOINTS } from '../checkpoints/graphs/fixtures.testkit.ts';
import { parameterCount } from '../checkpoints/weights.ts';
import type { JobContext } from '../pipelines/maker.ts';
import { estimateMemory } from './memory.ts';
import type { LaidOver } from './memory.ts';
import { stockPackReader } from './open-stock.ts';
import type { StockMaker } from './stock-maker.ts';
import { PIPELINES, SD15, TWO, blobs, folder, make, makerOf, scene } from './stock-maker.testkit.ts';

// Opening a network costs under a second, and many seconds where everything else runs beside it.
vi.setConfig({ testTimeout: 240_000 });

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
