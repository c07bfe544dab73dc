import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fed, Fetched } from '../../stock/graph-session.ts';
import { readNpy } from '../../tensor/npy.ts';

/** test/fixtures/checkpoints: see its README's tables of tensors and tolerances. */
export const CHECKPOINTS = join(import.meta.dirname, '../../../../test/fixtures/checkpoints');

export const CPU = { providers: ['cpu'], threads: 1 } as const;

interface Formula {
  shape: number[];
  a: number;
  b: number;
  c: number;
  d: number;
  e: number;
}

const expected = JSON.parse(await readFile(join(CHECKPOINTS, 'expected.json'), 'utf8')) as {
  inputs: Record<string, Formula>;
  texts: Record<string, string>;
};
export const TEXTS = expected.texts as Record<'negative' | 'global' | 'local_1' | 'local_2' | 'other', string>;

/** An input by its formula: x[k] = a sin(b k + c) + d cos(e k). */
export function formulaInput(name: string): Fetched {
  const { shape, a, b, c, d, e } = expected.inputs[name]!;
  const count = shape.reduce((product, side) => product * side, 1);
  return { shape, data: Float32Array.from({ length: count }, (_, k) => a * Math.sin(b * k + c) + d * Math.cos(e * k)) };
}

/** A recorded tensor as float32. */
export async function recorded(name: string): Promise<Fetched> {
  const array = readNpy(await readFile(join(CHECKPOINTS, 'expected', `${name}.npy`)));
  return { shape: array.shape, data: Float32Array.from(array.data as ArrayLike<number>, Number) };
}

/** Some rows (first axis). */
export function rows(tensor: Fetched, from: number, count: number): Fetched {
  const [all = 1, ...rest] = tensor.shape;
  const row = tensor.data.length / all;
  return { shape: [count, ...rest], data: tensor.data.slice(from * row, (from + count) * row) };
}

/** Side by side along the last axis. */
export function sideBySide(a: Fetched, b: Fetched): Fetched {
  const wa = a.shape.at(-1)!;
  const wb = b.shape.at(-1)!;
  const count = a.data.length / wa;
  const data = new Float32Array(count * (wa + wb));
  for (let i = 0; i < count; i++) {
    data.set(a.data.subarray(i * wa, (i + 1) * wa), i * (wa + wb));
    data.set(b.data.subarray(i * wb, (i + 1) * wb), i * (wa + wb) + wa);
  }
  return { shape: [...a.shape.slice(0, -1), wa + wb], data };
}

/** Largest absolute distance; infinite when the lengths differ or a value is no number. */
export function distance(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs((a[i] ?? 0) - (b[i] ?? 0));
    if (!(d <= worst)) worst = Number.isNaN(d) ? Number.POSITIVE_INFINITY : d;
  }
  return worst;
}

export const int64 = (values: readonly number[] | Float32Array, shape: readonly number[]): Fed => ({
  data: BigInt64Array.from(Array.from(values), BigInt),
  shape,
});
