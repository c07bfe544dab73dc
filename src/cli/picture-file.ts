import type { BlobStore } from '#engine/blobs/blob-store.ts';
import { exportScene } from '#project/formats/export.ts';
import type { Result } from '#shared/api/generation.ts';
import { toDocument } from '#shared/document/document.ts';

/** A result's picture as the file an artist keeps: its PNG with the scene and the settings inside. */
export async function pictureWithScene(result: Result, blobs: BlobStore): Promise<Uint8Array> {
  const { bytes } = await exportScene({
    document: toDocument(result.records),
    format: 'png',
    result,
    results: [],
    quality: 100,
    readBlob: (hash) => blobs.read(hash),
  });
  return bytes;
}
