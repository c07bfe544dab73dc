import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHECKPOINTS } from '../checkpoints/graphs/fixtures.testkit.ts';
import { lookAt } from './look.ts';
import { stockPackReader } from './open-stock.ts';

type Known = Parameters<typeof lookAt>[1][number];
let folder: string;
let known: Known[];

const at = (file: string) => join(CHECKPOINTS, file);

/** A file with these tensors of zeros. */
async function safetensors(name: string, tensors: Record<string, number[]>): Promise<string> {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [tensor, shape] of Object.entries(tensors)) {
    const begin = end;
    end += shape.reduce((product, side) => product * side, 2);
    header[tensor] = { dtype: 'F16', shape, data_offsets: [begin, end] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = join(folder, name);
  await writeFile(file, Buffer.concat([length, text, Buffer.alloc(end)]));
  return file;
}

async function model(file: string): Promise<Known> {
  const { opened, summary } = await stockPackReader.open(at(file));
  const { fingerprint } = opened;
  return { summary, opened: { kind: 'stock', fingerprint, stock: opened, companion: async () => null } };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'look-'));
  known = [await model('sd15-tiny.safetensors'), await model('sdxl-tiny.safetensors')];
});
afterAll(() => rm(folder, { recursive: true }));

describe('a file is called what it is, and offered to the models it fits', () => {
  test.each([
    ['sd15-tiny.safetensors', 'model', []],
    ['sd15-tiny-diffusers', 'model', []],
    ['lora-tiny-kohya.safetensors', 'lora', ['sd15-tiny']],
    ['lora-sdxl-tiny-kohya.safetensors', 'lora', ['sdxl-tiny']],
    ['vae-tiny.safetensors', 'vae', ['sd15-tiny', 'sdxl-tiny']],
    ['ip-adapter-tiny.safetensors', 'ip-adapter', ['sd15-tiny']],
    ['ip-adapter-tiny.image_encoder/model.safetensors', 'image-encoder', ['sd15-tiny', 'sdxl-tiny']],
  ])('%s', async (file, kind, fits) => {
    const looked = await lookAt(at(file), known);
    expect(looked).toMatchObject({ path: at(file), kind, misfit: null });
    expect(looked.fits.map(({ id }) => id)).toEqual(fits);
    expect(looked.bytes).toBeGreaterThan(0);
  });

  test('an embedding goes by the width of its vectors', async () => {
    const texts = known.map(({ opened }) =>
      opened?.kind === 'stock' && opened.stock.source.kind === 'checkpoint'
        ? opened.stock.source.checkpoint.texts.map(({ width }) => width)
        : [],
    );
    const width = texts[0]?.[0] ?? 0;
    const fitting = await lookAt(await safetensors('ink.safetensors', { emb_params: [2, width] }), known);
    expect(fitting).toMatchObject({ kind: 'embedding', fits: [{ id: 'sd15-tiny' }] });
    const foreign = await lookAt(await safetensors('other.safetensors', { emb_params: [2, width + 8] }), known);
    expect(foreign).toMatchObject({ kind: 'embedding', fits: [] });
    expect(foreign.misfit).toContain(`a text encoder of the width ${width + 8}`);
  });

  test('of the same names and other widths: a LoRA for another family fits nothing, and says why', async () => {
    const bytes = await readFile(at('lora-tiny-kohya.safetensors'));
    const size = Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + size)) as Record<string, { shape?: number[] }>;
    const wider = Object.entries(header).flatMap(([name, { shape }]) =>
      shape ? [[name, shape.length < 2 ? shape : [shape[0]! + (name.includes('up') ? 8 : 0), ...shape.slice(1)]]] : [],
    ) as [string, number[]][];
    const looked = await lookAt(await safetensors('wide.safetensors', Object.fromEntries(wider)), known);
    expect(looked).toMatchObject({ kind: 'lora', fits: [] });
    expect(looked.misfit).toMatch(
      /does not fit sd15-tiny: it was made for a model of another family \(lora_\w+ has another size\)/,
    );
  });
});

describe('anything else is refused in one sentence', () => {
  const refusal = async (file: string): Promise<string> =>
    lookAt(file, known).then(
      () => 'taken',
      (error: unknown) => (error instanceof Error ? error.message : ''),
    );
  const written = async (name: string, bytes: Buffer | string): Promise<string> => {
    await writeFile(join(folder, name), bytes);
    return join(folder, name);
  };

  test('FLUX, unknown names, a pickle, a text, a truncated file, none at all', async () => {
    const flux = await safetensors('flux.safetensors', {
      'double_blocks.0.img_attn.qkv.weight': [4, 4],
      'single_blocks.0.linear1.weight': [4, 4],
    });
    expect(await refusal(flux)).toContain('flux.safetensors is a FLUX model');
    const odd = await safetensors('odd.safetensors', { 'some.thing': [4, 4, 4, 4], 'some.other': [4] });
    expect(await refusal(odd)).toContain('odd.safetensors is no model that is known here');
    expect(await refusal(await written('old.ckpt', Buffer.from([0x80, 2, 0x7d, 0x71, 0, 0x2e])))).toContain(
      'opening one can run any code',
    );
    expect(await refusal(await written('words.safetensors', 'Dear diary, today I renamed a file.'))).toContain(
      'a text file under another name',
    );
    const whole = await readFile(at('lora-tiny-kohya.safetensors'));
    expect(await refusal(await written('half.safetensors', whole.subarray(0, whole.length / 2)))).toMatch(
      /half.safetensors.*(ends|short|truncated|cut|bytes)/,
    );
    expect(await refusal(join(folder, 'missing.safetensors'))).toMatch(/no such file|not found|missing/i);
  });
});
