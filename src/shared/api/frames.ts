import { StudioError } from '../errors.ts';

/**
 * A message as bytes: JSON with the byte arrays beside it instead of base64 within.
 *
 *   byte 0     0x53 ('S'), byte 1: version, bytes 2-3: number of attachments n (little endian, as all here)
 *   bytes 4-7  length of the JSON
 *   n x 4      length of each attachment
 *   then       the JSON {"v": message, "p": [path of each attachment in v]}, where v holds null; the attachments
 *
 * Decoding takes hostile input: every length is checked before use, nesting is bounded, paths lead only through
 * own properties, and nothing but a StudioError is thrown.
 */
const MAGIC = 0x53;
const VERSION = 1;
const HEAD = 8;

export const FRAME_LIMITS = {
  /** Bytes of a whole message: the largest file that may be imported, and room for its envelope. */
  bytes: 96 * 1024 * 1024,
  attachments: 64,
  /** Nesting of the JSON; the deepest call (shapes in shapes) stays far below. */
  depth: 64,
  pathLength: 32,
} as const;

type PathStep = string | number;

/**
 * Encodes a message of plain JSON values and Uint8Arrays. Absent (undefined) properties are left out, as in JSON.
 * @throws StudioError too-large, bad-use (too many byte arrays)
 */
export function encodeFrame(message: unknown): Uint8Array<ArrayBuffer> {
  const attachments: Uint8Array[] = [];
  const paths: PathStep[][] = [];
  const value = lift(message, [], attachments, paths);
  if (attachments.length > FRAME_LIMITS.attachments)
    throw new StudioError('bad-use', `a message with ${attachments.length} byte arrays`);
  const json = new TextEncoder().encode(JSON.stringify({ v: value ?? null, p: paths }));
  const start = HEAD + 4 * attachments.length;
  const total = attachments.reduce((sum, part) => sum + part.byteLength, start + json.byteLength);
  if (total > FRAME_LIMITS.bytes)
    throw new StudioError(
      'too-large',
      `a message of ${total} bytes; at most ${FRAME_LIMITS.bytes} can be sent at once`,
    );
  const frame = new Uint8Array(total);
  const view = new DataView(frame.buffer);
  view.setUint8(0, MAGIC);
  view.setUint8(1, VERSION);
  view.setUint16(2, attachments.length, true);
  view.setUint32(4, json.byteLength, true);
  attachments.forEach((part, index) => view.setUint32(HEAD + 4 * index, part.byteLength, true));
  frame.set(json, start);
  let offset = start + json.byteLength;
  for (const part of attachments) {
    frame.set(part, offset);
    offset += part.byteLength;
  }
  return frame;
}

/** The value with null for each byte array; only the branches that hold one are copied. */
function lift(value: unknown, path: PathStep[], attachments: Uint8Array[], paths: PathStep[][]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) {
    attachments.push(value);
    paths.push([...path]);
    return null;
  }
  if (path.length >= FRAME_LIMITS.depth)
    throw new StudioError('bad-use', `a message nested more than ${FRAME_LIMITS.depth} deep`);
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (let index = 0; index < value.length; index += 1) {
      const item: unknown = value[index];
      if (typeof item !== 'object' || item === null) continue;
      path.push(index);
      const lifted = lift(item, path, attachments, paths);
      path.pop();
      if (lifted !== item) (copy ??= [...(value as unknown[])])[index] = lifted;
    }
    return copy ?? value;
  }
  let copy: Record<string, unknown> | undefined;
  for (const [key, item] of Object.entries(value)) {
    if (typeof item !== 'object' || item === null) continue;
    path.push(key);
    const lifted = lift(item, path, attachments, paths);
    path.pop();
    if (lifted !== item) (copy ??= { ...value })[key] = lifted;
  }
  return copy ?? value;
}

/**
 * Decodes a frame. Byte arrays are views into `frame`, not copies.
 * @throws StudioError bad-input, newer-version, too-large
 */
export function decodeFrame(frame: Uint8Array): unknown {
  if (frame.byteLength > FRAME_LIMITS.bytes) throw new StudioError('too-large', `a frame of ${frame.byteLength} bytes`);
  if (frame.byteLength < HEAD || frame[0] !== MAGIC) throw broken('no frame of this protocol');
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint8(1) !== VERSION)
    throw new StudioError('newer-version', `frame version ${view.getUint8(1)}; this release speaks ${VERSION}`, {
      remedy: 'reload the window',
    });
  const count = view.getUint16(2, true);
  const jsonLength = view.getUint32(4, true);
  if (count > FRAME_LIMITS.attachments) throw broken(`${count} attachments`);
  const start = HEAD + 4 * count;
  if (start + jsonLength > frame.byteLength) throw broken('cut short');
  const parts: Uint8Array[] = [];
  let offset = start + jsonLength;
  for (let index = 0; index < count; index += 1) {
    const length = view.getUint32(HEAD + 4 * index, true);
    if (offset + length > frame.byteLength) throw broken('cut short');
    // Not subarray: that of a Node Buffer would be a Buffer, which behaves differently.
    parts.push(new Uint8Array(frame.buffer, frame.byteOffset + offset, length));
    offset += length;
  }
  if (offset !== frame.byteLength) throw broken('bytes after the end');
  const json = frame.subarray(start, start + jsonLength);
  checkDepth(json);
  let envelope: unknown;
  try {
    envelope = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (error) {
    throw broken(error instanceof Error ? error.message : String(error));
  }
  if (!isObject(envelope) || !Object.hasOwn(envelope, 'v') || !Array.isArray(envelope['p']))
    throw broken('no envelope');
  const paths: unknown[] = envelope['p'];
  if (paths.length !== parts.length) throw broken('paths and attachments differ in number');
  parts.forEach((part, index) => place(envelope, paths[index], part));
  return envelope['v'];
}

/** Puts a byte array where its path says; there must be a null of its own. */
function place(envelope: Record<string, unknown>, path: unknown, part: Uint8Array): void {
  if (!Array.isArray(path) || path.length > FRAME_LIMITS.pathLength) throw broken('a bad path');
  let holder: Record<PathStep, unknown> = envelope;
  let key: PathStep = 'v';
  for (const step of path as unknown[]) {
    const next = holder[key];
    if (!isObject(next)) throw broken('a path into nothing');
    if (typeof step !== 'string' && typeof step !== 'number') throw broken('a bad path');
    // Own properties only, so that no path reaches a prototype.
    if (!Object.hasOwn(next, step)) throw broken('a path into nothing');
    holder = next;
    key = step;
  }
  if (holder[key] !== null) throw broken('two values in one place');
  // defineProperty: an own "__proto__" key from JSON.parse must stay a plain value.
  Object.defineProperty(holder, key, { value: part, enumerable: true, writable: true, configurable: true });
}

/** JSON.parse copes with any depth, but what walks its result afterwards would not. */
function checkDepth(json: Uint8Array): void {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < json.length; index += 1) {
    const byte = json[index];
    if (inString) {
      if (byte === 0x5c) index += 1;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > FRAME_LIMITS.depth) throw broken(`nested more than ${FRAME_LIMITS.depth} deep`);
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
}

const isObject = (value: unknown): value is Record<PathStep, unknown> => typeof value === 'object' && value !== null;

const broken = (why: string): StudioError => new StudioError('bad-input', `a malformed message (${why})`);
