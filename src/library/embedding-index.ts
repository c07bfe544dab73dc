import { ByteRows } from './dot-kernel.ts';

/** Values of a query are kept to 11 bits and a sign: sums of 4096 products with bytes still fit 32 bits. */
const QUERY_STEPS = 2047;

/** A unit vector as signed bytes: value = code * scale. Its cosine with any other is off by about 0.0005. */
export interface Codes {
  readonly codes: Int8Array;
  readonly scale: number;
}

export function encode(values: Float32Array): Codes {
  const scale = largest(values) / 127 || 1;
  return { codes: Int8Array.from(values, (value) => Math.round(value / scale)), scale };
}

/** The vector with length 1. @throws RangeError if it has no direction (zero, or not finite) */
export function toUnit(values: Float32Array): Float32Array {
  let square = 0;
  for (const value of values) square += value * value;
  const length = Math.sqrt(square);
  if (!Number.isFinite(length) || length === 0) throw new RangeError('an embedding without direction');
  return values.map((value) => value / length);
}

export interface Candidate {
  readonly id: number;
  /** Cosine as the codes give it. */
  readonly cosine: number;
}

/**
 * All embeddings of one space as bytes in memory (51 MB for 100,000 of width 512). Finds candidates; the caller
 * ranks them by their full values.
 */
export class EmbeddingIndex {
  readonly width: number;
  readonly #rows: ByteRows;
  readonly #ids: number[] = [];
  readonly #scales: number[] = [];
  readonly #places = new Map<number, number>();

  constructor(width: number) {
    this.width = width;
    this.#rows = new ByteRows(width);
  }

  get count(): number {
    return this.#ids.length;
  }

  reserve(count: number): void {
    this.#rows.reserve(count);
  }

  add(id: number, { codes, scale }: Codes): void {
    if (this.#places.has(id)) return;
    this.#places.set(id, this.#ids.length);
    this.#ids.push(id);
    this.#scales.push(scale);
    this.#rows.push(codes);
  }

  remove(id: number): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    this.#rows.remove(place);
    const lastId = this.#ids.pop();
    const lastScale = this.#scales.pop();
    this.#places.delete(id);
    if (lastId === undefined || lastScale === undefined || lastId === id) return;
    this.#ids[place] = lastId;
    this.#scales[place] = lastScale;
    this.#places.set(lastId, place);
  }

  /** The `count` likeliest, the best first. `query` has unit length and this index's width. */
  nearest(query: Float32Array, count: number): Candidate[] {
    const step = largest(query) / QUERY_STEPS || 1;
    const codes = Int16Array.from(query, (value) => Math.round(value / step));
    const best = new Best(count);
    this.#rows.sums(codes, (first, sums) => {
      for (let index = 0; index < sums.length; index += 1) {
        const cosine = (sums[index] ?? 0) * step * (this.#scales[first + index] ?? 0);
        if (cosine > best.threshold) best.offer(this.#ids[first + index] ?? 0, cosine);
      }
    });
    return best.sorted();
  }
}

function largest(values: Float32Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

/** Keeps the best few of many: a heap with the worst of them on top. */
class Best {
  readonly #size: number;
  readonly #heap: Candidate[] = [];
  /** Nothing at or below this can enter any more. */
  threshold = Number.NEGATIVE_INFINITY;

  constructor(size: number) {
    this.#size = size;
  }

  offer(id: number, cosine: number): void {
    if (this.#heap.length < this.#size) {
      this.#heap.push({ id, cosine });
      if (this.#heap.length < this.#size) return;
      for (let index = this.#heap.length >> 1; index >= 0; index -= 1) this.#sink(index);
    } else {
      this.#heap[0] = { id, cosine };
      this.#sink(0);
    }
    this.threshold = this.#heap[0]?.cosine ?? this.threshold;
  }

  sorted(): Candidate[] {
    return this.#heap.toSorted((a, b) => b.cosine - a.cosine || a.id - b.id);
  }

  #sink(start: number): void {
    let place = start;
    for (;;) {
      let least = place;
      for (const child of [2 * place + 1, 2 * place + 2]) if (this.#cosine(child) < this.#cosine(least)) least = child;
      const here = this.#heap[place];
      const there = this.#heap[least];
      if (least === place || !here || !there) return;
      this.#heap[place] = there;
      this.#heap[least] = here;
      place = least;
    }
  }

  #cosine(index: number): number {
    return this.#heap[index]?.cosine ?? Number.POSITIVE_INFINITY;
  }
}
