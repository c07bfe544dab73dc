import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * The pack that is used where none is named: its folder in models/, which is also its id. Another one is made the
 * default here and nowhere else.
 */
export const DEFAULT_PACK = 'spatext-emoji-v4';

/** 9 before 10, whatever stands around the number. */
const byVersion = new Intl.Collator('en', { numeric: true });

/**
 * The folders of the packs that came with the studio, in the order in which one is used where none is named: the
 * default one, then newer before older. Another models folder (SPATEXT_MODELS) need not have the default one.
 */
export async function embeddedPackFolders(models: string, first = DEFAULT_PACK): Promise<string[]> {
  const entries = await readdir(models, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const rank = (name: string): number => (name === first ? 0 : 1);
  const found: string[] = [];
  for (const name of names.toSorted((a, b) => rank(a) - rank(b) || byVersion.compare(b, a)))
    if (await isFile(path.join(models, name, 'pack.json'))) found.push(path.join(models, name));
  return found;
}

const isFile = (file: string): Promise<boolean> =>
  stat(file).then(
    (info) => info.isFile(),
    () => false,
  );
