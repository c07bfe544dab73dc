import { cropPicture, fromPixels, resizePicture } from '../image/picture.ts';
import type { Picture } from '../image/picture.ts';
import { CROP_MARGIN } from '../packs/schema.ts';

export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The box around a mask's set pixels (at least half covered), or null for an empty one. */
export function boxOfMask(mask: Uint8Array, width: number, height: number): Region | null {
  let left = width;
  let right = -1;
  let top = height;
  let bottom = -1;
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      if ((mask[y * width + x] ?? 0) >= 128) {
        if (x < left) left = x;
        if (x > right) right = x;
        if (y < top) top = y;
        bottom = y;
      }
  return right < 0 ? null : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/**
 * A segment as the image encoder sees it (SpaText, section 3.1): the square crop around it, everything outside
 * the mask black.
 * @param mask coverage 0..255 at the picture's size, or null to take the whole box
 * @param side pixels of the encoder's input
 * @returns [3, side, side] in -1..1
 */
export async function segmentCrop(
  picture: Picture,
  box: Region,
  mask: Uint8Array | null,
  side: number,
): Promise<Float32Array> {
  const square = Math.max(2, Math.round(Math.max(box.width, box.height) * CROP_MARGIN));
  const x = Math.round(box.x + (box.width - square) / 2);
  const y = Math.round(box.y + (box.height - square) / 2);
  let masked: Picture = picture;
  if (mask) {
    const data = Uint8Array.from(picture.data);
    for (let i = 0; i < mask.length; i += 1)
      if ((mask[i] ?? 0) < 128) data.fill(0, i * picture.channels, (i + 1) * picture.channels);
    masked = { ...picture, data };
  }
  return fromPixels(await resizePicture(cropPicture(masked, x, y, square, square), side, side));
}

/** A whole picture as the image encoder sees it: scaled into the middle of a black square. */
export async function wholeCrop(picture: Picture, side: number): Promise<Float32Array> {
  const square = Math.max(picture.width, picture.height);
  const x = Math.floor((picture.width - square) / 2);
  const y = Math.floor((picture.height - square) / 2);
  return fromPixels(await resizePicture(cropPicture(picture, x, y, square, square), side, side));
}
