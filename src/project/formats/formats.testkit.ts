import sharp from 'sharp';
import { hashOf } from '#engine/blobs/blob-store.ts';
import type { Result } from '#shared/api/generation.ts';
import { createGroup, createScene, createSegment } from '#shared/document/create.ts';
import { toDocument, toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { DocumentRecord } from '#shared/document/records.ts';
import { exportScene } from './export.ts';
import { importFile } from './import.ts';
import type { ExportInput, ExportOutput, ImportInput, Imported, ImportedNow } from '../project-api.ts';

/** Blobs in memory. */
export class Blobs {
  readonly all = new Map<string, Uint8Array>();
  readonly read = (hash: string): Promise<Uint8Array> => {
    const bytes = this.all.get(hash);
    return bytes ? Promise.resolve(bytes) : Promise.reject(new Error(`no blob ${hash}`));
  };
  readonly write = (bytes: Uint8Array): Promise<string> => {
    const hash = hashOf(bytes);
    this.all.set(hash, bytes);
    return Promise.resolve(hash);
  };
}

/** A picture whose pixels are all different, as PNG bytes. */
export async function testPicture(width: number, height: number): Promise<Uint8Array> {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i += 1) {
    data[3 * i] = (i * 7) % 256;
    data[3 * i + 1] = Math.floor((255 * (i % width)) / width);
    data[3 * i + 2] = Math.floor(i / width) % 256;
  }
  return new Uint8Array(
    await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer(),
  );
}

/** A scene with everything that a scene may hold. */
export async function richScene(blobs: Blobs): Promise<StudioDocument> {
  const disc = new Uint8Array(40 * 40);
  for (let i = 0; i < disc.length; i += 1) disc[i] = Math.hypot((i % 40) - 20, Math.floor(i / 40) - 20) < 18 ? 255 : 0;
  const mask = await blobs.write(
    new Uint8Array(
      await sharp(disc, { raw: { width: 40, height: 40, channels: 1 } })
        .png()
        .toBuffer(),
    ),
  );
  const photo = await blobs.write(await testPicture(60, 50));
  const records: DocumentRecord[] = [
    createScene({
      title: 'Ünder <the> "sea" & more',
      text: 'at the beach, 海辺\nsecond line',
      negativeText: 'blurry: very, "bad"',
      width: 320,
      height: 256,
      seed: 4_000_000_000,
      guidance: { mode: 'joint', localScale: 4.25 },
      start: { blob: photo, strength: 0.4 },
      note: 'a note\twith a tab',
    }),
    ...createSegment('cat', 'a black cat', [{ kind: 'rect', x: 20, y: 60, width: 90, height: 120 }], { order: 1 }),
    ...createSegment(
      'stroke',
      'a red ribbon',
      [
        {
          kind: 'strokes',
          strokes: [
            {
              width: 24,
              points: [
                [150, 40, 1],
                [200, 90, 0.5],
                [250, 60, 1],
              ],
            },
          ],
        },
        { kind: 'ellipse', cx: 200, cy: 90, rx: 8, ry: 12, op: 'subtract' },
      ],
      { order: 2, feather: 6, name: 'Ribbon' },
    ),
    ...createSegment(
      'path',
      { kind: 'image', blob: photo, box: { x: 1, y: 2, width: 30, height: 20 }, mask: null },
      [
        {
          kind: 'path',
          d: 'M200 150 C 260 120 300 200 260 230 S 190 220 200 150 Z',
          transform: [0.9, 0.1, -0.1, 0.9, 20, 5],
        },
      ],
      { order: 3, name: 'Stone', weight: 1.5 },
    ),
    ...createSegment('bitmap', 'a moon', [{ kind: 'bitmap', blob: mask, x: 10, y: 8, width: 50, height: 45 }], {
      order: 4,
      visible: false,
    }),
    ...createSegment(
      'poly',
      'a <kite> & "tail"',
      [
        {
          kind: 'polygon',
          points: [
            [120, 190],
            [170, 240],
            [110, 250],
            [160, 195],
          ],
        },
      ],
      { order: 5, group: 'group:g' },
    ),
    createGroup('g', 'Things', 9),
  ];
  const [mixed, mixSlot] = createSegment('mix', { kind: 'mix', a: 'slot:cat', b: 'slot:poly', t: 0.25 }, [], {
    order: 6,
  });
  return toDocument([
    ...records,
    mixed,
    mixSlot,
    { id: 'guide:h', type: 'guide', axis: 'horizontal', position: 12.5 },
    {
      id: 'reference:r',
      type: 'reference',
      blob: photo,
      transform: [1, 0, 0, 1, 5, 5],
      width: 60,
      height: 50,
      opacity: 0.5,
      visible: true,
    },
  ]);
}

export async function testResult(document: StudioDocument, blobs: Blobs, width = 320, height = 256): Promise<Result> {
  return {
    id: 'result-test',
    job: 'job-1',
    createdAt: 1_700_000_000_000,
    kind: 'generate',
    picture: await blobs.write(await testPicture(width, height)),
    width,
    height,
    seed: 12_345,
    pack: { id: 'embedded', name: 'Embedded, small', fingerprint: 'abcdef0123456789' },
    parents: [],
    records: toRecords(document),
    purpose: { kind: 'generate' },
    passes: 48,
    timings: {},
    scores: [],
    globalScore: null,
    warnings: [],
  };
}

export const exported = (
  document: StudioDocument,
  format: ExportInput['format'],
  blobs: Blobs,
  more: Partial<ExportInput> = {},
): Promise<ExportOutput> =>
  exportScene({ document, format, result: null, results: [], quality: 90, readBlob: blobs.read, ...more });

export const imported = (
  bytes: Uint8Array,
  blobs: Blobs,
  more: Partial<Omit<ImportInput, 'ask'>> = {},
): Promise<ImportedNow> => importFile({ name: 'file', bytes, writeBlob: blobs.write, ...more });

/** As the studio imports: with somebody to ask. */
export const importedAsking = (
  bytes: Uint8Array,
  blobs: Blobs,
  more: Partial<Omit<ImportInput, 'ask'>> = {},
): Promise<Imported> => importFile({ name: 'file', bytes, writeBlob: blobs.write, ask: true, ...more });

export function sceneIn(file: Imported): DocumentRecord[] {
  if (file.kind !== 'scene') throw new Error(`expected a scene, got ${file.kind}`);
  return file.records;
}
