// Writes a checkpoint with the names and sizes of a published one and random weights, for measuring.
// node bench/full-size-checkpoint.ts sd15|sdxl FILE [F16|F32|BF16]
import { open } from 'node:fs/promises';
import { elementBytes } from '../src/engine/checkpoints/safetensors.ts';
import type { SafetensorsType } from '../src/engine/checkpoints/safetensors.ts';

type Shapes = Map<string, number[]>;

function conv(out: Shapes, path: string, to: number, from: number, kernel = 3): void {
  out.set(`${path}.weight`, [to, from, kernel, kernel]);
  out.set(`${path}.bias`, [to]);
}
function linear(out: Shapes, path: string, to: number, from: number, bias = true): void {
  out.set(`${path}.weight`, [to, from]);
  if (bias) out.set(`${path}.bias`, [to]);
}
function norm(out: Shapes, path: string, width: number): void {
  out.set(`${path}.weight`, [width]);
  out.set(`${path}.bias`, [width]);
}

interface UnetPlan {
  readonly widths: readonly number[];
  /** Transformer layers of each level; 0 where it does not attend. */
  readonly depths: readonly number[];
  readonly context: number;
  readonly linearProjection: boolean;
  /** Width of SDXL's pooled text and sizes. */
  readonly added?: number;
}

function unet(out: Shapes, root: string, plan: UnetPlan): void {
  const { widths } = plan;
  const [first = 320] = widths;
  const time = first * 4;
  const resnet = (path: string, to: number, from: number) => {
    norm(out, `${path}.in_layers.0`, from);
    conv(out, `${path}.in_layers.2`, to, from);
    linear(out, `${path}.emb_layers.1`, to, time);
    norm(out, `${path}.out_layers.0`, to);
    conv(out, `${path}.out_layers.3`, to, to);
    if (to !== from) conv(out, `${path}.skip_connection`, to, from, 1);
  };
  const transformer = (path: string, width: number, depth: number) => {
    norm(out, `${path}.norm`, width);
    for (const side of ['proj_in', 'proj_out'])
      if (plan.linearProjection) linear(out, `${path}.${side}`, width, width);
      else conv(out, `${path}.${side}`, width, width, 1);
    for (let i = 0; i < depth; i++) {
      const block = `${path}.transformer_blocks.${i}`;
      for (const [name, from] of [
        ['attn1', width],
        ['attn2', plan.context],
      ] as const) {
        linear(out, `${block}.${name}.to_q`, width, width, false);
        linear(out, `${block}.${name}.to_k`, width, from, false);
        linear(out, `${block}.${name}.to_v`, width, from, false);
        linear(out, `${block}.${name}.to_out.0`, width, width);
      }
      for (const n of [1, 2, 3]) norm(out, `${block}.norm${n}`, width);
      linear(out, `${block}.ff.net.0.proj`, width * 8, width);
      linear(out, `${block}.ff.net.2`, width, width * 4);
    }
  };
  linear(out, `${root}.time_embed.0`, time, first);
  linear(out, `${root}.time_embed.2`, time, time);
  if (plan.added) {
    linear(out, `${root}.label_emb.0.0`, time, plan.added);
    linear(out, `${root}.label_emb.0.2`, time, time);
  }
  conv(out, `${root}.input_blocks.0.0`, first, 4);
  const skips = [first];
  let n = 1;
  let channels = first;
  for (const [level, width] of widths.entries()) {
    for (let i = 0; i < 2; i++) {
      resnet(`${root}.input_blocks.${n}.0`, width, channels);
      channels = width;
      if (plan.depths[level]) transformer(`${root}.input_blocks.${n}.1`, width, plan.depths[level] ?? 0);
      skips.push(width);
      n += 1;
    }
    if (level + 1 === widths.length) continue;
    conv(out, `${root}.input_blocks.${n}.0.op`, width, width);
    skips.push(width);
    n += 1;
  }
  const deepest = plan.depths.findLast((depth) => depth > 0) ?? 1;
  resnet(`${root}.middle_block.0`, channels, channels);
  transformer(`${root}.middle_block.1`, channels, deepest);
  resnet(`${root}.middle_block.2`, channels, channels);
  n = 0;
  for (const [level, width] of [...widths.entries()].toReversed()) {
    for (let i = 0; i < 3; i++) {
      resnet(`${root}.output_blocks.${n}.0`, width, channels + (skips.pop() ?? 0));
      channels = width;
      const depth = plan.depths[level] ?? 0;
      if (depth) transformer(`${root}.output_blocks.${n}.1`, width, depth);
      if (i === 2 && level > 0) conv(out, `${root}.output_blocks.${n}.${depth ? 2 : 1}.conv`, width, width);
      n += 1;
    }
  }
  norm(out, `${root}.out.0`, first);
  conv(out, `${root}.out.2`, 4, first);
}

