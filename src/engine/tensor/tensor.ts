import { StudioError } from '#shared/errors.ts';

/** Numbers in row-major order with their shape. Nothing in the engine writes into a tensor that it was given. */
export type Tensor = {
  readonly data: Float32Array;
  readonly shape: readonly number[];
};

/** Largest number of elements that a tensor may have: 2^29 float32 values are 2 GiB. */
export const MAX_ELEMENTS = 2 ** 29;

/**
 * The number of elements of a shape; a scalar (`[]`) has one.
 * @throws StudioError `bad-input` for sides that are not whole numbers >= 0, `too-large` above MAX_ELEMENTS.
 */
export function elementsOf(shape: readonly number[]): number {
  let count = 1;
  for (const side of shape) {
    if (!Number.isSafeInteger(side) || side < 0)
      throw new StudioError('bad-input', `[${shape.join(', ')}] is not a shape: each side must be a whole number`);
    count *= side;
  }
  if (count > MAX_ELEMENTS)
    throw new StudioError(
      'too-large',
      `a tensor of shape [${shape.join(', ')}] has more than ${MAX_ELEMENTS} elements`,
    );
  return count;
}

/** Wraps data without copying it. @throws StudioError `bad-input` when the data do not fill the shape. */
export function tensor(data: Float32Array, shape: readonly number[]): Tensor {
  const expected = elementsOf(shape);
  if (data.length !== expected)
    throw new StudioError(
      'bad-input',
      `shape [${shape.join(', ')}] needs ${expected} numbers, but there are ${data.length}`,
    );
  return { data, shape };
}

/** A tensor from any numbers, rounded to float32. */
export function tensorFrom(values: Iterable<number>, shape: readonly number[]): Tensor {
  return tensor(Float32Array.from(values), shape);
}

export function zeros(shape: readonly number[]): Tensor {
  return { data: new Float32Array(elementsOf(shape)), shape };
}

export function filled(shape: readonly number[], value: number): Tensor {
  return { data: new Float32Array(elementsOf(shape)).fill(value), shape };
}

export function clone(x: Tensor): Tensor {
  return { data: x.data.slice(), shape: x.shape };
}

/** The same numbers under another shape; nothing is copied. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  return tensor(x.data, shape);
}

export function sameShape(a: Tensor, b: Tensor): boolean {
  return a.shape.length === b.shape.length && a.shape.every((side, axis) => side === b.shape[axis]);
}

/** @throws StudioError `bad-input` naming both tensors when their shapes differ. */
export function requireSameShape(a: Tensor, b: Tensor, aName: string, bName: string): void {
  if (!sameShape(a, b))
    throw new StudioError(
      'bad-input',
      `${bName} has shape [${b.shape.join(', ')}], but ${aName} has [${a.shape.join(', ')}]`,
    );
}

/** The size of the first axis, 1 for a scalar. */
export function batchOf(x: Tensor): number {
  return x.shape[0] ?? 1;
}

/** Samples `from` (included) to `to` (excluded) along the first axis; a view, not a copy. */
export function slice(x: Tensor, from: number, to: number): Tensor {
  const batch = batchOf(x);
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to < from || to > batch)
    throw new StudioError('bad-input', `samples ${from} to ${to} do not lie in a batch of ${batch}`);
  const each = batch === 0 ? 0 : x.data.length / batch;
  return { data: x.data.subarray(from * each, to * each), shape: [to - from, ...x.shape.slice(1)] };
}

/** Cuts a batch into its samples; each keeps a first axis of 1. Views, not copies. */
export function split(x: Tensor): Tensor[] {
  return Array.from({ length: batchOf(x) }, (_, i) => slice(x, i, i + 1));
}

