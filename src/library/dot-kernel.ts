/**
 * Dot products of one query with many rows of signed bytes, 16 at a time: a WebAssembly function of fifty
 * instructions, written out below. Plain JavaScript needs five times as long for the same sums (bench/library.ts),
 * and a native addon would have to be built for every platform.
 *
 * Memory: the query as 16-bit integers at 0, the sums of one chunk at SUMS, the rows from ROWS on.
 */
const SUMS = 8192;
const ROWS = 32_768;
const PAGE = 65_536;
/** Rows per call, as many as there is room for sums. */
const CHUNK = (ROWS - SUMS) / 4;
/** Longest row in bytes that the query's room allows. */
export const LONGEST_ROW = SUMS / 2;

// One parameter list: first row (address), rows, bytes per row (a multiple of 16).
const ROW = 0;
const COUNT = 1;
const BYTES = 2;
const QUERY = 3;
const END = 4;
const SUM = 5;
const TOTAL = 6;
const PART = 7;

const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const i32 = (value: number): number[] => [0x41, ...signedLeb(value)];
const step = (local: number, by: number): number[] => [...get(local), ...i32(by), 0x6a, ...set(local)];
const loadVector = (local: number, offset: number): number[] => [...get(local), 0xfd, 0x00, 4, offset];
const extendLow = [0xfd, 0x87, 0x01]; // i16x8.extend_low_i8x16_s
const extendHigh = [0xfd, 0x88, 0x01]; // i16x8.extend_high_i8x16_s
const dotPairs = [0xfd, 0xba, 0x01]; // i32x4.dot_i16x8_s
const addVectors = [0xfd, 0xae, 0x01]; // i32x4.add
const lane = (index: number): number[] => [...get(TOTAL), 0xfd, 0x1b, index];

const BODY = [
  [2, 3, 0x7f, 2, 0x7b], // locals: three i32, two v128
  [...i32(SUMS), ...set(SUM)],
  [0x02, 0x40, 0x03, 0x40], // block, loop over rows
  [...get(COUNT), 0x45, 0x0d, 1], // leave the block when no row is left
  [0xfd, 0x0c, ...Array.from({ length: 16 }, () => 0), ...set(TOTAL)],
  [...i32(0), ...set(QUERY)],
  [...get(ROW), ...get(BYTES), 0x6a, ...set(END)],
  [0x03, 0x40], // loop over 16 bytes of the row
  [...loadVector(ROW, 0), ...set(PART)],
  [...get(TOTAL), ...get(PART), ...extendLow, ...loadVector(QUERY, 0), ...dotPairs, ...addVectors],
  [...get(PART), ...extendHigh, ...loadVector(QUERY, 16), ...dotPairs, ...addVectors, ...set(TOTAL)],
  [...step(ROW, 16), ...step(QUERY, 32)],
  [...get(ROW), ...get(END), 0x49, 0x0d, 0, 0x0b], // again while the row is not at its end
  [...get(SUM), ...lane(0), ...lane(1), 0x6a, ...lane(2), 0x6a, ...lane(3), 0x6a, 0x36, 2, 0],
  [...step(SUM, 4), ...step(COUNT, -1)],
  [0x0c, 0, 0x0b, 0x0b, 0x0b], // next row; ends of loop, block, function
].flat();

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsignedLeb(content.length), ...content];
}
const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
const MODULE = new Uint8Array([
  0x00,
  0x61,
  0x73,
  0x6d,
  1,
  0,
  0,
  0, // magic number, version
  ...section(1, [1, 0x60, 3, 0x7f, 0x7f, 0x7f, 0]), // one type: (i32, i32, i32) -> ()
  ...section(3, [1, 0]),
  ...section(5, [1, 0, 1]), // one memory of at least one page
  ...section(7, [2, ...name('memory'), 2, 0, ...name('dot'), 0, 0]),
  ...section(10, [1, ...unsignedLeb(BODY.length), ...BODY]),
]);

function unsignedLeb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ;) {
    const low = rest & 0x7f;
    rest >>>= 7;
    if (rest === 0) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

function signedLeb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    if (done) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

type Kernel = (row: number, count: number, bytes: number) => void;

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
/** The little of WebAssembly that is used here; its types otherwise come only with those of a browser. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
  Memory: new (limits: { initial: number }) => Memory;
};
let compiled: object | undefined;

/** Rows of signed bytes in one growing block, and their sums with a query. */
export class ByteRows {
  /** Bytes per row: the width rounded up to a multiple of 16, the rest zero. */
  readonly stride: number;
  #count = 0;
  #capacity = 0;
  readonly #memory: Memory;
  readonly #dot: Kernel;

  /** @throws RangeError if rows are longer than LONGEST_ROW */
  constructor(width: number) {
    this.stride = Math.max(16, Math.ceil(width / 16) * 16);
    if (this.stride > LONGEST_ROW) throw new RangeError(`rows of ${width} bytes, at most ${LONGEST_ROW}`);
    compiled ??= new WebAssembly.Module(MODULE);
    const { memory, dot } = new WebAssembly.Instance(compiled).exports;
    if (!(memory instanceof WebAssembly.Memory) || typeof dot !== 'function') throw new Error('the kernel is broken');
    this.#memory = memory;
    this.#dot = dot as Kernel;
  }

  get count(): number {
    return this.#count;
  }

  push(row: Int8Array): void {
    if (this.#count === this.#capacity) this.reserve(Math.max(256, this.#capacity * 2));
    this.#write(this.#count, row);
    this.#count += 1;
  }

  /** Makes room, so that loading many rows does not grow the block many times. */
  reserve(rows: number): void {
    if (rows <= this.#capacity) return;
    const missing = ROWS + rows * this.stride - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE));
    this.#capacity = rows;
  }

  /** Takes row `index` out; the last row moves to its place. */
  remove(index: number): void {
    const last = this.#count - 1;
    if (index < 0 || index > last) throw new RangeError(`no row ${index}`);
    const bytes = new Int8Array(this.#memory.buffer);
    if (index !== last) bytes.copyWithin(this.#at(index), this.#at(last), this.#at(last) + this.stride);
    this.#count = last;
  }

  /** The exact integer sums of `query` (values within +-2047) with each row, handed over chunk by chunk. */
  sums(query: Int16Array, take: (first: number, sums: Int32Array) => void): void {
    const room = new Int16Array(this.#memory.buffer, 0, this.stride);
    room.fill(0);
    room.set(query);
    for (let first = 0; first < this.#count; first += CHUNK) {
      const rows = Math.min(CHUNK, this.#count - first);
      this.#dot(this.#at(first), rows, this.stride);
      take(first, new Int32Array(this.#memory.buffer, SUMS, rows));
    }
  }

  #write(index: number, row: Int8Array): void {
    const room = new Int8Array(this.#memory.buffer, this.#at(index), this.stride);
    room.fill(0);
    room.set(row);
  }

  #at(index: number): number {
    return ROWS + index * this.stride;
  }
}
