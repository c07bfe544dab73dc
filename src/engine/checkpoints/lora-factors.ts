import { basename } from 'node:path';
import { StudioError } from '#shared/errors.ts';
import type { GraphBuilder, Value } from './onnx/graph.ts';
import type { SafetensorsFile } from './safetensors.ts';
import { readFloats } from './weights.ts';

/** What a module of a LoRA file does, before the scale. */
export type LoraFactor =
  | {
      readonly kind: 'branch';
      readonly rank: number;
      readonly matrices: readonly { readonly stored: string; readonly dims: readonly number[] }[];
    }
  | {
      readonly kind: 'delta';
      readonly rank: number | null;
      build(graph: GraphBuilder, name: string, shape: readonly number[]): Value;
    };

interface Matrix {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** Product of the sides from the second on: a convolution as a matrix. */
const wide = (shape: readonly number[]) => shape.slice(1).reduce((product, side) => product * side, 1);

/**
 * Reads one module's factors and checks them against the layer.
 *
 * LoRA: W + up down. LoHa: W + (w1a w1b) * (w2a w2b), element by element. LoKr: W + kron(w1, w2), each
 * whole or a product of two. `diff`: W + diff. Source: KohakuBlueleaf/LyCORIS, modules/{locon,loha,lokr,full}.py.
 */
export async function loraFactor(
  file: SafetensorsFile,
  module: string,
  parts: ReadonlyMap<string, string>,
  shape: readonly number[],
): Promise<LoraFactor> {
  const refuse = (why: string) =>
    new StudioError('unsupported', `${basename(file.path)}: "${module.slice(0, 120)}" ${why}`, {
      kept: 'the model works without it',
      remedy: 'choose another file',
    });
  const dims = (stored: string) => file.tensors.get(stored)?.shape ?? [];
  const load = async (part: string): Promise<Matrix> => {
    const stored = parts.get(part);
    if (stored === undefined) throw refuse(`lacks ${part}`);
    return { data: await readFloats(file, stored), shape: dims(stored) };
  };
  const [out = 0] = shape;
  const fits = (a: number, b: number) => a === out && b === wide(shape);

  const down = parts.get('down');
  const up = parts.get('up');
  if (down !== undefined && up !== undefined) {
    const mid = parts.get('mid');
    const rank = dims(down)[0] ?? 0;
    const last = mid === undefined ? dims(down) : dims(mid);
    const kernel = [dims(down), ...(mid === undefined ? [] : [dims(mid)])].reduce(
      (product, d) => product * wide(d.slice(1)),
      1,
    );
    if (dims(up)[0] !== out || (dims(down)[1] ?? 0) * kernel !== wide(shape) || dims(up)[1] !== last[0] || rank === 0)
      throw refuse('does not fit the layer of this model');
    for (const stored of [down, up])
      if (!['F16', 'BF16', 'F32'].includes(file.tensors.get(stored)?.type ?? ''))
        throw refuse('is stored in a type that is not known here');
    const matrices = [down, ...(mid === undefined ? [] : [mid]), up].map((stored) => ({ stored, dims: dims(stored) }));
    return { kind: 'branch', rank, matrices };
  }

  if (parts.has('hada_w1_a')) {
    if (parts.has('hada_t1')) throw refuse('is a LoHa with a Tucker core, which is not known here');
    const [w1a, w1b, w2a, w2b] = await Promise.all(['hada_w1_a', 'hada_w1_b', 'hada_w2_a', 'hada_w2_b'].map(load));
    if (!w1a || !w1b || !w2a || !w2b || !fits(w1a.shape[0] ?? 0, wide(w1b.shape)))
      throw refuse('does not fit the layer of this model');
    return {
      kind: 'delta',
      rank: w1b.shape[0] ?? 1,
      build(graph, name, wanted) {
        const product = (a: Matrix, b: Matrix, side: string) =>
          graph.node('MatMul', [
            inline(graph, `${name}:${side}a`, a.data, [a.shape[0] ?? 0, wide(a.shape)]),
            inline(graph, `${name}:${side}b`, b.data, [b.shape[0] ?? 0, wide(b.shape)]),
          ]);
        return graph.node('Reshape', [
          graph.node('Mul', [product(w1a, w1b, '1'), product(w2a, w2b, '2')]),
          graph.integers(wanted),
        ]);
      },
    };
  }

  if (parts.has('lokr_w1') || parts.has('lokr_w1_a')) {
    if (parts.has('lokr_t2')) throw refuse('is a LoKr with a Tucker core, which is not known here');
    const side = async (
      n: 1 | 2,
    ): Promise<{ factors: Matrix[]; rows: number; columns: number; rank: number | null }> => {
      if (parts.has(`lokr_w${n}`)) {
        const whole = await load(`lokr_w${n}`);
        return { factors: [whole], rows: whole.shape[0] ?? 0, columns: wide(whole.shape), rank: null };
      }
      const [a, b] = [await load(`lokr_w${n}_a`), await load(`lokr_w${n}_b`)];
      return { factors: [a, b], rows: a.shape[0] ?? 0, columns: wide(b.shape), rank: b.shape[0] ?? 1 };
    };
    const [left, right] = [await side(1), await side(2)];
    if (!fits(left.rows * right.rows, left.columns * right.columns))
      throw refuse('does not fit the layer of this model');
    return {
      kind: 'delta',
      // LyCORIS: a LoKr without any low-rank side has no rank to divide by.
      rank: left.rank ?? right.rank,
      build(graph, name, wanted) {
        const matrix = (part: typeof left, label: string) => {
          const [a, b] = part.factors.map((factor, i) =>
            inline(graph, `${name}:${label}${i}`, factor.data, [factor.shape[0] ?? 0, wide(factor.shape)]),
          );
          return b ? graph.node('MatMul', [a as Value, b]) : (a as Value);
        };
        // kron(A, B)[i p + k, j q + l] = A[i, j] B[k, l], by broadcasting [r, 1, c, 1] with [1, p, 1, q].
        const a = graph.node('Reshape', [matrix(left, 'l'), graph.integers([left.rows, 1, left.columns, 1])]);
        const b = graph.node('Reshape', [matrix(right, 'r'), graph.integers([1, right.rows, 1, right.columns])]);
        return graph.node('Reshape', [graph.node('Mul', [a, b]), graph.integers(wanted)]);
      },
    };
  }

  if (parts.has('diff')) {
    const whole = await load('diff');
    if (!fits(whole.shape[0] ?? 0, wide(whole.shape))) throw refuse('does not fit the layer of this model');
    return { kind: 'delta', rank: null, build: (graph, name, wanted) => inline(graph, name, whole.data, wanted) };
  }
  throw refuse('changes its layer in a way that is not known here');
}

function inline(graph: GraphBuilder, name: string, data: Float32Array, shape: readonly number[]): Value {
  return graph.inline(name, 'float32', shape, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}
