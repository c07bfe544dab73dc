import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { downloadsFolder, findFile } from './file-finder.ts';

let root: string;
const bytes = Buffer.from('the weights of a model');
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'finder-'));
  await mkdir(path.join(root, 'models', 'a', 'b', 'c'), { recursive: true });
  await mkdir(path.join(root, 'models', '.hidden'));
  for (const place of ['a/b/near.safetensors', 'a/b/c/far.safetensors', '.hidden/secret.safetensors'])
    await writeFile(path.join(root, 'models', place), bytes);
});
afterAll(() => rm(root, { recursive: true }));

const find = (name: string, more: { bytes?: number; head?: Uint8Array } = {}) =>
  findFile([path.join(root, 'none'), path.join(root, 'models')], {
    name,
    bytes: bytes.length,
    head: bytes.subarray(0, 10),
    ...more,
  });

test('a dropped file is found by name, size and beginning, up to two folders down', async () => {
  expect(await find('near.safetensors')).toBe(path.join(root, 'models/a/b/near.safetensors'));
  expect(await find('far.safetensors')).toBeNull();
  expect(await find('secret.safetensors')).toBeNull();
  expect(await find('near.safetensors', { bytes: bytes.length + 1 })).toBeNull();
  expect(await find('near.safetensors', { head: Buffer.from('the height') })).toBeNull();
  expect(await find('near.safetensors', { head: Buffer.alloc(0) })).toBeNull();
});

test('a name is no path', async () => {
  expect(await find('b/near.safetensors')).toBeNull();
  expect(await find('../models/a/b/near.safetensors')).toBeNull();
  expect(await find('')).toBeNull();
  expect(downloadsFolder('/homes/ann')).toBe('/homes/ann/Downloads');
});
