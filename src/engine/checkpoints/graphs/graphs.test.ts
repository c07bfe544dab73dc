import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { fetched, openGraph } from '../../stock/graph-session.ts';
import type { Fed, Fetched } from '../../stock/graph-session.ts';
import type { Checkpoint, VaePart } from '../recognise.ts';
import { recogniseCheckpoint, recogniseVae } from '../recognise.ts';
import { buildClipText } from './clip-text.ts';
import { CHECKPOINTS, CPU, distance, formulaInput, int64, recorded, rows, sideBySide } from './fixtures.testkit.ts';
import { attentionLevels } from './unet-options.ts';
import { buildUnet } from './unet.ts';
import { buildVaeDecoder, buildVaeEncoder } from './vae.ts';

// Sessions take seconds to open where the machine does other things too.
vi.setConfig({ testTimeout: 240_000 });

const MODELS = [
  'sd15-tiny.safetensors',
  'sd15-tiny-diffusers',
  'sd21v-tiny.safetensors',
  'sdxl-tiny.safetensors',
] as const;
const recordedName = (model: string) => model.replace(/-diffusers$|\.safetensors$/, '');

/** Tolerances of the fixtures' README. */
const TEXT = 5e-5;
const CALL = 2e-5;

async function textStates(checkpoint: Checkpoint, index: number, name: string, skip: number, normed: boolean) {
  const part = checkpoint.texts[index]!;
  const ids = await recorded(`${name}_input_ids`);
  const graph = buildClipText(part.table, { ...part, skip, normed });
  const session = await openGraph('text encoder', graph, CPU);
  const [batch = 0, length = 0] = ids.shape;
  const ends = Array.from({ length: batch }, (_, b) => ids.data.subarray(b * length, (b + 1) * length).indexOf(49407));
  const out = await session.run({
    input_ids: int64(ids.data, ids.shape),
    extra_embeddings: { data: new Float32Array(part.width), shape: [1, part.width] },
    end_index: int64(ends, [batch]),
  });
  await session.release();
  return out;
}

describe.each(MODELS)('%s against diffusers', (model) => {
  const name = recordedName(model);
  const open = () => recogniseCheckpoint(join(CHECKPOINTS, model));

  test('text encoders: every state that a pipeline reads', async () => {
    const checkpoint = await open();
    for (const [index, part] of checkpoint.texts.entries()) {
      const file = `${name}/text_encoder${index === 0 ? '' : '_2'}`;
      const last = await textStates(checkpoint, index, file, 1, true);
      expect(distance(fetched(last, 'hidden').data, (await recorded(`${file}_last_hidden_state`)).data)).toBeLessThan(
        TEXT,
      );
      const pooled = part.table.has('text_projection.weight') ? 'text_embeds' : 'pooler_output';
      expect(distance(fetched(last, 'pooled').data, (await recorded(`${file}_${pooled}`)).data)).toBeLessThan(TEXT);
      for (const normed of [false, true]) {
        const out = await textStates(checkpoint, index, file, 2, normed);
        const wanted = await recorded(`${file}_penultimate${normed ? '_normed' : ''}`);
        expect(distance(fetched(out, 'hidden').data, wanted.data)).toBeLessThan(TEXT);
      }
    }
  });

  test('one denoiser call', async () => {
    const checkpoint = await open();
    const { table, heads, groups, timeIdWidth } = checkpoint.unet;
    const session = await openGraph('denoiser', buildUnet(table, { heads, groups, timeIdWidth }), CPU);
    const feeds: Record<string, Fed> = {
      sample: formulaInput('unet_sample'),
      timestep: { data: Float32Array.of(499), shape: [1] },
    };
    let context: Fetched;
    if (checkpoint.family === 'sdxl') {
      context = sideBySide(
        await recorded(`${name}/text_encoder_penultimate`),
        await recorded(`${name}/text_encoder_2_penultimate`),
      );
      feeds['text_embeds'] = rows(await recorded(`${name}/text_encoder_2_text_embeds`), 0, 2);
      feeds['time_ids'] = { data: Float32Array.of(64, 128, 0, 0, 64, 128, 64, 128, 0, 0, 64, 128), shape: [2, 6] };
    } else context = await recorded(`${name}/text_encoder_last_hidden_state`);
    feeds['context'] = rows(context, 0, 2);
    for (const { bias, halvings } of attentionLevels(table)) {
      const places = (8 >> halvings) * (16 >> halvings);
      feeds[bias] = { data: new Float32Array(2 * places * 77), shape: [2, 1, places, 77] };
    }
    const out = await session.run(feeds);
    await session.release();
    expect(distance(fetched(out, 'prediction').data, (await recorded(`${name}/unet_out`)).data)).toBeLessThan(CALL);
  });

  test('the autoencoder both ways', async () => {
    const { vae } = await open();
    await checkVae(vae, `${name}/vae_mean`, `${name}/vae_logvar`, `${name}/vae_decoded`);
  });
});

test('attention from its parts is the fused one', async () => {
  const { unet, vae } = await recogniseCheckpoint(join(CHECKPOINTS, 'sd21v-tiny.safetensors'));
  const { table, heads, groups } = unet;
  const feeds: Record<string, Fed> = {
    sample: formulaInput('unet_sample'),
    timestep: { data: Float32Array.of(499), shape: [1] },
    context: rows(await recorded('sd21v-tiny/text_encoder_last_hidden_state'), 0, 2),
  };
  for (const { bias, halvings } of attentionLevels(table)) {
    const places = (8 >> halvings) * (16 >> halvings);
    feeds[bias] = { data: new Float32Array(2 * places * 77), shape: [2, 1, places, 77] };
  }
  const session = await openGraph('denoiser', buildUnet(table, { heads, groups, attention: 'parts' }), CPU);
  const out = fetched(await session.run(feeds), 'prediction');
  await session.release();
  expect(distance(out.data, (await recorded('sd21v-tiny/unet_out')).data)).toBeLessThan(CALL);
  const decoder = await openGraph(
    'decoder',
    buildVaeDecoder(vae.table, { groups: vae.groups, attention: 'parts' }),
    CPU,
  );
  const image = fetched(await decoder.run({ latent: formulaInput('vae_latents') }), 'image');
  await decoder.release();
  expect(distance(image.data, (await recorded('sd21v-tiny/vae_decoded')).data)).toBeLessThan(CALL);
});

test('a VAE file of its own', async () => {
  const vae = await recogniseVae(join(CHECKPOINTS, 'vae-tiny.safetensors'), 'sd1');
  expect(vae.scalingFactor).toBe(0.18215);
  await checkVae(vae, 'vae-tiny/mean', 'vae-tiny/logvar', 'vae-tiny/decoded');
});

async function checkVae(vae: VaePart, mean: string, logVariance: string, decoded: string) {
  const encoder = await openGraph('encoder', buildVaeEncoder(vae.table, vae), CPU);
  const encodedOut = await encoder.run({ image: formulaInput('vae_image') });
  await encoder.release();
  expect(distance(fetched(encodedOut, 'mean').data, (await recorded(mean)).data)).toBeLessThan(CALL);
  expect(distance(fetched(encodedOut, 'log_variance').data, (await recorded(logVariance)).data)).toBeLessThan(CALL);
  const decoder = await openGraph('decoder', buildVaeDecoder(vae.table, vae), CPU);
  const out = await decoder.run({ latent: formulaInput('vae_latents') });
  await decoder.release();
  expect(distance(fetched(out, 'image').data, (await recorded(decoded)).data)).toBeLessThan(CALL);
}
