import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { fetched, openGraph } from '../stock/graph-session.ts';
import { CHECKPOINTS, CPU, distance, formulaInput, recorded } from './graphs/fixtures.testkit.ts';
import { buildVaeDecoder } from './graphs/vae.ts';
import { recogniseVae } from './recognise.ts';
import { readSafetensorsFile } from './safetensors.ts';
import { readFloats } from './weights.ts';

// Sessions take seconds to open where the machine does other things too.
vi.setConfig({ testTimeout: 240_000 });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'precision-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const brain = (v: number) => {
  const words = Uint32Array.of(0);
  new Float32Array(words.buffer)[0] = v;
  // To the nearest, ties to even.
  return ((words[0]! + 0x7fff + ((words[0]! >>> 16) & 1)) >>> 16) & 0xffff;
};
const rounded = (v: number) => {
  const words = Uint32Array.of((brain(v) << 16) >>> 0);
  return new Float32Array(words.buffer)[0]!;
};

/** The fixture's VAE with its values stored in another type; every third tensor may stay as it was. */
async function stored(
  name: string,
  type: 'F32' | 'BF16' | 'F64',
  value: (v: number) => number,
  mixed = false,
): Promise<string> {
  const source = await readSafetensorsFile(join(CHECKPOINTS, 'vae-tiny.safetensors'));
  const header: Record<string, unknown> = {};
  const parts: Buffer[] = [];
  let offset = 0;
  let count = 0;
  for (const [key, tensor] of source.tensors) {
    if (tensor.type !== 'F16') continue;
    const floats = (await readFloats(source, key)).map(value);
    const keep = mixed && count++ % 3 === 0;
    const bytes =
      type === 'F64' && !keep
        ? Buffer.from(Float64Array.from(floats).buffer)
        : type === 'F32' || keep
          ? Buffer.from(floats.buffer)
          : Buffer.from(Uint16Array.from(floats, brain).buffer);
    header[key] = { dtype: keep ? 'F32' : type, shape: tensor.shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
    parts.push(bytes);
  }
  // An odd number of bytes before the data: offsets in a real file are aligned to nothing.
  const text = Buffer.from(`${JSON.stringify(header)} `);
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(text.length));
  const path = join(folder, `${name}.safetensors`);
  await writeFile(path, Buffer.concat([start, text, ...parts]));
  await cp(join(CHECKPOINTS, 'vae-tiny.config'), join(folder, `${name}.config`), { recursive: true });
  expect((await readFile(path)).length).toBe(8 + text.length + offset);
  return path;
}

async function decode(path: string, widen: boolean): Promise<Float32Array> {
  const vae = await recogniseVae(path, 'sd1');
  const session = await openGraph('decoder', buildVaeDecoder(vae.table, vae), { ...CPU, widen });
  const out = fetched(await session.run({ latent: formulaInput('vae_latents') }), 'image').data;
  await session.release();
  return out;
}

test('single and double precision give what half precision gives, in place and widened', async () => {
  const wanted = (await recorded('vae-tiny/decoded')).data;
  for (const type of ['F32', 'F64'] as const) {
    const path = await stored(type, type, (v) => v);
    for (const widen of [false, true]) expect(distance(await decode(path, widen), wanted)).toBeLessThan(2e-5);
  }
});

test('brain floats are widened exactly, alone and among others', async () => {
  const wanted = await decode(await stored('rounded', 'F32', rounded), true);
  for (const mixed of [false, true])
    for (const widen of [false, true])
      expect(
        distance(await decode(await stored(`brain-${mixed}`, 'BF16', rounded, mixed), widen), wanted),
      ).toBeLessThan(1e-6);
});
