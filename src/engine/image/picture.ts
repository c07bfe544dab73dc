import sharp from 'sharp';
import { StudioError } from '#shared/errors.ts';

/** 8-bit pixels, row by row, `channels` numbers each (3: red, green, blue; 4: with alpha; 1: grey). */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
  readonly data: Uint8Array;
}

/** Pictures beyond this many pixels are refused before they are decoded (a bomb needs few bytes). */
export const MAX_PIXELS = 100_000_000;

// Caches of a library in a process that lives for hours are memory nobody asked for.
sharp.cache(false);

/** @throws StudioError bad-input if the bytes are no picture, too-large if it is a huge one */
export async function decodePicture(bytes: Uint8Array, channels: 1 | 3 | 4): Promise<Picture> {
  try {
    const image = sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'error' }).rotate().toColourspace('srgb');
    // A picture with holes counts as lying on black, as a segment's crop does.
    const prepared =
      channels === 4
        ? image.ensureAlpha()
        : image.flatten({ background: '#000' }).toColourspace(channels === 1 ? 'b-w' : 'srgb');
    const { data, info } = await prepared.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    if (info.channels !== channels)
      throw new StudioError('bad-input', `a picture with ${info.channels} channels, expected ${channels}`);
    return {
      width: info.width,
      height: info.height,
      channels,
      data: new Uint8Array(data.buffer, data.byteOffset, data.length),
    };
  } catch (error) {
    if (error instanceof StudioError) throw error;
    const text = error instanceof Error ? error.message : String(error);
    if (/pixel limit/i.test(text))
      throw new StudioError('too-large', `the picture has more than ${MAX_PIXELS / 1e6} million pixels`, {
        cause: error,
      });
    throw new StudioError('bad-input', `the picture cannot be read (${text.split('\n')[0]})`, { cause: error });
  }
}

/** PNG bytes; level 6 is within 2 % of the smallest and several times faster. */
export async function encodePng(picture: Picture): Promise<Uint8Array> {
  const png = await sharp(picture.data, {
    raw: { width: picture.width, height: picture.height, channels: picture.channels },
  })
    .png({ compressionLevel: 6 })
    .toBuffer();
  return new Uint8Array(png.buffer, png.byteOffset, png.length);
}

/** The picture at another size: area-weighted down, Lanczos up. */
export async function resizePicture(picture: Picture, width: number, height: number): Promise<Picture> {
  if (width === picture.width && height === picture.height) return picture;
  const { data } = await sharp(picture.data, {
    raw: { width: picture.width, height: picture.height, channels: picture.channels },
  })
    .resize(width, height, { fit: 'fill', kernel: 'lanczos3' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width, height, channels: picture.channels, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
}

/**
 * A window of the picture, wherever it lies; what is outside the picture is `fill`.
 * @param x,y,width,height whole pixels
 */
export function cropPicture(picture: Picture, x: number, y: number, width: number, height: number, fill = 0): Picture {
  const { channels } = picture;
  const data = new Uint8Array(width * height * channels).fill(fill);
  const left = Math.max(0, -x);
  const right = Math.min(width, picture.width - x);
  if (right > left)
    for (let row = Math.max(0, -y); row < Math.min(height, picture.height - y); row += 1) {
      const from = ((row + y) * picture.width + left + x) * channels;
      data.set(picture.data.subarray(from, from + (right - left) * channels), (row * width + left) * channels);
    }
  return { width, height, channels, data };
}

/** [3, height, width] in -1..1 to pixels, clipped; rounding half up. */
export function toPixels(values: Float32Array, width: number, height: number): Picture {
  const plane = width * height;
  const data = new Uint8Array(plane * 3);
  for (let channel = 0; channel < 3; channel += 1)
    for (let i = 0; i < plane; i += 1) {
      const value = ((values[channel * plane + i] ?? 0) + 1) * 127.5;
      data[i * 3 + channel] = value < 0 ? 0 : value > 255 ? 255 : Math.floor(value + 0.5);
    }
  return { width, height, channels: 3, data };
}

/** Pixels to [3, height, width] in -1..1. */
export function fromPixels(picture: Picture): Float32Array {
  const plane = picture.width * picture.height;
  const values = new Float32Array(plane * 3);
  for (let channel = 0; channel < 3; channel += 1)
    for (let i = 0; i < plane; i += 1)
      values[channel * plane + i] =
        (picture.data[i * picture.channels + (picture.channels === 1 ? 0 : channel)] ?? 0) / 127.5 - 1;
  return values;
}
