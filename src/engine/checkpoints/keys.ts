import type { SafetensorsFile } from './safetensors.ts';
import type { Weight, WeightTable } from './weights.ts';
import { rowsOfWeight, wholeWeight } from './weights.ts';

/*
 * From the names inside a file to the names that diffusers and transformers use. Two layouts exist:
 * the original one of the published single files (CompVis, Stability-AI) and the one of diffusers.
 * The tables follow ../fixtures and diffusers' loaders/single_file_utils.py. Whole parts of a name
 * are compared, never prefixes of strings: `input_blocks.1` also begins `input_blocks.10`.
 */

const RESNET: Readonly<Record<string, string>> = {
  'in_layers.0': 'norm1',
  'in_layers.2': 'conv1',
  'emb_layers.1': 'time_emb_proj',
  'out_layers.0': 'norm2',
  'out_layers.3': 'conv2',
  skip_connection: 'conv_shortcut',
};

const UNET_OUTSIDE: Readonly<Record<string, string>> = {
  'time_embed.0': 'time_embedding.linear_1',
  'time_embed.2': 'time_embedding.linear_2',
  time_embed_cond: 'time_embedding.cond_proj',
  'time_embed.cond_proj': 'time_embedding.cond_proj',
  'label_emb.0.0': 'add_embedding.linear_1',
  'label_emb.0.2': 'add_embedding.linear_2',
  'input_blocks.0.0': 'conv_in',
  'out.0': 'conv_norm_out',
  'out.2': 'conv_out',
};

/** Names (without prefix) with that beginning removed. */
function under(file: SafetensorsFile, prefix: string): string[] {
  const names: string[] = [];
  for (const name of file.tensors.keys()) if (name.startsWith(prefix)) names.push(name.slice(prefix.length));
  return names;
}

function splitLast(name: string): [path: string, leaf: string] {
  const at = name.lastIndexOf('.');
  return at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)];
}

/** Which level and place each numbered block of the original UNet is: read off the file itself. */
function unetBlocks(names: ReadonlySet<string>): Map<string, string> {
  const blocks = new Map<string, string>();
  const count = (kind: string) => {
    let n = 0;
    for (const name of names) {
      const [first, index] = name.split('.', 2);
      if (first === kind) n = Math.max(n, Number(index) + 1);
    }
    return n;
  };
  let level = 0;
  let place = 0;
  const inputs = count('input_blocks');
  for (let n = 1; n < inputs; n++) {
    if (names.has(`input_blocks.${n}.0.op.weight`)) {
      blocks.set(`input_blocks.${n}.0.op`, `down_blocks.${level}.downsamplers.0.conv`);
      level += 1;
      place = 0;
      continue;
    }
    blocks.set(`input_blocks.${n}.0`, `down_blocks.${level}.resnets.${place}`);
    blocks.set(`input_blocks.${n}.1`, `down_blocks.${level}.attentions.${place}`);
    place += 1;
  }
  blocks.set('middle_block.0', 'mid_block.resnets.0');
  blocks.set('middle_block.1', 'mid_block.attentions.0');
  blocks.set('middle_block.2', 'mid_block.resnets.1');
  level = 0;
  place = 0;
  const outputs = count('output_blocks');
  for (let n = 0; n < outputs; n++) {
    blocks.set(`output_blocks.${n}.0`, `up_blocks.${level}.resnets.${place}`);
    const upsampler = [1, 2].find((k) => names.has(`output_blocks.${n}.${k}.conv.weight`));
    if (upsampler !== 1) blocks.set(`output_blocks.${n}.1`, `up_blocks.${level}.attentions.${place}`);
    place += 1;
    if (upsampler === undefined) continue;
    blocks.set(`output_blocks.${n}.${upsampler}.conv`, `up_blocks.${level}.upsamplers.0.conv`);
    level += 1;
    place = 0;
  }
  return blocks;
}

/** Original UNet module paths to diffusers paths, for every module that owns a weight under `names`. */
export function unetModuleNames(names: readonly string[]): Map<string, string> {
  const all = new Set(names);
  const blocks = unetBlocks(all);
  const modules = new Map<string, string>();
  for (const name of names) {
    const [path] = splitLast(name);
    if (modules.has(path)) continue;
    const outside = UNET_OUTSIDE[path] ?? blocks.get(path);
    if (outside) {
      modules.set(path, outside);
      continue;
    }
    const parts = path.split('.');
    const depth = parts[0] === 'middle_block' ? 2 : 3;
    const block = blocks.get(parts.slice(0, depth).join('.'));
    const rest = parts.slice(depth).join('.');
    if (block) modules.set(path, `${block}.${RESNET[rest] ?? rest}`);
  }
  return modules;
}

/** The UNet of an original-layout file. */
export function originalUnet(file: SafetensorsFile, prefix: string): WeightTable {
  const names = under(file, prefix);
  const modules = unetModuleNames(names);
  const table = new Map<string, Weight>();
  for (const name of names) {
    const [path, leaf] = splitLast(name);
    const module = modules.get(path);
    if (module) table.set(`${module}.${leaf}`, wholeWeight(file, prefix + name));
  }
  return table;
}

