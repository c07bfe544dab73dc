import { describe, expect, test } from 'vitest';
import { createScene, createSegment } from '../document/create.ts';
import { toDocument } from '../document/document.ts';
import type { StudioDocument } from '../document/document.ts';
import { disc, rect, sceneWith } from './masks.testkit.ts';
import { NO_BITMAPS } from './rasterize.ts';
import { mapWarnings } from './warnings.ts';

const warningsOf = (document: StudioDocument) =>
  mapWarnings(document, { mapWidth: 64, mapHeight: 64, bitmaps: NO_BITMAPS });
const codes = (document: StudioDocument) => warningsOf(document).map((w) => `${w.segment.slice(8)} ${w.code}`);

describe('mapWarnings', () => {
  test('a good scene has none', () => {
    expect(codes(sceneWith([{ shapes: [disc(150, 150, 80)] }, { shapes: [rect(300, 300, 150, 150)] }]))).toEqual([]);
  });
  test('nothing drawn, nothing with an area', () => {
    expect(codes(sceneWith([{ shapes: [] }]))).toEqual(['a empty']);
    expect(codes(sceneWith([{ shapes: [rect(10, 10, 0, 0)] }]))).toEqual(['a empty']);
    expect(codes(sceneWith([{ shapes: [disc(100, 100, 50)], fields: { grow: -60 } }]))).toEqual(['a empty']);
  });
  test('too small: below a hundredth, below a cell, or thin', () => {
    const [warning] = warningsOf(sceneWith([{ shapes: [disc(100, 100, 20)], text: 'a ladybird' }]));
    expect(warning).toMatchObject({ code: 'too-small', segment: 'segment:a' });
    expect(warning!.message).toMatch(/^"a ladybird" is small: 0\.\d % of the canvas/);
    expect(warning!.area).toBeCloseTo((Math.PI * 400) / 512 ** 2, 2);
    expect(codes(sceneWith([{ shapes: [disc(100, 100, 2)] }]))).toEqual(['a too-small']);
    expect(codes(sceneWith([{ shapes: [rect(0, 100, 512, 12)] }]))).toEqual(['a too-small']);
    expect(codes(sceneWith([{ shapes: [rect(0, 100, 512, 40)] }]))).toEqual([]);
  });
  test('hidden, mostly hidden, split by what lies on top', () => {
    const under = { shapes: [disc(256, 256, 100)] };
    expect(codes(sceneWith([under, { shapes: [disc(256, 256, 120)] }]))).toEqual(['a hidden']);
    expect(codes(sceneWith([under, { shapes: [rect(100, 100, 220, 400)] }]))).toEqual(['a mostly-hidden']);
    expect(codes(sceneWith([under, { shapes: [rect(236, 0, 40, 512)] }]))).toEqual(['a split']);
    // A segment that is not shown hides nothing and is not spoken of.
    expect(codes(sceneWith([under, { shapes: [{ kind: 'canvas' }], fields: { visible: false } }]))).toEqual([]);
  });
  test('drawn in two places; crumbs do not count', () => {
    expect(codes(sceneWith([{ shapes: [disc(100, 100, 60), disc(400, 400, 60)] }]))).toEqual(['a split']);
    expect(codes(sceneWith([{ shapes: [disc(100, 100, 60), disc(400, 400, 10)] }]))).toEqual([]);
  });
  test('beyond the canvas, wholly or for the most part', () => {
    expect(codes(sceneWith([{ shapes: [disc(700, 100, 60)] }]))).toEqual(['a outside']);
    expect(codes(sceneWith([{ shapes: [disc(-90_000, 100, 60)] }]))).toEqual(['a outside']);
    const [half] = warningsOf(sceneWith([{ shapes: [rect(412, 100, 400, 200)] }]));
    expect(half).toMatchObject({ code: 'outside' });
    expect(half!.message).toContain('only 25 %');
    expect(codes(sceneWith([{ shapes: [rect(-20, 300, 600, 300)] }]))).toEqual([]);
  });
  test('no words: empty text, blank text, a mix with an empty end; pictures need none', () => {
    expect(
      codes(
        sceneWith([
          { shapes: [disc(200, 200, 80)], text: '' },
          { shapes: [disc(380, 380, 80)], text: ' \n ' },
        ]),
      ),
    ).toEqual(['a no-text', 'b no-text']);
    const blob = 'b'.repeat(64);
    const [picture, slot] = createSegment('p', { kind: 'image', blob, box: null, mask: null }, [disc(200, 200, 80)]);
    expect(codes(toDocument([createScene(), picture, slot]))).toEqual([]);
    const [mixed, mix] = createSegment('m', { kind: 'mix', a: 'slot:p', b: 'slot:e', t: 0.5 }, [disc(380, 380, 80)]);
    const [, empty] = createSegment('e', '', []);
    expect(codes(toDocument([createScene(), picture, slot, mixed, mix, empty]))).toEqual(['m no-text']);
  });
  test('long names are cut between whole characters', () => {
    const text = '👩‍👩‍👧‍👦'.repeat(10);
    const [warning] = warningsOf(sceneWith([{ shapes: [], text }]));
    expect(warning!.message).toMatch(/^"(👩‍👩‍👧‍👦)+…" has no area/u);
  });
  test('fifty segments are checked in a few dozen milliseconds', () => {
    const document = sceneWith(
      Array.from({ length: 50 }, (_, i) => ({ shapes: [disc((i * 97) % 512, (i * 53) % 512, 40 + (i % 30))] })).slice(
        0,
        50,
      ),
    );
    warningsOf(document);
    const start = performance.now();
    warningsOf(document);
    expect(performance.now() - start).toBeLessThan(3000);
  });
});