function vae(out: Shapes, root: string): void {
  const widths = [128, 256, 512, 512];
  const resnet = (path: string, to: number, from: number) => {
    norm(out, `${path}.norm1`, from);
    conv(out, `${path}.conv1`, to, from);
    norm(out, `${path}.norm2`, to);
    conv(out, `${path}.conv2`, to, to);
    if (to !== from) conv(out, `${path}.nin_shortcut`, to, from, 1);
  };
  for (const part of ['encoder', 'decoder'] as const) {
    const path = `${root}.${part}`;
    const up = part === 'decoder';
    let channels = up ? 512 : 128;
    conv(out, `${path}.conv_in`, channels, up ? 4 : 3);
    for (const level of up ? [3, 2, 1, 0] : [0, 1, 2, 3]) {
      const width = widths[level] ?? 512;
      for (let i = 0; i < (up ? 3 : 2); i++) {
        resnet(`${path}.${up ? 'up' : 'down'}.${level}.block.${i}`, width, channels);
        channels = width;
      }
      if (up && level > 0) conv(out, `${path}.up.${level}.upsample.conv`, width, width);
      if (!up && level < 3) conv(out, `${path}.down.${level}.downsample.conv`, width, width);
    }
    resnet(`${path}.mid.block_1`, 512, 512);
    resnet(`${path}.mid.block_2`, 512, 512);
    norm(out, `${path}.mid.attn_1.norm`, 512);
    for (const name of ['q', 'k', 'v', 'proj_out']) conv(out, `${path}.mid.attn_1.${name}`, 512, 512, 1);
    norm(out, `${path}.norm_out`, up ? 128 : 512);
    conv(out, `${path}.conv_out`, up ? 3 : 8, up ? 128 : 512);
  }
  conv(out, `${root}.quant_conv`, 8, 8, 1);
  conv(out, `${root}.post_quant_conv`, 4, 4, 1);
}

function clip(out: Shapes, root: string): void {
  out.set(`${root}.embeddings.token_embedding.weight`, [49408, 768]);
  out.set(`${root}.embeddings.position_embedding.weight`, [77, 768]);
  for (let i = 0; i < 12; i++) {
    const path = `${root}.encoder.layers.${i}`;
    for (const name of ['q_proj', 'k_proj', 'v_proj', 'out_proj']) linear(out, `${path}.self_attn.${name}`, 768, 768);
    norm(out, `${path}.layer_norm1`, 768);
    norm(out, `${path}.layer_norm2`, 768);
    linear(out, `${path}.mlp.fc1`, 3072, 768);
    linear(out, `${path}.mlp.fc2`, 768, 3072);
  }
  norm(out, `${root}.final_layer_norm`, 768);
}

function openClip(out: Shapes, root: string): void {
  const width = 1280;
  out.set(`${root}.token_embedding.weight`, [49408, width]);
  out.set(`${root}.positional_embedding`, [77, width]);
  out.set(`${root}.text_projection`, [width, width]);
  for (let i = 0; i < 32; i++) {
    const path = `${root}.transformer.resblocks.${i}`;
    norm(out, `${path}.ln_1`, width);
    norm(out, `${path}.ln_2`, width);
    out.set(`${path}.attn.in_proj_weight`, [3 * width, width]);
    out.set(`${path}.attn.in_proj_bias`, [3 * width]);
    linear(out, `${path}.attn.out_proj`, width, width);
    linear(out, `${path}.mlp.c_fc`, 4 * width, width);
    linear(out, `${path}.mlp.c_proj`, width, 4 * width);
  }
  norm(out, `${root}.ln_final`, width);
}

/** Names and shapes of a published checkpoint in the original layout. */
export function fullSizeShapes(family: 'sd15' | 'sdxl'): Shapes {
  const out: Shapes = new Map();
  if (family === 'sd15') {
    unet(out, 'model.diffusion_model', {
      widths: [320, 640, 1280, 1280],
      depths: [1, 1, 1, 0],
      context: 768,
      linearProjection: false,
    });
    clip(out, 'cond_stage_model.transformer.text_model');
  } else {
    unet(out, 'model.diffusion_model', {
      widths: [320, 640, 1280],
      depths: [0, 2, 10],
      context: 2048,
      linearProjection: true,
      added: 2816,
    });
    clip(out, 'conditioner.embedders.0.transformer.text_model');
    openClip(out, 'conditioner.embedders.1.model');
  }
  vae(out, 'first_stage_model');
  return out;
}

