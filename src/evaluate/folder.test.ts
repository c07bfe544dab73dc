import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openBlobStore } from '#engine/blobs/blob-store.ts';
import { encodePng } from '#engine/image/picture.ts';
import { sceneOf } from '#shared/document/document.ts';
import { readScene, writeScene } from '#shared/document/scene-file.ts';
import { StudioError } from '#shared/errors.ts';
import { paint, sceneOfThings } from './evaluate.testkit.ts';
import { pictureFiles, readPicture, readResultFolder } from './folder.ts';
import type { FolderOptions } from './folder.ts';
import { readFile } from 'node:fs/promises';
import { labelFolderSegmenter } from './segmenter.ts';
import { viewSample } from './sample.ts';

let folder: string;
let scenes: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evaluate-'));
  scenes = join(folder, 'scenes');
  await mkdir(scenes);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const document = (text: string) =>
  sceneOfThings(text, [{ text: 'a', shapes: [{ kind: 'rect', x: 0, y: 0, width: 64, height: 64 }] }]);
const png = () => encodePng(paint(document(''), [9, 9, 9], [[200, 0, 0]]));
const options = (): FolderOptions => ({
  scenes,
  blobs: openBlobStore(join(folder, 'blobs')),
  readSceneFile: async (file) => {
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      throw StudioError.from(error);
    });
    return readScene(text).document;
  },
  sceneInside: async (_, name) => (name.startsWith('inside') ? document('inside') : null),
});
const put = async (name: string, content: Uint8Array | string) => writeFile(join(folder, name), content);

describe('readResultFolder', () => {
  test('finds each picture’s scene: beside it, in the scenes folder, with or without the seed, or inside it', async () => {
    await put('own-seed7.png', await png());
    await put('own-seed7.json', writeScene(document('own')));
    await put('beach-seed7.png', await png());
    await put('beach-seed12.png', await png());
    await put('scenes/beach.json', writeScene(document('beach')));
    await put('farm-2.png', await png());
    await put('farm-10.png', await png());
    await put('scenes/farm.json', writeScene(document('farm')));
    await put('inside.png', await png());
    await put('stray.png', await png());
    await put('notes.txt', 'no picture');
    const { samples, skipped } = await readResultFolder(folder, options());
    expect(samples.map(({ name, document: d }) => [name, sceneOf(d).text])).toEqual([
      ['beach-seed7', 'beach'],
      ['beach-seed12', 'beach'],
      ['farm-2', 'farm'],
      ['farm-10', 'farm'],
      ['inside', 'inside'],
      ['own-seed7', 'own'],
    ]);
    expect(skipped.map(({ file, why }) => [file.split('/').at(-1), why])).toEqual([
      ['stray.png', 'no scene in it, beside it or in the scenes folder'],
    ]);
    expect(await samples[0]!.readPicture()).toMatchObject({ width: 128, channels: 3 });
  });
  test('a broken scene costs one picture, with its reason', async () => {
    await put('good.png', await png());
    await put('good.json', writeScene(document('good')));
    await put('bad.png', await png());
    await put('bad.json', '{');
    const { samples, skipped } = await readResultFolder(folder, options());
    expect(samples.map(({ name }) => name)).toEqual(['good']);
    expect(skipped[0]!.why).toContain('not JSON');
  });
  test('nothing usable, no folder, a broken picture: one sentence', async () => {
    await expect(readResultFolder(folder, options())).rejects.toThrow('holds no picture with a scene');
    await put('stray.png', await png());
    await expect(readResultFolder(folder, options())).rejects.toThrow('(stray.png: no scene in it');
    await expect(readResultFolder(join(folder, 'none'), options())).rejects.toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
    await put('broken.png', 'not a picture');
    await expect(readPicture(join(folder, 'broken.png'))).rejects.toThrow(/^broken\.png: the picture cannot be read/);
    expect(await pictureFiles(folder)).toHaveLength(2);
  });
});

test('label maps of another segmenter: by name and number, at any size, never interpolated', async () => {
  const scene = sceneOfThings('', [
    { text: 'a', shapes: [{ kind: 'rect', x: 0, y: 0, width: 64, height: 128 }] },
    { text: 'b', shapes: [{ kind: 'rect', x: 64, y: 0, width: 64, height: 128 }] },
  ]);
  const view = await viewSample(
    { name: 's1', document: scene, bitmaps: () => undefined, readPicture: async () => paint(scene, [0, 0, 0], []) },
    32,
  );
  await mkdir(join(folder, 'maps'));
  const map = {
    width: 4,
    height: 4,
    channels: 1 as const,
    data: Uint8Array.from({ length: 16 }, (_, i) => (i % 4 < 1 ? 1 : i % 4 < 3 ? 2 : 0)),
  };
  await put('maps/s1.png', await encodePng(map));
  const [one, two] = await labelFolderSegmenter(join(folder, 'maps')).find(view);
  const share = (mask: { data: Uint8Array } | null | undefined) =>
    mask!.data.filter((v) => v === 255).length / mask!.data.length;
  expect(share(one)).toBe(0.25);
  expect(share(two)).toBe(0.5);
  expect(await labelFolderSegmenter(join(folder, 'maps')).find({ ...view, name: 'other' })).toEqual([null, null]);
});
