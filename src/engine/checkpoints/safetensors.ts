import { open, realpath, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { StudioError } from '#shared/errors.ts';
import { describeForeignFile } from './foreign.ts';

/** Element types of the safetensors format that a graph here can read, with their width in bytes. */
const ELEMENT_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
  U16: 2,
  U32: 4,
  U64: 8,
} as const;

export type SafetensorsType = keyof typeof ELEMENT_BYTES;

/** One tensor as the header describes it; `offset` counts from the beginning of the file. */
export interface StoredTensor {
  readonly type: SafetensorsType;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly bytes: number;
}

/** What a header says, checked against the size of its file. */
export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** A checked header with the file it belongs to; size and time tell later whether the file changed. */
export interface SafetensorsFile extends SafetensorsHeader {
  /** Absolute, links resolved: ONNX Runtime refuses external data behind a link. */
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** The reference implementation stops at 100 MB; the largest published header is below 1 MB. */
const MAX_HEADER_BYTES = 64 * 1024 * 1024;
const MAX_TENSORS = 100_000;
const MAX_NAME_LENGTH = 512;
const MAX_RANK = 8;

/** Bytes of one element. */
export function elementBytes(type: SafetensorsType): number {
  return ELEMENT_BYTES[type];
}

function refuse(file: string, why: string): StudioError {
  return new StudioError('bad-input', `${file}: ${why}`, {
    kept: 'nothing was read or changed',
    remedy: 'the download may be incomplete: get the file again and compare its size',
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parseTensor(file: string, name: string, value: unknown, dataStart: number, dataBytes: number): StoredTensor {
  const where = `tensor "${name.slice(0, 80)}"`;
  if (!isRecord(value)) throw refuse(file, `${where} is not described by an object`);
  const type = value['dtype'];
  if (typeof type !== 'string' || !Object.hasOwn(ELEMENT_BYTES, type))
    throw refuse(file, `${where} has the unknown element type ${JSON.stringify(type)?.slice(0, 40)}`);
  const shape = value['shape'];
  if (!Array.isArray(shape) || shape.length > MAX_RANK || !shape.every(isCount))
    throw refuse(file, `${where} has no valid shape`);
  const range = value['data_offsets'];
  if (!Array.isArray(range) || range.length !== 2) throw refuse(file, `${where} has no pair of data offsets`);
  const [begin, end] = range as [unknown, unknown];
  if (!isCount(begin) || !isCount(end) || end < begin) throw refuse(file, `${where} has an impossible range of data`);
  if (end > dataBytes)
    throw refuse(file, `${where} ends at byte ${dataStart + end}, but the file has ${dataStart + dataBytes} bytes`);
  let count = 1;
  for (const side of shape) count *= side;
  const known = type as SafetensorsType;
  const wanted = count * ELEMENT_BYTES[known];
  if (!Number.isSafeInteger(wanted) || wanted !== end - begin)
    throw refuse(file, `${where} should have ${wanted} bytes by its shape, but has ${end - begin}`);
  return { type: known, shape, offset: dataStart + begin, bytes: wanted };
}

/**
 * Checks that no two tensors share bytes and that nothing lies between them. The format demands
 * both; a gap or an overlap is how a crafted file would smuggle data past a reader.
 */
function checkLayout(file: string, tensors: ReadonlyMap<string, StoredTensor>, dataStart: number, dataEnd: number) {
  const inOrder = [...tensors].filter(([, tensor]) => tensor.bytes > 0).sort((a, b) => a[1].offset - b[1].offset);
  let position = dataStart;
  for (const [name, tensor] of inOrder) {
    if (tensor.offset < position) throw refuse(file, `tensor "${name.slice(0, 80)}" shares bytes with another one`);
    if (tensor.offset > position)
      throw refuse(file, `${tensor.offset - position} bytes before "${name.slice(0, 80)}" belong to nothing`);
    position = tensor.offset + tensor.bytes;
  }
  if (position !== dataEnd) throw refuse(file, `${dataEnd - position} bytes at the end belong to nothing`);
}

/**
 * Parses the JSON part of a safetensors header.
 *
 * @param text the JSON bytes (without the eight bytes of length)
 * @param fileBytes size of the whole file
 * @param file name for messages
 * @throws StudioError 'bad-input' for anything the format does not allow
 */
export function parseSafetensorsHeader(text: Uint8Array, fileBytes: number, file: string): SafetensorsHeader {
  const dataStart = 8 + text.length;
  const dataBytes = fileBytes - dataStart;
  if (dataBytes < 0) throw refuse(file, `its header claims ${text.length} bytes, but the file has only ${fileBytes}`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch (error) {
    throw new StudioError('bad-input', `${file}: its header is not valid JSON`, {
      kept: 'nothing was read or changed',
      remedy: 'the download may be incomplete: get the file again',
      cause: error,
    });
  }
  if (!isRecord(json)) throw refuse(file, 'its header is not a JSON object');
  const entries = Object.entries(json);
  if (entries.length > MAX_TENSORS)
    throw refuse(file, `its header lists ${entries.length} tensors (at most ${MAX_TENSORS})`);
  const metadata = new Map<string, string>();
  const tensors = new Map<string, StoredTensor>();
  for (const [name, value] of entries) {
    if (name === '__metadata__') {
      if (!isRecord(value)) throw refuse(file, 'its metadata is not an object');
      for (const [key, item] of Object.entries(value)) if (typeof item === 'string') metadata.set(key, item);
      continue;
    }
    if (name.length === 0 || name.length > MAX_NAME_LENGTH || name.includes('\0'))
      throw refuse(file, 'a tensor has an empty or over-long name');
    tensors.set(name, parseTensor(file, name, value, dataStart, dataBytes));
  }
  if (tensors.size === 0) throw refuse(file, 'it holds no tensor');
  checkLayout(file, tensors, dataStart, fileBytes);
  return { metadata, tensors };
}

async function readExactly(handle: FileHandle, length: number, position: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) return bytes.subarray(0, done);
    done += bytesRead;
  }
  return bytes;
}

/**
 * Opens a file, checks that it is safetensors, and returns its header. Reads nothing but the header.
 *
 * @throws StudioError 'not-found', 'unsupported' (a file of another kind, named) or 'bad-input'
 */
export async function readSafetensorsFile(path: string): Promise<SafetensorsFile> {
  const name = basename(path);
  try {
    const real = await realpath(path);
    const info = await stat(real);
    if (!info.isFile()) throw new StudioError('bad-input', `${name} is not a file`);
    const handle = await open(real, 'r');
    try {
      const start = await readExactly(handle, Math.min(info.size, 4096), 0);
      const foreign = describeForeignFile(start, name);
      if (foreign) throw foreign;
      if (info.size < 10) throw refuse(name, `it has only ${info.size} bytes`);
      const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
      if (length > BigInt(MAX_HEADER_BYTES)) throw refuse(name, 'it does not begin like a safetensors file');
      if (BigInt(info.size) < 8n + length)
        throw refuse(name, `its header claims ${length} bytes, but the file has only ${info.size}`);
      const text = await readExactly(handle, Number(length), 8);
      const header = parseSafetensorsHeader(text, info.size, name);
      return { ...header, path: real, bytes: info.size, modifiedMs: info.mtimeMs };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw StudioError.from(error, `opening ${name}`);
  }
}

/**
 * Makes sure that a file is still the one whose header was read.
 *
 * @throws StudioError 'model' if it was removed, cut or replaced since
 */
export async function assertUnchanged(file: SafetensorsFile): Promise<void> {
  const name = basename(file.path);
  const remedy = 'put the file back or choose another model; add it again if it was replaced on purpose';
  const info = await stat(file.path).catch(() => undefined);
  if (!info) throw new StudioError('model', `${name} is no longer where it was`, { remedy });
  if (info.size !== file.bytes || info.mtimeMs !== file.modifiedMs)
    throw new StudioError('model', `${name} was changed while it was in use`, { remedy });
}

/** Reads the bytes of one tensor. */
export async function readStoredTensor(file: SafetensorsFile, name: string): Promise<Uint8Array> {
  const tensor = file.tensors.get(name);
  if (!tensor) throw new StudioError('internal', `${basename(file.path)} has no tensor "${name}"`);
  const handle = await open(file.path, 'r');
  try {
    const bytes = await readExactly(handle, tensor.bytes, tensor.offset);
    if (bytes.length !== tensor.bytes) throw refuse(basename(file.path), 'it was cut while it was in use');
    return bytes;
  } finally {
    await handle.close();
  }
}
