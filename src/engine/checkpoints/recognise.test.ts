import { createHash } from 'node:crypto';
import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CHECKPOINTS } from './graphs/fixtures.testkit.ts';
import { kindOfFile } from './kinds.ts';
import type { FileKind } from './kinds.ts';
import { originalUnetName } from './layer-names.ts';
import { missingParts, recogniseCheckpoint, recogniseVae } from './recognise.ts';
import type { SafetensorsFile, StoredTensor } from './safetensors.ts';
import { readSafetensorsFile } from './safetensors.ts';
import { parsePythonJson } from './sidecar.ts';
import type { Weight, WeightTable } from './weights.ts';
import { toFloat32 } from './weights.ts';

// Sessions take seconds to open where the machine does other things too.
vi.setConfig({ testTimeout: 240_000 });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recognise-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const contents = new Map<string, Promise<Buffer>>();
/** The bytes of a weight; each file is read once. */
async function bytesOf(weight: Weight): Promise<Buffer> {
  let file = contents.get(weight.file.path);
  if (!file) contents.set(weight.file.path, (file = readFile(weight.file.path)));
  return (await file).subarray(weight.offset, weight.offset + weight.bytes);
}

/** A copy of a fixture under another name, with or without its configuration. */
async function copyOf(name: string, as: string, config = true): Promise<string> {
  const path = join(folder, `${as}.safetensors`);
  await copyFile(join(CHECKPOINTS, `${name}.safetensors`), path);
  if (config) await cp(join(CHECKPOINTS, `${name}.config`), join(folder, `${as}.config`), { recursive: true });
  return path;
}

/** Rewrites a file with some tensors changed, added (as zeros) or left out. */
async function rewrite(
  path: string,
  change: (header: Record<string, { dtype: string; shape: number[]; bytes: Buffer }>) => void,
): Promise<void> {
  const all = await readFile(path);
  const length = Number(all.readBigUInt64LE(0));
  const old = JSON.parse(all.subarray(8, 8 + length).toString()) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const tensors = Object.fromEntries(
    Object.entries(old)
      .filter(([name]) => name !== '__metadata__')
      .map(([name, t]) => [
        name,
        {
          dtype: t.dtype,
          shape: t.shape,
          bytes: all.subarray(8 + length + t.data_offsets[0], 8 + length + t.data_offsets[1]),
        },
      ]),
  );
  change(tensors);
  let offset = 0;
  const header: Record<string, unknown> = {};
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(text.length));
  await writeFile(path, Buffer.concat([start, text, ...Object.values(tensors).map((t) => t.bytes)]));
}

describe('every weight under its diffusers name, bit for bit', () => {
  /** The fixtures' tensors.json: shape and the first 16 digits of the SHA-256 of the bytes. */
  async function check(
    table: WeightTable,
    component: string,
    wanted: Record<string, [number[], string]>,
  ): Promise<number> {
    let compared = 0;
    for (const [key, [shape, hash]] of Object.entries(wanted)) {
      if (!key.startsWith(`${component}/`)) continue;
      const name = key.slice(component.length + 1).replace(/^text_model\./, '');
      const weight = table.get(name);
      expect(weight, key).toBeDefined();
      let bytes = await bytesOf(weight!);
      if (weight!.transposed) {
        const [rows = 0, columns = 0] = weight!.shape;
        const turned = Buffer.alloc(bytes.length);
        for (let r = 0; r < rows; r++)
          for (let c = 0; c < columns; c++)
            bytes.copy(turned, (c * rows + r) * 2, (r * columns + c) * 2, (r * columns + c) * 2 + 2);
        bytes = turned;
      }
      expect(createHash('sha256').update(bytes).digest('hex').slice(0, 16), key).toBe(hash);
      expect(weight!.shape.reduce((p, s) => p * s, 1)).toBe(shape.reduce((p, s) => p * s, 1));
      compared += 1;
    }
    return compared;
  }
  const tensorsOf = async (name: string) =>
    JSON.parse(await readFile(join(CHECKPOINTS, `${name}.config/tensors.json`), 'utf8')) as Record<
      string,
      [number[], string]
    >;

  test('SDXL: 720 UNet, 248 VAE, 196 and 517 text', async () => {
    const c = await recogniseCheckpoint(join(CHECKPOINTS, 'sdxl-tiny.safetensors'));
    const wanted = await tensorsOf('sdxl-tiny');
    const counts = [c.unet.table, c.vae.table, c.texts[0]!.table, c.texts[1]!.table].map((table, i) =>
      check(table, ['unet', 'vae', 'text_encoder', 'text_encoder_2'][i]!, wanted),
    );
    expect(await Promise.all(counts)).toEqual([720, 248, 196, 517]);
  });

  test('SD 2.1: 686 UNet, 248 VAE, 372 text', async () => {
    const c = await recogniseCheckpoint(join(CHECKPOINTS, 'sd21v-tiny.safetensors'));
    const wanted = await tensorsOf('sd21v-tiny');
    const counts = [c.unet.table, c.vae.table, c.texts[0]!.table].map((table, i) =>
      check(table, ['unet', 'vae', 'text_encoder'][i]!, wanted),
    );
    expect(await Promise.all(counts)).toEqual([686, 248, 372]);
  });

  test('a VAE of its own: 248', async () => {
    const vae = await recogniseVae(join(CHECKPOINTS, 'vae-tiny.safetensors'), 'sd1');
    expect(await check(vae.table, 'vae', await tensorsOf('vae-tiny'))).toBe(248);
  });

  test('SD 1.5: the original layout has the bytes of the diffusers folder', async () => {
    const [a, b] = await Promise.all(
      ['sd15-tiny.safetensors', 'sd15-tiny-diffusers'].map((name) => recogniseCheckpoint(join(CHECKPOINTS, name))),
    );
    const tables = (c: typeof a) => [c!.unet.table, c!.vae.table, c!.texts[0]!.table];
    for (const [i, table] of tables(a).entries()) {
      const other = tables(b)[i]!;
      expect([...table.keys()].sort()).toEqual([...other.keys()].sort());
      for (const [name, weight] of table) {
        const twin = other.get(name)!;
        expect((await bytesOf(weight)).equals(await bytesOf(twin)), name).toBe(true);
      }
    }
  });

  test('names of layers go both ways: each diffusers layer has the original name it was read from', async () => {
    for (const name of ['sd15-tiny', 'sdxl-tiny', 'sd21v-tiny']) {
      const { unet } = await recogniseCheckpoint(join(CHECKPOINTS, `${name}.safetensors`));
      for (const [layer, weight] of unet.table) {
        if (!layer.endsWith('.weight') || layer.startsWith('conv_norm_out')) continue;
        expect(`model.diffusion_model.${originalUnetName(layer.slice(0, -7), unet.table)}.weight`).toBe(weight.stored);
      }
    }
  });
});

