import type { StudioDocument } from '#shared/document/document.ts';
import type { Shape } from '#shared/document/geometry.ts';
import type { Bitmap } from '#shared/masks/bitmap.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';

/** Bitmap shapes' pictures as coverage, for masks made in this process. */
export interface BitmapCache {
  readonly lookup: BitmapLookup;
  /** Loads what the document's shapes need and is not there yet. @returns whether something came */
  ensure(document: StudioDocument): Promise<boolean>;
}

export function createBitmapCache(blobUrl: (hash: string) => string): BitmapCache {
  const loaded = new Map<string, Bitmap>();
  const loading = new Map<string, Promise<void>>();
  return {
    lookup: (hash) => loaded.get(hash),
    ensure: async (document) => {
      const missing = bitmapHashes(document).filter((hash) => !loaded.has(hash));
      for (const hash of missing)
        if (!loading.has(hash))
          loading.set(
            hash,
            decode(blobUrl(hash))
              .then((bitmap) => void loaded.set(hash, bitmap))
              // A missing blob leaves the shape empty, which its warning then says.
              .catch(() => undefined)
              .finally(() => loading.delete(hash)),
          );
      for (const hash of missing) await loading.get(hash);
      return missing.some((hash) => loaded.has(hash));
    },
  };
}

export function bitmapHashes(document: StudioDocument): string[] {
  const hashes = new Set<string>();
  const visit = (shapes: readonly Shape[]): void => {
    for (const shape of shapes) {
      if (shape.kind === 'bitmap') hashes.add(shape.blob);
      else if (shape.kind === 'group') visit(shape.shapes);
    }
  };
  for (const record of Object.values(document)) if (record.type === 'segment') visit(record.shapes);
  return [...hashes];
}

/** Coverage of a picture: its alpha if any pixel is translucent, else its grey. */
async function decode(url: string): Promise<Bitmap> {
  const image = await createImageBitmap(await (await fetch(url)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no 2d context');
  context.drawImage(image, 0, 0);
  image.close();
  const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
  const alpha = new Uint8Array(width * height);
  const grey = new Uint8Array(width * height);
  let translucent = false;
  for (let at = 0; at < alpha.length; at += 1) {
    const a = data[at * 4 + 3] ?? 0;
    alpha[at] = a;
    grey[at] = Math.round(
      0.299 * (data[at * 4] ?? 0) + 0.587 * (data[at * 4 + 1] ?? 0) + 0.114 * (data[at * 4 + 2] ?? 0),
    );
    if (a < 255) translucent = true;
  }
  return { width, height, data: translucent ? alpha : grey };
}
