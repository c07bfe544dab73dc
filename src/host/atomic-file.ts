import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '#engine/blobs/make-folder.ts';
import { StudioError } from '#shared/errors.ts';

/**
 * Writes a file that is there whole or not at all: beside it first, flushed, then renamed over it.
 * @throws StudioError disk-full, storage, not-found; what stood there before is unchanged then
 */
export async function writeWhole(file: string, bytes: Uint8Array | string, mode = 0o666): Promise<void> {
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await makeFolder(path.dirname(file));
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw StudioError.from(error, `writing ${path.basename(file)}`);
  }
}
