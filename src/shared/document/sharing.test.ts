import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSegment, emptyDocument } from './create.ts';
import { applyDiff, diffDocuments, invertDiff } from './diff.ts';
import type { RecordsDiff } from './diff.ts';
import type { StudioDocument } from './document.ts';
import { sameRecord, shareDiff, shareParts, shareSteps } from './sharing.ts';
import { distinctObjects } from './sharing.testkit.ts';

const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
/** As JSON gives it: without -0. */
const value = fc.jsonValue({ maxDepth: 4 }).map(copy);

describe('shared parts', () => {
  test('a value built from known parts says the same as before, whatever was known', () => {
    fc.assert(
      fc.property(value, value, (known, next) => {
        const before = copy([known, next]);
        expect(shareParts(known, next)).toEqual(next);
        expect([known, next]).toEqual(before);
      }),
    );
  });

  test('an equal value becomes the known one', () => {
    fc.assert(fc.property(value, (known) => shareParts(known, copy(known)) === known));
  });

  test('a list shares what stands before and after a change', () => {
    const known = [[1], [2], [3], [4]];
    const shared = shareParts(known, [[1], [9], [9], [3], [4]]);
    expect(shared).toEqual([[1], [9], [9], [3], [4]]);
    expect([shared[0], shared[3], shared[4]].map((part) => known.indexOf(part!))).toEqual([0, 2, 3]);
    const edited = shareParts(known, [[0], [2], [0], [4]]);
    expect(edited.map((part) => known.indexOf(part))).toEqual([-1, 1, -1, 3]);
  });

  test('a field that is undefined is none', () => {
    const [segment] = createSegment('a', '', []);
    expect(sameRecord(segment, { ...segment, ...({ extra: undefined } as object) })).toBe(true);
    expect(sameRecord(segment, { ...segment, weight: 2 })).toBe(false);
  });
});

/** A document of one segment with `count` strokes, the steps that drew them. */
function drawn(count: number): { document: StudioDocument; steps: { label: string; diff: RecordsDiff }[] } {
  const [segment, slot] = createSegment('a', 'a hill', []);
  let document: StudioDocument = { ...emptyDocument(), [segment.id]: segment, [slot.id]: slot };
  const strokes = Array.from({ length: count }, (_, index) => ({
    width: 8,
    points: Array.from({ length: 5 }, (_point, at): [number, number, number] => [index, at, 1]),
  }));
  const steps = strokes.map((_, index) => {
    const next: StudioDocument = {
      ...document,
      [segment.id]: { ...segment, shapes: [{ kind: 'strokes', op: 'add', strokes: strokes.slice(0, index + 1) }] },
    };
    // As it comes over the line: a copy of everything.
    const diff = shareDiff(document, copy(diffDocuments(document, next)));
    document = applyDiff(document, diff);
    return { label: 'edit.stroke', diff };
  });
  return { document, steps };
}

test('undo steps that came over the line hold what they change, not the drawing they change', () => {
  const [some, many] = [drawn(50), drawn(100)].map(distinctObjects);
  // Kept whole, twice as many strokes would take four times the objects.
  expect(many! / some!).toBeLessThan(2.2);
});

test('undo steps read from a file share their parts, backwards and forwards', () => {
  const { document, steps } = drawn(60);
  const read = shareSteps(document, copy(steps), []);
  expect(read).toEqual({ undo: steps, redo: [] });
  expect(distinctObjects({ document, ...read })).toBeLessThan(1.2 * distinctObjects({ document, steps }));
  const first = steps.reduceRight((state, { diff }) => applyDiff(state, invertDiff(diff)), document);
  const redo = copy(steps).toReversed();
  const again = shareSteps(first, [], redo);
  expect(again).toEqual({ undo: [], redo });
  expect(distinctObjects({ first, ...again })).toBeLessThan(1.2 * distinctObjects({ document, steps }));
});
