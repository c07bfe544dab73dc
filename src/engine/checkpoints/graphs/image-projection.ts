import { StudioError } from '#shared/errors.ts';
import type { Value } from '../onnx/graph.ts';
import type { WeightTable } from '../weights.ts';
import { countChildren } from '../weights.ts';
import type { BuiltGraph } from './network.ts';
import { NetworkBuilder } from './network.ts';

/**
 * The part of an IP-Adapter that turns an image into tokens beside those of the text.
 *
 * Plain: `embeds` float32 [B, P] to `tokens` float32 [B, n, D]: norm(reshape(proj(embeds))).
 * Plus: `penultimate` float32 [B, S, C] to `tokens` [B, n, D] by a resampler of learned queries.
 * Source: tencent-ailab/IP-Adapter, ip_adapter/ip_adapter.py and resampler.py.
 */
export function buildImageProjection(
  table: WeightTable,
): BuiltGraph & { plus: boolean; tokens: number; width: number } {
  const net = new NetworkBuilder('image_projection', 'IP-Adapter', table);
  return table.has('latents') ? resampler(net, table) : plain(net);
}

function plain(net: NetworkBuilder) {
  const g = net.graph;
  const [total = 0, from = 0] = net.shape('proj.weight');
  const [width = 1] = net.shape('norm.weight');
  const tokens = total / width;
  const embeds = g.input({ name: 'embeds', type: 'float32', shape: ['batch', from] });
  const shaped = g.node('Reshape', [net.linear(embeds, 'proj'), g.integers([-1, tokens, width])]);
  g.output({ name: 'tokens', type: 'float32', shape: ['batch', tokens, width] }, net.layerNorm(shaped, 'norm'));
  return { model: g.finish(), folder: net.folder, plus: false, tokens, width };
}

/** Width of one head in every published resampler. */
const HEAD_WIDTH = 64;

function resampler(net: NetworkBuilder, table: WeightTable) {
  const g = net.graph;
  const [, tokens = 16, inner = 0] = net.shape('latents');
  const from = net.shape('proj_in.weight')[1] ?? 0;
  const width = net.shape('proj_out.weight')[0] ?? 0;
  const states = g.input({ name: 'penultimate', type: 'float32', shape: ['batch', 'places', from] });
  const batch = net.side(states, 0);
  const image = net.rowsToBatch(net.linear(net.batchToRows(states, from), 'proj_in'), batch, inner);
  const one = g.integers([1]);
  let latents = g.node('Expand', [net.weight('latents'), g.node('Concat', [batch, one, one], { axis: 0 })]);
  for (let i = 0; i < countChildren(table, 'layers'); i++) {
    const path = `layers.${i}`;
    const attended = net.shape(`${path}.0.to_q.weight`)[0] ?? 0;
    if (attended % HEAD_WIDTH !== 0)
      throw new StudioError('model', `a resampler of the width ${attended} is not known here`);
    const seen = net.layerNorm(image, `${path}.0.norm1`);
    const asked = net.layerNorm(latents, `${path}.0.norm2`);
    const rows = (v: Value) => net.batchToRows(v, inner);
    const q = net.rowsToBatch(net.linear(rows(asked), `${path}.0.to_q`), batch, attended);
    // Keys and values of the image and of the queries themselves, one matrix for both.
    const both = net.linear(rows(g.node('Concat', [seen, asked], { axis: 1 })), `${path}.0.to_kv`);
    const [k, v] = g.nodes('Split', [both], 2, { axis: 1, num_outputs: 2 });
    const read = net.attention(
      q,
      net.rowsToBatch(k as Value, batch, attended),
      net.rowsToBatch(v as Value, batch, attended),
      attended / HEAD_WIDTH,
      attended,
    );
    const out = net.linear(net.batchToRows(read, attended), `${path}.0.to_out`);
    latents = g.node('Add', [latents, net.rowsToBatch(out, batch, inner)]);
    const hidden = net.gelu(net.linear(net.layerNorm(rows(latents), `${path}.1.0`), `${path}.1.1`));
    latents = g.node('Add', [latents, net.rowsToBatch(net.linear(hidden, `${path}.1.3`), batch, inner)]);
  }
  const projected = net.rowsToBatch(net.linear(net.batchToRows(latents, inner), 'proj_out'), batch, width);
  g.output({ name: 'tokens', type: 'float32', shape: ['batch', tokens, width] }, net.layerNorm(projected, 'norm_out'));
  return { model: g.finish(), folder: net.folder, plus: true, tokens, width };
}
