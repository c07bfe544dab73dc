import { expect, test } from 'vitest';
import { segmentsOf, toDocument } from '#shared/document/document.ts';
import { binaryMask, maskFrom, maskIou } from '#shared/masks/mask.ts';
import { segmentMask } from '#shared/masks/segment-mask.ts';
import { Blobs, exported, imported, richScene, sceneIn, testPicture } from './formats.testkit.ts';
import { makePsd } from './psd.ts';
import { makeOra } from './ora.ts';
import { bitmapsOf, cropMask, decodePicture } from './pixels.ts';
import { segmentLayers } from './layers.ts';

const SIZE = { width: 320, height: 256 };

/** The areas of all segments of a scene, by segment id. */
async function areasOf(document: Awaited<ReturnType<typeof richScene>>, blobs: Blobs) {
  const { bitmaps } = await bitmapsOf(document, blobs.read);
  return new Map(
    segmentsOf(document).map((segment) => [segment.id, segmentMask(document, segment, SIZE, bitmaps)] as const),
  );
}

test.each(['psd', 'ora'] as const)(
  '%s from another program: each layer is a segment of its name, with its area, order and visibility',
  async (format) => {
    const blobs = new Blobs();
    const document = await richScene(blobs);
    const { bitmaps } = await bitmapsOf(document, blobs.read);
    const layers = segmentLayers(document, SIZE, bitmaps);
    const merged = await decodePicture(await testPicture(SIZE.width, SIZE.height), 3);
    const common = { size: SIZE, layers, picture: merged, merged };
    const bytes =
      format === 'psd' ? makePsd({ ...common, xmp: '' }) : await makeOra({ ...common, scene: '{}', extra: '{}' });
    const fresh = new Blobs();
    const back = toDocument(sceneIn(await imported(bytes, fresh)));
    const found = segmentsOf(back);
    const drawn = layers.filter((layer) => layer.area);
    expect(found.map((segment) => back[segment.slot])).toMatchObject(
      drawn.map(({ name }) => ({ content: { kind: 'text', text: name } })),
    );
    expect(found.map(({ visible }) => visible)).toEqual(drawn.map(({ segment }) => segment.visible));
    const before = await areasOf(document, blobs);
    const after = await areasOf(back, fresh);
    for (const [index, segment] of found.entries())
      expect(maskIou(binaryMask(before.get(drawn[index]!.segment.id)!), after.get(segment.id)!)).toBeGreaterThan(0.99);
  },
);

test('a layer painted on elsewhere replaces that segment alone; a deleted one deletes it; a new one adds', async () => {
  const blobs = new Blobs();
  const document = await richScene(blobs);
  const { bitmaps } = await bitmapsOf(document, blobs.read);
  const layers = segmentLayers(document, SIZE, bitmaps);
  const { bytes } = await exported(document, 'psd', blobs);
  const { parsePsd } = await import('./psd.ts');
  const { xmp } = parsePsd(bytes);
  const painted = cropMask(maskFrom(SIZE.width, SIZE.height, (x, y) => x > 30 && x < 90 && y > 40 && y < 200));
  const edited = layers
    .filter((layer) => layer.segment.id !== 'segment:path')
    .map((layer) => (layer.segment.id === 'segment:cat' ? { ...layer, area: painted } : layer));
  const extra = { segment: { ...layers[0]!.segment, visible: true }, name: 'A new one', area: painted };
  const merged = await decodePicture(await testPicture(SIZE.width, SIZE.height), 3);
  const file = makePsd({ size: SIZE, layers: [...edited, extra], picture: null, merged, xmp });
  const fresh = new Blobs();
  const back = await imported(file, fresh);
  const after = toDocument(sceneIn(back));
  expect(after['segment:path']).toBeUndefined();
  expect(after['slot:path']).toBeUndefined();
  expect(after['segment:stroke']).toMatchObject({
    ...document['segment:stroke'],
    order: expect.any(Number) as unknown,
  });
  expect(after['slot:cat']).toEqual(document['slot:cat']);
  const areas = await areasOf(after, fresh);
  const wanted = maskFrom(SIZE.width, SIZE.height, (x, y) => x > 30 && x < 90 && y > 40 && y < 200);
  expect(maskIou(areas.get('segment:cat')!, wanted)).toBeGreaterThan(0.99);
  const names = segmentsOf(after).map((segment) => after[segment.slot]);
  expect(names.at(-1)).toMatchObject({ content: { text: 'A new one' } });
  expect(segmentsOf(after)[0]?.id).toBe('segment:cat');
  expect(back).toMatchObject({ losses: [expect.stringContaining('a black cat')] });
});
