import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeFolder } from './make-folder.ts';

describe('making folders', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'spatext-folder-'));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  test('makes all that is missing, from several sides at once, and minds none that is there', async () => {
    const deep = path.join(home, 'a', 'b', 'c');
    await Promise.all(Array.from({ length: 8 }, () => makeFolder(deep)));
    await makeFolder(deep);
    await makeFolder(path.parse(home).root);
    expect(statSync(deep).isDirectory()).toBe(true);
  });

  test('says no where a file stands in the way', async () => {
    const file = path.join(home, 'file');
    await writeFile(file, '');
    await expect(makeFolder(file)).rejects.toThrow('EEXIST');
    await expect(makeFolder(path.join(file, 'below'))).rejects.toThrow('ENOTDIR');
  });

  // Node's own recursive mkdir does not come back from here.
  test.skipIf(!existsSync('/proc/self'))('ends where nothing can be made', async () => {
    await expect(makeFolder('/proc/spatext/deeper')).rejects.toThrow('ENOENT');
  });
});
