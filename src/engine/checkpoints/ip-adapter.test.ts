import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { fetched, openGraph } from '../stock/graph-session.ts';
import type { Fed, Fetched } from '../stock/graph-session.ts';
import { buildClipVision } from './graphs/clip-vision.ts';
import { CHECKPOINTS, CPU, distance, formulaInput, recorded, rows } from './graphs/fixtures.testkit.ts';
import { buildImageProjection } from './graphs/image-projection.ts';
import { attentionLevels } from './graphs/unet-options.ts';
import { buildUnet } from './graphs/unet.ts';
import type { IpImage } from './ip-adapter.ts';
import { ipAdapterFeeds, readImageEncoder, readIpAdapter, reduceIpMask } from './ip-adapter.ts';
import { plainTable } from './keys.ts';
import { recogniseCheckpoint } from './recognise.ts';
import { readSafetensorsFile } from './safetensors.ts';

// Sessions take seconds to open where the machine does other things too.
vi.setConfig({ testTimeout: 240_000 });

const CALL = 2e-5;
const PICTURE = { height: 64, width: 128 };
const LATENT = { height: 8, width: 16 };
const checkpoint = await recogniseCheckpoint(join(CHECKPOINTS, 'sd15-tiny.safetensors'));
const adapter = await readIpAdapter(join(CHECKPOINTS, 'ip-adapter-tiny.safetensors'), checkpoint);

async function project(embeds: Fetched): Promise<Fetched> {
  const session = await openGraph('image projection', buildImageProjection(adapter.projection), CPU);
  const out = fetched(await session.run({ embeds }), 'tokens');
  await session.release();
  return out;
}

test('pixels to embeddings to tokens', async () => {
  const encoder = await readImageEncoder(join(CHECKPOINTS, 'ip-adapter-tiny.image_encoder/model.safetensors'));
  const graph = buildClipVision(encoder.table, encoder);
  expect(graph.side).toBe(32);
  const session = await openGraph('image encoder', graph, CPU);
  const embeds = fetched(await session.run({ pixels: formulaInput('clip_pixels') }), 'embeds');
  await session.release();
  expect(distance(embeds.data, (await recorded('ip-adapter-tiny/image_embeds')).data)).toBeLessThan(CALL);
  expect(adapter.layers.tokens).toBe(4);
  expect(distance((await project(embeds)).data, (await recorded('ip-adapter-tiny/image_tokens')).data)).toBeLessThan(
    CALL,
  );
});

test.each([
  [8, 16],
  [4, 8],
  [2, 4],
  [1, 2],
])('masks at %s x %s as diffusers reduces them', async (height, width) => {
  const masks = await recorded('ip-adapter-tiny/masks');
  const wanted = await recorded(`ip-adapter-tiny/mask_${height}x${width}`);
  const reduced = [0, 1].flatMap((i) => [...reduceIpMask(rows(masks, i, 1).data, PICTURE, { height, width })]);
  expect(distance(Float32Array.from(reduced), wanted.data)).toBeLessThan(1e-6);
});

async function call(images: readonly (readonly IpImage[])[]): Promise<Float32Array> {
  const { table, heads, groups } = checkpoint.unet;
  const levels = attentionLevels(table);
  const session = await openGraph('denoiser', buildUnet(table, { heads, groups, ipAdapter: adapter.layers }), CPU);
  const feeds: Record<string, Fed> = {
    sample: formulaInput('unet_sample'),
    timestep: { data: Float32Array.of(499), shape: [1] },
    context: rows(await recorded('sd15-tiny/text_encoder_last_hidden_state'), 0, 2),
    ...ipAdapterFeeds(images, 4, 8, LATENT, levels),
  };
  for (const { bias, halvings } of levels) {
    const places = (8 >> halvings) * (16 >> halvings);
    feeds[bias] = { data: new Float32Array(2 * places * 77), shape: [2, 1, places, 77] };
  }
  const out = fetched(await session.run(feeds), 'prediction').data;
  await session.release();
  return out;
}

test('one image everywhere, two images with a mask and a scale each, none at all', async () => {
  const tokens = await recorded('ip-adapter-tiny/image_tokens');
  const masks = await recorded('ip-adapter-tiny/masks');
  // The pass without conditions looks at the tokens of a zero embedding, not at zero tokens.
  const zero = (await project({ data: new Float32Array(16), shape: [1, 16] })).data;
  const image = (i: number) => rows(tokens, i, 1).data;
  const one = await call([[{ tokens: zero, scale: 0.7, mask: null }], [{ tokens: image(0), scale: 0.7, mask: null }]]);
  expect(distance(one, (await recorded('ip-adapter-tiny/unet_out_one_image')).data)).toBeLessThan(CALL);
  const masked = (of: (i: number) => Float32Array) =>
    [0.9, 0.6].map((scale, i) => ({ tokens: of(i), scale, mask: { data: rows(masks, i, 1).data, grid: PICTURE } }));
  const two = await call([masked(() => zero), masked(image)]);
  expect(distance(two, (await recorded('ip-adapter-tiny/unet_out_two_masked')).data)).toBeLessThan(CALL);
  const none = await call([[], []]);
  expect(distance(none, (await recorded('sd15-tiny/unet_out')).data)).toBeLessThan(CALL);
});

test('an adapter that does not fit is refused', async () => {
  const sdxl = await recogniseCheckpoint(join(CHECKPOINTS, 'sdxl-tiny.safetensors'));
  await expect(readIpAdapter(join(CHECKPOINTS, 'ip-adapter-tiny.safetensors'), sdxl)).rejects.toThrow('does not fit');
  await expect(readIpAdapter(join(CHECKPOINTS, 'lora-tiny-kohya.safetensors'), checkpoint)).rejects.toThrow(
    'is a LoRA',
  );
});

test('IP-Adapter plus: its resampler as diffusers computes it', async () => {
  const folder = join(import.meta.dirname, '../../../test/fixtures/ip-adapter-plus');
  const expected = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8')) as {
    states: { shape: number[] };
    tokens: { shape: number[]; values: number[] };
  };
  const table = plainTable(await readSafetensorsFile(join(folder, 'projection.safetensors')), 'image_proj.');
  const graph = buildImageProjection(table);
  expect(graph).toMatchObject({ plus: true, tokens: 4, width: 8 });
  const { shape } = expected.states;
  const data = Float32Array.from(
    { length: shape.reduce((p, s) => p * s, 1) },
    (_, k) => Math.sin(0.73 * k + 0.2) + 0.6 * Math.cos(0.019 * k),
  );
  const session = await openGraph('image projection', graph, CPU);
  const out = fetched(await session.run({ penultimate: { data, shape } }), 'tokens');
  await session.release();
  expect(out.shape).toEqual(expected.tokens.shape);
  expect(distance(out.data, Float32Array.from(expected.tokens.values))).toBeLessThan(CALL);
});
