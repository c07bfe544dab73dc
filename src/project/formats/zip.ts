import { crc32, inflateRawSync } from 'node:zlib';
import { zipSync } from 'fflate';
import type { Zippable } from 'fflate';
import * as yauzl from 'yauzl';
import { StudioError } from '#shared/errors.ts';

export interface ZipLimits {
  readonly entries: number;
  /** Bytes of all entries together once unpacked. */
  readonly total: number;
}
const DEFAULT_LIMITS: ZipLimits = { entries: 4096, total: 1024 * 1024 * 1024 };

/** A zip file in memory. Nothing is ever unpacked to a path that the file names. */
export interface ZipArchive {
  readonly names: readonly string[];
  has(name: string): boolean;
  /** @throws StudioError not-found, too-large beyond `limit` bytes, bad-input if the entry is damaged */
  read(name: string, limit: number): Uint8Array;
  text(name: string, limit: number): string;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: Uint8Array;
  readonly size: number;
}

const bad = (message: string, cause?: unknown): StudioError =>
  new StudioError('bad-input', `not a good zip file: ${message}`, {
    kept: 'the file is unchanged',
    remedy: 'choose another file, or a backup of this one',
    cause,
  });

/**
 * Opens a zip file as hostile input. Refused: names that lead out of a folder, symbolic links, encryption, two
 * entries of one name, entries that share bytes, methods other than stored and deflate, and more bytes than allowed
 * (the sizes are checked before anything is unpacked, and enforced while unpacking).
 * @throws StudioError bad-input, too-large
 */
export async function openZip(bytes: Uint8Array, limits: ZipLimits = DEFAULT_LIMITS): Promise<ZipArchive> {
  const entries = await readDirectory(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), limits);
  const read = (name: string, limit: number): Uint8Array => {
    const entry = entries.get(name);
    if (!entry) throw new StudioError('not-found', `the file has no part ${name}`);
    if (entry.size > limit)
      throw new StudioError('too-large', `${name} would unpack to ${entry.size} bytes, at most ${limit} are allowed`);
    return unpack(entry);
  };
  return {
    names: [...entries.keys()],
    has: (name) => entries.has(name),
    read,
    text: (name, limit) => {
      try {
        return new TextDecoder('utf-8', { fatal: true }).decode(read(name, limit));
      } catch (error) {
        if (error instanceof StudioError) throw error;
        throw bad(`${name} is not UTF-8 text`, error);
      }
    },
  };
}

async function readDirectory(buffer: Buffer, limits: ZipLimits): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  let total = 0;
  let packedTotal = 0;
  try {
    const file = await yauzl.fromBufferPromise(buffer, { strictFileNames: true });
    if (file.entryCount > limits.entries)
      throw new StudioError('too-large', `a zip file of ${file.entryCount} entries, at most ${limits.entries}`);
    for await (const entry of file.eachEntry()) {
      const name = entry.fileName;
      if (name.endsWith('/')) continue;
      if (entries.has(name)) throw bad(`two entries are called ${name}`);
      if (name === '' || entry.fileNameRaw.some((byte) => byte < 32 || byte === 127))
        throw bad('an entry has an impossible name');
      // The upper half holds the Unix mode where the maker was Unix: symbolic links and devices have no place here.
      const type = (entry.externalFileAttributes >>> 28) & 0xf;
      if (entry.versionMadeBy >>> 8 === 3 && type !== 0 && type !== 8) throw bad(`${name} is not a plain file`);
      if ((entry.generalPurposeBitFlag & 1) !== 0) throw bad(`${name} is encrypted`);
      if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8)
        throw bad(`${name} is packed by an unknown method (${entry.compressionMethod})`);
      total += entry.uncompressedSize;
      packedTotal += entry.compressedSize;
      if (total > limits.total)
        throw new StudioError('too-large', `the file would unpack to more than ${limits.total} bytes`);
      // Entries that share their packed bytes are how small bombs are made.
      if (packedTotal > buffer.length) throw bad('entries overlap');
      const { fileDataStart: start } = await file.readLocalFileHeaderPromise(entry, { minimal: true });
      if (start + entry.compressedSize > buffer.length) throw bad(`${name} is cut off`);
      entries.set(name, {
        name,
        method: entry.compressionMethod,
        crc: entry.crc32,
        packed: buffer.subarray(start, start + entry.compressedSize),
        size: entry.uncompressedSize,
      });
    }
  } catch (error) {
    if (error instanceof StudioError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw bad(/^end of central directory/i.test(why) ? 'it is cut off, or something else' : why, error);
  }
  return entries;
}

function unpack(entry: Entry): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes =
      entry.method === 0 ? entry.packed : inflateRawSync(entry.packed, { maxOutputLength: Math.max(1, entry.size) });
  } catch (error) {
    throw bad(`${entry.name} is damaged`, error);
  }
  if (bytes.length !== entry.size || crc32(bytes) !== entry.crc) throw bad(`${entry.name} is damaged`);
  // A copy of its own: a part must not keep the whole file in memory.
  return new Uint8Array(bytes);
}

export interface ZipPart {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Stored as it is: for what is compressed already, and for a `mimetype` that programs look for at a fixed place. */
  readonly stored?: boolean;
}

/** Packs parts in the given order, all dated 1980-01-01: equal parts give equal files, and no clock can spoil them. */
export function makeZip(parts: readonly ZipPart[]): Uint8Array {
  const tree: Zippable = {};
  for (const part of parts)
    tree[part.name] = [part.bytes, { level: part.stored ? 0 : 6, mtime: new Date(1980, 0, 1), os: 0 }];
  return zipSync(tree);
}
