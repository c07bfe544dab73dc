import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StudioError } from '#shared/errors.ts';
import { type NpyArray, npyToTensor, readNpy, tensorToNpy, writeNpy } from './npy.ts';
import { tensorFrom } from './tensor.ts';

/** A file as numpy 2.4 writes np.arange(6, dtype='<f4').reshape(2, 3). */
const NUMPY_FILE = Buffer.concat([
  Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'),
  Buffer.from("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".padEnd(117) + '\n', 'latin1'),
  Buffer.from(new Float32Array([0, 1, 2, 3, 4, 5]).buffer),
]);

const withHeader = (header: string, body: Uint8Array = new Uint8Array(24)): Uint8Array => {
  const prefix = Buffer.from('\x93NUMPY\x01\x00', 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([prefix, length, Buffer.from(header, 'latin1'), body]);
};

const codeOf = (bytes: Uint8Array): string => {
  try {
    readNpy(bytes);
  } catch (error) {
    return error instanceof StudioError ? error.code : `not a StudioError: ${String(error)}`;
  }
  return 'read';
};

describe('.npy', () => {
  it('reads what numpy writes, and writes the same bytes', () => {
    const array = readNpy(NUMPY_FILE);
    expect(array).toEqual({ dtype: 'float32', shape: [2, 3], data: new Float32Array([0, 1, 2, 3, 4, 5]) });
    expect(Buffer.from(writeNpy(array)).equals(NUMPY_FILE)).toBe(true);
  });

  it('brings every type and shape there and back', () => {
    const arrays: NpyArray[] = [
      { dtype: 'float32', shape: [], data: new Float32Array([1.5]) },
      { dtype: 'float64', shape: [3], data: new Float64Array([0.1, -0, Infinity]) },
      { dtype: 'int64', shape: [1, 2], data: new BigInt64Array([-1n, 2n ** 62n]) },
      { dtype: 'uint8', shape: [2, 0], data: new Uint8Array(0) },
      { dtype: 'uint8', shape: [5], data: new Uint8Array([0, 1, 127, 128, 255]) },
    ];
    for (const array of arrays) expect(readNpy(writeNpy(array))).toEqual(array);
    for (const array of arrays) expect(writeNpy(array).length % 64).toBe(array.data.byteLength % 64);
  });

  it('reads from an unaligned view', () => {
    const shifted = new Uint8Array(NUMPY_FILE.length + 3);
    shifted.set(NUMPY_FILE, 3);
    expect(readNpy(shifted.subarray(3)).data[5]).toBe(5);
  });

  it('turns into tensors and back', () => {
    const x = tensorFrom([1, 2, 3], [3]);
    expect(npyToTensor(readNpy(writeNpy(tensorToNpy(x))))).toEqual(x);
    expect(npyToTensor({ dtype: 'int64', shape: [2], data: new BigInt64Array([5n, -7n]) })).toEqual(
      tensorFrom([5, -7], [2]),
    );
  });

  it.each([
    ['no bytes', new Uint8Array(0), 'bad-input'],
    ['another file', Buffer.from('hello, this is not an array'), 'bad-input'],
    ['version 2.0', Buffer.from(NUMPY_FILE).fill(2, 6, 7), 'unsupported'],
    ['a header cut off', NUMPY_FILE.subarray(0, 60), 'bad-input'],
    ['data cut off', NUMPY_FILE.subarray(0, NUMPY_FILE.length - 1), 'bad-input'],
    ['data left over', Buffer.concat([NUMPY_FILE, Buffer.alloc(4)]), 'bad-input'],
    ['code in the header', withHeader("__import__('os').system('true')"), 'bad-input'],
    [
      'a huge shape',
      withHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (999999999, 999999999)}"),
      'too-large',
    ],
    ['an overflowing axis', withHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (9e9,)}"), 'bad-input'],
    ['a negative axis', withHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3)}"), 'bad-input'],
    ['many axes', withHeader(`{'descr': '<f4', 'fortran_order': False, 'shape': (${'1, '.repeat(40)})}`), 'bad-input'],
    ['a key twice', withHeader("{'shape': (6,), 'descr': '<f4', 'fortran_order': False, 'shape': (6,)}"), 'bad-input'],
    ['a missing key', withHeader("{'descr': '<f4', 'shape': (6,)}"), 'bad-input'],
    ['objects', withHeader("{'descr': '|O', 'fortran_order': False, 'shape': (6,)}"), 'unsupported'],
    ['inherited names', withHeader("{'descr': 'toString', 'fortran_order': False, 'shape': (6,)}"), 'unsupported'],
    ['big-endian', withHeader("{'descr': '>f4', 'fortran_order': False, 'shape': (6,)}"), 'unsupported'],
    ['Fortran order', withHeader("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}"), 'unsupported'],
    ['Fortran order, one axis', withHeader("{'descr': '<f4', 'fortran_order': True, 'shape': (6,)}"), 'read'],
    ['double quotes', withHeader('{"descr": "<f4", "fortran_order": False, "shape": (2, 3)}'), 'read'],
  ])('answers %s', (_, bytes, code) => {
    expect(codeOf(bytes)).toBe(code);
  });

  it('answers 5000 damaged files with a typed error or an array that fits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(NUMPY_FILE.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.nat(NUMPY_FILE.length),
        (edits, length) => {
          const bytes = Buffer.from(NUMPY_FILE);
          for (const [at, value] of edits) bytes[at] = value;
          const code = codeOf(bytes.subarray(0, edits.length % 2 ? bytes.length : length));
          expect(['read', 'bad-input', 'unsupported', 'too-large']).toContain(code);
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('refuses to write what does not fill its shape', () => {
    expect(() => writeNpy({ dtype: 'uint8', shape: [3], data: new Uint8Array(2) })).toThrow(/3 numbers/);
  });
});
