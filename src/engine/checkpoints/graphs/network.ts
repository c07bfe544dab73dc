import { basename, dirname } from 'node:path';
import { StudioError } from '#shared/errors.ts';
import type { ElementType, Value } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph.ts';
import type { SafetensorsType } from '../safetensors.ts';
import type { Weight, WeightTable } from '../weights.ts';
import { needWeight } from '../weights.ts';

/** How a layer looks at its input: none for a linear one. */
export interface ConvGeometry {
  readonly stride: number;
  readonly pads: readonly number[];
}

/**
 * A change to one layer. A low-rank one (LoRA) runs beside the layer, which costs next to nothing and
 * leaves the weight in its file; others (LyCORIS) are added to the weight.
 */
export type WeightChange =
  | {
      readonly kind: 'branch';
      /** Writes the output to be added; x is rows for a linear layer, a picture for a convolution. */
      build(graph: GraphBuilder, name: string, x: Value, geometry: ConvGeometry | null): Value;
    }
  | {
      readonly kind: 'delta';
      /** Writes the change with the shape that is asked for. */
      build(graph: GraphBuilder, name: string, shape: readonly number[]): Value;
    };

/** Attention as one node of ONNX Runtime, or from matrix products and a softmax. */
export type AttentionStyle = 'fused' | 'parts';

/** Changes by the canonical name of the weight (`...to_q.weight`). */
export type WeightChanges = ReadonlyMap<string, readonly WeightChange[]>;

const TYPES: Partial<Record<SafetensorsType, ElementType>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  F8_E4M3: 'float8e4m3fn',
  F8_E5M2: 'float8e5m2',
};

/** Attention scores of places that must not be read: exp() of it is exactly 0 in float32. */
export const UNREADABLE = -1e9;

/**
 * Layers of one network written into a graph, their weights pointing into the checkpoint.
 * Weights in half precision stand behind a Cast, which ONNX Runtime folds when it makes the
 * session (or keeps, in the mode that saves memory): the network computes in float32.
 */
export class NetworkBuilder {
  readonly graph: GraphBuilder;
  readonly #table: WeightTable;
  readonly #part: string;
  readonly #changes: WeightChanges;
  readonly #folder: string;
  readonly #attention: AttentionStyle;
  readonly #cache = new Map<string, Value>();

  constructor(
    name: string,
    part: string,
    table: WeightTable,
    changes: WeightChanges = new Map(),
    attention: AttentionStyle = 'fused',
  ) {
    this.#attention = attention;
    this.graph = new GraphBuilder(name);
    this.#table = table;
    this.#part = part;
    this.#changes = changes;
    const [first] = table.values();
    if (!first) throw new StudioError('model', `this checkpoint holds no ${part}`);
    this.#folder = dirname(first.file.path);
  }

  /** The folder that a session over this graph must be told. */
  get folder(): string {
    return this.#folder;
  }

  has(name: string): boolean {
    return this.#table.has(name);
  }

