import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { StudioError } from '#shared/errors.ts';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Text longer than this, unpacked, is no text of ours. */
const LONGEST_TEXT = 64 * 1024 * 1024;
const MOST_CHUNKS = 100_000;

export const isPng = (bytes: Uint8Array): boolean => SIGNATURE.equals(bytes.subarray(0, 8));

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
  /** Where the whole chunk starts and ends in the file. */
  readonly start: number;
  readonly end: number;
  readonly whole: boolean;
}

/** The chunks up to IEND or to the first that is cut off. Sizes are checked before anything is copied. */
function* chunksOf(bytes: Uint8Array): Generator<Chunk> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isPng(bytes)) throw new StudioError('bad-input', 'not a PNG picture');
  let at = SIGNATURE.length;
  for (let count = 0; at + 12 <= buffer.length && count < MOST_CHUNKS; count += 1) {
    const length = buffer.readUInt32BE(at);
    const end = at + 12 + length;
    if (end > buffer.length) return;
    const body = buffer.subarray(at + 4, end - 4);
    yield {
      type: body.toString('latin1', 0, 4),
      data: body.subarray(4),
      start: at,
      end,
      whole: crc32(body) === buffer.readUInt32BE(end - 4),
    };
    at = end;
  }
}

function makeChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}

/**
 * The picture with texts in it (PNG specification, section 11.3.3). Plain Latin text becomes tEXt, which every
 * program reads; anything else iTXt, deflated when it is long. Texts with the same keyword are replaced.
 */
export function withTexts(png: Uint8Array, texts: Readonly<Record<string, string>>): Uint8Array {
  const parts: Uint8Array[] = [SIGNATURE];
  const isOurs = ({ type, data }: Chunk): boolean => {
    if (type !== 'tEXt' && type !== 'iTXt' && type !== 'zTXt') return false;
    const end = data.indexOf(0);
    return end > 0 && data.toString('latin1', 0, end) in texts;
  };
  let sawEnd = false;
  for (const chunk of chunksOf(png)) {
    if (isOurs(chunk)) continue;
    parts.push(png.subarray(chunk.start, chunk.end));
    sawEnd = chunk.type === 'IEND';
    // Right behind the header: readers that stop at the pixels find them.
    if (chunk.type === 'IHDR')
      for (const [keyword, text] of Object.entries(texts)) parts.push(textChunk(keyword, text));
    if (sawEnd) break;
  }
  if (!sawEnd) throw new StudioError('bad-input', 'the PNG picture is cut off');
  return Buffer.concat(parts);
}

function textChunk(keyword: string, text: string): Buffer {
  const key = Buffer.from(`${keyword}\0`, 'latin1');
  // Printable Latin-1 and line feeds are what tEXt may hold.
  if (text.length < 8192 && /^[\n\x20-\x7e\xa1-\xff]*$/.test(text))
    return makeChunk('tEXt', Buffer.concat([key, Buffer.from(text, 'latin1')]));
  const utf8 = Buffer.from(text, 'utf8');
  const packed = utf8.length > 1024;
  const head = Buffer.from([packed ? 1 : 0, 0, 0, 0]); // packed?, method, no language, no translated keyword
  return makeChunk('iTXt', Buffer.concat([key, head, packed ? deflateSync(utf8, { level: 9 }) : utf8]));
}

/** All texts of a PNG by keyword; the first of each counts. Damaged ones are left out. */
export function readTexts(png: Uint8Array): Map<string, string> {
  const texts = new Map<string, string>();
  for (const { type, data, whole } of chunksOf(png)) {
    if (type === 'IEND') break;
    if (!whole || (type !== 'tEXt' && type !== 'iTXt' && type !== 'zTXt')) continue;
    const end = data.indexOf(0);
    if (end < 1 || end > 79) continue;
    const keyword = data.toString('latin1', 0, end);
    if (texts.has(keyword)) continue;
    try {
      texts.set(keyword, readText(type, data.subarray(end + 1)));
    } catch {
      // One damaged text says nothing about the others.
    }
  }
  return texts;
}

function readText(type: string, rest: Buffer): string {
  const unpack = (packed: Buffer): Buffer => inflateSync(packed, { maxOutputLength: LONGEST_TEXT });
  if (type === 'tEXt') return rest.toString('latin1');
  if (type === 'zTXt') return unpack(rest.subarray(1)).toString('latin1');
  const language = rest.indexOf(0, 2);
  const translated = language < 0 ? -1 : rest.indexOf(0, language + 1);
  if (translated < 0) throw new Error('cut off');
  const text = rest.subarray(translated + 1);
  return (rest[0] === 1 ? unpack(text) : text).toString('utf8');
}
