import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fetched, openGraph } from '../stock/graph-session.ts';
import type { Fed, Fetched } from '../stock/graph-session.ts';
import { buildClipText } from './graphs/clip-text.ts';
import {
  CHECKPOINTS,
  CPU,
  distance,
  formulaInput,
  int64,
  recorded,
  rows,
  sideBySide,
} from './graphs/fixtures.testkit.ts';
import type { WeightChanges } from './graphs/network.ts';
import { attentionLevels } from './graphs/unet-options.ts';
import { buildUnet } from './graphs/unet.ts';
import { joinChanges, readLora } from './lora.ts';
import type { Checkpoint } from './recognise.ts';
import { recogniseCheckpoint } from './recognise.ts';

// Sessions take seconds to open where the machine does other things too.
vi.setConfig({ testTimeout: 240_000 });

async function unetOut(
  checkpoint: Checkpoint,
  changes: WeightChanges,
  context: Fetched,
  pooled?: Fetched,
): Promise<Fetched> {
  const { table, heads, groups, timeIdWidth } = checkpoint.unet;
  const session = await openGraph('denoiser', buildUnet(table, { heads, groups, timeIdWidth, changes }), CPU);
  const feeds: Record<string, Fed> = {
    sample: formulaInput('unet_sample'),
    timestep: { data: Float32Array.of(499), shape: [1] },
    context,
  };
  if (pooled) {
    feeds['text_embeds'] = pooled;
    feeds['time_ids'] = { data: Float32Array.of(64, 128, 0, 0, 64, 128, 64, 128, 0, 0, 64, 128), shape: [2, 6] };
  }
  for (const { bias, halvings } of attentionLevels(table)) {
    const places = (8 >> halvings) * (16 >> halvings);
    feeds[bias] = { data: new Float32Array(2 * places * 77), shape: [2, 1, places, 77] };
  }
  const out = fetched(await session.run(feeds), 'prediction');
  await session.release();
  return out;
}

async function encode(
  name: string,
  checkpoint: Checkpoint,
  index: number,
  changes: WeightChanges,
): Promise<{ hidden: Fetched; pooled: Fetched }> {
  const part = checkpoint.texts[index]!;
  const sdxl = checkpoint.family === 'sdxl';
  const graph = buildClipText(part.table, { ...part, skip: sdxl ? 2 : 1, normed: !sdxl, changes });
  const session = await openGraph('text encoder', graph, CPU);
  const ids = rows(await recorded(`${name}/text_encoder${index ? '_2' : ''}_input_ids`), 0, 2);
  const ends = [0, 1].map((b) => ids.data.subarray(b * 77, (b + 1) * 77).indexOf(49407));
  const out = await session.run({
    input_ids: int64(ids.data, ids.shape),
    extra_embeddings: { data: new Float32Array(part.width), shape: [1, part.width] },
    end_index: int64(ends, [2]),
  });
  await session.release();
  return { hidden: fetched(out, 'hidden'), pooled: fetched(out, 'pooled') };
}

describe.each([
  ['lora-tiny-kohya', 'sd15-tiny.safetensors', 72],
  ['lora-tiny-kohya', 'sd15-tiny-diffusers', 72],
  ['lora-sdxl-tiny-kohya', 'sdxl-tiny.safetensors', 130],
])('%s on %s', (lora, model, layers) => {
  const name = model.replace(/-diffusers$|\.safetensors$/, '');

  test('text encoders and the denoiser as diffusers computes them at strength 0.8', async () => {
    const checkpoint = await recogniseCheckpoint(join(CHECKPOINTS, model));
    const changes = await readLora(join(CHECKPOINTS, `${lora}.safetensors`), checkpoint, 0.8);
    expect(changes).toMatchObject({ fitted: layers, unfitted: 0, computesWeights: false });
    const encoded = await Promise.all(checkpoint.texts.map((_, i) => encode(name, checkpoint, i, changes.texts[i]!)));
    const context = encoded[1] ? sideBySide(encoded[0]!.hidden, encoded[1].hidden) : encoded[0]!.hidden;
    expect(distance(context.data, (await recorded(`${lora}/encoder_hidden_states`)).data)).toBeLessThan(5e-5);
    const pooled = encoded[1]?.pooled;
    if (pooled) expect(distance(pooled.data, (await recorded(`${lora}/text_embeds`)).data)).toBeLessThan(5e-5);
    const out = await unetOut(checkpoint, changes.unet, context, pooled);
    expect(distance(out.data, (await recorded(`${lora}/unet_out`)).data)).toBeLessThan(2e-5);
  });
});

test('strengths add up: two halves are the whole, a whole and its negative are nothing', async () => {
  const checkpoint = await recogniseCheckpoint(join(CHECKPOINTS, 'sd15-tiny.safetensors'));
  const context = rows(await recorded('sd15-tiny/text_encoder_last_hidden_state'), 0, 2);
  const at = async (...strengths: number[]) => {
    const sets = await Promise.all(
      strengths.map((s) => readLora(join(CHECKPOINTS, 'lora-tiny-kohya.safetensors'), checkpoint, s)),
    );
    return unetOut(checkpoint, joinChanges(sets.map((set) => set.unet)), context);
  };
  const [whole, halves, nothing, plain] = [await at(1), await at(0.5, 0.5), await at(1, -1), await at()];
  expect(distance(whole.data, halves.data)).toBeLessThan(2e-5);
  expect(distance(nothing.data, plain.data)).toBeLessThan(2e-5);
  expect(distance(whole.data, plain.data)).toBeGreaterThan(0.1);
});

