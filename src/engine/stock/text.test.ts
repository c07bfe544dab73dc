import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { embeddingNames, readEmbedding } from '../checkpoints/embeddings.ts';
import {
  CHECKPOINTS,
  CPU,
  TEXTS,
  distance,
  recorded,
  rows,
  sideBySide,
} from '../checkpoints/graphs/fixtures.testkit.ts';
import type { Checkpoint } from '../checkpoints/recognise.ts';
import { recogniseCheckpoint } from '../checkpoints/recognise.ts';
import { readFloats } from '../checkpoints/weights.ts';
import { clipIds } from '../tokenizer/clip-bpe.ts';
import { CheckpointNetworks } from './checkpoint-networks.ts';
import { TextReader } from './text.ts';

// Sessions take seconds to open where the machine does other things too.
vi.setConfig({ testTimeout: 240_000 });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'texts-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const open = (name: string) => recogniseCheckpoint(join(CHECKPOINTS, `${name}.safetensors`));
const largest = (a: Float32Array) => a.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

describe('SD 1.5', () => {
  test('tokens, padding, and the tokens without it are those recorded', async () => {
    const networks = new CheckpointNetworks(await open('sd15-tiny'), {}, CPU);
    const read = await new TextReader(networks).read(TEXTS.local_2, { weighted: true });
    const wanted = rows(await recorded('sd15-tiny/text_encoder_last_hidden_state'), 3, 1).data;
    expect(distance(read.states.data, wanted)).toBeLessThan(5e-5);
    expect(read.own).toMatchObject({ tokens: 8, width: 8 });
    expect(distance(read.own.data, wanted.slice(0, 64))).toBeLessThan(5e-5);
    await networks.release();
  });

  test('weights: 1 changes nothing, others change their tokens and keep the mean', async () => {
    const networks = new CheckpointNetworks(await open('sd15-tiny'), {}, CPU);
    const reader = new TextReader(networks);
    const at = async (text: string) => (await reader.read(text, { weighted: true })).states.data;
    const plain = await at('a red fox');
    expect(distance(await at('a (red:1.0) fox'), plain)).toBe(0);
    const heavy = await at('a (red:1.4) fox');
    const mean = (a: Float32Array) => a.reduce((sum, v) => sum + v, 0) / a.length;
    expect(mean(heavy)).toBeCloseTo(mean(plain), 5);
    // The weighted token grew 1.4 times as much as all the others.
    const ratio = (token: number) => heavy[token * 8 + 1]! / plain[token * 8 + 1]!;
    expect(ratio(2) / ratio(1)).toBeCloseTo(1.4, 4);
    expect(ratio(3) / ratio(1)).toBeCloseTo(1, 4);
    await networks.release();
  });

  test('long texts: chunks side by side, each as it is alone', async () => {
    const networks = new CheckpointNetworks(await open('sd15-tiny'), {}, CPU);
    const reader = new TextReader(networks);
    const words = Array.from({ length: 100 }, (_, i) => ['fox', 'moon', 'birch'][i % 3]);
    const whole = await reader.read(words.join(' '), { weighted: true });
    const first = await reader.read(words.slice(0, 75).join(' '), { weighted: true });
    const second = await reader.read(words.slice(75).join(' '), { weighted: true });
    expect(whole.states.tokens).toBe(154);
    expect(whole.own.tokens).toBe(77 + 27);
    expect(distance(whole.states.data.slice(0, 77 * 8), first.states.data)).toBeLessThan(1e-5);
    expect(distance(whole.states.data.slice(77 * 8), second.states.data)).toBeLessThan(1e-5);
    await networks.release();
  });
});

test('SDXL: both encoders side by side, the pooled text of the second; nothing reads as zeros where asked', async () => {
  const networks = new CheckpointNetworks(await open('sdxl-tiny'), {}, CPU);
  const reader = new TextReader(networks);
  const read = await reader.read(TEXTS.global, { weighted: false });
  const both = sideBySide(
    await recorded('sdxl-tiny/text_encoder_penultimate'),
    await recorded('sdxl-tiny/text_encoder_2_penultimate'),
  );
  expect(distance(read.states.data, rows(both, 1, 1).data)).toBeLessThan(5e-5);
  expect(distance(read.pooled!, rows(await recorded('sdxl-tiny/text_encoder_2_text_embeds'), 1, 1).data)).toBeLessThan(
    5e-5,
  );
  const nothing = await reader.read('', { weighted: false }, 1, true);
  expect([largest(nothing.states.data), largest(nothing.pooled!)]).toEqual([0, 0]);
  expect(largest((await reader.read('', { weighted: false })).states.data)).toBeGreaterThan(0);
  await networks.release();
});

describe('textual inversion', () => {
  /** A file whose vectors are those of known words, so that its name must read like the words. */
  async function embeddingOf(
    checkpoint: Checkpoint,
    words: string,
    file: string,
    keys: readonly string[],
  ): Promise<string> {
    const header: Record<string, unknown> = {};
    const parts: Buffer[] = [];
    let offset = 0;
    const ids = clipIds(words);
    for (const [i, text] of checkpoint.texts.entries()) {
      const table = text.table.get('embeddings.token_embedding.weight')!;
      const all = await readFloats(table.file, table.stored);
      const data = Float32Array.from(ids.flatMap((id) => [...all.subarray(id * text.width, (id + 1) * text.width)]));
      header[keys[i]!] = {
        dtype: 'F32',
        shape: [ids.length, text.width],
        data_offsets: [offset, offset + data.byteLength],
      };
      offset += data.byteLength;
      parts.push(Buffer.from(data.buffer));
    }
    const json = Buffer.from(JSON.stringify(header));
    const start = Buffer.alloc(8);
    start.writeBigUInt64LE(BigInt(json.length));
    const path = join(folder, file);
    await writeFile(path, Buffer.concat([start, json, ...parts]));
    return path;
  }

  test.each([
    ['sd15-tiny', ['emb_params']],
    ['sdxl-tiny', ['clip_l', 'clip_g']],
  ])('%s: its name reads like the vectors it stands for', async (name, keys) => {
    const checkpoint = await open(name);
    const paths = [
      await embeddingOf(checkpoint, 'harbour', `other-${name}.safetensors`, keys),
      await embeddingOf(checkpoint, 'red fox', `My-Fox-${name}.safetensors`, keys),
    ];
    const embeddings = await Promise.all(paths.map((path) => readEmbedding(path, checkpoint)));
    const names = embeddingNames(embeddings);
    expect([...names]).toEqual([
      [`other-${name}`, [49408]],
      [`my-fox-${name}`, [49409, 49410]],
    ]);
    const networks = new CheckpointNetworks(checkpoint, { embeddings }, CPU);
    const reader = new TextReader(networks);
    const read = async (text: string) => (await reader.read(text, { weighted: true, embeddings: names })).states.data;
    expect(
      distance(await read(`the my-fox-${name} in a other-${name}`), await read('the red fox in a harbour')),
    ).toBeLessThan(1e-5);
    await networks.release();
  });

  test('made for another family: refused', async () => {
    const path = await embeddingOf(await open('sd15-tiny'), 'red fox', 'small.safetensors', ['emb_params']);
    await expect(readEmbedding(path, await open('sdxl-tiny'))).rejects.toThrow('was made for a text encoder');
  });
});
