import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { BlobStore } from '#engine/blobs/blob-store.ts';
import { hashOf } from '#engine/blobs/blob-store.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { LIMITS } from '#shared/document/limits.ts';
import { readScene } from '#shared/document/scene-file.ts';
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

/** A scene from a scene file (JSON); the pictures inside go into the blob store. */
export async function readSceneFrom(file: string, blobs: BlobStore): Promise<StudioDocument> {
  const bytes = await readBytes(file);
  try {
    const { document, blobs: pictures } = readScene(new TextDecoder('utf-8').decode(bytes));
    for (const [hash, base64] of Object.entries(pictures)) {
      const picture = new Uint8Array(Buffer.from(base64, 'base64'));
      if (hashOf(picture) !== hash)
        throw new StudioError('bad-input', `the picture ${hash.slice(0, 12)} inside is not the one its name says`);
      await blobs.write(picture);
    }
    return document;
  } catch (error) {
    const { code, message, kept, remedy } = StudioError.from(error);
    throw new StudioError(code, `${path.basename(file)}: ${message}`, { kept, remedy, cause: error });
  }
}
