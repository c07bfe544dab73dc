import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { documentArbitrary } from '../document/document.testkit.ts';
import { createScene, createSegment } from '../document/create.ts';
import { segmentsOf, toDocument } from '../document/document.ts';
import type { StudioDocument } from '../document/document.ts';
import { AreaMemory } from './area-memory.ts';
import { NO_BITMAPS } from './rasterize.ts';
import { segmentMask } from './segment-mask.ts';
import { mapWarnings } from './warnings.ts';

const size = { mapWidth: 24, mapHeight: 24, bitmaps: NO_BITMAPS };

test('what is remembered warns of the same, edit after edit', () => {
  fc.assert(
    fc.property(documentArbitrary(5), fc.array(fc.nat({ max: 4 }), { maxLength: 4 }), (start, edits) => {
      const memory = new AreaMemory();
      let document: StudioDocument = start;
      for (const edit of [undefined, ...edits]) {
        const segment = edit === undefined ? undefined : segmentsOf(document)[edit];
        if (segment)
          document = { ...document, [segment.id]: { ...segment, visible: true, grow: segment.grow / 2 + 3 } };
        const fresh = mapWarnings(document, size);
        expect(mapWarnings(document, { ...size, memory })).toEqual(fresh);
        // a second look must not see what the first has done to the masks
        expect(mapWarnings(document, { ...size, memory })).toEqual(fresh);
      }
    }),
    { numRuns: 40 },
  );
});

test('an edit rasterizes the segment it changes, and nothing else', () => {
  const make = vi.fn(segmentMask);
  const memory = new AreaMemory(make);
  const segment = (key: string, x: number) =>
    createSegment(key, key, [{ kind: 'rect', x, y: 0, width: 90, height: 90 }], { order: x });
  const document = toDocument([createScene({}), ...segment('a', 0), ...segment('b', 100), ...segment('c', 200)]);
  mapWarnings(document, { ...size, memory });
  expect(make).toHaveBeenCalledTimes(3);
  const [first] = segmentsOf(document);
  mapWarnings({ ...document, [first!.id]: { ...first!, grow: 9 } }, { ...size, memory });
  expect(make).toHaveBeenCalledTimes(4);
  mapWarnings(document, { ...size, mapWidth: 32, memory });
  expect(make).toHaveBeenCalledTimes(7);
});