/** Lays batches behind each other along the first axis. @throws StudioError `bad-input` when the samples differ. */
export function concat(parts: readonly Tensor[]): Tensor {
  const first = parts[0];
  if (!first) throw new StudioError('bad-input', 'there is nothing to join');
  const rest = first.shape.slice(1);
  let batch = 0;
  for (const part of parts) {
    if (part.shape.length !== first.shape.length || rest.some((side, axis) => part.shape[axis + 1] !== side))
      throw new StudioError(
        'bad-input',
        `samples of shapes [${rest.join(', ')}] and [${part.shape.slice(1).join(', ')}] cannot be in one batch`,
      );
    batch += batchOf(part);
  }
  const out = zeros([batch, ...rest]);
  let offset = 0;
  for (const part of parts) {
    out.data.set(part.data, offset);
    offset += part.data.length;
  }
  return out;
}

/** One term of a linear combination. */
export type Term = readonly [coefficient: number, x: Tensor];

/**
 * sum of coefficient * tensor, in one pass: products and sums in float64, rounded to float32 once. Terms whose
 * coefficient is exactly 0 are left out, so that an infinity in what does not count cannot turn into NaN.
 * @param terms at least one, all of one shape
 */
export function linear(terms: readonly Term[]): Tensor {
  const first = terms[0];
  if (!first) throw new StudioError('bad-input', 'a linear combination needs a term');
  for (const [, x] of terms) requireSameShape(first[1], x, 'the first term', 'another term');
  const shape = first[1].shape;
  const used = terms.filter(([coefficient]) => coefficient !== 0);
  const size = first[1].data.length;
  const out = new Float32Array(size);
  const [a, b, c, d] = used;
  // One, two and three terms are nearly all calls of the schedulers: a loop over terms inside costs ten times more.
  if (!a) return { data: out, shape };
  const [ka, { data: xa }] = a;
  if (!b) {
    for (let i = 0; i < size; i++) out[i] = ka * (xa[i] as number);
    return { data: out, shape };
  }
  const [kb, { data: xb }] = b;
  if (!c) {
    for (let i = 0; i < size; i++) out[i] = ka * (xa[i] as number) + kb * (xb[i] as number);
    return { data: out, shape };
  }
  const [kc, { data: xc }] = c;
  if (!d) {
    for (let i = 0; i < size; i++) out[i] = ka * (xa[i] as number) + kb * (xb[i] as number) + kc * (xc[i] as number);
    return { data: out, shape };
  }
  // more: term by term into float64, so that the sum is still rounded once
  const sum = new Float64Array(size);
  for (const [k, { data }] of used)
    for (let i = 0; i < size; i++) sum[i] = (sum[i] as number) + k * (data[i] as number);
  out.set(sum);
  return { data: out, shape };
}

export function add(a: Tensor, b: Tensor): Tensor {
  return linear([
    [1, a],
    [1, b],
  ]);
}

export function subtract(a: Tensor, b: Tensor): Tensor {
  return linear([
    [1, a],
    [-1, b],
  ]);
}

export function scale(x: Tensor, factor: number): Tensor {
  return linear([[factor, x]]);
}

/** Each element by itself. */
export function map(x: Tensor, f: (value: number, index: number) => number): Tensor {
  return { data: x.data.map(f), shape: x.shape };
}

export function clamp(x: Tensor, low: number, high: number): Tensor {
  const out = new Float32Array(x.data.length);
  for (let i = 0; i < out.length; i++) {
    const value = x.data[i] as number;
    out[i] = value < low ? low : value > high ? high : value; // a NaN stays one, so that it is seen
  }
  return { data: out, shape: x.shape };
}

/** Smallest and largest element; NaN elements are left out of both. [Infinity, -Infinity] for no numbers. */
export function minMax(x: Tensor): readonly [min: number, max: number] {
  let min = Infinity;
  let max = -Infinity;
  for (const value of x.data) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return [min, max];
}

/** True when no element is NaN or infinite. */
export function allFinite(x: Tensor): boolean {
  for (const value of x.data) if (!Number.isFinite(value)) return false;
  return true;
}

/** a + t (b - a), element by element; t = 0 gives a and t = 1 gives b exactly. */
export function lerp(a: Tensor, b: Tensor, t: number): Tensor {
  return linear([
    [1 - t, a],
    [t, b],
  ]);
}
