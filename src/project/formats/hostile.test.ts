import sharp from 'sharp';
import { crc32, deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createScene } from '#shared/document/create.ts';
import { toDocument } from '#shared/document/document.ts';
import { Blobs, exported, imported } from './formats.testkit.ts';
import { withTexts } from './png.ts';
import { makeZip } from './zip.ts';

/** A PNG that says it is `width` x `height` and is a few bytes long. */
function hugePng(width: number, height: number): Uint8Array {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(data.length);
    const tail = Buffer.alloc(4);
    tail.writeUInt32BE(crc32(body));
    return Buffer.concat([head, body, tail]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(1000))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

test.each([
  ['PNG', () => hugePng(100_000, 100_000)],
  [
    'PSD',
    () => Buffer.from('384250530001000000000000000300007530000075300008000300000000000000000000000000000000', 'hex'),
  ],
  [
    'OpenRaster',
    () => makeZip([{ name: 'stack.xml', bytes: Buffer.from('<image w="90000" h="90000"><stack/></image>') }]),
  ],
])('huge dimensions in a small %s are refused before memory is taken', async (_what, make) => {
  const before = process.memoryUsage().rss;
  await expect(imported(make(), new Blobs())).rejects.toMatchObject({ code: 'too-large' });
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
});

test('many areas of a large picture are refused before memory is taken', async () => {
  const png = await sharp({ create: { width: 9000, height: 9000, channels: 3, background: '#123456' } })
    .png()
    .toBuffer();
  const labels = Object.fromEntries(
    Array.from({ length: 200 }, (_, i) => [`#${(i * 70_001).toString(16).padStart(6, '0')}`, 'x']),
  );
  await expect(imported(new Uint8Array(png), new Blobs(), { labels })).rejects.toMatchObject({ code: 'too-large' });
});

test('a text bomb in a PNG is left out, the picture is read', async () => {
  const png = new Uint8Array(
    await sharp({ create: { width: 8, height: 8, channels: 3, background: '#123' } })
      .png()
      .toBuffer(),
  );
  const bomb = withTexts(png, { 'spatext-scene': 'x'.repeat(80 * 1024 * 1024) });
  expect(bomb.length).toBeLessThan(200_000);
  expect((await imported(bomb, new Blobs())).kind).toBe('image');
});

test('a picture inside a scene that is not the one its name says is refused', async () => {
  const blobs = new Blobs();
  const hash = await blobs.write(Buffer.from('right'));
  const document = toDocument([createScene({ start: { blob: hash, strength: 1 } })]);
  const { bytes } = await exported(document, 'json', blobs);
  const text = Buffer.from(bytes).toString();
  const swapped = text.replace(Buffer.from('right').toString('base64'), Buffer.from('wrong').toString('base64'));
  expect(swapped).not.toBe(text);
  const stored = new Blobs();
  await expect(imported(Buffer.from(swapped), stored)).rejects.toMatchObject({ code: 'bad-input' });
  expect(stored.all.size).toBe(0);
});

test('files of a newer release are refused in words, whatever they travel in', async () => {
  const newer = '{"format":"spatext-scene","version":99,"records":[]}';
  const png = new Uint8Array(
    await sharp({ create: { width: 8, height: 8, channels: 3, background: '#123' } })
      .png()
      .toBuffer(),
  );
  const project = makeZip([{ name: 'project.json', bytes: Buffer.from('{"format":"spatext-project","version":99}') }]);
  for (const bytes of [Buffer.from(newer), withTexts(png, { 'spatext-scene': newer }), project])
    await expect(imported(bytes, new Blobs())).rejects.toMatchObject({ code: 'newer-version' });
});
