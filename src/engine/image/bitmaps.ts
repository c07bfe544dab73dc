import type { StudioDocument } from '#shared/document/document.ts';
import type { Shape } from '#shared/document/geometry.ts';
import type { Bitmap } from '#shared/masks/bitmap.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { decodePicture } from './picture.ts';

/** Decodes every bitmap that the document's shapes point at, so that masks can be drawn without waiting. */
export async function loadBitmaps(document: StudioDocument, blobs: BlobStore): Promise<BitmapLookup> {
  const hashes = new Set<string>();
  const visit = (shapes: readonly Shape[]): void => {
    for (const shape of shapes)
      if (shape.kind === 'bitmap') hashes.add(shape.blob);
      else if (shape.kind === 'group') visit(shape.shapes);
  };
  for (const record of Object.values(document)) if (record.type === 'segment') visit(record.shapes);
  const bitmaps = new Map<string, Bitmap>();
  for (const hash of hashes) bitmaps.set(hash, await decodeMask(await blobs.read(hash)));
  return (hash) => bitmaps.get(hash);
}

/** A picture as coverage: its alpha if any of it is see-through, else its brightness. */
export async function decodeMask(bytes: Uint8Array): Promise<Bitmap> {
  const { width, height, data } = await decodePicture(bytes, 4);
  const coverage = new Uint8Array(width * height);
  let seeThrough = false;
  for (let i = 0; i < coverage.length; i += 1) {
    coverage[i] = data[i * 4 + 3] ?? 255;
    if (coverage[i] !== 255) seeThrough = true;
  }
  if (!seeThrough)
    for (let i = 0; i < coverage.length; i += 1)
      // Rec. 709 luma: what people see as bright.
      coverage[i] = Math.round(
        0.2126 * (data[i * 4] ?? 0) + 0.7152 * (data[i * 4 + 1] ?? 0) + 0.0722 * (data[i * 4 + 2] ?? 0),
      );
  return { width, height, data: coverage };
}
