import { StudioError } from '#shared/errors.ts';
import { elementsOf, type Tensor } from './tensor.ts';

/** An array as a .npy file holds it, in row-major order. */
export type NpyArray =
  | { readonly dtype: 'float32'; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: 'float64'; readonly shape: readonly number[]; readonly data: Float64Array }
  | { readonly dtype: 'int64'; readonly shape: readonly number[]; readonly data: BigInt64Array }
  | { readonly dtype: 'uint8'; readonly shape: readonly number[]; readonly data: Uint8Array };

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const; // \x93NUMPY
const DESCRIPTIONS = { '<f4': 'float32', '<f8': 'float64', '<i8': 'int64', '|u1': 'uint8' } as const;
const CODES = { float32: '<f4', float64: '<f8', int64: '<i8', uint8: '|u1' } as const;
const BYTES = { float32: 4, float64: 8, int64: 8, uint8: 1 } as const;
const ALIGNMENT = 64;
/** numpy itself refuses longer headers when it reads untrusted files. */
const MAX_HEADER = 10_000;
const MAX_AXES = 32;

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function broken(why: string): StudioError {
  return new StudioError('bad-input', `not a readable .npy file: ${why}`);
}

/**
 * Reads a .npy file of version 1.0: little-endian float32, float64, int64 or uint8 in C order (one-dimensional
 * arrays may say Fortran). The header is matched, never evaluated; sizes are checked against the bytes before
 * anything is allocated, so a hostile file can cost no more memory than it has bytes.
 * @throws StudioError `bad-input`, or `unsupported` for what numpy can write and this cannot read
 */
export function readNpy(bytes: Uint8Array): NpyArray {
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) throw broken('it does not begin as one');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const major = view.getUint8(6);
  if (major !== 1 || view.getUint8(7) !== 0)
    throw new StudioError('unsupported', `a .npy file of version ${major}.${view.getUint8(7)}; 1.0 can be read`);
  const headerLength = view.getUint16(8, true);
  if (headerLength > MAX_HEADER || 10 + headerLength > bytes.length) throw broken('its header is cut off or too long');
  const header = String.fromCharCode(...bytes.subarray(10, 10 + headerLength));
  const { description, fortran, shape } = parseHeader(header);

  if (!Object.hasOwn(DESCRIPTIONS, description))
    throw new StudioError(
      'unsupported',
      `a .npy file of numbers '${description}'; ${Object.keys(DESCRIPTIONS).join(', ')} can be read`,
    );
  const dtype = DESCRIPTIONS[description as keyof typeof DESCRIPTIONS];
  if (fortran && shape.filter((side) => side !== 1).length > 1)
    throw new StudioError('unsupported', 'a .npy file in Fortran order; C order can be read');
  const count = elementsOf(shape);
  const body = bytes.subarray(10 + headerLength);
  if (body.length !== count * BYTES[dtype])
    throw broken(`shape [${shape.join(', ')}] needs ${count * BYTES[dtype]} bytes, but there are ${body.length}`);

  const copy = new Uint8Array(body); // a copy begins aligned (and Buffer.slice would not be one)
  if (!HOST_IS_LITTLE_ENDIAN) swapBytes(copy, BYTES[dtype]);
  switch (dtype) {
    case 'float32':
      return { dtype, shape, data: new Float32Array(copy.buffer, 0, count) };
    case 'float64':
      return { dtype, shape, data: new Float64Array(copy.buffer, 0, count) };
    case 'int64':
      return { dtype, shape, data: new BigInt64Array(copy.buffer, 0, count) };
    case 'uint8':
      return { dtype, shape, data: copy };
  }
}

function parseHeader(header: string): { description: string; fortran: boolean; shape: number[] } {
  const fields = new Map<string, string>();
  const body = /^\{(.*)\}\s*$/s.exec(header)?.[1];
  if (body === undefined) throw broken('its header is not a dictionary');
  // key: value, where a value is a quoted word, True, False or a tuple of digits; nothing else is a header
  const field = /\s*(['"])(descr|fortran_order|shape)\1\s*:\s*((['"])[^'"\\]*\4|True|False|\([0-9,\s]*\))\s*(,|$)/y;
  let position = 0;
  while (position < body.length && body.slice(position).trim() !== '') {
    field.lastIndex = position;
    const match = field.exec(body);
    const [, , key, value] = match ?? [];
    if (!match || key === undefined || value === undefined || fields.has(key)) throw broken('its header is malformed');
    fields.set(key, value);
    position = field.lastIndex;
  }
  const description = /^['"](.*)['"]$/.exec(fields.get('descr') ?? '')?.[1];
  const order = fields.get('fortran_order');
  const tuple = /^\(\s*((?:\d+\s*,\s*)*\d*)\s*\)$/.exec(fields.get('shape') ?? '')?.[1];
  if (description === undefined || (order !== 'True' && order !== 'False') || tuple === undefined)
    throw broken('its header lacks descr, fortran_order or shape');
  const sides = tuple.split(',').map((side) => side.trim());
  if (sides.at(-1) === '') sides.pop(); // (3,) and ()
  else if (sides.length === 1) throw broken('its shape is not a tuple');
  if (sides.length > MAX_AXES) throw broken(`it has ${sides.length} axes`);
  const shape = sides.map((side) => {
    const value = Number(side);
    if (!Number.isSafeInteger(value)) throw broken(`it has an axis of ${side}`);
    return value;
  });
  return { description, fortran: order === 'True', shape };
}

function swapBytes(bytes: Uint8Array, width: number): void {
  if (width > 1) for (let i = 0; i + width <= bytes.length; i += width) bytes.subarray(i, i + width).reverse();
}

/** The bytes of a .npy file of version 1.0, laid out as numpy lays it out (data begin at a multiple of 64). */
export function writeNpy(array: NpyArray): Uint8Array {
  const count = elementsOf(array.shape);
  if (array.data.length !== count)
    throw new StudioError(
      'bad-input',
      `shape [${array.shape.join(', ')}] needs ${count} numbers, but there are ${array.data.length}`,
    );
  const sides = array.shape.join(', ') + (array.shape.length === 1 ? ',' : '');
  const dictionary = `{'descr': '${CODES[array.dtype]}', 'fortran_order': False, 'shape': (${sides}), }`;
  const unpadded = 10 + dictionary.length + 1;
  const header = dictionary.padEnd(dictionary.length + ((ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT)) + '\n';

  const out = new Uint8Array(10 + header.length + array.data.byteLength);
  out.set(MAGIC);
  const view = new DataView(out.buffer);
  view.setUint8(6, 1);
  view.setUint16(8, header.length, true);
  for (let i = 0; i < header.length; i++) out[10 + i] = header.charCodeAt(i);
  const body = new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength);
  out.set(body, 10 + header.length);
  if (!HOST_IS_LITTLE_ENDIAN) swapBytes(out.subarray(10 + header.length), BYTES[array.dtype]);
  return out;
}

/** Any of the arrays as float32; whole numbers beyond 2^24 lose digits. */
export function npyToTensor(array: NpyArray): Tensor {
  if (array.dtype === 'float32') return { data: array.data, shape: array.shape };
  return { data: Float32Array.from(array.data as ArrayLike<number | bigint>, Number), shape: array.shape };
}

export function tensorToNpy(x: Tensor): NpyArray {
  return { dtype: 'float32', shape: x.shape, data: x.data };
}
