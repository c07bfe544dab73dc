/** What a picture's first bytes say; nothing is decoded. */
export interface ImageHead {
  readonly type: 'image/png' | 'image/jpeg' | 'image/webp';
  readonly width: number;
  readonly height: number;
}

/**
 * Type and size in pixels of a PNG, JPEG or WebP from its headers; null for anything else, for a header that is
 * cut short and for a picture without area. Orientation flags are not applied.
 */
export function sniffImage(bytes: Uint8Array): ImageHead | null {
  const head = pngHead(bytes) ?? webpHead(bytes) ?? jpegHead(bytes);
  return head && head.width > 0 && head.height > 0 ? head : null;
}

const startsWith = (bytes: Uint8Array, at: number, text: string): boolean => {
  if (at + text.length > bytes.length) return false;
  for (let index = 0; index < text.length; index += 1) if (bytes[at + index] !== text.charCodeAt(index)) return false;
  return true;
};

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** PNG, W3C REC-PNG-3, 11.2.1: the IHDR chunk comes first. */
function pngHead(bytes: Uint8Array): ImageHead | null {
  if (bytes.length < 24 || !startsWith(bytes, 0, '\u0089PNG\r\n\u001a\n') || !startsWith(bytes, 12, 'IHDR'))
    return null;
  const view = viewOf(bytes);
  return { type: 'image/png', width: view.getUint32(16), height: view.getUint32(20) };
}

/** WebP, RFC 9649: a VP8 (lossy), VP8L (lossless) or VP8X (extended) chunk after the RIFF header. */
function webpHead(bytes: Uint8Array): ImageHead | null {
  if (bytes.length < 30 || !startsWith(bytes, 0, 'RIFF') || !startsWith(bytes, 8, 'WEBP')) return null;
  const view = viewOf(bytes);
  if (startsWith(bytes, 12, 'VP8X'))
    return {
      type: 'image/webp',
      width: 1 + (view.getUint32(24, true) & 0xff_ff_ff),
      height: 1 + ((view.getUint16(27, true) | ((bytes[29] ?? 0) << 16)) & 0xff_ff_ff),
    };
  if (startsWith(bytes, 12, 'VP8L')) {
    if (bytes[20] !== 0x2f) return null;
    const bits = view.getUint32(21, true);
    return { type: 'image/webp', width: 1 + (bits & 0x3f_ff), height: 1 + ((bits >>> 14) & 0x3f_ff) };
  }
  if (startsWith(bytes, 12, 'VP8 ')) {
    if (bytes[23] !== 0x9d || bytes[24] !== 0x01 || bytes[25] !== 0x2a) return null;
    return {
      type: 'image/webp',
      width: view.getUint16(26, true) & 0x3f_ff,
      height: view.getUint16(28, true) & 0x3f_ff,
    };
  }
  return null;
}

/** JPEG, ITU-T T.81 annex B: the size stands in the frame header (SOF), after any other segments. */
function jpegHead(bytes: Uint8Array): ImageHead | null {
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== 0xd8) return null;
  const view = viewOf(bytes);
  let at = 2;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) {
      at += 1; // fill bytes
      continue;
    }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      at += 2; // markers without a length
      continue;
    }
    if (marker === 0xd9 || marker === 0xda) return null; // the end or the data came before a frame header
    const length = view.getUint16(at + 2);
    if (length < 2) return null;
    // SOF0..SOF15 without DHT (c4), JPG (c8) and DAC (cc).
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      if (at + 9 > bytes.length) return null;
      return { type: 'image/jpeg', height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    }
    at += 2 + length;
  }
  return null;
}
