import sharp from 'sharp';
import { expect, test } from 'vitest';
import { segmentsOf, slotOf, toDocument } from '#shared/document/document.ts';
import { maskFrom, maskIou } from '#shared/masks/mask.ts';
import { disjointMasks } from '#shared/masks/segment-mask.ts';
import { filesGiven } from '../beside.ts';
import { Blobs, imported, importedAsking, sceneIn } from './formats.testkit.ts';
import { bitmapsOf } from './pixels.ts';

const CAT = 3_226_956;
const GRASS = 70_000;

/** A picture of segment ids, 32 x 32: the cat on the left, grass on the upper right, nothing below it. */
async function idPicture(cat = CAT): Promise<Uint8Array> {
  const ids = new Uint8Array(32 * 32 * 3);
  for (let i = 0; i < 32 * 32; i += 1) {
    const id = i % 32 < 16 ? cat : i < 512 ? GRASS : 0;
    ids.set([id % 256, Math.floor(id / 256) % 256, Math.floor(id / 65_536)], i * 3);
  }
  const png = sharp(ids, { raw: { width: 32, height: 32, channels: 3 } }).png();
  return new Uint8Array(await png.toBuffer());
}

async function photograph(): Promise<Uint8Array> {
  const jpeg = sharp({ create: { width: 64, height: 64, channels: 3, background: '#88aacc' } }).jpeg();
  return new Uint8Array(await jpeg.toBuffer());
}

const ANNOTATIONS = Buffer.from(
  JSON.stringify({
    images: [
      { id: 7, file_name: 'first.jpg' },
      { id: 139, file_name: '000139.jpg' },
    ],
    categories: [
      { id: 1, name: 'cat' },
      { id: 200, name: 'grass-other-merged' },
    ],
    annotations: [
      { image_id: 7, file_name: 'first.png', segments_info: [{ id: 1, category_id: 1 }] },
      {
        image_id: 139,
        file_name: '000139.png',
        segments_info: [
          { id: CAT, category_id: 1 },
          { id: GRASS, category_id: 200 },
        ],
      },
    ],
  }),
);
const beside = async () => filesGiven([{ name: '000139.png', bytes: await idPicture() }]);

test('an image of COCO panoptic annotations: categories become texts, ids areas', async () => {
  const blobs = new Blobs();
  const file = await imported(ANNOTATIONS, blobs, { beside: await beside(), image: '000139.jpg' });
  const document = toDocument(sceneIn(file));
  expect(segmentsOf(document).map(({ slot }) => slotOf(document, slot).content)).toMatchObject([
    { text: 'cat' },
    { text: 'grass' },
  ]);
  const { bitmaps } = await bitmapsOf(document, blobs.read);
  const { segments } = disjointMasks(document, { width: 32, height: 32 }, bitmaps);
  const wanted = [maskFrom(32, 32, (x) => x < 16), maskFrom(32, 32, (x, y) => x >= 16 && y < 16)];
  segments.forEach(({ mask }, index) => expect(maskIou(mask, wanted[index]!)).toBe(1));
});

test('the only image whose picture came along is meant, by whatever it is asked for', async () => {
  const meant = { kind: 'scene', taken: ['000139.png'], losses: [] };
  for (const more of [{}, { image: '139' }, { image: '000139.png' }]) {
    const input = { beside: await beside(), ...more };
    expect(await imported(ANNOTATIONS, new Blobs(), input)).toMatchObject(meant);
    expect(await importedAsking(ANNOTATIONS, new Blobs(), input)).toMatchObject(meant);
  }
});

test('where somebody can be asked, the images are listed, those with a picture first', async () => {
  const images = [
    { image: '000139.jpg', picture: '000139.png', segments: 2, there: true },
    { image: 'first.jpg', picture: 'first.png', segments: 1, there: true },
  ];
  const both = filesGiven([
    { name: 'first.png', bytes: await idPicture(1) },
    { name: '000139.png', bytes: await idPicture() },
  ]);
  expect(await importedAsking(ANNOTATIONS, new Blobs(), { beside: both })).toEqual({
    kind: 'annotations',
    images: images.toReversed(),
    total: 2,
    chosen: null,
  });
  // Its picture is not there: it is asked for, though the image is known.
  expect(await importedAsking(ANNOTATIONS, new Blobs(), { beside: await beside(), image: '7' })).toEqual({
    kind: 'annotations',
    images: [images[0], { ...images[1], there: false }],
    total: 2,
    chosen: '7',
  });
  expect((await importedAsking(ANNOTATIONS, new Blobs())).kind).toBe('annotations');
  // Nobody to ask: the first, and it is said.
  expect(await imported(ANNOTATIONS, new Blobs(), { beside: both })).toMatchObject({
    kind: 'scene',
    losses: ['the file has 2 images; first.png was taken'],
  });
});

test('the photograph that came along lies over the scene to draw after', async () => {
  const files = filesGiven([
    { name: '000139.png', bytes: await idPicture() },
    { name: '000139.jpg', bytes: await photograph() },
  ]);
  const blobs = new Blobs();
  const file = await importedAsking(ANNOTATIONS, blobs, { beside: files });
  expect(file).toMatchObject({ taken: ['000139.png', '000139.jpg'] });
  const records = sceneIn(file);
  const scene = records.find((record) => record.type === 'scene');
  const reference = records.find((record) => record.type === 'reference');
  const [x, y] = [(scene?.width ?? 0) / 64, (scene?.height ?? 0) / 64];
  expect(reference).toMatchObject({ width: 64, height: 64, transform: [x, 0, 0, y, 0, 0] });
  expect(blobs.all.has(reference?.blob ?? '')).toBe(true);
});

test('no picture, a wrong picture, no such image: said in words', async () => {
  const wrong = filesGiven([{ name: '000139.png', bytes: await photograph() }]);
  const other = filesGiven([]);
  for (const [more, code] of [
    [{}, 'unsupported'],
    [{ beside: other, image: '139' }, 'not-found'],
    [{ beside: await beside(), image: 'other' }, 'not-found'],
    [{ beside: wrong, image: '139' }, 'bad-input'],
  ] as const)
    await expect(imported(ANNOTATIONS, new Blobs(), more)).rejects.toMatchObject({ code });
});

test('a table of colours takes the label map that came with it', async () => {
  const picture = sharp({ create: { width: 64, height: 64, channels: 3, background: '#3cb44b' } }).png();
  const map = new Uint8Array(await picture.toBuffer());
  const table = Buffer.from('{"#3cb44b": "grass", "#e6194b": "a house"}');
  const file = await imported(table, new Blobs(), {
    name: 'yard.json',
    beside: filesGiven([
      { name: 'photo.jpg', bytes: await photograph() },
      { name: 'yard.png', bytes: map },
    ]),
  });
  expect(file).toMatchObject({ kind: 'scene', taken: ['yard.png'], losses: [expect.stringContaining('a house')] });
  expect(segmentsOf(toDocument(sceneIn(file)))).toHaveLength(1);
  await expect(imported(table, new Blobs(), { name: 'yard.json' })).rejects.toMatchObject({ code: 'unsupported' });
});
