/*
 * Half precision at the border of a graph. Node 24 has Float16Array and the runtime hands it out;
 * TypeScript's library of this target does not name it yet.
 */

interface HalfArray extends ArrayLike<number> {
  readonly buffer: ArrayBuffer;
}
const Half = (globalThis as unknown as { Float16Array: { from(values: ArrayLike<number>): HalfArray } }).Float16Array;

/** float32 values rounded to half precision, as the runtime takes them. */
export function floatsToHalf(values: Float32Array): Uint16Array {
  return Half.from(values) as unknown as Uint16Array;
}

/** What the runtime returned for a float16 output (Float16Array, or its bits) as float32. */
export function halfToFloats(data: unknown): Float32Array {
  if (data instanceof Uint16Array) {
    const bits = new Uint16Array(data);
    return Float32Array.from(new (Half as unknown as new (buffer: ArrayBuffer) => HalfArray)(bits.buffer));
  }
  return Float32Array.from(data as ArrayLike<number>);
}
