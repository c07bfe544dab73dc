import sharp from 'sharp';
import { StudioError } from '#shared/errors.ts';
import { createScene, createSegment } from '#shared/document/create.ts';
import { toDocument } from '#shared/document/document.ts';
import { filesGiven } from '#project/beside.ts';
import { importFile } from '#project/formats/import.ts';
import { Blobs, exported, testPicture, testResult } from '#project/formats/formats.testkit.ts';
import { makeNpy } from '#project/formats/npy.ts';
import type { ImportInput } from '#project/project-api.ts';
import { mutate, seeded } from './mutations.ts';

export interface Sample {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly more?: Partial<ImportInput>;
}

/** One small file of each format, as the studio writes it. */
export async function samples(): Promise<Sample[]> {
  const blobs = new Blobs();
  const photo = await blobs.write(await testPicture(12, 10));
  const document = toDocument([
    createScene({ text: 'at the beach', width: 48, height: 32, start: { blob: photo, strength: 0.5 } }),
    ...createSegment('cat', 'a cat', [{ kind: 'rect', x: 4, y: 6, width: 20, height: 16 }], { order: 1 }),
    ...createSegment('path', 'a kite', [{ kind: 'path', d: 'M30 4l10 20h-18z' }], { order: 2, feather: 1 }),
    ...createSegment('stroke', 'a ribbon', [
      {
        kind: 'strokes',
        strokes: [
          {
            width: 4,
            points: [
              [2, 2, 1],
              [40, 28, 0.5],
            ],
          },
        ],
      },
    ]),
  ]);
  const result = await testResult(document, blobs, 48, 32);
  const made: Sample[] = [];
  for (const format of ['spatext', 'png', 'jpg', 'webp', 'psd', 'ora', 'svg', 'json'] as const)
    made.push({ name: format, bytes: (await exported(document, format, blobs, { result })).bytes });
  made.push({
    name: 'npy',
    bytes: makeNpy({ shape: [8, 8], values: Uint16Array.from({ length: 64 }, (_, i) => i >> 4) }),
  });
  const picture = await testPicture(12, 10);
  const labels = new Uint8Array(24 * 24 * 3).map((_, i) => (i % 72 < 36 ? [0, 0, 255] : [0, 255, 0])[i % 3] ?? 0);
  const map = new Uint8Array(
    await sharp(labels, { raw: { width: 24, height: 24, channels: 3 } })
      .png()
      .toBuffer(),
  );
  made.push({ name: 'label map', bytes: map, more: { labels: { '#0000ff': 'a', '#00ff00': 'b' } } });
  const coco = {
    images: [{ id: 1, file_name: 'a.jpg' }],
    categories: [{ id: 1, name: 'cat' }],
    annotations: [{ image_id: 1, file_name: 'a.png', segments_info: [{ id: 7, category_id: 1 }] }],
  };
  // The picture of areas has to hold one of the segments, whose id is R + 256 G + 65,536 B.
  const ids = await sharp({ create: { width: 12, height: 10, channels: 3, background: { r: 7, g: 0, b: 0 } } })
    .png()
    .toBuffer();
  const beside = filesGiven([
    { name: 'a.png', bytes: new Uint8Array(ids) },
    { name: 'a.jpg', bytes: picture },
  ]);
  made.push({ name: 'coco', bytes: Buffer.from(JSON.stringify(coco)), more: { beside } });
  // Each must be readable as it is, or its mutations would prove nothing.
  for (const { name, bytes, more } of made) await importFile({ name, bytes, writeBlob: new Blobs().write, ...more });
  return made;
}

export interface Outcome {
  readonly read: number;
  readonly refused: number;
  readonly slowestMs: number;
  /** Seeds whose file was answered by anything but a scene or a typed refusal. */
  readonly wrong: { readonly seed: number; readonly error: string }[];
}

/** Imports `count` mutated copies of a sample. */
export async function importMutated(sample: Sample, count: number, firstSeed: number): Promise<Outcome> {
  let read = 0;
  let refused = 0;
  let slowestMs = 0;
  const wrong: { seed: number; error: string }[] = [];
  for (let seed = firstSeed; seed < firstSeed + count; seed += 1) {
    const bytes = mutate(sample.bytes, seeded(seed));
    const start = performance.now();
    try {
      await importFile({ name: 'file', bytes, writeBlob: new Blobs().write, ...sample.more });
      read += 1;
    } catch (error) {
      if (error instanceof StudioError && error.code !== 'internal' && error.message !== '') refused += 1;
      else wrong.push({ seed, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
    }
    slowestMs = Math.max(slowestMs, performance.now() - start);
  }
  return { read, refused, slowestMs, wrong };
}
