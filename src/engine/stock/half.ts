import type { OrtTensor } from '../runtime/ort.ts';

/*
 * Half precision at the border of a graph. onnxruntime-common hands Float16Arrays to the binding wherever the
 * language has them, and the binding of 1.30 refuses them under Node 24 (it takes the bits as Uint16Array). So a
 * tensor is handed over as the plain object that the binding reads.
 */

interface HalfArray extends ArrayLike<number> {
  readonly buffer: ArrayBuffer;
  readonly byteOffset: number;
  readonly length: number;
}
interface HalfConstructor {
  new (buffer: ArrayBuffer, byteOffset?: number, length?: number): HalfArray;
  from(values: ArrayLike<number>): HalfArray;
}
// TypeScript's library of this target does not name it yet.
const Half = (globalThis as unknown as { Float16Array: HalfConstructor }).Float16Array;

/** float32 values rounded to half precision, as an input of the runtime. */
export function halfTensor(values: Float32Array, dims: readonly number[]): OrtTensor {
  const half = Half.from(values);
  const data = new Uint16Array(half.buffer, half.byteOffset, half.length);
  return { type: 'float16', data, dims, size: data.length, location: 'cpu' } as unknown as OrtTensor;
}

/** What the runtime returned for a float16 output (Float16Array, or its bits) as float32. */
export function halfToFloats(data: unknown): Float32Array {
  if (data instanceof Uint16Array) {
    const bits = new Uint16Array(data);
    return Float32Array.from(new Half(bits.buffer));
  }
  return Float32Array.from(data as ArrayLike<number>);
}
