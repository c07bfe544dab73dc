import { basename } from 'node:path';
import { StudioError } from '#shared/errors.ts';
import type { SafetensorsFile, SafetensorsType } from './safetensors.ts';
import { elementBytes, readStoredTensor } from './safetensors.ts';

/** One weight of a network under its diffusers name, wherever its bytes lie. */
export interface Weight {
  readonly file: SafetensorsFile;
  /** Name inside the file. */
  readonly stored: string;
  readonly type: SafetensorsType;
  readonly shape: readonly number[];
  /** Absolute, in bytes; differs from the stored tensor's where only some of its rows are meant. */
  readonly offset: number;
  readonly bytes: number;
  /** A matrix stored as [in, out] instead of PyTorch's [out, in]: OpenCLIP's text_projection. */
  readonly transposed: boolean;
}

/** The weights of one network, by their diffusers (transformers) names without any prefix. */
export type WeightTable = ReadonlyMap<string, Weight>;

/** A whole stored tensor as a weight. */
export function wholeWeight(file: SafetensorsFile, stored: string, transposed = false): Weight {
  const tensor = file.tensors.get(stored);
  if (!tensor) throw new StudioError('internal', `${basename(file.path)} has no tensor "${stored}"`);
  return { file, stored, ...tensor, transposed };
}

/** Some rows (first axis) of a stored tensor: they are contiguous, so they need no copy. */
export function rowsOfWeight(weight: Weight, from: number, rows: number): Weight {
  const [all = 0, ...rest] = weight.shape;
  if (from < 0 || from + rows > all)
    throw new StudioError('internal', `"${weight.stored}" has no rows ${from} to ${from + rows}`);
  const row = rest.reduce((product, side) => product * side, elementBytes(weight.type));
  return { ...weight, shape: [rows, ...rest], offset: weight.offset + from * row, bytes: rows * row };
}

/**
 * Looks a weight up.
 *
 * @throws StudioError 'model' with its name if the checkpoint lacks it
 */
export function needWeight(table: WeightTable, name: string, part: string): Weight {
  const weight = table.get(name);
  if (!weight)
    throw new StudioError('model', `the ${part} of this checkpoint lacks "${name}"`, {
      remedy: 'the file is incomplete or of a variant that is not known here: get the full model',
    });
  return weight;
}

/** Number of consecutive `prefix.0`, `prefix.1`, ... that own at least one weight. */
export function countChildren(table: WeightTable, prefix: string): number {
  const seen = new Set<number>();
  for (const name of table.keys()) {
    if (!name.startsWith(`${prefix}.`)) continue;
    const index = name.slice(prefix.length + 1).split('.', 1)[0] ?? '';
    if (/^\d+$/.test(index)) seen.add(Number(index));
  }
  let count = 0;
  while (seen.has(count)) count++;
  return count;
}

/** Sum of the bytes that a network's weights take in their files. */
export function storedBytes(table: WeightTable): number {
  let sum = 0;
  for (const weight of table.values()) sum += weight.bytes;
  return sum;
}

/** Number of parameters of a network. */
export function parameterCount(table: WeightTable): number {
  let sum = 0;
  for (const weight of table.values()) sum += weight.bytes / elementBytes(weight.type);
  return sum;
}

function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Bytes of a floating type as float32 values. */
export function toFloat32(bytes: Uint8Array, type: SafetensorsType): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length / elementBytes(type);
  const out = new Float32Array(count);
  if (type === 'F32') for (let i = 0; i < count; i++) out[i] = view.getFloat32(4 * i, true);
  else if (type === 'F16') for (let i = 0; i < count; i++) out[i] = halfToFloat(view.getUint16(2 * i, true));
  else if (type === 'F64') for (let i = 0; i < count; i++) out[i] = view.getFloat64(8 * i, true);
  else if (type === 'BF16') {
    const words = new Uint32Array(out.buffer);
    for (let i = 0; i < count; i++) words[i] = view.getUint16(2 * i, true) << 16;
  } else throw new StudioError('unsupported', `values of type ${type} cannot be read as numbers here`);
  return out;
}

/** Reads a small stored tensor as float32 (for recognising, LoRA factors and embeddings, not for whole networks). */
export async function readFloats(file: SafetensorsFile, stored: string): Promise<Float32Array> {
  const tensor = file.tensors.get(stored);
  if (!tensor) throw new StudioError('internal', `${basename(file.path)} has no tensor "${stored}"`);
  return toFloat32(await readStoredTensor(file, stored), tensor.type);
}
