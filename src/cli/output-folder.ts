import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '#engine/blobs/make-folder.ts';
import { StudioError } from '#shared/errors.ts';

/** A folder that one run writes to: files appear whole or not at all, a second run is told to wait or go elsewhere. */
export interface OutputFolder {
  write(name: string, bytes: Uint8Array): Promise<string>;
  release(): Promise<void>;
}

const LOCK = '.spatext-lock';

/** @throws StudioError storage, disk-full; busy if another run is writing there */
export async function claimOutputFolder(folder: string): Promise<OutputFolder> {
  const lock = path.join(folder, LOCK);
  try {
    await makeFolder(folder);
    await takeLock(lock, folder);
  } catch (error) {
    // On a read-only disk making nested folders ends in "no such file", which says nothing to a person.
    if ((error as { code?: string }).code === 'ENOENT')
      throw new StudioError('storage', `the folder ${folder} cannot be made: its place is read-only or gone`, {
        remedy: 'name another folder with --out',
        cause: error,
      });
    if (['EEXIST', 'ENOTDIR'].includes((error as { code?: string }).code ?? ''))
      throw new StudioError('storage', `the folder ${folder} cannot be made: there is a file in its place`, {
        kept: 'that file is untouched',
        remedy: 'name another folder with --out',
        cause: error,
      });
    throw StudioError.from(error, `writing to ${folder}`);
  }
  return {
    async write(name, bytes) {
      const target = path.join(folder, name);
      const temporary = path.join(folder, `.${name}.${randomBytes(4).toString('hex')}.tmp`);
      try {
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
        throw StudioError.from(error, `writing ${target}`);
      }
      return target;
    },
    release: () => rm(lock, { force: true }),
  };
}

async function takeLock(lock: string, folder: string): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt += 1)
    try {
      await writeFile(lock, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw error;
      const owner = Number(await readFile(lock, 'utf8').catch(() => ''));
      if (Number.isInteger(owner) && owner > 0 && isAlive(owner))
        throw new StudioError('busy', `another run (process ${owner}) is writing to ${folder}`, {
          kept: 'its files are untouched',
          remedy: 'wait for it, or name another folder with --out',
        });
      // Its owner is gone: a run that was killed.
      await rm(lock, { force: true });
    }
  throw new StudioError('busy', `another run is writing to ${folder}`, { remedy: 'name another folder with --out' });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}