describe('LyCORIS', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lycoris-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const values = (shape: number[], seed: number) =>
    Float32Array.from({ length: shape.reduce((p, s) => p * s, 1) }, (_, k) => 0.4 * Math.sin(seed + 1.7 * k));

  async function write(
    file: string,
    tensors: Record<string, { shape: number[]; data: Float32Array }>,
  ): Promise<string> {
    const header: Record<string, unknown> = {};
    let offset = 0;
    for (const [name, { shape, data }] of Object.entries(tensors)) {
      header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
      offset += data.byteLength;
    }
    const text = new TextEncoder().encode(JSON.stringify(header));
    const start = new Uint8Array(8);
    new DataView(start.buffer).setBigUint64(0, BigInt(text.length), true);
    const path = join(folder, file);
    await writeFile(
      path,
      Buffer.concat([start, text, ...Object.values(tensors).map(({ data }) => new Uint8Array(data.buffer))]),
    );
    return path;
  }

  const matmul = (a: Float32Array, b: Float32Array, n: number, r: number, m: number) =>
    Float32Array.from({ length: n * m }, (_, k) => {
      let sum = 0;
      for (let t = 0; t < r; t++) sum += a[Math.floor(k / m) * r + t]! * b[t * m + (k % m)]!;
      return sum;
    });

  // attn1.to_q of the first transformer: [16, 16].
  const layer = 'down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q';
  const kohya = `lora_unet_${layer.replaceAll('.', '_')}`;

  async function compare(path: string, wanted: Float32Array): Promise<void> {
    const checkpoint = await recogniseCheckpoint(join(CHECKPOINTS, 'sd15-tiny.safetensors'));
    const context = rows(await recorded('sd15-tiny/text_encoder_last_hidden_state'), 0, 2);
    const lycoris = await readLora(path, checkpoint, 0.5);
    expect(lycoris.computesWeights).toBe(true);
    const whole = await write('whole.safetensors', {
      [`${kohya}.diff`]: { shape: [16, 16], data: wanted },
      'x.lora_up.weight': { shape: [1], data: values([1], 0) },
    });
    const direct = await readLora(whole, checkpoint, 1);
    const a = await unetOut(checkpoint, lycoris.unet, context);
    const b = await unetOut(checkpoint, direct.unet, context);
    const plain = await unetOut(checkpoint, new Map(), context);
    expect(distance(a.data, b.data)).toBeLessThan(2e-5);
    expect(distance(a.data, plain.data)).toBeGreaterThan(1e-3);
  }

  test('LoHa: the element-wise product of two low-rank matrices, alpha over rank', async () => {
    const parts = [values([16, 2], 1), values([2, 16], 2), values([16, 2], 3), values([2, 16], 4)] as const;
    const path = await write('loha.safetensors', {
      [`${kohya}.hada_w1_a`]: { shape: [16, 2], data: parts[0] },
      [`${kohya}.hada_w1_b`]: { shape: [2, 16], data: parts[1] },
      [`${kohya}.hada_w2_a`]: { shape: [16, 2], data: parts[2] },
      [`${kohya}.hada_w2_b`]: { shape: [2, 16], data: parts[3] },
      [`${kohya}.alpha`]: { shape: [], data: Float32Array.of(6) },
    });
    const [one, two] = [matmul(parts[0], parts[1], 16, 2, 16), matmul(parts[2], parts[3], 16, 2, 16)];
    await compare(
      path,
      one.map((v, i) => v * two[i]! * 0.5 * (6 / 2)),
    );
  });

  test('LoKr: the Kronecker product of a small matrix and a low-rank one', async () => {
    const [w1, a, b] = [values([4, 2], 5), values([4, 3], 6), values([3, 8], 7)];
    const path = await write('lokr.safetensors', {
      [`${kohya}.lokr_w1`]: { shape: [4, 2], data: w1 },
      [`${kohya}.lokr_w2_a`]: { shape: [4, 3], data: a },
      [`${kohya}.lokr_w2_b`]: { shape: [3, 8], data: b },
      [`${kohya}.alpha`]: { shape: [], data: Float32Array.of(1.5) },
    });
    const w2 = matmul(a, b, 4, 3, 8);
    const kron = Float32Array.from({ length: 256 }, (_, k) => {
      const [row, column] = [Math.floor(k / 16), k % 16];
      return (
        w1[Math.floor(row / 4) * 2 + Math.floor(column / 8)]! * w2[(row % 4) * 8 + (column % 8)]! * 0.5 * (1.5 / 3)
      );
    });
    await compare(path, kron);
  });

  test('refusals: another family, a wrong shape, no LoRA at all', async () => {
    const sd15 = await recogniseCheckpoint(join(CHECKPOINTS, 'sd15-tiny.safetensors'));
    await expect(readLora(join(CHECKPOINTS, 'vae-tiny.safetensors'), sd15, 1)).rejects.toThrow('an autoencoder (VAE)');
    const other = await write('other.safetensors', {
      'lora_unet_double_blocks_0.lora_down.weight': { shape: [1, 4], data: values([4], 1) },
      'lora_unet_double_blocks_0.lora_up.weight': { shape: [4, 1], data: values([4], 1) },
    });
    await expect(readLora(other, sd15, 1)).rejects.toThrow('another family');
    const wrong = await write('wrong.safetensors', {
      [`${kohya}.lora_down.weight`]: { shape: [2, 8], data: values([16], 1) },
      [`${kohya}.lora_up.weight`]: { shape: [16, 2], data: values([32], 1) },
    });
    await expect(readLora(wrong, sd15, 1)).rejects.toThrow('has another size');
  });
});