const VAE_PARTS: readonly (readonly [RegExp, string])[] = [
  [/^(encoder|decoder)\.mid\.block_([12])\./, '$1.mid_block.resnets.#$2.'],
  [/^(encoder|decoder)\.mid\.attn_1\.norm\./, '$1.mid_block.attentions.0.group_norm.'],
  [/^(encoder|decoder)\.mid\.attn_1\.([qkv])\./, '$1.mid_block.attentions.0.to_$2.'],
  [/^(encoder|decoder)\.mid\.attn_1\.proj_out\./, '$1.mid_block.attentions.0.to_out.0.'],
  [/^(encoder|decoder)\.norm_out\./, '$1.conv_norm_out.'],
  [/^encoder\.down\.(\d+)\.block\.(\d+)\./, 'encoder.down_blocks.$1.resnets.$2.'],
  [/^encoder\.down\.(\d+)\.downsample\.conv\./, 'encoder.down_blocks.$1.downsamplers.0.conv.'],
  [/^decoder\.up\.(\d+)\.block\.(\d+)\./, 'decoder.up_blocks.-$1.resnets.$2.'],
  [/^decoder\.up\.(\d+)\.upsample\.conv\./, 'decoder.up_blocks.-$1.upsamplers.0.conv.'],
];

/** Older diffusers folders name the attention of the VAE by these words. */
const VAE_OLD_ATTENTION: Readonly<Record<string, string>> = {
  query: 'to_q',
  key: 'to_k',
  value: 'to_v',
  proj_attn: 'to_out.0',
};

/** An original VAE name as diffusers has it; `levels` because the decoder counts from the other end. */
export function vaeName(name: string, levels: number): string {
  let out = name;
  for (const [pattern, replacement] of VAE_PARTS) out = out.replace(pattern, replacement);
  return out
    .replace(/\.mid_block\.resnets\.#(\d)/, (_, n: string) => `.mid_block.resnets.${Number(n) - 1}`)
    .replace(/^decoder\.up_blocks\.-(\d+)/, (_, n: string) => `decoder.up_blocks.${levels - 1 - Number(n)}`)
    .replace('.nin_shortcut.', '.conv_shortcut.')
    .replace(
      /\.attentions\.0\.(query|key|value|proj_attn)\./,
      (_, n: string) => `.attentions.0.${VAE_OLD_ATTENTION[n] ?? n}.`,
    );
}

const VAE_ROOTS = new Set(['encoder', 'decoder', 'quant_conv', 'post_quant_conv']);

/** A VAE in either layout, with or without a prefix. */
export function vaeTable(file: SafetensorsFile, prefix: string): WeightTable {
  const names = under(file, prefix);
  let levels = 0;
  for (const name of names) {
    const match = /^(?:decoder\.up|decoder\.up_blocks)\.(\d+)\./.exec(name);
    if (match) levels = Math.max(levels, Number(match[1]) + 1);
  }
  const table = new Map<string, Weight>();
  for (const name of names) {
    if (!VAE_ROOTS.has(name.split('.', 1)[0] ?? '')) continue;
    table.set(vaeName(name, levels), wholeWeight(file, prefix + name));
  }
  return table;
}

/** A CLIP text model under transformers' names; the canonical ones have no `text_model.`. */
export function clipTextTable(file: SafetensorsFile, prefix: string): WeightTable {
  const table = new Map<string, Weight>();
  for (const name of under(file, prefix)) {
    const short = name.startsWith('text_model.') ? name.slice(11) : name;
    const root = short.split('.', 1)[0] ?? '';
    if (!['embeddings', 'encoder', 'final_layer_norm', 'text_projection'].includes(root)) continue;
    if (short === 'embeddings.position_ids') continue;
    table.set(short, wholeWeight(file, prefix + name));
  }
  return table;
}

const OPEN_CLIP_LAYER: Readonly<Record<string, string>> = {
  ln_1: 'layer_norm1',
  ln_2: 'layer_norm2',
  'attn.out_proj': 'self_attn.out_proj',
  'mlp.c_fc': 'mlp.fc1',
  'mlp.c_proj': 'mlp.fc2',
};

/**
 * An OpenCLIP text model as transformers' CLIP: q, k and v are the three thirds of one matrix, and
 * the projection is stored the other way round (x @ P), which no shape tells, since it is square.
 */
export function openClipTextTable(file: SafetensorsFile, prefix: string): WeightTable {
  const table = new Map<string, Weight>();
  const add = (name: string, stored: string, transposed = false) =>
    table.set(name, wholeWeight(file, prefix + stored, transposed));
  for (const name of under(file, prefix)) {
    if (name === 'token_embedding.weight') add('embeddings.token_embedding.weight', name);
    else if (name === 'positional_embedding') add('embeddings.position_embedding.weight', name);
    else if (name === 'text_projection') add('text_projection.weight', name, true);
    else if (name.startsWith('ln_final.')) add(`final_layer_norm.${name.slice(9)}`, name);
    const layer = /^transformer\.resblocks\.(\d+)\.(.+)$/.exec(name);
    if (!layer) continue;
    const [, index, rest = ''] = layer;
    const base = `encoder.layers.${index}`;
    if (rest === 'attn.in_proj_weight' || rest === 'attn.in_proj_bias') {
      const all = wholeWeight(file, prefix + name);
      const rows = (all.shape[0] ?? 0) / 3;
      const leaf = rest.endsWith('weight') ? 'weight' : 'bias';
      for (const [i, part] of ['q_proj', 'k_proj', 'v_proj'].entries())
        table.set(`${base}.self_attn.${part}.${leaf}`, rowsOfWeight(all, i * rows, rows));
      continue;
    }
    const [path, leaf] = splitLast(rest);
    const known = OPEN_CLIP_LAYER[path];
    if (known) add(`${base}.${known}.${leaf}`, name);
  }
  return table;
}

/** A file whose names are the canonical ones already (diffusers' UNet, transformers' vision model). */
export function plainTable(file: SafetensorsFile, prefix = ''): WeightTable {
  return new Map(under(file, prefix).map((name) => [name, wholeWeight(file, prefix + name)]));
}
