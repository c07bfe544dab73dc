import { open, readdir, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** A file as a browser knows it: all but the place. */
export interface DroppedFile {
  readonly name: string;
  readonly bytes: number;
  /** Its first bytes, which have to be the same. */
  readonly head: Uint8Array;
}

/** Folders below those given that are looked into as well. */
const DEPTH = 2;
const MOST_FOLDERS = 500;

/** Where browsers put what they fetch. */
export const downloadsFolder = (home: string = os.homedir()): string => path.join(home, 'Downloads');

/** Finds a file by name, size and first bytes in some folders and up to two levels below. @returns its path, or null */
export async function findFile(folders: readonly string[], file: DroppedFile): Promise<string | null> {
  // A name, never a path: `../x` would lead elsewhere.
  if (path.basename(file.name) !== file.name || file.name === '' || file.head.length === 0) return null;
  let level = [...new Set(folders)];
  let left = MOST_FOLDERS;
  for (let depth = 0; depth <= DEPTH; depth += 1) {
    const below: string[] = [];
    for (const folder of level.slice(0, left)) {
      left -= 1;
      const candidate = path.join(folder, file.name);
      if (await isSame(candidate, file)) return candidate;
      if (depth === DEPTH) continue;
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
      for (const entry of entries)
        if (entry.isDirectory() && !entry.name.startsWith('.')) below.push(path.join(folder, entry.name));
    }
    level = below;
  }
  return null;
}

async function isSame(candidate: string, { bytes, head }: DroppedFile): Promise<boolean> {
  const info = await stat(candidate).catch(() => undefined);
  if (!info?.isFile() || info.size !== bytes) return false;
  const handle = await open(candidate).catch(() => undefined);
  try {
    const start = Buffer.alloc(head.length);
    const read = await handle?.read(start, 0, head.length, 0);
    return read?.bytesRead === head.length && start.equals(head);
  } catch {
    return false;
  } finally {
    await handle?.close();
  }
}
