import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * Makes a folder and those above it. Node's own recursive mkdir never ends where a place answers "no such file" to
 * every attempt (/proc, automounted folders, a drive that is gone): here that is an error like any other.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const code = (error as { code?: string }).code;
    // Made by somebody else meanwhile, or there since long; also on a read-only disk.
    if ((await stat(folder).catch(() => undefined))?.isDirectory()) return;
    const above = path.dirname(folder);
    if (code !== 'ENOENT' || above === folder) throw error;
    await makeFolder(above);
    await mkdir(folder).catch((again: unknown) => {
      if ((again as { code?: string }).code !== 'EEXIST') throw again;
    });
  }
}
