import type { BlobStore } from '#engine/blobs/blob-store.ts';
import type { Result } from '#shared/api/generation.ts';

/** A result's picture as the file an artist keeps. */
export function pictureWithScene(result: Result, blobs: BlobStore): Promise<Uint8Array> {
  return blobs.read(result.picture);
}