/** Names and shapes of a LoRA in kohya's naming over every attention of SD 1.5's denoiser. @param rank of its matrices */
export function loraShapes(rank: number): Shapes {
  const out: Shapes = new Map();
  const blocks = [
    ...[320, 640, 1280].flatMap((width, level) => [0, 1].map((i) => [`down_blocks_${level}_attentions_${i}`, width])),
    ['mid_block_attentions_0', 1280],
    ...[1280, 640, 320].flatMap((width, level) =>
      [0, 1, 2].map((i) => [`up_blocks_${level + 1}_attentions_${i}`, width]),
    ),
  ] as [string, number][];
  for (const [block, width] of blocks)
    for (const [attention, context] of [
      ['attn1', width],
      ['attn2', 768],
    ] as const)
      for (const layer of ['to_q', 'to_k', 'to_v', 'to_out_0']) {
        const module = `lora_unet_${block}_transformer_blocks_0_${attention}_${layer}`;
        const from = layer === 'to_k' || layer === 'to_v' ? context : width;
        out.set(`${module}.lora_down.weight`, [rank, from]);
        out.set(`${module}.lora_up.weight`, [width, rank]);
      }
  return out;
}

/** Writes such a file; weights are small random numbers, norms are ones, biases zeros. Returns its size in bytes. */
export function writeFullSizeCheckpoint(
  family: 'sd15' | 'sdxl',
  path: string,
  type: SafetensorsType = 'F16',
): Promise<number> {
  return writeTensors(fullSizeShapes(family), path, type);
}

/** Writes tensors of these names and shapes, as above. Returns the file's size in bytes. */
export async function writeTensors(shapes: Shapes, path: string, type: SafetensorsType): Promise<number> {
  const width = elementBytes(type);
  const header: Record<string, unknown> = {};
  let offset = 0;
  for (const [name, shape] of shapes) {
    const bytes = shape.reduce((product, side) => product * side, width);
    header[name] = { dtype: type, shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const file = await open(path, 'w');
  try {
    const start = new Uint8Array(8);
    new DataView(start.buffer).setBigUint64(0, BigInt(text.length), true);
    await file.write(start);
    await file.write(text);
    // One block of random numbers serves for all weights, from changing places, scaled to a spread of 0.02.
    const block = randomBlock(type, 1 << 22);
    let at = 0;
    for (const [name, shape] of shapes) {
      const bytes = shape.reduce((product, side) => product * side, width);
      if (shape.length === 1 && !name.endsWith('class_embedding')) {
        await file.write(constantBlock(type, name.endsWith('.weight') ? 1 : 0, bytes / width));
        continue;
      }
      for (let done = 0; done < bytes;) {
        const from = (at % 4096) * width;
        const length = Math.min(bytes - done, block.length - from);
        await file.write(block, from, length);
        done += length;
        at += 977;
      }
    }
  } finally {
    await file.close();
  }
  return 8 + text.length + offset;
}

function encodeValue(view: DataView, at: number, type: SafetensorsType, value: number): void {
  if (type === 'F32') view.setFloat32(at, value, true);
  else if (type === 'BF16') {
    const scratch = new DataView(new ArrayBuffer(4));
    scratch.setFloat32(0, value);
    view.setUint16(at, scratch.getUint16(0), true);
  } else if (type === 'F16') view.setFloat16(at, value, true);
  else throw new Error(`no full-size checkpoint in ${type}`);
}

function constantBlock(type: SafetensorsType, value: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count * elementBytes(type));
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) encodeValue(view, i * elementBytes(type), type, value);
  return bytes;
}

function randomBlock(type: SafetensorsType, count: number): Uint8Array {
  const bytes = new Uint8Array(count * elementBytes(type));
  const view = new DataView(bytes.buffer);
  let state = 1;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    encodeValue(view, i * elementBytes(type), type, (state / 2 ** 32 - 0.5) * 0.07);
  }
  return bytes;
}

if (import.meta.main) {
  const [family, path, type = 'F16'] = process.argv.slice(2);
  if ((family !== 'sd15' && family !== 'sdxl') || !path)
    throw new Error('usage: full-size-checkpoint.ts sd15|sdxl FILE [F16|F32|BF16]');
  console.log(`${await writeFullSizeCheckpoint(family, path, type as SafetensorsType)} bytes`);
}