describe('what a checkpoint is', () => {
  test('families, layouts, leftovers, prediction', async () => {
    const of = async (name: string) => recogniseCheckpoint(join(CHECKPOINTS, name));
    expect(await of('sd15-tiny.safetensors')).toMatchObject({
      family: 'sd1',
      layout: 'original',
      variant: 'base',
      prediction: 'epsilon',
      inputChannels: 4,
      precision: 'fp16',
      full: true,
    });
    expect(await of('sd15-tiny-diffusers')).toMatchObject({ family: 'sd1', layout: 'diffusers', full: false });
    expect(await of('sd21v-tiny.safetensors')).toMatchObject({
      family: 'sd2',
      prediction: 'v_prediction',
      texts: [{ layers: 23, pad: 0, activation: 'gelu' }],
    });
    expect(await of('sdxl-tiny.safetensors')).toMatchObject({
      family: 'sdxl',
      zerosForEmptyText: true,
      texts: [{ pad: 49407 }, { pad: 0, layers: 32 }],
    });
  });

  test.each([
    ['dreamshaper_LCM_v1', 'lcm', 4],
    ['juggernaut-lightning-8step', 'lightning', 4],
    ['sdxl-turbo', 'turbo', 2],
    ['Hyper-SD15', 'hyper', 4],
    ['volcmania', 'base', 20],
  ] as const)('%s is told by its name: %s', async (name, variant, steps) => {
    const checkpoint = await recogniseCheckpoint(await copyOf('sd15-tiny', name));
    expect(checkpoint).toMatchObject({ variant, defaults: { steps } });
  });

  test('nine input channels make an inpainting model; a missing VAE is named with what to do', async () => {
    const path = await copyOf('sd15-tiny', 'inpaint');
    await rewrite(path, (tensors) => {
      const conv = tensors['model.diffusion_model.input_blocks.0.0.weight']!;
      conv.shape = [16, 9, 3, 3];
      conv.bytes = Buffer.alloc(16 * 9 * 9 * 2);
      for (const name of Object.keys(tensors)) if (name.startsWith('first_stage_model.')) delete tensors[name];
    });
    const checkpoint = await recogniseCheckpoint(path);
    expect(checkpoint.inputChannels).toBe(9);
    expect(missingParts(checkpoint)).toEqual([
      { part: 'vae', words: 'the autoencoder (VAE): drop a VAE file and use it with this model' },
    ]);
  });

  test('what SD 2 predicts: a .yaml, a mark in the file, or a guess that is called one', async () => {
    // Without the scheduler's configuration, but with the head counts that no file tells.
    const bare = async (name: string) => {
      const path = await copyOf('sd21v-tiny', name);
      await rm(join(folder, `${name}.config/scheduler`), { recursive: true });
      return path;
    };
    const yaml = await bare('with-yaml');
    await writeFile(join(folder, 'with-yaml.yaml'), 'model:\n  params:\n    parameterization: "v"\n');
    expect(await recogniseCheckpoint(yaml)).toMatchObject({
      prediction: 'v_prediction',
      predictionBecause: 'the .yaml beside it says so',
    });
    const marked = await bare('marked');
    await rewrite(marked, (tensors) => {
      tensors['v_pred'] = { dtype: 'F32', shape: [0], bytes: Buffer.alloc(0) };
      tensors['ztsnr'] = { dtype: 'F32', shape: [0], bytes: Buffer.alloc(0) };
    });
    expect(await recogniseCheckpoint(marked)).toMatchObject({
      prediction: 'v_prediction',
      zeroTerminalSnr: true,
      predictionBecause: 'it carries the mark "v_pred"',
    });
    expect((await recogniseCheckpoint(await bare('silent'))).predictionBecause).toContain('guessed');
  });

  test('narrow files without their configuration are refused with what to do, not run with wrong heads', async () => {
    for (const name of ['sd15-tiny', 'sd21v-tiny', 'sdxl-tiny'])
      await expect(recogniseCheckpoint(await copyOf(name, `${name}-bare`, false))).rejects.toMatchObject({
        code: 'model',
        remedy: expect.stringContaining('.config/') as string,
      });
  });

  test('a configuration of another model is refused', async () => {
    const path = await copyOf('sd15-tiny', 'mixed-up');
    await writeFile(join(folder, 'mixed-up.config/unet/config.json'), '{"attention_head_dim": [1, 2, 3]}');
    await expect(recogniseCheckpoint(path)).rejects.toThrow('describes 3 levels');
    await writeFile(join(folder, 'mixed-up.config/unet/config.json'), '{"norm_num_groups": "many"}');
    await expect(recogniseCheckpoint(path)).rejects.toThrow('unet/config.json');
  });
});

