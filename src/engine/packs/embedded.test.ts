import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PackCatalogue } from './catalogue.ts';
import { DEFAULT_PACK, embeddedPackFolders } from './embedded.ts';
import { openHashLedger } from './hash-ledger.ts';
import { modelsFolder } from './models-folder.ts';
import { pixelPackReader } from './pixel-reader.ts';
import { writeTinyPack } from './tiny-pack.testkit.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'spatext-models-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const write = (name: string): Promise<void> =>
  writeTinyPack(path.join(folder, name), { sketch: false, change: (pack) => Object.assign(pack, { id: name }) });
const list = () => new PackCatalogue(folder, undefined, [pixelPackReader(openHashLedger())]).list();
const names = async (first?: string) =>
  (await embeddedPackFolders(folder, first)).map((found) => path.relative(folder, found));

test('the default pack came with the studio', async () => {
  expect((await embeddedPackFolders(modelsFolder()))[0]).toBe(path.join(modelsFolder(), DEFAULT_PACK));
});

describe('which of several packs is used where none is named', () => {
  test('the one that is marked, then newer before older, by number; folders without a pack are none', async () => {
    for (const name of ['pack-v2', 'pack-v10', 'pack-v9', 'marked']) await write(name);
    await mkdir(path.join(folder, 'pack-v99'));
    await writeFile(path.join(folder, 'pack-v98'), 'a file');
    expect(await names('marked')).toEqual(['marked', 'pack-v10', 'pack-v9', 'pack-v2']);
    expect(await names('pack-v9')).toEqual(['pack-v9', 'pack-v10', 'pack-v2', 'marked']);
    expect(await names('gone')).toEqual(['pack-v10', 'pack-v9', 'pack-v2', 'marked']);
    expect(await embeddedPackFolders(path.join(folder, 'nowhere'))).toEqual([]);
  });

  test('the catalogue goes by it, also beside a newer one and where it is not there', async () => {
    await write('zebra-v9');
    expect((await list()).defaultPack).toBe('zebra-v9');
    await write(DEFAULT_PACK);
    const { packs, defaultPack } = await list();
    expect(defaultPack).toBe(DEFAULT_PACK);
    expect(packs.map(({ id, source }) => [id, source])).toEqual([
      [DEFAULT_PACK, 'embedded'],
      ['zebra-v9', 'embedded'],
    ]);
  });

  test('a marked pack that cannot be used stays in the list with its reason, and another one steps in', async () => {
    await write('other');
    await write(DEFAULT_PACK);
    await rm(path.join(folder, DEFAULT_PACK, 'unet.onnx'));
    const { packs, defaultPack } = await list();
    expect(defaultPack).toBe('other');
    expect(packs.find(({ id }) => id === DEFAULT_PACK)?.problem).toMatch(/unet\.onnx is missing/);
  });
});
