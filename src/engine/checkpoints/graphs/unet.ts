import { StudioError } from '#shared/errors.ts';
import type { Value } from '../onnx/graph.ts';
import type { WeightTable } from '../weights.ts';
import { countChildren } from '../weights.ts';
import type { BuiltGraph } from './network.ts';
import { TransformerBuilder } from './transformer.ts';
import type { UnetOptions } from './unet-options.ts';
import { attentionLevels } from './unet-options.ts';

const RESNET_EPSILON = 1e-5;

class UnetBuilder extends TransformerBuilder {
  embedding: Value | undefined;

  /** emb = linear_2(silu(linear_1(x))). */
  embed(x: Value, path: string): Value {
    return this.linear(this.silu(this.linear(x, `${path}.linear_1`)), `${path}.linear_2`);
  }

  /** Cosines, then sines, of x times falling frequencies: x [N] to [N, width]. */
  sinusoid(x: Value, width: number): Value {
    const g = this.graph;
    const half = width / 2;
    const frequencies = Float32Array.from({ length: half }, (_, i) => Math.exp((-Math.log(10000) * i) / half));
    const angles = g.node('Mul', [g.node('Unsqueeze', [x, g.integers([1])]), g.floats(frequencies, [1, half])]);
    return g.node('Concat', [g.node('Cos', [angles]), g.node('Sin', [angles])], { axis: 1 });
  }

  resnet(x: Value, path: string): Value {
    const g = this.graph;
    let h = this.conv(this.silu(this.groupNorm(x, `${path}.norm1`, this.groups, RESNET_EPSILON)), `${path}.conv1`);
    const time = this.linear(this.silu(this.embedding as Value), `${path}.time_emb_proj`);
    h = g.node('Add', [h, g.node('Unsqueeze', [time, g.integers([2, 3])])]);
    h = this.conv(this.silu(this.groupNorm(h, `${path}.norm2`, this.groups, RESNET_EPSILON)), `${path}.conv2`);
    const skip = this.has(`${path}.conv_shortcut.weight`) ? this.conv(x, `${path}.conv_shortcut`) : x;
    return g.node('Add', [skip, h]);
  }

  /** Nearest neighbour to the size of `like`, so that odd sizes come back as they went down. */
  upsample(x: Value, like: Value, path: string): Value {
    const g = this.graph;
    const sizes = g.node(
      'Concat',
      [g.node('Shape', [x], { start: 0, end: 2 }), g.node('Shape', [like], { start: 2, end: 4 })],
      { axis: 0 },
    );
    const wide = g.node('Resize', [x, undefined, undefined, sizes], {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    });
    return this.conv(wide, path);
  }
}

/**
 * A UNet of Stable Diffusion without weights, regional by construction.
 *
 * Inputs: `sample` float32 [B, C, h, w] (C 4, or 9 for inpainting), `timestep` float32 [1],
 * `context` float32 [B, T, D] (the tokens of all texts of a row, side by side), and for each
 * attention level `cross_bias_L` float32 [B, 1, h_L w_L, T], added to the scores (0 where a place
 * reads a token, UNREADABLE elsewhere; all 0 is the plain network).
 * SDXL: `text_embeds` [B, P], `time_ids` [B, 6]. LCM: `timestep_cond` [B, N]. Leak shield: `labels_L` float32
 * [B, h_L w_L]. IP-Adapter: `ip_tokens` [B, I, n, D], `ip_scale_L` [B, I, h_L w_L].
 * Output: `prediction` float32 [B, 4, h, w].
 */
export function buildUnet(table: WeightTable, options: UnetOptions): BuiltGraph {
  const levels = countChildren(table, 'down_blocks');
  if (options.heads.length !== levels)
    throw new StudioError(
      'model',
      `the UNet has ${levels} levels, its configuration describes ${options.heads.length}`,
    );
  const net = new UnetBuilder('unet', table, options);
  const g = net.graph;
  const [firstWidth = 0, inputs = 4] = net.shape('conv_in.weight');
  const sample = g.input({ name: 'sample', type: 'float32', shape: ['batch', inputs, 'height', 'width'] });
  const timestep = g.input({ name: 'timestep', type: 'float32', shape: [1] });
  net.declareContext(sample, attentionLevels(table));

  let sinusoid = net.sinusoid(timestep, firstWidth);
  if (net.has('time_embedding.cond_proj.weight')) {
    const width = net.shape('time_embedding.cond_proj.weight')[1] ?? 0;
    const condition = g.input({ name: 'timestep_cond', type: 'float32', shape: ['batch', width] });
    sinusoid = g.node('Add', [sinusoid, net.linear(condition, 'time_embedding.cond_proj')]);
  }
  let embedding = net.embed(sinusoid, 'time_embedding');
  if (net.has('add_embedding.linear_1.weight')) {
    const total = net.shape('add_embedding.linear_1.weight')[1] ?? 0;
    const each = options.timeIdWidth ?? 256;
    const text = g.input({ name: 'text_embeds', type: 'float32', shape: ['batch', total - 6 * each] });
    const ids = g.input({ name: 'time_ids', type: 'float32', shape: ['batch', 6] });
    const sizes = net.sinusoid(g.node('Reshape', [ids, g.integers([-1])]), each);
    const joined = g.node('Concat', [text, g.node('Reshape', [sizes, g.integers([-1, 6 * each])])], { axis: 1 });
    embedding = g.node('Add', [embedding, net.embed(joined, 'add_embedding')]);
  }
  net.embedding = embedding;

  const block = (x: Value, path: string, i: number, level: number): Value => {
    const h = net.resnet(x, `${path}.resnets.${i}`);
    return net.has(`${path}.attentions.${i}.norm.weight`) ? net.transformer(h, `${path}.attentions.${i}`, level) : h;
  };
  let x = net.conv(sample, 'conv_in');
  const skips: Value[] = [x];
  for (let level = 0; level < levels; level++) {
    const path = `down_blocks.${level}`;
    for (let i = 0; i < countChildren(table, `${path}.resnets`); i++) {
      x = block(x, path, i, level);
      skips.push(x);
    }
    if (net.has(`${path}.downsamplers.0.conv.weight`)) {
      x = net.conv(x, `${path}.downsamplers.0.conv`, { stride: 2 });
      skips.push(x);
    }
  }
  x = block(x, 'mid_block', 0, levels - 1);
  x = net.resnet(x, 'mid_block.resnets.1');
  for (let up = 0; up < levels; up++) {
    const path = `up_blocks.${up}`;
    for (let i = 0; i < countChildren(table, `${path}.resnets`); i++) {
      const skip = skips.pop();
      if (!skip) throw new StudioError('model', 'the UNet has more layers on its way up than down');
      x = block(g.node('Concat', [x, skip], { axis: 1 }), path, i, levels - 1 - up);
    }
    const like = skips.at(-1);
    if (net.has(`${path}.upsamplers.0.conv.weight`) && like) x = net.upsample(x, like, `${path}.upsamplers.0.conv`);
  }
  x = net.conv(net.silu(net.groupNorm(x, 'conv_norm_out', options.groups, RESNET_EPSILON)), 'conv_out');
  g.output(
    { name: 'prediction', type: 'float32', shape: ['batch', net.shape('conv_out.weight')[0] ?? 4, 'height', 'width'] },
    x,
  );
  return { model: g.finish(), folder: net.folder };
}
