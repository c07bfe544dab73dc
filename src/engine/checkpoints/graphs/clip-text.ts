import type { Value } from '../onnx/graph.ts';
import { ElementType } from '../onnx/graph.ts';
import type { WeightTable } from '../weights.ts';
import { countChildren } from '../weights.ts';
import type { BuiltGraph, WeightChanges } from './network.ts';
import { NetworkBuilder, UNREADABLE } from './network.ts';

export interface ClipTextOptions {
  readonly heads: number;
  readonly activation: 'quick_gelu' | 'gelu';
  /** Layers to run; the others of the file stay idle (SD 2 keeps 24 and uses 23). */
  readonly layers: number;
  /** Which state feeds the denoiser: 1 the last one, 2 the one before ("clip skip 2"), and so on. */
  readonly skip: number;
  /** Whether that state passes the final norm (SD 1 and 2 yes, SDXL no). */
  readonly normed: boolean;
  readonly changes?: WeightChanges;
}

/**
 * A CLIP text encoder without weights.
 *
 * Inputs: `input_ids` int64 [B, 77] (ids from 49408 on are rows of `extra_embeddings`, the vectors of
 * textual inversion), `extra_embeddings` float32 [N >= 1, C], `end_index` int64 [B] (place of the first
 * end token). Outputs: `hidden` float32 [B, 77, C], `pooled` float32 [B, C] (the normed last state at
 * the end token; projected where the model has a projection).
 */
export function buildClipText(table: WeightTable, options: ClipTextOptions): BuiltGraph {
  const net = new NetworkBuilder('clip_text', 'text encoder', table, options.changes);
  const g = net.graph;
  const [vocabulary = 0, width = 0] = net.shape('embeddings.token_embedding.weight');
  const [positions = 77] = net.shape('embeddings.position_embedding.weight');
  const ids = g.input({ name: 'input_ids', type: 'int64', shape: ['batch', positions] });
  const extra = g.input({ name: 'extra_embeddings', type: 'float32', shape: ['extra', width] });
  const end = g.input({ name: 'end_index', type: 'int64', shape: ['batch'] });
  const batch = net.side(ids, 0);

  // Gather before the Cast: the other way round ONNX Runtime would keep a float32 copy of the table.
  const { value: tokens, type } = net.stored('embeddings.token_embedding.weight');
  const limit = g.integers([vocabulary], []);
  const isExtra = g.node('GreaterOrEqual', [ids, limit]);
  const zero = g.integers([0], []);
  const known = g.node('Gather', [tokens, g.node('Where', [isExtra, zero, ids])]);
  const own = type === 'float32' ? known : g.node('Cast', [known], { to: ElementType.float32 });
  const added = g.node('Gather', [extra, g.node('Where', [isExtra, g.node('Sub', [ids, limit]), zero])]);
  const embedded = g.node('Where', [g.node('Unsqueeze', [isExtra, g.integers([2])]), added, own]);
  const placed = g.node('Add', [embedded, net.weight('embeddings.position_embedding.weight')]);
  let x = net.batchToRows(placed, width);

  const causal = new Float32Array(positions * positions);
  for (let i = 0; i < positions; i++) for (let j = i + 1; j < positions; j++) causal[i * positions + j] = UNREADABLE;
  const mask = g.floats(causal, [1, 1, positions, positions]);
  const activate = (v: Value) => (options.activation === 'gelu' ? net.gelu(v) : net.quickGelu(v));

  let hidden = x;
  for (let i = 0; i < options.layers; i++) {
    if (options.layers - i === options.skip - 1) hidden = x;
    const path = `encoder.layers.${i}`;
    const normed = net.layerNorm(x, `${path}.layer_norm1`);
    const project = (name: string) => net.rowsToBatch(net.linear(normed, `${path}.self_attn.${name}`), batch, width);
    const attended = net.attention(project('q_proj'), project('k_proj'), project('v_proj'), options.heads, width, mask);
    x = g.node('Add', [x, net.linear(net.batchToRows(attended, width), `${path}.self_attn.out_proj`)]);
    const inner = activate(net.linear(net.layerNorm(x, `${path}.layer_norm2`), `${path}.mlp.fc1`));
    x = g.node('Add', [x, net.linear(inner, `${path}.mlp.fc2`)]);
  }
  if (options.skip === 1) hidden = x;
  const last = net.layerNorm(x, 'final_layer_norm');
  if (options.normed) hidden = options.skip === 1 ? last : net.layerNorm(hidden, 'final_layer_norm');
  g.output(
    { name: 'hidden', type: 'float32', shape: ['batch', positions, width] },
    net.rowsToBatch(hidden, batch, width),
  );

  const states = net.rowsToBatch(last, batch, width);
  const atEnd = g.node('GatherND', [states, g.node('Unsqueeze', [end, g.integers([1])])], { batch_dims: 1 });
  const pooled = net.has('text_projection.weight') ? net.linear(atEnd, 'text_projection') : atEnd;
  const pooledWidth = net.has('text_projection.weight') ? (net.shape('text_projection.weight')[0] ?? width) : width;
  g.output({ name: 'pooled', type: 'float32', shape: ['batch', pooledWidth] }, pooled);
  return { model: g.finish(), folder: net.folder };
}

/** Layers that a text encoder's weights hold. */
export function clipTextLayers(table: WeightTable): number {
  return countChildren(table, 'encoder.layers');
}
