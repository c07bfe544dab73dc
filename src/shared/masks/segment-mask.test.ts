import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { segmentsOf, sceneOf } from '../document/document.ts';
import { createScene, createSegment } from '../document/create.ts';
import { toDocument } from '../document/document.ts';
import type { ShapeInput } from '../document/geometry.ts';
import { maskArea } from './mask.ts';
import { disc, rect, sceneWith } from './masks.testkit.ts';
import { NO_BITMAPS } from './rasterize.ts';
import { disjointMasks, labelSegments, segmentMask } from './segment-mask.ts';

const size = { width: 64, height: 64 };

const discs = fc.array(
  fc.record({
    x: fc.integer({ min: 0, max: 512 }),
    y: fc.integer({ min: 0, max: 512 }),
    r: fc.integer({ min: 10, max: 200 }),
    feather: fc.constantFrom(0, 0, 20),
    visible: fc.boolean(),
  }),
  { minLength: 1, maxLength: 7 },
);
const sceneOfDiscs = (list: readonly { x: number; y: number; r: number; feather: number; visible: boolean }[]) =>
  sceneWith(list.map(({ x, y, r, feather, visible }) => ({ shapes: [disc(x, y, r)], fields: { feather, visible } })));

describe('segmentMask', () => {
  test('invert, grow, smooth, feather, in this order', () => {
    const one = (fields: object) => {
      const document = sceneWith([{ shapes: [disc(256, 256, 100)], fields }]);
      return maskArea(segmentMask(document, segmentsOf(document)[0]!, { width: 512, height: 512 }, NO_BITMAPS));
    };
    const area = (r: number) => Math.PI * r * r;
    expect(one({}) / area(100)).toBeCloseTo(1, 3);
    expect(one({ grow: 20 }) / area(120)).toBeCloseTo(1, 2);
    expect(one({ grow: -20 }) / area(80)).toBeCloseTo(1, 2);
    expect(one({ invert: true })).toBeCloseTo(512 * 512 - area(100), -1);
    // Growing what is left after inverting shrinks the hole.
    expect(one({ invert: true, grow: 20 }) / (512 * 512 - area(80))).toBeCloseTo(1, 2);
    expect(one({ feather: 30 }) / area(100)).toBeCloseTo(1, 2);
  });
  test('the same share of the canvas at every resolution, also on a canvas that is not square', () => {
    const records = createSegment('a', 'x', [disc(300, 200, 90)], { grow: 10, feather: 8 });
    const document = toDocument([createScene({ width: 768, height: 384 }), ...records]);
    const segment = segmentsOf(document)[0]!;
    const share = (width: number, height: number) =>
      maskArea(segmentMask(document, segment, { width, height }, NO_BITMAPS)) / (width * height);
    const exact = (Math.PI * 100 * 100) / (768 * 384);
    expect(sceneOf(document).width).toBe(768);
    for (const [w, h] of [
      [64, 64],
      [128, 64],
      [768, 384],
      [1536, 768],
    ] as const)
      expect(share(w, h) / exact, `${w} x ${h}`).toBeCloseTo(1, 1.2);
  });
});

describe('disjointMasks', () => {
  test('no pixel belongs to two, hidden ones to none, and shares never exceed the whole', () => {
    fc.assert(
      fc.property(discs, (list) => {
        const document = sceneOfDiscs(list);
        const { segments, labelMap } = disjointMasks(document, size, NO_BITMAPS);
        expect(segments.map((entry) => entry.segmentId)).toEqual(
          segmentsOf(document)
            .filter((s) => s.visible)
            .map((s) => s.id),
        );
        const wrong: number[] = [];
        for (let i = 0; i < labelMap.length; i += 1) {
          const owners = segments.flatMap(({ mask }, k) => (mask.data[i] ? [k + 1] : []));
          const shares = segments.reduce((sum, { soft }) => sum + soft.data[i]!, 0);
          const agrees = labelMap[i] ? owners.length === 1 && owners[0] === labelMap[i] : owners.length === 0;
          if (!agrees || shares > 255 || shares < 128 !== (labelMap[i] === 0)) wrong.push(i);
        }
        expect(wrong).toEqual([]);
        expect(labelSegments(document, size, NO_BITMAPS).labelMap).toEqual(labelMap);
      }),
      { numRuns: 60 },
    );
  });
  test('the topmost wins wherever it covers a pixel wholly', () => {
    fc.assert(
      fc.property(discs, (list) => {
        const document = sceneOfDiscs(list.map((entry) => ({ ...entry, feather: 0 })));
        const visible = segmentsOf(document).filter((s) => s.visible);
        const { labelMap } = disjointMasks(document, size, NO_BITMAPS);
        const whole = visible.map((segment) => segmentMask(document, segment, size, NO_BITMAPS));
        const wrong: number[] = [];
        for (let i = 0; i < labelMap.length; i += 1) {
          let top = 0;
          let touched = 0;
          for (const [k, mask] of whole.entries()) {
            if (mask.data[i] === 255) [top, touched] = [k + 1, 0];
            else if (mask.data[i]! > 0) touched += 1;
          }
          if (touched === 0 && labelMap[i] !== top) wrong.push(i);
        }
        expect(wrong).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
  test('the order field decides, not the order of records; equal orders go by id', () => {
    const shapes: ShapeInput[] = [{ kind: 'canvas' }];
    const [low, high] = [
      createSegment('z', 'low', shapes, { order: 1 }),
      createSegment('b', 'high', shapes, { order: 5 }),
    ];
    const document = toDocument([createScene(), ...high, ...low]);
    const owner = (d: typeof document) => {
      const { labelMap, segments } = labelSegments(d, size, NO_BITMAPS);
      return segments[labelMap[0]! - 1];
    };
    expect(owner(document)).toBe('segment:b');
    const equal = toDocument([createScene(), ...createSegment('b', '', shapes), ...createSegment('z', '', shapes)]);
    expect(owner(equal)).toBe('segment:z');
  });
  test('equal shares of a cell go to the upper segment', () => {
    const [left, right] = [rect(256, 0, 3.2, 512), rect(259.2, 0, 3.2, 512)];
    for (const shapes of [
      [[left], [right]],
      [[right], [left]],
    ]) {
      const { labelMap, segments } = disjointMasks(
        sceneWith(shapes.map((list) => ({ shapes: list }))),
        size,
        NO_BITMAPS,
      );
      expect(segments.map(({ soft }) => soft.data[32])).toEqual([102, 102]);
      expect(labelMap[32]).toBe(2);
    }
  });
  test('segments that touch inside a map cell leave no gap', () => {
    // The border at 260.3 px runs through the cells of column 32 (256 to 264 px).
    const document = sceneWith([
      { shapes: [rect(0, 0, 259.9, 512)] },
      { shapes: [rect(259.9, 0, 2.2, 512)] },
      { shapes: [rect(262.1, 0, 300, 512)] },
    ]);
    const { labelMap } = disjointMasks(document, size, NO_BITMAPS);
    expect([...labelMap].every((label) => label > 0)).toBe(true);
    expect(labelMap[32]).toBe(1);
  });
});
