import { countChildren } from './weights.ts';
import type { WeightTable } from './weights.ts';

/*
 * LoRA files name layers with underscores for dots, so that `to_out_0` could be two things: names are
 * never taken apart, but looked up among those that the checkpoint has.
 */

const RESNET: Readonly<Record<string, string>> = {
  norm1: 'in_layers.0',
  conv1: 'in_layers.2',
  time_emb_proj: 'emb_layers.1',
  norm2: 'out_layers.0',
  conv2: 'out_layers.3',
  conv_shortcut: 'skip_connection',
};

const OUTSIDE: Readonly<Record<string, string>> = {
  conv_in: 'input_blocks.0.0',
  conv_out: 'out.2',
  'time_embedding.linear_1': 'time_embed.0',
  'time_embedding.linear_2': 'time_embed.2',
  'add_embedding.linear_1': 'label_emb.0.0',
  'add_embedding.linear_2': 'label_emb.0.2',
};

/** A layer of the UNet under its original name, from its diffusers name. */
export function originalUnetName(path: string, table: WeightTable): string {
  const outside = OUTSIDE[path];
  if (outside) return outside;
  const perLevel = countChildren(table, 'down_blocks.0.resnets');
  const inner = (rest: string, kind: string) =>
    kind === 'resnets' ? `.${RESNET[rest] ?? rest}` : rest ? `.${rest}` : '';
  let match = /^down_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.+)$/.exec(path);
  if (match) {
    const [, level, kind = '', i, rest = ''] = match;
    return `input_blocks.${Number(level) * (perLevel + 1) + Number(i) + 1}.${kind === 'resnets' ? 0 : 1}${inner(rest, kind)}`;
  }
  match = /^down_blocks\.(\d+)\.downsamplers\.0\.conv$/.exec(path);
  if (match) return `input_blocks.${(Number(match[1]) + 1) * (perLevel + 1)}.0.op`;
  match = /^mid_block\.(resnets|attentions)\.(\d+)\.(.+)$/.exec(path);
  if (match) {
    const [, kind = '', i, rest = ''] = match;
    return `middle_block.${kind === 'attentions' ? 1 : Number(i) * 2}${inner(rest, kind)}`;
  }
  match = /^up_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.+)$/.exec(path);
  if (match) {
    const [, level, kind = '', i, rest = ''] = match;
    return `output_blocks.${Number(level) * (perLevel + 1) + Number(i)}.${kind === 'resnets' ? 0 : 1}${inner(rest, kind)}`;
  }
  match = /^up_blocks\.(\d+)\.upsamplers\.0\.conv$/.exec(path);
  if (match) {
    const level = Number(match[1]);
    const attends = table.has(`up_blocks.${level}.attentions.0.norm.weight`);
    return `output_blocks.${level * (perLevel + 1) + perLevel}.${attends ? 2 : 1}.conv`;
  }
  return path;
}

function layersOf(table: WeightTable): string[] {
  return [...table.keys()].filter((name) => name.endsWith('.weight')).map((name) => name.slice(0, -7));
}

/** Layers of a UNet by every name a LoRA may use, dots as underscores. */
export function unetLayerNames(table: WeightTable): Map<string, string> {
  const names = new Map<string, string>();
  for (const layer of layersOf(table)) {
    names.set(layer.replaceAll('.', '_'), layer);
    names.set(originalUnetName(layer, table).replaceAll('.', '_'), layer);
    // diffusers' own LoRA files leave the number of the output projection out.
    if (layer.endsWith('.to_out.0')) names.set(layer.slice(0, -2).replaceAll('.', '_'), layer);
  }
  return names;
}

/** Layers of a text encoder by the names of transformers, with and without `text_model`. */
export function clipLayerNames(table: WeightTable): Map<string, string> {
  const names = new Map<string, string>();
  for (const layer of layersOf(table)) {
    names.set(`text_model_${layer.replaceAll('.', '_')}`, layer);
    names.set(layer.replaceAll('.', '_'), layer);
  }
  return names;
}

/**
 * The cross- and self-attentions of a UNet in the order in which diffusers counts them: down, up,
 * and the middle last.
 */
export function attentionsInOrder(table: WeightTable): string[] {
  const paths: string[] = [];
  const block = (path: string) => {
    for (let i = 0; i < Math.max(1, countChildren(table, `${path}.attentions`)); i++)
      for (let k = 0; k < countChildren(table, `${path}.attentions.${i}.transformer_blocks`); k++)
        for (const attention of ['attn1', 'attn2'])
          paths.push(`${path}.attentions.${i}.transformer_blocks.${k}.${attention}`);
  };
  for (const side of ['down_blocks', 'up_blocks'])
    for (let level = 0; level < countChildren(table, side); level++) block(`${side}.${level}`);
  block('mid_block');
  return paths;
}
