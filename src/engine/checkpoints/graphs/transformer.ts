import { StudioError } from '#shared/errors.ts';
import type { Value } from '../onnx/graph.ts';
import type { WeightTable } from '../weights.ts';
import { countChildren } from '../weights.ts';
import { NetworkBuilder, UNREADABLE } from './network.ts';
import type { AttentionLevel, UnetOptions } from './unet-options.ts';

/** The transformers inside a UNet, with their regional inputs. */
export class TransformerBuilder extends NetworkBuilder {
  readonly groups: number;
  readonly #options: UnetOptions;
  readonly #biases = new Map<number, Value>();
  readonly #ipScales = new Map<number, Value>();
  readonly #isolation = new Map<number, Value>();
  #batch: Value | undefined;
  #contextRows: Value | undefined;
  #ipRows: Value | undefined;
  #ipImages: Value | undefined;
  #block = 0;

  constructor(name: string, table: WeightTable, options: UnetOptions) {
    super(name, 'denoiser (UNet)', table, options.changes, options.attention);
    this.groups = options.groups;
    this.#options = options;
    this.#table = table;
  }

  readonly #table: WeightTable;

  /** Declares the inputs that the attention layers read. */
  declareContext(sample: Value, levels: readonly AttentionLevel[]): void {
    const g = this.graph;
    const first = [...this.#table.keys()].find((name) => name.endsWith('attn2.to_k.weight'));
    if (!first) throw new StudioError('model', 'this UNet reads no text');
    const width = this.shape(first)[1] ?? 0;
    this.#batch = this.side(sample, 0);
    const context = g.input({ name: 'context', type: 'float32', shape: ['batch', 'tokens', width] });
    this.#contextRows = this.batchToRows(context, width);
    for (const level of levels) {
      const places = `places_${level.level}`;
      this.#biases.set(
        level.level,
        g.input({ name: level.bias, type: 'float32', shape: ['batch', 1, places, 'tokens'] }),
      );
      if (this.#options.isolation) {
        const labels = g.input({ name: level.labels, type: 'float32', shape: ['batch', places] });
        this.#isolation.set(level.level, this.#isolationBias(labels, this.#options.isolation.mode));
      }
      if (this.#options.ipAdapter)
        this.#ipScales.set(
          level.level,
          g.input({ name: level.ipScale, type: 'float32', shape: ['batch', 'images', places] }),
        );
    }
    if (this.#options.ipAdapter) {
      const tokens = g.input({
        name: 'ip_tokens',
        type: 'float32',
        shape: ['batch', 'images', this.#options.ipAdapter.tokens, width],
      });
      this.#ipImages = this.side(tokens, 1);
      this.#ipRows = this.batchToRows(tokens, width);
    }
  }

  /** Labels [B, S] to a bias [B, 1, S, S]: made in the graph, since it is the square of what is fed. */
  #isolationBias(labels: Value, mode: 'strict' | 'segments'): Value {
    const g = this.graph;
    const rows = g.node('Unsqueeze', [labels, g.integers([1, 3])]);
    const columns = g.node('Unsqueeze', [labels, g.integers([1, 2])]);
    let readable = g.node('Equal', [rows, columns]);
    if (mode === 'segments') {
      const outside = g.floats([0], []);
      for (const side of [rows, columns]) readable = g.node('Or', [readable, g.node('Equal', [side, outside])]);
    }
    return g.node('Where', [readable, g.floats([0], []), g.floats([UNREADABLE], [])]);
  }

