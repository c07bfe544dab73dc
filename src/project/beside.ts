import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { StudioError } from '#shared/errors.ts';

/** Files that came along with an imported one, or lie beside it. */
export interface Beside {
  /** The bare names that can be read. */
  names(): Promise<ReadonlySet<string>>;
  /** @throws StudioError not-found; bad-input if the name is no bare one */
  read(name: string): Promise<Uint8Array>;
}

/** Files that were given with the imported one (dropped or chosen together). */
export function filesGiven(files: readonly { readonly name: string; readonly bytes: Uint8Array }[]): Beside {
  const given = new Map(files.map(({ name, bytes }) => [path.basename(name), bytes]));
  return {
    names: () => Promise.resolve(new Set(given.keys())),
    async read(name) {
      const bytes = given.get(bare(name));
      if (!bytes)
        throw new StudioError('not-found', `${name} did not come along`, { remedy: 'give both files at once' });
      return bytes;
    },
  };
}

/**
 * Files in the folder of `file`, or in the folder named after it, as COCO lays its pictures out. Only by bare names:
 * what a file says of others must not lead out of its folder.
 * @param readBytes reads one file within the caller's limits; not-found if there is none
 */
export function filesNear(file: string, readBytes: (file: string) => Promise<Uint8Array>): Beside {
  const folder = path.dirname(path.resolve(file));
  const own = path.join(folder, path.basename(file).replace(/\.json$/i, ''));
  return {
    async names() {
      const lists = await Promise.all([folder, own].map((one) => readdir(one).catch(() => [] as string[])));
      return new Set(lists.flat().filter((name) => name !== path.basename(file)));
    },
    async read(name) {
      try {
        return await readBytes(path.join(folder, bare(name)));
      } catch (error) {
        if (StudioError.from(error).code !== 'not-found') throw error;
        return readBytes(path.join(own, name));
      }
    },
  };
}

/** The first of several that has the file. */
export function firstOf(...all: readonly Beside[]): Beside {
  return {
    async names() {
      const lists = await Promise.all(all.map((one) => one.names()));
      return new Set(lists.flatMap((list) => [...list]));
    },
    async read(name) {
      for (const [index, one] of all.entries())
        try {
          return await one.read(name);
        } catch (error) {
          if (StudioError.from(error).code !== 'not-found' || index === all.length - 1) throw error;
        }
      throw new StudioError('not-found', `there is no file ${name} beside`);
    },
  };
}

function bare(name: string): string {
  if (name !== path.basename(name) || /[\\/]/.test(name) || name.startsWith('.'))
    throw new StudioError('bad-input', `the file names ${JSON.stringify(name)}, which is no bare file name`);
  return name;
}
