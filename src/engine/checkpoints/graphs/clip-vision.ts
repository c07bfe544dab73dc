import type { Value } from '../onnx/graph.ts';
import type { WeightTable } from '../weights.ts';
import { countChildren } from '../weights.ts';
import type { AttentionStyle, BuiltGraph } from './network.ts';
import { NetworkBuilder } from './network.ts';

export interface ClipVisionOptions {
  readonly heads: number;
  readonly activation: 'quick_gelu' | 'gelu';
  readonly attention?: AttentionStyle;
}

/**
 * A CLIP image encoder in transformers' names. Input: `pixels` float32 [B, 3, S, S], normalised with
 * CLIP's mean and deviation. Outputs: `embeds` float32 [B, P] (projected class token) and `penultimate`
 * float32 [B, 1 + (S / patch)^2, C] (hidden states before the last layer, what IP-Adapter plus reads).
 */
export function buildClipVision(table: WeightTable, options: ClipVisionOptions): BuiltGraph & { side: number } {
  const net = new NetworkBuilder('clip_vision', 'image encoder', table, new Map(), options.attention);
  const g = net.graph;
  const [width = 0, , patch = 14] = net.shape('embeddings.patch_embedding.weight');
  const [places = 0] = net.shape('embeddings.position_embedding.weight');
  const side = Math.round(Math.sqrt(places - 1)) * patch;
  const pixels = g.input({ name: 'pixels', type: 'float32', shape: ['batch', 3, side, side] });
  const batch = net.side(pixels, 0);
  const patches = g.node('Conv', [pixels, net.weight('embeddings.patch_embedding.weight')], {
    kernel_shape: [patch, patch],
    strides: [patch, patch],
  });
  const flat = g.node('Transpose', [g.node('Reshape', [patches, g.integers([0, 0, -1])])], { perm: [0, 2, 1] });
  const one = g.integers([1]);
  const first = g.node('Expand', [
    net.weight('embeddings.class_embedding', [1, 1, width]),
    g.node('Concat', [batch, one, one], { axis: 0 }),
  ]);
  const embedded = g.node('Concat', [first, flat], { axis: 1 });
  const placed = g.node('Add', [embedded, net.weight('embeddings.position_embedding.weight')]);
  let x = net.layerNorm(net.batchToRows(placed, width), 'pre_layrnorm');
  let penultimate = x;
  const activate = (v: Value) => (options.activation === 'gelu' ? net.gelu(v) : net.quickGelu(v));
  const layers = countChildren(table, 'encoder.layers');
  for (let i = 0; i < layers; i++) {
    penultimate = x;
    const path = `encoder.layers.${i}`;
    const normed = net.layerNorm(x, `${path}.layer_norm1`);
    const project = (name: string) => net.rowsToBatch(net.linear(normed, `${path}.self_attn.${name}`), batch, width);
    const attended = net.attention(project('q_proj'), project('k_proj'), project('v_proj'), options.heads, width);
    x = g.node('Add', [x, net.linear(net.batchToRows(attended, width), `${path}.self_attn.out_proj`)]);
    const inner = activate(net.linear(net.layerNorm(x, `${path}.layer_norm2`), `${path}.mlp.fc1`));
    x = g.node('Add', [x, net.linear(inner, `${path}.mlp.fc2`)]);
  }
  const classToken = g.node('Gather', [net.rowsToBatch(x, batch, width), g.integers([0], [])], { axis: 1 });
  const embeds = net.linear(net.layerNorm(classToken, 'post_layernorm'), 'visual_projection');
  g.output(
    { name: 'embeds', type: 'float32', shape: ['batch', net.shape('visual_projection.weight')[0] ?? width] },
    embeds,
  );
  g.output(
    { name: 'penultimate', type: 'float32', shape: ['batch', places, width] },
    net.rowsToBatch(penultimate, batch, width),
  );
  return { model: g.finish(), folder: net.folder, side };
}
