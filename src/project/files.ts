import { randomBytes } from 'node:crypto';
import { copyFile, link, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '#engine/blobs/make-folder.ts';
import { StudioError } from '#shared/errors.ts';

/**
 * Puts `bytes` at `target` so that a crash at any moment leaves the old file or the new one, never a part:
 * temporary file beside it, fsync, rename, fsync of the folder.
 * @throws StudioError disk-full, storage, not-found; the old file is untouched then
 */
export async function writeAtomically(target: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = temporaryName(target);
  try {
    await writeAndSync(temporary, bytes);
    await renameOver(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw StudioError.from(error, `writing ${path.basename(target)}`);
  }
}

/** A name in the same folder (a rename must not cross file systems) that no other process will choose. */
export const temporaryName = (target: string): string =>
  path.join(path.dirname(target), `.${path.basename(target)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);

/** Creates `file`; by default for its owner alone, as autosaves and locks are nobody else's business. */
export async function writeAndSync(file: string, bytes: Uint8Array | string, mode = 0o600): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** rename, with patience on Windows, where virus scanners hold new files open for a moment; then fsync of the folder. */
export async function renameOver(from: string, to: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await rename(from, to);
      break;
    } catch (error) {
      const code = codeOf(error);
      const passing = process.platform === 'win32' && (code === 'EPERM' || code === 'EBUSY' || code === 'EACCES');
      if (!passing || attempt >= 10) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20 * (attempt + 1)));
    }
  }
  await syncFolder(path.dirname(to));
}

/** Makes a rename durable. Windows cannot open folders and does this on its own. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems refuse fsync of a folder; the rename itself has happened.
    if (codeOf(error) !== 'EINVAL') throw error;
  } finally {
    await handle.close();
  }
}

export const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

/** The file's bytes, or undefined if there is none. */
export async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Keeps a copy of `file` in `folder` as 1.EXT, 2.EXT, ... and drops the oldest beyond `keep`. Copies are numbered,
 * not dated, so that a clock that jumps back cannot make an old copy look new.
 * @returns the copy's path, or undefined if there was nothing to keep
 */
export async function keepBackup(file: string, folder: string, keep: number): Promise<string | undefined> {
  try {
    await stat(file);
  } catch {
    return undefined;
  }
  await makeFolder(folder);
  const extension = path.extname(file);
  const numbers = (await readdir(folder))
    .map((name) => Number(/^(\d+)\./.exec(name)?.[1] ?? Number.NaN))
    .filter(Number.isSafeInteger)
    .toSorted((a, b) => a - b);
  const copy = path.join(folder, `${(numbers.at(-1) ?? 0) + 1}${extension}`);
  try {
    // A second name for the same bytes costs no space; the save then puts a new file under the first name.
    await link(file, copy);
  } catch {
    await copyFile(file, copy);
  }
  for (const number of numbers.slice(0, Math.max(0, numbers.length + 1 - keep)))
    await rm(path.join(folder, `${number}${extension}`), { force: true });
  return copy;
}

/** A file name every system takes: no separators, control characters or reserved names, at most 100 characters. */
export function safeFileName(name: string, fallback = 'Untitled'): string {
  const clean = name
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\p{Cf}<>:"/\\|?*]/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .replace(/^[. ]+/, '')
    .slice(0, 100)
    .replace(/[. ]+$/, '');
  if (clean === '') return fallback;
  return /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(clean) ? `_${clean}` : clean;
}
