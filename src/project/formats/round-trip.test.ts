import { randomBytes } from 'node:crypto';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { sceneOf, toDocument, toRecords } from '#shared/document/document.ts';
import { Blobs, exported, imported, richScene, sceneIn, testResult } from './formats.testkit.ts';

const CARRYING = ['json', 'spatext', 'png', 'jpg', 'webp', 'svg', 'psd', 'ora'] as const;

test.each(CARRYING)('%s: the scene comes back exactly, with its pictures, into an empty studio', async (format) => {
  const blobs = new Blobs();
  const document = await richScene(blobs);
  const { bytes, fileName, losses } = await exported(document, format, blobs);
  const fresh = new Blobs();
  const back = await imported(bytes, fresh);
  expect(sceneIn(back)).toEqual(toRecords(document));
  for (const hash of blobs.all.keys()) expect(fresh.all.get(hash)).toEqual(blobs.all.get(hash));
  expect(fileName).toMatch(new RegExp(`^Ünder the sea & more\\.${format}$`));
  expect(losses.join()).not.toContain('could not');
});

test.each(['png', 'jpg', 'webp', 'psd', 'ora'] as const)(
  '%s of a result carries the scene it was made from',
  async (format) => {
    const blobs = new Blobs();
    const document = await richScene(blobs);
    const result = await testResult(document, blobs);
    const { bytes } = await exported(document, format, blobs, { result });
    const back = await imported(bytes, new Blobs());
    expect(back).toMatchObject({ kind: 'scene', result: 'result-test' });
    expect(sceneIn(back)).toEqual(toRecords(document));
  },
);

test('a PNG of a result keeps every pixel, and says the settings as other programs read them', async () => {
  const blobs = new Blobs();
  const document = await richScene(blobs);
  const result = await testResult(document, blobs);
  const { bytes } = await exported(document, 'png', blobs, { result });
  const before = await sharp(await blobs.read(result.picture))
    .raw()
    .toBuffer();
  expect((await sharp(bytes).raw().toBuffer()).equals(before)).toBe(true);
  const { readTexts } = await import('./png.ts');
  expect(readTexts(bytes).get('parameters')).toBe(
    [
      'at the beach, 海辺 second line',
      'Negative prompt: blurry: very, "bad"',
      'Steps: 16, Sampler: dpmpp-2m, CFG scale: 1.5, Seed: 12345, Size: 320x256, Model: "Embedded, small", ' +
        'Model hash: abcdef0123, SpaText local scale: 4.25, SpaText guidance: joint, ' +
        String.raw`SpaText segments: "a black cat | a red ribbon | a <kite> & \"tail\" | a black cat + a <kite> & \"tail\""`,
    ].join('\n'),
  );
});

test('a JPEG without room for the scene says so and still has its settings', async () => {
  const blobs = new Blobs();
  const document = await richScene(blobs);
  const big = await blobs.write(new Uint8Array(randomBytes(200_000)));
  const scene = { ...sceneOf(document), start: { blob: big, strength: 1 } };
  const { bytes, losses } = await exported({ ...document, 'scene:main': scene }, 'jpg', blobs);
  expect(losses.join()).toContain('too large for the metadata of a JPEG');
  expect((await imported(bytes, new Blobs())).kind).toBe('image');
  expect((await sharp(bytes).metadata()).exif?.toString('latin1')).toContain('SpaText Studio');
});

test('a project keeps undo, redo and chosen results', async () => {
  const blobs = new Blobs();
  const document = await richScene(blobs);
  const result = await testResult(document, blobs);
  const mark = { label: 'Draw', diff: { added: [], updated: [], removed: [toRecords(document)[0]!] } };
  const { bytes } = await exported(document, 'spatext', blobs, { result, undo: [mark], redo: [mark, mark] });
  const { readProject } = await import('./project-file.ts');
  const project = await readProject(bytes);
  expect(project.undo).toEqual([mark]);
  expect(project.redo).toEqual([mark, mark]);
  expect(project.results).toEqual([result]);
  expect(project.blobs.get(result.picture)).toEqual(await blobs.read(result.picture));
  expect(project.troubles).toEqual([]);
  // Equal documents give equal files, whatever the time.
  expect((await exported(document, 'spatext', blobs, { result, undo: [mark], redo: [mark, mark] })).bytes).toEqual(
    bytes,
  );
});

test('what a format cannot carry is said only where the scene has it', async () => {
  const blobs = new Blobs();
  const rich = await richScene(blobs);
  const plain = toDocument(
    toRecords(rich).filter((record) => record.id === 'scene:main' || record.id.endsWith(':cat')),
  );
  const losses = async (document: typeof rich, format: 'svg' | 'npy' | 'psd') =>
    (await exported(document, format, blobs)).losses.length;
  expect(await losses(rich, 'svg')).toBeGreaterThan(await losses(plain, 'svg'));
  expect(await losses(rich, 'npy')).toBeGreaterThan(await losses(plain, 'npy'));
  expect(await losses(rich, 'psd')).toBeGreaterThan(await losses(plain, 'psd'));
});
