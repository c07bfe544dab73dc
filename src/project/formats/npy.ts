import { StudioError } from '#shared/errors.ts';

const MAGIC = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]);
const MOST_VALUES = 256 * 1024 * 1024;

export type NpyType = '<f4' | '<u2' | '|u1';
export interface NpyArray {
  readonly shape: readonly number[];
  readonly values: Float32Array | Uint16Array | Uint8Array;
}

export const isNpy = (bytes: Uint8Array): boolean => MAGIC.equals(bytes.subarray(0, 6));

/** NumPy's array format, version 1.0, in C order. */
export function makeNpy({ shape, values }: NpyArray): Uint8Array {
  const type: NpyType = values instanceof Float32Array ? '<f4' : values instanceof Uint16Array ? '<u2' : '|u1';
  const list = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${list}), }`;
  // Header and preamble together are a multiple of 64 bytes and end with a line feed.
  const padded = `${header.padEnd(Math.ceil((10 + header.length + 1) / 64) * 64 - 11)}\n`;
  const start = Buffer.alloc(10);
  MAGIC.copy(start);
  start[6] = 1;
  start.writeUInt16LE(padded.length, 8);
  return Buffer.concat([
    start,
    Buffer.from(padded, 'latin1'),
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  ]);
}

/**
 * Reads a whole-number, boolean or float array of NumPy's format, as floats. Pickled objects are refused: nothing
 * in the file is ever run. @throws StudioError bad-input, too-large
 */
export function readNpy(bytes: Uint8Array): { shape: number[]; values: Float32Array } {
  const bad = (message: string): StudioError => new StudioError('bad-input', `not a good .npy file: ${message}`);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isNpy(bytes) || buffer.length < 12) throw bad('it does not start as one');
  const long = (buffer[6] ?? 0) >= 2;
  const start = long ? 12 : 10;
  const length = long ? buffer.readUInt32LE(8) : buffer.readUInt16LE(8);
  if (length > 65_536 || start + length > buffer.length) throw bad('its header is cut off');
  const header = buffer.toString('latin1', start, start + length);
  const type = /'descr'\s*:\s*'([<>|=][a-z]\d+)'/.exec(header)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const list = /'shape'\s*:\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (type === undefined || order === undefined || list === undefined) throw bad('its header says nothing we know');
  if (order === 'True') throw bad('arrays in Fortran order are not read; save it with numpy.ascontiguousarray');
  const shape = list
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  const count = shape.reduce((product, side) => product * side, 1);
  if (!Number.isSafeInteger(count) || count < 1) throw bad(`a shape of (${list})`);
  if (count > MOST_VALUES) throw new StudioError('too-large', `an array of ${count} values`);
  const data = buffer.subarray(start + length);
  const read = readerFor(type, data);
  if (!read) throw bad(`values of type ${type} are not read`);
  if (data.length < count * read.bytes) throw bad('it is cut off');
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 1) values[i] = read.at(i * read.bytes);
  return { shape, values };
}

function readerFor(type: string, data: Buffer): { bytes: number; at: (offset: number) => number } | undefined {
  switch (type.replace('=', '<')) {
    case '|b1':
    case '|u1':
      return { bytes: 1, at: (offset) => data[offset] ?? 0 };
    case '|i1':
      return { bytes: 1, at: (offset) => data.readInt8(offset) };
    case '<u2':
      return { bytes: 2, at: (offset) => data.readUInt16LE(offset) };
    case '<i2':
      return { bytes: 2, at: (offset) => data.readInt16LE(offset) };
    case '<u4':
      return { bytes: 4, at: (offset) => data.readUInt32LE(offset) };
    case '<i4':
      return { bytes: 4, at: (offset) => data.readInt32LE(offset) };
    case '<i8':
      return { bytes: 8, at: (offset) => Number(data.readBigInt64LE(offset)) };
    case '<u8':
      return { bytes: 8, at: (offset) => Number(data.readBigUInt64LE(offset)) };
    case '<f4':
      return { bytes: 4, at: (offset) => data.readFloatLE(offset) };
    case '<f8':
      return { bytes: 8, at: (offset) => data.readDoubleLE(offset) };
    default:
      return undefined;
  }
}