  shape(name: string): readonly number[] {
    return needWeight(this.#table, name, this.#part).shape;
  }

  /** The weight as stored, without the Cast: for a Gather, which would otherwise copy a whole table. */
  stored(name: string, shape?: readonly number[]): { value: Value; type: ElementType } {
    const weight = needWeight(this.#table, name, this.#part);
    const type = TYPES[weight.type];
    if (!type) throw new StudioError('model', `"${weight.stored}" has the type ${weight.type}, which no layer can use`);
    const key = `stored ${name} ${shape?.join() ?? ''}`;
    let value = this.#cache.get(key);
    if (!value) {
      value = this.#external(shape ? `${name}@${shape.join('x')}` : name, weight, type, shape);
      this.#cache.set(key, value);
    }
    return { value, type };
  }

  #external(name: string, weight: Weight, type: ElementType, shape: readonly number[] = weight.shape): Value {
    if (dirname(weight.file.path) !== this.#folder)
      throw new StudioError(
        'model',
        `the files of one network must lie in one folder (${basename(weight.file.path)} does not)`,
      );
    const count = (sides: readonly number[]) => sides.reduce((product, side) => product * side, 1);
    if (count(shape) !== count(weight.shape))
      throw new StudioError(
        'model',
        `"${weight.stored}" has the shape [${weight.shape.join(', ')}], not [${shape.join(', ')}]`,
      );
    return this.graph.external(name, type, shape, {
      location: basename(weight.file.path),
      offset: weight.offset,
      bytes: weight.bytes,
    });
  }

  /**
   * A weight in float32 with its changes applied.
   *
   * @param shape another shape for the same bytes ([C, C, 1, 1] as [C, C], [C] as [C, 1, 1])
   */
  weight(name: string, shape?: readonly number[]): Value {
    const key = `weight ${name} ${shape?.join() ?? ''}`;
    const known = this.#cache.get(key);
    if (known) return known;
    const { value: stored, type } = this.stored(name, shape);
    let value = type === 'float32' ? stored : this.graph.node('Cast', [stored], { to: 1 });
    for (const [i, change] of (this.#changes.get(name) ?? []).entries())
      if (change.kind === 'delta')
        value = this.graph.node('Add', [value, change.build(this.graph, `${name}+${i}`, shape ?? this.shape(name))]);
    this.#cache.set(key, value);
    return value;
  }

  /** y = x Wᵀ + b on rows: x [rows, in] to [rows, out]. A 1 x 1 convolution serves as a matrix too. */
  linear(x: Value, path: string): Value {
    const weight = needWeight(this.#table, `${path}.weight`, this.#part);
    const [a = 0, b = 1, ...kernel] = weight.shape;
    if (kernel.some((side) => side !== 1)) throw new StudioError('model', `"${weight.stored}" is not a matrix`);
    const matrix = this.weight(`${path}.weight`, kernel.length > 0 ? [a, b] : undefined);
    const bias = this.has(`${path}.bias`) ? this.weight(`${path}.bias`) : undefined;
    const y = this.graph.node('Gemm', bias ? [x, matrix, bias] : [x, matrix], { transB: weight.transposed ? 0 : 1 });
    return this.#branches(y, x, path, null);
  }

  conv(x: Value, path: string, options: { stride?: number; pads?: readonly number[] } = {}): Value {
    const [, , kh = 1, kw = 1] = this.shape(`${path}.weight`);
    const half = [kh >> 1, kw >> 1, kh >> 1, kw >> 1];
    const bias = this.has(`${path}.bias`) ? this.weight(`${path}.bias`) : undefined;
    const geometry = { stride: options.stride ?? 1, pads: options.pads ?? half };
    const weight = this.weight(`${path}.weight`);
    const y = this.graph.node('Conv', bias ? [x, weight, bias] : [x, weight], {
      kernel_shape: [kh, kw],
      strides: [geometry.stride, geometry.stride],
      pads: geometry.pads,
    });
    return this.#branches(y, x, path, geometry);
  }

  #branches(y: Value, x: Value, path: string, geometry: ConvGeometry | null): Value {
    let sum = y;
    for (const [i, change] of (this.#changes.get(`${path}.weight`) ?? []).entries())
      if (change.kind === 'branch')
        sum = this.graph.node('Add', [sum, change.build(this.graph, `${path}+${i}`, x, geometry)]);
    return sum;
  }

  silu(x: Value): Value {
    return this.graph.node('Mul', [x, this.graph.node('Sigmoid', [x])]);
  }

  gelu(x: Value): Value {
    return this.graph.node('Gelu', [x]);
  }

  /** x * sigmoid(1.702 x): the activation of OpenAI's CLIP. */
  quickGelu(x: Value): Value {
    const inner = this.graph.node('Mul', [x, this.graph.floats([1.702], [])]);
    return this.graph.node('Mul', [x, this.graph.node('Sigmoid', [inner])]);
  }

  layerNorm(x: Value, path: string, epsilon = 1e-5): Value {
    return this.graph.node('LayerNormalization', [x, this.weight(`${path}.weight`), this.weight(`${path}.bias`)], {
      axis: -1,
      epsilon: { float: epsilon },
    });
  }

  /** Group norm on [B, C, h, w]. ONNX Runtime has no kernel for it on a CPU; an instance norm over the groups is one. */
  groupNorm(x: Value, path: string, groups: number, epsilon: number): Value {
    const g = this.graph;
    const [channels = 0] = this.shape(`${path}.weight`);
    if (channels % groups !== 0)
      throw new StudioError('model', `${channels} channels at "${path}" cannot be split into ${groups} groups`, {
        remedy: 'put the configuration folder of the model beside it (NAME.config/unet/config.json)',
      });
    const grouped = g.node('Reshape', [x, g.integers([0, groups, -1])]);
    const one = g.floats(new Float32Array(groups).fill(1));
    const zero = g.floats(new Float32Array(groups));
    const normed = g.node('InstanceNormalization', [grouped, one, zero], { epsilon: { float: epsilon } });
    const back = g.node('Reshape', [normed, g.node('Shape', [x])]);
    const scaled = g.node('Mul', [back, this.weight(`${path}.weight`, [channels, 1, 1])]);
    return g.node('Add', [scaled, this.weight(`${path}.bias`, [channels, 1, 1])]);
  }

  /**
   * Multi-head attention on q [B, S, C], k and v [B, T, C]; with a bias of [B or 1, 1, S, T] added to the scores.
   * ONNX Runtime's fused node: on a CPU it never writes the scores down where there is no bias. Devices that
   * compute it wrongly get it from its parts.
   */
  attention(q: Value, k: Value, v: Value, heads: number, width: number, bias?: Value): Value {
    if (this.#attention === 'parts') return this.#attentionParts(q, k, v, heads, width, bias);
    const inputs = bias ? [q, k, v, undefined, undefined, bias] : [q, k, v];
    return this.graph.node('MultiHeadAttention', inputs, { num_heads: heads }, { contrib: true });
  }

  #attentionParts(q: Value, k: Value, v: Value, heads: number, width: number, bias?: Value): Value {
    const g = this.graph;
    const split = g.integers([0, 0, heads, width / heads]);
    const byHead = (x: Value, perm: readonly number[]) =>
      g.node('Transpose', [g.node('Reshape', [x, split])], { perm });
    const scale = g.floats([Math.sqrt(heads / width)], []);
    const scores = g.node('MatMul', [g.node('Mul', [byHead(q, [0, 2, 1, 3]), scale]), byHead(k, [0, 2, 3, 1])]);
    const weights = g.node('Softmax', [bias ? g.node('Add', [scores, bias]) : scores], { axis: -1 });
    const read = g.node('MatMul', [weights, byHead(v, [0, 2, 1, 3])]);
    return g.node('Reshape', [g.node('Transpose', [read], { perm: [0, 2, 1, 3] }), g.integers([0, 0, width])]);
  }

  /** One side of a value's shape as an int64 [1]. */
  side(x: Value, axis: number): Value {
    return this.graph.node('Shape', [x], { start: axis, end: axis + 1 });
  }

  /** Rows [B * S, C] as [B, S, C], `batch` an int64 [1]. */
  rowsToBatch(x: Value, batch: Value, channels: number): Value {
    const shape = this.graph.node('Concat', [batch, this.graph.integers([-1, channels])], { axis: 0 });
    return this.graph.node('Reshape', [x, shape]);
  }

  /** [B, S, C] as rows [B * S, C]. */
  batchToRows(x: Value, channels: number): Value {
    return this.graph.node('Reshape', [x, this.graph.integers([-1, channels])]);
  }
}

/** What a builder hands to the session opener. */
export interface BuiltGraph {
  readonly model: Uint8Array;
  /** Where the external data lie. */
  readonly folder: string;
}
