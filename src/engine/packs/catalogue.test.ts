import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { limitRoom } from '../../../test/fault/no-space.ts';
import { PackCatalogue } from './catalogue.ts';
import type { PackReader } from './catalogue.ts';
import { DEFAULT_PACK } from './embedded.ts';
import { modelsFolder } from './models-folder.ts';
import { packIdOf } from './pack-id.ts';
import { pixelPackReader } from './pixel-reader.ts';
import { openHashLedger } from './hash-ledger.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalogue-'));
  await mkdir(join(folder, 'data'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The embedded packs, and files of any kind as if they were models. */
function catalogueIn(): PackCatalogue<string> {
  const pixel = pixelPackReader(openHashLedger());
  const notes: PackReader<string> = {
    claims: async (path) => path.endsWith('.safetensors') || pixel.claims(path),
    async open(path) {
      if (!path.endsWith('.safetensors')) return { summary: (await pixel.open(path)).summary, opened: path };
      const { summary } = await pixel.open(join(modelsFolder(), DEFAULT_PACK));
      return { summary: { ...summary, id: packIdOf(path), name: basename(path) }, opened: path };
    },
  };
  return new PackCatalogue(modelsFolder(), join(folder, 'data/packs.json'), [notes]);
}
const ids = async (catalogue: PackCatalogue<string>) => (await catalogue.list()).packs.map(({ id }) => id);

test('what was added is remembered by its path, what was removed is not', async () => {
  const model = join(folder, 'mine.safetensors');
  await writeFile(model, 'mine');
  await catalogueIn().add(model);
  expect(await ids(catalogueIn())).toContain('mine');
  await catalogueIn().remove('mine');
  expect(await ids(catalogueIn())).not.toContain('mine');
});

test('no room to remember it: one sentence, and the models stay as they were', async () => {
  const [first, second] = [join(folder, 'first.safetensors'), join(folder, 'second.safetensors')];
  await writeFile(first, '1');
  await writeFile(second, '2');
  const catalogue = catalogueIn();
  await catalogue.add(first);
  const before = await readFile(join(folder, 'data/packs.json'), 'utf8');
  const room = limitRoom(join(folder, 'data'), 20);
  try {
    await expect(catalogue.add(second)).rejects.toThrow(/^remembering the models: .*(space|full)/);
    await expect(catalogue.remove('first')).rejects.toThrow(/^remembering the models/);
  } finally {
    room.remove();
  }
  expect(await ids(catalogue)).toContain('first');
  expect(await ids(catalogue)).not.toContain('second');
  expect(await readFile(join(folder, 'data/packs.json'), 'utf8')).toBe(before);
  expect(await readdir(join(folder, 'data'))).toEqual(['packs.json']);
  await catalogue.add(second);
  expect(await ids(catalogue)).toContain('second');
});
