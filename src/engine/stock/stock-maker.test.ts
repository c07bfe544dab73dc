import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { describe, expect, test, vi } from 'vitest';
import { GenerateRequest } from '#shared/api/generation.ts';
import type { SlotContent } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import { embeddingFile, withInputChannels, withoutTensors } from '../checkpoints/edited.testkit.ts';
import { CHECKPOINTS } from '../checkpoints/graphs/fixtures.testkit.ts';
import { encodePng } from '../image/picture.ts';
import type { FinishedResult } from '../jobs/engine-api.ts';
import { stockPackReader } from './open-stock.ts';
import {
  PIPELINES,
  SD15,
  TWO,
  blobs,
  folder,
  largestStep,
  make,
  makerOf,
  pictureOf,
  scene,
} from './stock-maker.testkit.ts';
import type { Drawn } from './stock-maker.testkit.ts';

// Opening a network costs under a second, and many seconds where everything else runs beside it.
vi.setConfig({ testTimeout: 240_000 });

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
