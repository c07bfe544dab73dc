import { describe, expect, test } from 'vitest';
import { createGroup, createScene, createSegment, emptyDocument } from './create.ts';
import {
  blobsOf,
  documentProblem,
  sceneOf,
  segmentName,
  segmentsOf,
  slotOf,
  slotText,
  toDocument,
  toRecords,
} from './document.ts';
import { LIMITS } from './limits.ts';
import type { DocumentRecord } from './records.ts';
import { SegmentRecord, SlotRecord } from './records.ts';

const blob = (digit: string) => digit.repeat(64);
const mix = (key: string, a: string, b: string) =>
  SlotRecord.parse({ id: `slot:${key}`, type: 'slot', content: { kind: 'mix', a: `slot:${a}`, b: `slot:${b}` } });

describe('documentProblem', () => {
  const good: DocumentRecord[] = [createScene(), ...createSegment('a', 'x', [])];
  test.each<[string | undefined, DocumentRecord[]]>([
    [undefined, good],
    [undefined, [createScene()]],
    ['no scene record (scene:main)', good.slice(1)],
    ['two records with the id slot:a', [...good, ...createSegment('b', 'y', []).slice(1), ...good.slice(2)]],
    ['segment:a names the slot slot:a, which is not there', good.slice(0, 2)],
    [
      'segment:c lies in group:g, which is not there',
      [createScene(), ...createSegment('c', 'x', [], { group: 'group:g' })],
    ],
    [undefined, [createScene(), createGroup('g', 'G', 0), ...createSegment('c', 'x', [], { group: 'group:g' })]],
    ['slot:m mixes slot:gone, which is not there', [createScene(), mix('m', 'gone', 'gone')]],
    ['slot:m mixes mixes more than 4 deep, or itself', [createScene(), mix('m', 'm', 'm')]],
    ['slot:m mixes mixes more than 4 deep, or itself', [createScene(), mix('m', 'n', 'n'), mix('n', 'm', 'm')]],
    [
      '257 segments, at most 256 are allowed',
      [createScene(), ...Array.from({ length: 257 }, (_, i) => createSegment(`s${i}`, '', [])).flat()],
    ],
  ])('%s', (problem, records) => {
    expect(documentProblem(records)).toBe(problem);
    if (problem)
      expect(() => toDocument(records)).toThrow(expect.objectContaining({ code: 'bad-input', message: problem }));
    else expect(toRecords(toDocument(records))).toHaveLength(records.length);
  });
});

test('records are listed by id, whatever the order they came in', () => {
  const records = [createScene(), ...createSegment('b', 'x', []), ...createSegment('a', 'y', [])];
  expect(toRecords(toDocument(records))).toEqual(toRecords(toDocument(records.toReversed())));
});

test('segments come lowest first, equal orders by id', () => {
  const records = [
    createScene(),
    ...createSegment('c', '', [], { order: 1 }),
    ...createSegment('b', '', [], { order: 1 }),
    ...createSegment('a', '', [], { order: 2 }),
  ];
  expect(segmentsOf(toDocument(records)).map((s) => s.id)).toEqual(['segment:b', 'segment:c', 'segment:a']);
  expect(segmentsOf(toDocument(records.toReversed())).map((s) => s.id)).toEqual([
    'segment:b',
    'segment:c',
    'segment:a',
  ]);
});

test('names and texts: own name, words, both ends of a mix, none for a picture', () => {
  const [fox, foxSlot] = createSegment('f', '  a fox ', []);
  const [named, namedSlot] = createSegment('n', 'an owl', [], { name: 'Hoot' });
  const [picture, pictureSlot] = createSegment('p', { kind: 'image', blob: blob('1'), box: null, mask: null }, []);
  const document = toDocument([
    createScene(),
    fox,
    foxSlot,
    named,
    namedSlot,
    picture,
    pictureSlot,
    mix('m', 'f', 'n'),
  ]);
  expect(segmentName(document, fox)).toBe('a fox');
  expect(segmentName(document, named)).toBe('Hoot');
  expect(segmentName(document, picture)).toBe('');
  expect(slotText(document, slotOf(document, 'slot:m').content)).toBe('a fox + an owl');
  expect(() => slotOf(document, 'slot:none')).toThrow('slot:none');
});

test('every blob a document points at is found, in whatever record it hides', () => {
  const document = toDocument([
    createScene({ start: { blob: blob('1'), strength: 0.5 } }),
    ...createSegment('a', { kind: 'image', blob: blob('2'), box: null, mask: blob('3') }, [
      { kind: 'group', shapes: [{ kind: 'bitmap', blob: blob('4'), x: 0, y: 0, width: 1, height: 1 }] },
    ]),
    ...createSegment(
      'b',
      { kind: 'crop', blob: blob('5'), result: null, box: { x: 0, y: 0, width: 1, height: 1 }, mask: blob('6') },
      [],
    ),
    {
      id: 'reference:r',
      type: 'reference',
      blob: blob('7'),
      transform: [1, 0, 0, 1, 0, 0],
      width: 1,
      height: 1,
      opacity: 1,
      visible: true,
    },
  ]);
  expect([...blobsOf(document)].toSorted((p, q) => p.localeCompare(q))).toEqual(
    ['1', '2', '3', '4', '5', '6', '7'].map(blob),
  );
});

test('an empty document is a scene with the stated defaults', () => {
  const scene = sceneOf(emptyDocument());
  expect(scene).toMatchObject({ width: 512, height: 512, seed: 7, text: '', start: null, upscale: 1 });
  expect(scene.guidance).toMatchObject({ mode: 'multi', globalScale: 1.5, localScale: 1.5, interval: [0, 1] });
  expect(scene.sampler).toEqual({ name: 'dpmpp-2m', steps: 16, eta: 0 });
  expect(() => sceneOf({})).toThrow('no scene record');
});

describe('bounds that protect the machine', () => {
  const segmentOf = (shapes: unknown) =>
    SegmentRecord.safeParse({ id: 'segment:a', type: 'segment', slot: 'slot:a', shapes });
  const nest = (depth: number): unknown =>
    depth === 0 ? { kind: 'canvas' } : { kind: 'group', shapes: [nest(depth - 1)] };
  test('depth of groups', () => {
    expect(segmentOf([nest(LIMITS.shapeDepth - 1)]).success).toBe(true);
    const tooDeep = segmentOf([nest(LIMITS.shapeDepth)]);
    expect(tooDeep.error?.issues[0]?.message).toBe(`groups of shapes nested more than ${LIMITS.shapeDepth} deep`);
  });
  test('number of shapes, nested ones counted', () => {
    const group = { kind: 'group', shapes: Array.from({ length: 256 }, () => ({ kind: 'canvas' })) };
    expect(segmentOf([group]).success).toBe(true);
    expect(segmentOf([group, group]).error?.issues[0]?.message).toContain('514 shapes, at most 512');
  });
  test('numbers: not a number, infinite, far away', () => {
    for (const x of [Number.NaN, Infinity, -Infinity, 1_000_001, '5', null])
      expect(segmentOf([{ kind: 'rect', x, y: 0, width: 1, height: 1 }]).success, String(x)).toBe(false);
    expect(segmentOf([{ kind: 'rect', x: 1_000_000, y: 0, width: 1, height: 1 }]).success).toBe(true);
  });
  test('a canvas from 16 to 8192 pixels a side', () => {
    for (const width of [15, 20_000, 64.5]) expect(() => createScene({ width })).toThrow();
    expect(createScene({ width: 8192, height: 16 })).toMatchObject({ width: 8192, height: 16 });
  });
});
