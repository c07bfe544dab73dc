import { decodeMask } from '#engine/image/bitmaps.ts';
import { decodePicture, encodePng, resizePicture } from '#engine/image/picture.ts';
import type { Picture } from '#engine/image/picture.ts';
import { sceneOf } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { Shape } from '#shared/document/geometry.ts';
import type { Bitmap } from '#shared/masks/bitmap.ts';
import { maskBounds } from '#shared/masks/mask.ts';
import type { Mask, Size } from '#shared/masks/mask.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';

export { decodePicture, encodePng, resizePicture };
export type { Picture };

/** The pixels of every bitmap shape; those that cannot be read cover nothing and are counted. */
export async function bitmapsOf(
  document: StudioDocument,
  readBlob: (hash: string) => Promise<Uint8Array>,
): Promise<{ bitmaps: BitmapLookup; missing: number }> {
  const found = new Map<string, Bitmap | undefined>();
  const visit = (shapes: readonly Shape[]): void => {
    for (const shape of shapes)
      if (shape.kind === 'bitmap') found.set(shape.blob, undefined);
      else if (shape.kind === 'group') visit(shape.shapes);
  };
  for (const record of Object.values(document)) if (record.type === 'segment') visit(record.shapes);
  let missing = 0;
  for (const hash of found.keys()) {
    try {
      found.set(hash, await decodeMask(await readBlob(hash)));
    } catch {
      missing += 1;
    }
  }
  return { bitmaps: (hash) => found.get(hash), missing };
}

/** A mask without the empty border around it: what layers are stored as. */
export interface CroppedMask {
  readonly left: number;
  readonly top: number;
  readonly mask: Mask;
}

/** null for an empty mask. */
export function cropMask(mask: Mask): CroppedMask | null {
  const box = maskBounds(mask);
  if (!box) return null;
  const width = box.right - box.left;
  const height = box.bottom - box.top;
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1) {
    const from = (box.top + y) * mask.width + box.left;
    data.set(mask.data.subarray(from, from + width), y * width);
  }
  return { left: box.left, top: box.top, mask: { width, height, data } };
}

/** RGBA of the part of a picture below a mask; a colour instead of the picture where there is none. */
export function pixelsBelow(
  cropped: CroppedMask,
  source: Picture | readonly [number, number, number],
  alpha: 'mask' | 'opaque',
): Picture {
  const { left, top, mask } = cropped;
  const data = new Uint8Array(mask.width * mask.height * 4);
  const picture = 'data' in source ? source : undefined;
  const colour = 'data' in source ? [0, 0, 0] : source;
  for (let y = 0, i = 0; y < mask.height; y += 1)
    for (let x = 0; x < mask.width; x += 1, i += 1) {
      const from = picture ? ((top + y) * picture.width + left + x) * picture.channels : 0;
      for (let channel = 0; channel < 3; channel += 1)
        data[i * 4 + channel] = picture ? (picture.data[from + channel] ?? 0) : (colour[channel] ?? 0);
      data[i * 4 + 3] = alpha === 'mask' ? (mask.data[i] ?? 0) : 255;
    }
  return { width: mask.width, height: mask.height, channels: 4, data };
}

export const colourChannels = (hex: string): [number, number, number] => [
  Number.parseInt(hex.slice(1, 3), 16),
  Number.parseInt(hex.slice(3, 5), 16),
  Number.parseInt(hex.slice(5, 7), 16),
];

export const sceneSize = (document: StudioDocument): Size => {
  const { width, height } = sceneOf(document);
  return { width, height };
};
