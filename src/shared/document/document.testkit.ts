import fc from 'fast-check';
import { createGroup, createScene, createSegment } from './create.ts';
import { toDocument } from './document.ts';
import type { StudioDocument } from './document.ts';
import type { ShapeInput } from './geometry.ts';
import { GuideRecord, ReferenceRecord } from './records.ts';
import type { DocumentRecord, SlotContent } from './records.ts';

const hash = fc.nat({ max: 5 }).map((n) => String(n).repeat(64));
/** JSON knows no minus zero, so the documents hold none. */
const number = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map((value) => value + 0);
const coordinate = number(-100, 600);
const words = fc.oneof(
  fc.constantFrom(
    '',
    'a red fox',
    '  ',
    'ein großer Hund',
    'כלב על החוף',
    'كلب أحمر',
    '👩‍👩‍👧‍👦🏖️',
    'line\nbreak "quoted" \\ \u0000',
  ),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
);

const flatShape: fc.Arbitrary<ShapeInput> = fc.oneof(
  fc.record({
    kind: fc.constant('rect' as const),
    x: coordinate,
    y: coordinate,
    width: number(0, 300),
    height: number(0, 300),
  }),
  fc.record({
    kind: fc.constant('ellipse' as const),
    cx: coordinate,
    cy: coordinate,
    rx: number(0, 300),
    ry: number(0, 300),
  }),
  fc.record({
    kind: fc.constant('polygon' as const),
    points: fc.array(fc.tuple(coordinate, coordinate), { minLength: 3, maxLength: 6 }),
    op: fc.constantFrom('add' as const, 'subtract' as const, 'intersect' as const),
  }),
  fc.record({
    kind: fc.constant('strokes' as const),
    strokes: fc.array(
      fc.record({
        width: number(0.1, 90),
        points: fc.array(fc.tuple(coordinate, coordinate, number(0, 1)), { minLength: 1, maxLength: 4 }),
      }),
      { minLength: 1, maxLength: 2 },
    ),
    transform: fc.option(fc.tuple(number(-2, 2), number(-2, 2), number(-2, 2), number(-2, 2), coordinate, coordinate), {
      nil: undefined,
    }),
    feather: fc.option(number(0, 60), { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('path' as const), d: fc.constantFrom('M0 0L9 9V0z', 'M1 1a5 5 0 0 1 9 9z') }),
  fc.record({
    kind: fc.constant('bitmap' as const),
    blob: hash,
    x: coordinate,
    y: coordinate,
    width: number(0, 99),
    height: number(0, 99),
  }),
  fc.constant({ kind: 'canvas' as const }),
);
const shape: fc.Arbitrary<ShapeInput> = fc.oneof(
  { weight: 5, arbitrary: flatShape },
  { weight: 1, arbitrary: fc.array(flatShape, { maxLength: 3 }).map((shapes) => ({ kind: 'group' as const, shapes })) },
);

const content: fc.Arbitrary<SlotContent> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('text' as const), text: words, reading: fc.nat({ max: 9 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('image' as const),
      blob: hash,
      box: fc.option(fc.record({ x: coordinate, y: coordinate, width: number(1, 99), height: number(1, 99) })),
      mask: fc.option(hash),
    }),
  },
);

const order = fc.integer({ min: -5, max: 5 });
/** The records that one thing of a document consists of; `key` is its name. */
const thing = (key: string): fc.Arbitrary<DocumentRecord[]> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(
          content,
          fc.array(shape, { maxLength: 3 }),
          fc.record({
            order,
            feather: number(0, 50),
            visible: fc.boolean(),
            grow: number(-9, 9),
            negativeText: words,
            weight: number(0, 4),
          }),
        )
        .map(([slot, shapes, fields]): DocumentRecord[] => createSegment(key, slot, shapes, fields)),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(words, order).map(([name, at]): DocumentRecord[] => [createGroup(key, name, at)]),
    },
    {
      weight: 1,
      arbitrary: fc
        .record({
          blob: hash,
          width: fc.integer({ min: 1, max: 999 }),
          height: fc.integer({ min: 1, max: 999 }),
          opacity: number(0, 1),
        })
        .map((fields): DocumentRecord[] => [
          ReferenceRecord.parse({
            ...fields,
            id: `reference:${key}`,
            type: 'reference',
            transform: [1, 0, 0, 1, 0, 0],
          }),
        ]),
    },
    {
      weight: 1,
      arbitrary: coordinate.map((position): DocumentRecord[] => [
        GuideRecord.parse({ id: `guide:${key}`, type: 'guide', axis: 'vertical', position }),
      ]),
    },
  );

const scene = fc
  .record({
    text: words,
    negativeText: words,
    width: fc.integer({ min: 16, max: 2048 }),
    seed: fc.nat(),
    note: words,
    title: words,
  })
  .map((fields) => createScene(fields));

/** Any good document of up to `things` segments, groups, references and guides. */
export const documentArbitrary = (things = 6): fc.Arbitrary<StudioDocument> =>
  fc
    .tuple(
      scene,
      fc
        .uniqueArray(fc.nat({ max: 9 }), { maxLength: things })
        .chain((keys) => fc.tuple(...keys.map((k) => thing(`k${k}`)))),
    )
    .map(([record, lists]) => toDocument([record, ...lists.flat()]));