  /** A transformer on [B, C, h, w]. */
  transformer(x: Value, path: string, level: number): Value {
    const g = this.graph;
    const batch = this.#batch as Value;
    const outer = this.shape(`${path}.norm.weight`)[0] ?? 0;
    const inner = this.shape(`${path}.proj_in.weight`)[0] ?? 0;
    const flat = g.node('Reshape', [this.groupNorm(x, `${path}.norm`, this.groups, 1e-6), g.integers([0, 0, -1])]);
    let rows = this.linear(
      this.batchToRows(g.node('Transpose', [flat], { perm: [0, 2, 1] }), outer),
      `${path}.proj_in`,
    );
    const blocks = countChildren(this.#table, `${path}.transformer_blocks`);
    for (let i = 0; i < blocks; i++)
      rows = this.#transformerBlock(rows, `${path}.transformer_blocks.${i}`, level, inner);
    const out = this.rowsToBatch(this.linear(rows, `${path}.proj_out`), batch, outer);
    const back = g.node('Reshape', [g.node('Transpose', [out], { perm: [0, 2, 1] }), g.node('Shape', [x])]);
    return g.node('Add', [x, back]);
  }

  #transformerBlock(x: Value, path: string, level: number, width: number): Value {
    const g = this.graph;
    const number = this.#block++;
    const shield = this.#options.isolation;
    const isolated = shield && number >= shield.from && number <= shield.to ? this.#isolation.get(level) : undefined;
    const own = this.layerNorm(x, `${path}.norm1`);
    let rows = g.node('Add', [x, this.#attend(own, own, `${path}.attn1`, level, width, isolated)]);
    const asked = this.layerNorm(rows, `${path}.norm2`);
    const read = this.#attend(
      asked,
      this.#contextRows as Value,
      `${path}.attn2`,
      level,
      width,
      this.#biases.get(level),
    );
    rows = g.node('Add', [rows, read]);
    const wide = this.linear(this.layerNorm(rows, `${path}.norm3`), `${path}.ff.net.0.proj`);
    const [value, gate] = g.nodes('Split', [wide], 2, { axis: 1, num_outputs: 2 });
    const gated = g.node('Mul', [value as Value, this.gelu(gate as Value)]);
    return g.node('Add', [rows, this.linear(gated, `${path}.ff.net.2`)]);
  }

  #attend(from: Value, to: Value, path: string, level: number, width: number, bias?: Value): Value {
    const g = this.graph;
    const batch = this.#batch as Value;
    const heads = this.#options.heads[level] ?? 1;
    if (width % heads !== 0)
      throw new StudioError('model', `${width} channels at "${path}" cannot be split among ${heads} heads`, {
        remedy: 'put the configuration folder of the model beside it (NAME.config/unet/config.json)',
      });
    const q = this.rowsToBatch(this.linear(from, `${path}.to_q`), batch, width);
    const k = this.rowsToBatch(this.linear(to, `${path}.to_k`), batch, width);
    const v = this.rowsToBatch(this.linear(to, `${path}.to_v`), batch, width);
    let out = this.attention(q, k, v, heads, width, bias);
    const scale = this.#ipScales.get(level);
    if (path.endsWith('.attn2') && scale && this.#options.ipAdapter)
      out = g.node('Add', [out, this.#attendImages(q, path, heads, width, scale)]);
    return this.linear(this.batchToRows(out, width), `${path}.to_out.0`);
  }

  /** sum over images of scale * attention(q, tokens of the image), each image with a softmax of its own. */
  #attendImages(q: Value, path: string, heads: number, width: number, scale: Value): Value {
    const g = this.graph;
    const adapter = this.#options.ipAdapter;
    if (!adapter) throw new StudioError('internal', 'no IP-Adapter');
    const images = this.#ipImages as Value;
    const count = g.node('Mul', [this.#batch as Value, images]);
    const project = (part: 'k' | 'v') => {
      const rows = g.node('Gemm', [this.#ipRows as Value, adapter.projection(g, path, part)], { transB: 1 });
      const shape = g.node('Concat', [count, g.integers([adapter.tokens, width])], { axis: 0 });
      return g.node('Reshape', [rows, shape]);
    };
    // Every image of a row asks with the row's own queries: [B, S, C] -> [B * I, S, C].
    const one = g.integers([1]);
    const repeats = g.node('Concat', [one, images, one, one], { axis: 0 });
    const repeated = g.node('Tile', [g.node('Unsqueeze', [q, one]), repeats]);
    const asked = this.rowsToBatch(repeated, count, width);
    const read = this.attention(asked, project('k'), project('v'), heads, width);
    const shape = g.node('Concat', [this.#batch as Value, images, g.integers([-1, width])], { axis: 0 });
    const weighted = g.node('Mul', [g.node('Reshape', [read, shape]), g.node('Unsqueeze', [scale, g.integers([3])])]);
    return g.node('ReduceSum', [weighted, one], { keepdims: 0 });
  }
}
