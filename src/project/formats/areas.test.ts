import sharp from 'sharp';
import { expect, test } from 'vitest';
import { sceneOf, segmentsOf, slotOf, toDocument } from '#shared/document/document.ts';
import { maskFrom, maskIou } from '#shared/masks/mask.ts';
import { disjointMasks } from '#shared/masks/segment-mask.ts';
import { Blobs, exported, imported, sceneIn } from './formats.testkit.ts';
import { makeNpy, readNpy } from './npy.ts';
import { bitmapsOf } from './pixels.ts';

const TABLE = {
  '#e6194b': 'a red house',
  '#3cb44b': 'grass',
  '#4363d8': 'the sea',
  '#ffe119': 'the sun',
  '#aaffc3': 'a mint',
};
const SIDE = 512;

/** What is drawn at (x, y) of the label map: an index into the table, or -1. */
function drawn(x: number, y: number): number {
  if (Math.hypot(x - 400, y - 100) < 60) return 3;
  if (y > 380) return 1;
  if (x > 60 && x < 220 && y > 180 && y < 380) return 0;
  if (y > 300 && x > 260) return 2;
  if (Math.abs(x - 260 - (y - 60) / 4) < 14 && y > 40 && y < 280) return 4;
  return -1;
}

function labelMap(): Uint8Array {
  const colours = Object.keys(TABLE).map((hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)));
  const data = new Uint8Array(SIDE * SIDE * 3);
  for (let y = 0, i = 0; y < SIDE; y += 1)
    for (let x = 0; x < SIDE; x += 1, i += 1) {
      const index = drawn(x, y);
      if (index >= 0) data.set(colours[index]!, i * 3);
    }
  return data;
}

const sharpOf = (data: Uint8Array) => sharp(data, { raw: { width: SIDE, height: SIDE, channels: 3 } });
const encodings: [string, (data: Uint8Array) => Promise<Buffer>][] = [
  ['PNG', (data) => sharpOf(data).png().toBuffer()],
  ['JPEG 95, full colour', (data) => sharpOf(data).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer()],
  ['JPEG 75', (data) => sharpOf(data).jpeg({ quality: 75 }).toBuffer()],
  ['JPEG 30', (data) => sharpOf(data).jpeg({ quality: 30 }).toBuffer()],
  ['WebP 50', (data) => sharpOf(data).webp({ quality: 50 }).toBuffer()],
];

test.each(encodings)('a label map as %s comes back at the resolution of the map', async (_what, encode) => {
  const blobs = new Blobs();
  const file = await imported(new Uint8Array(await encode(labelMap())), blobs, { labels: TABLE });
  const document = toDocument(sceneIn(file));
  expect(sceneOf(document)).toMatchObject({ width: SIDE, height: SIDE });
  const segments = segmentsOf(document);
  expect(segments.map(({ slot }) => slotOf(document, slot).content)).toMatchObject(
    Object.values(TABLE).map((text) => ({ kind: 'text', text })),
  );
  const { bytes } = await exported(document, 'npy', blobs);
  const { shape, values } = readNpy(bytes);
  expect(shape).toEqual([64, 64]);
  for (const [index] of segments.entries()) {
    // Of each pixel of the map, what most of its 8 x 8 pixels are.
    const wanted = maskFrom(64, 64, (x, y) => {
      let count = 0;
      for (let dy = 0; dy < 8; dy += 1)
        for (let dx = 0; dx < 8; dx += 1) if (drawn(8 * x + dx, 8 * y + dy) === index) count += 1;
      return count >= 32;
    });
    const found = maskFrom(64, 64, (x, y) => values[y * 64 + x] === index + 1);
    expect(maskIou(found, wanted)).toBeGreaterThan(0.95);
  }
});

test('colours of no area, black, and pictures of other colours', async () => {
  const png = new Uint8Array(await sharpOf(labelMap()).png().toBuffer());
  const file = await imported(png, new Blobs(), {
    labels: { '#000000': 'night', '#e6194b': 'a house', '#123456': 'x' },
  });
  expect(segmentsOf(toDocument(sceneIn(file)))).toHaveLength(1);
  expect(file).toMatchObject({ losses: [expect.stringContaining('black'), expect.stringContaining('#123456')] });
  await expect(imported(png, new Blobs(), { labels: { '#7f7f7f': 'grey' } })).rejects.toMatchObject({
    code: 'bad-input',
  });
  for (const labels of [{}, { red: 'x' }, { '#ff0000': ' ' }, { '#ff00': 'x' }] as Record<string, string>[])
    await expect(imported(png, new Blobs(), { labels })).rejects.toMatchObject({ code: 'bad-input' });
});

