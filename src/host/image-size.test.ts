import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { sniffImage } from './image-size.ts';

const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 4, background: { r: 200, g: 30, b: 60, alpha: 0.5 } } });

describe('sniffImage', () => {
  it.each([
    [1, 1],
    [3, 2],
    [640, 427],
    [5000, 7],
  ])('reads %i x %i from every format as sharp writes it', async (width, height) => {
    const image = picture(width, height);
    const files = {
      'image/png': [await image.clone().png().toBuffer(), await image.clone().png({ progressive: true }).toBuffer()],
      'image/jpeg': [
        await image.clone().jpeg().toBuffer(),
        await image.clone().jpeg({ progressive: true }).toBuffer(),
        // Metadata before the frame header.
        await image
          .clone()
          .withExif({ IFD0: { Copyright: 'x'.repeat(2000) } })
          .jpeg()
          .toBuffer(),
      ],
      'image/webp': [
        await image.clone().flatten().webp().toBuffer(),
        await image.clone().webp().toBuffer(),
        await image.clone().webp({ lossless: true }).toBuffer(),
      ],
    };
    for (const [type, variants] of Object.entries(files))
      for (const bytes of variants) expect(sniffImage(bytes)).toEqual({ type, width, height });
  });

  it('knows nothing else', async () => {
    for (const bytes of [
      new Uint8Array(),
      new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      new TextEncoder().encode('<!doctype html>'.padEnd(100)),
      await picture(4, 4).gif().toBuffer(),
      await picture(4, 4).tiff().toBuffer(),
      Buffer.from('RIFF    WAVEfmt '.padEnd(60)),
    ])
      expect(sniffImage(bytes)).toBeNull();
  });

  it('says null for a header that is cut short, whatever is left', async () => {
    const files = [
      { bytes: await picture(9, 9).png().toBuffer(), needed: 24 },
      { bytes: await picture(9, 9).webp().toBuffer(), needed: 30 },
    ];
    for (const { bytes, needed } of files)
      for (let length = 0; length < needed; length += 1) expect(sniffImage(bytes.subarray(0, length))).toBeNull();
    const jpeg = await picture(9, 9).jpeg().toBuffer();
    for (let length = 0; length < jpeg.length; length += 1) {
      const head = sniffImage(jpeg.subarray(0, length));
      if (head) expect(head).toEqual({ type: 'image/jpeg', width: 9, height: 9 });
    }
  });

  it('refuses a picture without area', async () => {
    const png = await picture(9, 9).png().toBuffer();
    png.writeUInt32BE(0, 16);
    expect(sniffImage(png)).toBeNull();
  });

  it('never throws and never runs away on noise with a good beginning', () => {
    const beginnings = [
      [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
      [0xff, 0xd8, 0xff],
      [...new TextEncoder().encode('RIFFxxxxWEBPVP8 ')],
      [...new TextEncoder().encode('RIFFxxxxWEBPVP8L')],
      [...new TextEncoder().encode('RIFFxxxxWEBPVP8X')],
    ];
    fc.assert(
      fc.property(fc.constantFrom(...beginnings), fc.uint8Array({ maxLength: 300 }), (beginning, noise) => {
        const head = sniffImage(Uint8Array.from([...beginning, ...noise]));
        if (head) expect(head.width > 0 && head.height > 0).toBe(true);
      }),
      { numRuns: 3000 },
    );
    // A JPEG of fill bytes only, and one whose segment claims to be empty.
    expect(sniffImage(new Uint8Array(100_000).fill(0xff).fill(0xd8, 1, 2))).toBeNull();
    expect(sniffImage(Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0, 0, 0]))).toBeNull();
  });
});
