import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createScene, createSegment, emptyDocument } from './create.ts';
import { EMPTY_DIFF, RecordsDiff, applyDiff, diffDocuments, invertDiff, isEmptyDiff, squashDiffs } from './diff.ts';
import { toDocument, toRecords } from './document.ts';
import type { StudioDocument } from './document.ts';
import { documentArbitrary } from './document.testkit.ts';

/** Documents are the same if they write the same file. */
const same = (a: StudioDocument, b: StudioDocument) => expect(toRecords(a)).toEqual(toRecords(b));
const any = documentArbitrary();

describe('the algebra of changes', () => {
  test('the change between two documents leads from one to the other, its inverse back', () => {
    fc.assert(
      fc.property(any, any, (a, b) => {
        const diff = diffDocuments(a, b);
        same(applyDiff(a, diff), b);
        same(applyDiff(applyDiff(a, diff), invertDiff(diff)), a);
        expect(invertDiff(invertDiff(diff))).toEqual(diff);
        expect(isEmptyDiff(diff)).toBe(JSON.stringify(toRecords(a)) === JSON.stringify(toRecords(b)));
      }),
      { numRuns: 150 },
    );
  });
  test('squashing a sequence is doing its steps, and the inverse of the squash undoes them all', () => {
    fc.assert(
      fc.property(fc.array(any, { minLength: 2, maxLength: 6 }), (states) => {
        const start = states[0]!;
        let squashed: RecordsDiff = EMPTY_DIFF;
        let now = start;
        for (const next of states.slice(1)) {
          const step = diffDocuments(now, next);
          squashed = squashDiffs(squashed, step);
          now = applyDiff(now, step);
        }
        same(applyDiff(start, squashed), now);
        same(applyDiff(now, invertDiff(squashed)), start);
        // A squash says no more than the change from the first to the last state.
        const direct = diffDocuments(start, now);
        expect(squashed.added.length).toBe(direct.added.length);
        expect(squashed.removed.length).toBe(direct.removed.length);
        expect(squashed.updated.length).toBe(direct.updated.length);
      }),
      { numRuns: 120 },
    );
  });
  test('squashing is associative, and a change with its inverse is none', () => {
    fc.assert(
      fc.property(any, any, any, any, (a, b, c, d) => {
        const [p, q, r] = [diffDocuments(a, b), diffDocuments(b, c), diffDocuments(c, d)];
        const left = squashDiffs(squashDiffs(p, q), r);
        const right = squashDiffs(p, squashDiffs(q, r));
        same(applyDiff(a, left), applyDiff(a, right));
        expect(isEmptyDiff(squashDiffs(p, invertDiff(p)))).toBe(true);
      }),
      { numRuns: 80 },
    );
  });
  test('a change survives the wire', () => {
    fc.assert(
      fc.property(any, any, (a, b) => {
        const diff = diffDocuments(a, b);
        const arrived = RecordsDiff.parse(JSON.parse(JSON.stringify(diff)));
        same(applyDiff(a, arrived), b);
      }),
      { numRuns: 60 },
    );
  });
});

describe('applyDiff', () => {
  const [segment, slot] = createSegment('a', 'a fox', []);
  const base = toDocument([createScene(), segment, slot]);

  test('never touches the document it is given', () => {
    const before = JSON.stringify(base);
    applyDiff(base, { added: [], updated: [[segment, { ...segment, order: 9 }]], removed: [] });
    applyDiff(base, { added: [], updated: [], removed: [segment, slot] });
    expect(JSON.stringify(base)).toBe(before);
  });
  test('keeps untouched records by identity, so that views can tell what changed', () => {
    const next = applyDiff(base, { added: [], updated: [[segment, { ...segment, order: 9 }]], removed: [] });
    expect(next['slot:a']).toBe(base['slot:a']);
    expect(next['segment:a']).not.toBe(base['segment:a']);
    expect(diffDocuments(base, { ...base, 'segment:a': structuredClone(segment) }).updated).toEqual([]);
  });
  test.each<[string, RecordsDiff]>([
    ['adds segment:a, which is already there', { added: [segment], updated: [], removed: [] }],
    [
      'removes guide:x, which is not there',
      { added: [], updated: [], removed: [{ id: 'guide:x', type: 'guide', axis: 'vertical', position: 1 }] },
    ],
    [
      'edits slot:b, which is not there',
      {
        added: [],
        updated: [
          [
            { ...slot, id: 'slot:b' },
            { ...slot, id: 'slot:b' },
          ],
        ],
        removed: [],
      },
    ],
    [
      'edits segment:a, which is not there',
      { added: [], updated: [[segment, { ...segment, id: 'segment:z' }]], removed: [] },
    ],
    ['names the slot slot:a, which is not there', { added: [], updated: [], removed: [slot] }],
    ['no scene record', { added: [], updated: [], removed: [createScene()] }],
  ])('refuses a change that %s', (message, diff) => {
    expect(() => applyDiff(base, diff)).toThrow(
      expect.objectContaining({ code: 'bad-input', message: expect.stringContaining(message) as string }),
    );
  });
  test('the empty change changes nothing', () => {
    same(applyDiff(emptyDocument(), EMPTY_DIFF), emptyDocument());
    expect(isEmptyDiff(EMPTY_DIFF)).toBe(true);
  });
});