test('holes in a picture, and a black and white picture, are areas if asked for; else pictures', async () => {
  const holes = new Uint8Array(64 * 64 * 4).map((_, i) => (i % 4 === 3 ? ((i >> 2) % 64 < 20 ? 255 : 0) : 90));
  const png = new Uint8Array(
    await sharp(holes, { raw: { width: 64, height: 64, channels: 4 } })
      .png()
      .toBuffer(),
  );
  expect(await imported(png, new Blobs())).toMatchObject({ kind: 'image', width: 64, height: 64, hasAlpha: true });
  const blobs = new Blobs();
  const file = await imported(png, blobs, { pictures: 'mask', name: 'black_cat.png' });
  const document = toDocument(sceneIn(file));
  const { bitmaps } = await bitmapsOf(document, blobs.read);
  const [segment] = disjointMasks(document, { width: 64, height: 64 }, bitmaps).segments;
  expect(
    maskIou(
      segment!.mask,
      maskFrom(64, 64, (x) => x < 20),
    ),
  ).toBe(1);
  expect(slotOf(document, 'slot:area-1').content).toMatchObject({ text: 'black cat' });

  const tones = new Uint8Array(64 * 64).map((_, i) => (i % 64 < 20 ? 255 : 0));
  const grey = new Uint8Array(
    await sharp(tones, { raw: { width: 64, height: 64, channels: 1 } })
      .png()
      .toBuffer(),
  );
  expect((await imported(grey, new Blobs())).kind).toBe('image');
  expect((await imported(grey, new Blobs(), { pictures: 'mask' })).kind).toBe('scene');
  const photo = new Uint8Array(await sharpOf(labelMap()).jpeg().toBuffer());
  expect((await imported(photo, new Blobs(), { pictures: 'mask' })).kind).toBe('image');
});

test('arrays: labels and prepared maps come back as areas, pickles are refused', async () => {
  const labels = Uint16Array.from({ length: 100 }, (_, i) => (i < 30 ? 0 : i < 60 ? 4 : 9));
  const fromLabels = await imported(makeNpy({ shape: [10, 10], values: labels }), new Blobs());
  expect(segmentsOf(toDocument(sceneIn(fromLabels)))).toHaveLength(2);
  const st = Float32Array.from({ length: 300 }, (_, i) =>
    i % 100 < 30 ? 0 : i % 100 < 60 ? 0.6 : -0.3 * (1 + Math.floor(i / 100)),
  );
  const fromMap = await imported(makeNpy({ shape: [3, 10, 10], values: st }), new Blobs());
  expect(segmentsOf(toDocument(sceneIn(fromMap)))).toHaveLength(2);
  const pickle = Buffer.from(makeNpy({ shape: [2, 2], values: new Uint8Array(4) }));
  pickle.write("{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }", 10);
  await expect(imported(pickle, new Blobs())).rejects.toMatchObject({ code: 'bad-input' });
  for (const shape of [[1e9, 1e9], [0, 4], [4], [1, 1, 1, 1]])
    await expect(imported(makeNpy({ shape, values: new Uint8Array(4) }), new Blobs())).rejects.toThrow();
});

test('a prepared map holds each segment at its place as the embedding that fills it', async () => {
  const blobs = new Blobs();
  const png = new Uint8Array(await sharpOf(labelMap()).png().toBuffer());
  const document = toDocument(sceneIn(await imported(png, blobs, { labels: TABLE })));
  const texts = Object.values(TABLE);
  const filling = {
    width: 32,
    height: 32,
    space: 'test',
    embed: (content: { kind: string; text?: string }) => {
      const vector = new Float32Array(6);
      vector[texts.indexOf(content.text ?? '')] = 1;
      return Promise.resolve(vector);
    },
  };
  const { bytes, beside, losses } = await exported(document, 'npy', blobs, { filling });
  const { shape, values } = readNpy(bytes);
  expect(shape).toEqual([6, 32, 32]);
  const at = (channel: number, x: number, y: number) => values[channel * 1024 + y * 32 + x];
  for (const [index, [x, y]] of [
    [8, 16],
    [16, 28],
    [28, 20],
    [25, 6],
  ].entries())
    for (let channel = 0; channel < 6; channel += 1) expect(at(channel, x!, y!)).toBe(channel === index ? 1 : 0);
  expect(at(0, 0, 0)).toBe(0);
  const legend = JSON.parse(Buffer.from(beside![0]!.bytes).toString()) as {
    segments: { name: string }[];
    space: string;
  };
  expect(legend.segments.map(({ name }) => name)).toEqual(texts);
  expect(losses.join()).not.toContain('no model pack');
});