describe('kinds by names', () => {
  const tensor: StoredTensor = { type: 'F16', shape: [4, 4], offset: 0, bytes: 32 };
  const kindOf = (...names: string[]): FileKind =>
    kindOfFile({
      path: 'x',
      bytes: 0,
      modifiedMs: 0,
      metadata: new Map(),
      tensors: new Map([...names, 'z'].map((name) => [name, tensor])),
    } satisfies SafetensorsFile);

  test.each<[FileKind, string[]]>([
    ['flux', ['model.diffusion_model.double_blocks.0.img_attn.qkv.weight']],
    ['flux', ['double_blocks.0.img_attn.qkv.weight']],
    ['sd3', ['model.diffusion_model.joint_blocks.0.context_block.attn.qkv.weight']],
    [
      'sdxl-refiner',
      ['model.diffusion_model.input_blocks.0.0.weight', 'conditioner.embedders.0.model.ln_final.weight'],
    ],
    ['denoiser-only', ['model.diffusion_model.input_blocks.0.0.weight']],
    ['denoiser-only', ['conv_in.weight', 'down_blocks.0.resnets.0.conv1.weight']],
    ['controlnet', ['control_model.input_blocks.0.0.weight']],
    ['lora', ['lora_unet_down_blocks_0.hada_w1_a']],
    ['lora', ['transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight']],
    ['embedding', ['emb_params']],
    ['embedding', ['clip_l', 'clip_g']],
    ['upscaler', ['model.0.weight', 'model.1.sub.0.RDB1.conv1.0.weight']],
    ['other-transformer', ['blocks.0.cross_attn.k.weight']],
    ['text-encoder', ['encoder.block.0.layer.0.SelfAttention.q.weight']],
    ['unknown', ['hello']],
  ])('%s', (kind, names) => {
    expect(kindOf(...names)).toBe(kind);
  });

  test('the fixtures', async () => {
    for (const [file, kind] of [
      ['lora-sdxl-tiny-kohya.safetensors', 'lora'],
      ['ip-adapter-tiny.safetensors', 'ip-adapter'],
      ['vae-tiny.safetensors', 'vae'],
      ['sd15-tiny-diffusers/text_encoder/model.safetensors', 'text-encoder'],
    ] as const)
      expect(kindOfFile(await readSafetensorsFile(join(CHECKPOINTS, file)))).toBe(kind);
  });
});

test('JSON as Python writes it: infinities outside of texts only', () => {
  expect(parsePythonJson('{"a": -Infinity, "b": [NaN, Infinity], "c": "Infinity \\" NaN"}')).toEqual({
    a: '-Infinity',
    b: ['NaN', 'Infinity'],
    c: 'Infinity " NaN',
  });
});

test('half, brain and double floats as float32', () => {
  const half = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00, 0xfe00);
  expect([...toFloat32(new Uint8Array(half.buffer), 'F16')]).toEqual([1, -2, 2 ** -24, Infinity, NaN]);
  expect([...toFloat32(new Uint8Array(Uint16Array.of(0x3f80, 0xc049).buffer), 'BF16')]).toEqual([1, -3.140625]);
  expect([...toFloat32(new Uint8Array(Float64Array.of(0.5, -3).buffer), 'F64')]).toEqual([0.5, -3]);
});
