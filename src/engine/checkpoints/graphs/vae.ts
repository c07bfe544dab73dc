import type { Value } from '../onnx/graph.ts';
import type { WeightTable } from '../weights.ts';
import { countChildren } from '../weights.ts';
import type { AttentionStyle, BuiltGraph } from './network.ts';
import { NetworkBuilder } from './network.ts';

export interface VaeOptions {
  /** Groups of the norms: 32 in every published model. */
  readonly groups: number;
  readonly attention?: AttentionStyle;
}

/** All norms of the autoencoder use this; the UNet's resnets use 1e-5. */
const EPSILON = 1e-6;

class VaeBuilder extends NetworkBuilder {
  readonly groups: number;

  constructor(name: string, table: WeightTable, options: VaeOptions) {
    super(name, 'autoencoder (VAE)', table, new Map(), options.attention);
    this.groups = options.groups;
  }

  resnet(x: Value, path: string): Value {
    let h = this.conv(this.silu(this.groupNorm(x, `${path}.norm1`, this.groups, EPSILON)), `${path}.conv1`);
    h = this.conv(this.silu(this.groupNorm(h, `${path}.norm2`, this.groups, EPSILON)), `${path}.conv2`);
    const skip = this.has(`${path}.conv_shortcut.weight`) ? this.conv(x, `${path}.conv_shortcut`) : x;
    return this.graph.node('Add', [skip, h]);
  }

  /** Attention over all places with one head. */
  attend(x: Value, path: string): Value {
    const g = this.graph;
    const channels = this.shape(`${path}.group_norm.weight`)[0] ?? 0;
    const batch = this.side(x, 0);
    const flat = g.node('Reshape', [
      this.groupNorm(x, `${path}.group_norm`, this.groups, EPSILON),
      g.integers([0, 0, -1]),
    ]);
    const rows = this.batchToRows(g.node('Transpose', [flat], { perm: [0, 2, 1] }), channels);
    const project = (name: string) => this.rowsToBatch(this.linear(rows, `${path}.${name}`), batch, channels);
    const attended = this.attention(project('to_q'), project('to_k'), project('to_v'), 1, channels);
    const out = this.rowsToBatch(
      this.linear(this.batchToRows(attended, channels), `${path}.to_out.0`),
      batch,
      channels,
    );
    const back = g.node('Reshape', [g.node('Transpose', [out], { perm: [0, 2, 1] }), g.node('Shape', [x])]);
    return g.node('Add', [x, back]);
  }

  middle(x: Value, path: string): Value {
    let h = this.resnet(x, `${path}.resnets.0`);
    if (this.has(`${path}.attentions.0.to_q.weight`)) h = this.attend(h, `${path}.attentions.0`);
    return this.resnet(h, `${path}.resnets.1`);
  }

  last(x: Value, part: string): Value {
    return this.conv(this.silu(this.groupNorm(x, `${part}.conv_norm_out`, this.groups, EPSILON)), `${part}.conv_out`);
  }
}

/**
 * The decoder: `latent` float32 [B, 4, h, w] (already divided by the scaling factor) to `image`
 * float32 [B, 3, 8h, 8w], about -1 to 1, not clamped.
 */
export function buildVaeDecoder(table: WeightTable, options: VaeOptions): BuiltGraph {
  const net = new VaeBuilder('vae_decoder', table, options);
  const g = net.graph;
  const channels = net.shape('decoder.conv_in.weight')[1] ?? 4;
  const latent = g.input({ name: 'latent', type: 'float32', shape: ['batch', channels, 'height', 'width'] });
  let x = net.has('post_quant_conv.weight') ? net.conv(latent, 'post_quant_conv') : latent;
  x = net.middle(net.conv(x, 'decoder.conv_in'), 'decoder.mid_block');
  for (let level = 0; level < countChildren(table, 'decoder.up_blocks'); level++) {
    const path = `decoder.up_blocks.${level}`;
    for (let i = 0; i < countChildren(table, `${path}.resnets`); i++) x = net.resnet(x, `${path}.resnets.${i}`);
    if (!net.has(`${path}.upsamplers.0.conv.weight`)) continue;
    const wide = g.node('Resize', [x, undefined, g.floats([1, 1, 2, 2])], {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    });
    x = net.conv(wide, `${path}.upsamplers.0.conv`);
  }
  g.output(
    { name: 'image', type: 'float32', shape: ['batch', 3, 'image_height', 'image_width'] },
    net.last(x, 'decoder'),
  );
  return { model: g.finish(), folder: net.folder };
}

/**
 * The encoder: `image` float32 [B, 3, H, W] in [-1, 1] to `mean` and `log_variance` float32
 * [B, 4, H/8, W/8]; neither is multiplied by the scaling factor, the second is not clamped.
 */
export function buildVaeEncoder(table: WeightTable, options: VaeOptions): BuiltGraph {
  const net = new VaeBuilder('vae_encoder', table, options);
  const g = net.graph;
  const image = g.input({ name: 'image', type: 'float32', shape: ['batch', 3, 'image_height', 'image_width'] });
  let x = net.conv(image, 'encoder.conv_in');
  for (let level = 0; level < countChildren(table, 'encoder.down_blocks'); level++) {
    const path = `encoder.down_blocks.${level}`;
    for (let i = 0; i < countChildren(table, `${path}.resnets`); i++) x = net.resnet(x, `${path}.resnets.${i}`);
    // Padding only right and below, unlike the UNet's.
    if (net.has(`${path}.downsamplers.0.conv.weight`))
      x = net.conv(x, `${path}.downsamplers.0.conv`, { stride: 2, pads: [0, 0, 1, 1] });
  }
  x = net.last(net.middle(x, 'encoder.mid_block'), 'encoder');
  if (net.has('quant_conv.weight')) x = net.conv(x, 'quant_conv');
  const channels =
    (net.shape(net.has('quant_conv.weight') ? 'quant_conv.weight' : 'encoder.conv_out.weight')[0] ?? 8) / 2;
  const [mean, logVariance] = g.nodes('Split', [x], 2, { axis: 1, num_outputs: 2 });
  for (const [name, value] of [
    ['mean', mean],
    ['log_variance', logVariance],
  ] as const)
    if (value) g.output({ name, type: 'float32', shape: ['batch', channels, 'height', 'width'] }, value);
  return { model: g.finish(), folder: net.folder };
}
