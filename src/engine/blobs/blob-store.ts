import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { StudioError } from '#shared/errors.ts';
import { BlobHash } from '#shared/document/geometry.ts';
import { makeFolder } from './make-folder.ts';

/** SHA-256 of bytes as lower-case hexadecimal digits: a blob's name. */
export const hashOf = (bytes: Uint8Array): BlobHash => createHash('sha256').update(bytes).digest('hex');

/**
 * Immutable bytes named by their hash, one file each: FOLDER/ab/abcdef... . Several processes may write at
 * once: a file appears whole or not at all, and the same bytes have the same name.
 */
export interface BlobStore {
  readonly folder: string;
  pathOf(hash: BlobHash): string;
  has(hash: BlobHash): boolean;
  /** @throws StudioError not-found; storage if the file no longer has the bytes of its name */
  read(hash: BlobHash): Promise<Uint8Array>;
  /** @throws StudioError disk-full, storage */
  write(bytes: Uint8Array): Promise<BlobHash>;
  bytesOf(hash: BlobHash): Promise<number>;
  remove(hash: BlobHash): Promise<void>;
}

export function openBlobStore(folder: string): BlobStore {
  const pathOf = (hash: BlobHash): string => {
    // The name goes into a path: anything but a hash would be a way out of the folder.
    if (!BlobHash.safeParse(hash).success)
      throw new StudioError('bad-input', `${JSON.stringify(hash)} is no blob hash`);
    return path.join(folder, hash.slice(0, 2), hash);
  };
  return {
    folder,
    pathOf,
    has: (hash) => existsSync(pathOf(hash)),
    async read(hash) {
      let bytes: Uint8Array;
      try {
        bytes = await readFile(pathOf(hash));
      } catch (error) {
        throw StudioError.from(error, `reading the blob ${hash.slice(0, 12)}`);
      }
      if (hashOf(bytes) !== hash)
        throw new StudioError('storage', `the blob ${hash.slice(0, 12)} is damaged on disk`, {
          remedy: 'generate the picture again, or restore the file from a backup',
        });
      return bytes;
    },
    async write(bytes) {
      const hash = hashOf(bytes);
      const target = pathOf(hash);
      if (existsSync(target)) return hash;
      const temporary = `${target}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
      try {
        await makeFolder(path.dirname(target));
        const file = await open(temporary, 'wx');
        try {
          await file.writeFile(bytes);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(temporary, target);
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => undefined);
        throw StudioError.from(error, 'storing a picture');
      }
      return hash;
    },
    async bytesOf(hash) {
      try {
        return (await stat(pathOf(hash))).size;
      } catch (error) {
        throw StudioError.from(error, `looking up the blob ${hash.slice(0, 12)}`);
      }
    },
    async remove(hash) {
      await rm(pathOf(hash), { force: true });
    },
  };
}
