import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createScene, createSegment } from '#shared/document/create.ts';
import { DocumentRecords, toDocument, toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { ShapeInput } from '#shared/document/geometry.ts';
import { Blobs, exported, imported, sceneIn } from './formats.testkit.ts';
import { LIMITS } from '#shared/document/limits.ts';

const coordinate = fc.double({ min: -40, max: 140, noNaN: true }).map((value) => Math.round(value * 100) / 100);
const length = fc.double({ min: 0, max: 90, noNaN: true });
const point = fc.tuple(coordinate, coordinate);
const op = fc.constantFrom('add' as const, 'subtract' as const, 'intersect' as const);
const transform = fc.option(
  fc.tuple(
    ...([1, 0, 0, 1, 5, -3] as const).map((base) => coordinate.map((value) => base + value / 300)),
  ) as fc.Arbitrary<[number, number, number, number, number, number]>,
  { nil: undefined },
);
const common = { op, transform };
const simple: fc.Arbitrary<ShapeInput> = fc.oneof(
  fc.record({
    kind: fc.constant('rect' as const),
    x: coordinate,
    y: coordinate,
    width: length,
    height: length,
    ...common,
  }),
  fc.record({
    kind: fc.constant('ellipse' as const),
    cx: coordinate,
    cy: coordinate,
    rx: length,
    ry: length,
    ...common,
  }),
  fc.record({
    kind: fc.constant('polygon' as const),
    points: fc.array(point, { minLength: 3, maxLength: 7 }),
    ...common,
  }),
  fc.record({
    kind: fc.constant('strokes' as const),
    strokes: fc.array(
      fc.record({
        width: fc.double({ min: 0.1, max: 30, noNaN: true }),
        points: fc.array(fc.tuple(coordinate, coordinate, fc.double({ min: 0, max: 1, noNaN: true })), {
          minLength: 1,
          maxLength: 5,
        }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    ...common,
  }),
  fc.record({
    kind: fc.constant('path' as const),
    d: fc
      .array(point, { minLength: 2, maxLength: 5 })
      .map((points) => `M${points.map((p) => p.join(' ')).join('Q 10 20 ')}z`),
    fillRule: fc.constantFrom('nonzero' as const, 'evenodd' as const),
    ...common,
  }),
  fc.record({ kind: fc.constant('canvas' as const), op }),
);
const shape = fc.oneof(
  { weight: 4, arbitrary: simple },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('group' as const), op, shapes: fc.array(simple, { maxLength: 3 }) }),
  },
);
/** Any text that JSON can carry: lone surrogates are no text. */
const words = (most: number) =>
  fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.toWellFormed().slice(0, most));
const scene: fc.Arbitrary<StudioDocument> = fc
  .record({
    text: words(LIMITS.text),
    title: words(200),
    width: fc.integer({ min: 16, max: 120 }),
    height: fc.integer({ min: 16, max: 120 }),
    seed: fc.nat({ max: 0xffff_ffff }),
    segments: fc.array(
      fc.record({
        text: words(LIMITS.text),
        name: fc.option(words(200), { nil: null }),
        shapes: fc.array(shape, { maxLength: 3 }),
        grow: fc.constantFrom(0, 0, 3, -2),
        feather: fc.constantFrom(0, 0, 4),
        invert: fc.boolean(),
        visible: fc.boolean(),
        order: fc.integer({ min: -5, max: 5 }),
      }),
      { maxLength: 4 },
    ),
  })
  .map(({ segments, ...rest }) => {
    const records = [
      createScene(rest),
      ...segments.flatMap(({ text, shapes, ...fields }, index) => createSegment(`s${index}`, text, shapes, fields)),
    ];
    // As any document comes in: through JSON, which knows neither -0 nor undefined.
    return toDocument(DocumentRecords.parse(JSON.parse(JSON.stringify(records))));
  });

test.each(['json', 'spatext', 'png', 'webp', 'svg', 'psd', 'ora'] as const)(
  'any scene -> %s -> the same scene',
  async (format) => {
    await fc.assert(
      fc.asyncProperty(scene, async (document) => {
        const { bytes, fileName } = await exported(document, format, new Blobs());
        expect(sceneIn(await imported(bytes, new Blobs()))).toEqual(toRecords(document));
        expect(fileName).toMatch(/^[^<>:"/\\|?*\p{Cc}]+\.[a-z]+$/u);
      }),
      { numRuns: format === 'svg' ? 25 : 60 },
    );
  },
  60_000,
);
