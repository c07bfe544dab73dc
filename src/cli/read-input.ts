import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { BlobStore } from '#engine/blobs/blob-store.ts';
import { importFile } from '#project/formats/import.ts';
import { toDocument } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { LIMITS } from '#shared/document/limits.ts';
import { StudioError } from '#shared/errors.ts';

/** A file's bytes, refused in words when it is missing, a folder, or absurdly large. */
export async function readBytes(file: string): Promise<Uint8Array> {
  const info = await stat(file).catch((error: unknown) => {
    throw (error as { code?: string }).code === 'ENOENT'
      ? new StudioError('not-found', `there is no file ${file}`, { remedy: 'check the path' })
      : StudioError.from(error, `reading ${file}`);
  });
  if (!info.isFile())
    throw new StudioError('bad-input', `${file} is no file`, { remedy: 'name a scene, a project or a picture' });
  if (info.size > 8 * LIMITS.sceneFileBytes) throw new StudioError('too-large', `${file} has ${info.size} bytes`);
  return readFile(file).catch((error: unknown) => {
    throw StudioError.from(error, `reading ${file}`);
  });
}

/**
 * A scene from any file that holds one: a scene (JSON), a project, a picture made by the studio, a PSD, OpenRaster or
 * SVG file. The pictures inside go into the blob store.
 */
export async function readSceneFrom(file: string, blobs: BlobStore): Promise<StudioDocument> {
  const imported = await importFile({
    name: path.basename(file),
    bytes: await readBytes(file),
    writeBlob: (bytes) => blobs.write(bytes),
  });
  if (imported.kind === 'image')
    throw new StudioError('bad-input', `${path.basename(file)}: a picture without a scene inside`, {
      remedy: 'make a scene of it with `spatext import`, or name a scene',
    });
  return toDocument(imported.records);
}
