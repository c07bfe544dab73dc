import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSegment } from '#shared/document/create.ts';
import { diffDocuments, invertDiff } from '#shared/document/diff.ts';
import { toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { distinctObjects } from '#shared/document/sharing.testkit.ts';
import { beach, setText } from './keeper.testkit.ts';
import { applyChange } from './undo.ts';
import type { Undoable } from './undo.ts';
import { JournalEntry, decodeJournal, encodeEntry } from './working-copy.ts';

type Step =
  | { kind: 'text'; text: string; extend: boolean }
  | { kind: 'segment'; key: number }
  | { kind: 'undo' | 'redo' };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('text' as const), text: fc.string({ maxLength: 8 }), extend: fc.boolean() }),
  fc.record({ kind: fc.constant('segment' as const), key: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ kind: fc.constantFrom('undo' as const, 'redo' as const) }),
);

/** The change a window would send for a step. */
function changeFor(state: Undoable, next: Step): Omit<JournalEntry, 'revision' | 'at'> | undefined {
  const { document } = state;
  switch (next.kind) {
    case 'text':
      return { diff: setText(document, next.text).diff, undo: next.extend ? 'extend' : 'mark', label: 'text' };
    case 'segment': {
      const [segment, slot] = createSegment(`s${next.key}`, 'a thing', []);
      const after: StudioDocument = document[segment.id]
        ? Object.fromEntries(Object.entries(document).filter(([id]) => id !== segment.id && id !== slot.id))
        : { ...document, [segment.id]: segment, [slot.id]: slot };
      return { diff: diffDocuments(document, after), undo: 'mark', label: 'segment' };
    }
    case 'undo': {
      const last = state.undo.at(-1);
      return last && { diff: invertDiff(last.diff), undo: 'undo', label: '' };
    }
    case 'redo': {
      const last = state.redo.at(-1);
      return last && { diff: last.diff, undo: 'redo', label: '' };
    }
  }
}

const start: Undoable = { document: beach(), undo: [], redo: [] };
const text = (document: StudioDocument): string => JSON.stringify(toRecords(document));

test('whatever was done, undoing everything leads back, and redoing everything forth again', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let state = start;
      for (const next of steps) {
        const change = changeFor(state, next);
        if (change) state = applyChange(state, change);
      }
      while (state.redo.length > 0) state = applyChange(state, changeFor(state, { kind: 'redo' })!);
      const end = text(state.document);
      const depth = state.undo.length;
      while (state.undo.length > 0) state = applyChange(state, changeFor(state, { kind: 'undo' })!);
      expect(text(state.document)).toBe(text(start.document));
      expect(state.redo).toHaveLength(depth);
      while (state.redo.length > 0) state = applyChange(state, changeFor(state, { kind: 'redo' })!);
      expect(text(state.document)).toBe(end);
    }),
  );
});

test('a journal cut anywhere gives the changes before the cut, and never a changed one', () => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 12 }),
      fc.nat(),
      fc.nat({ max: 255 }),
      (steps, place, byte) => {
        let state = start;
        const entries: JournalEntry[] = [];
        for (const next of steps) {
          const change = changeFor(state, next);
          if (!change) continue;
          state = applyChange(state, change);
          entries.push(JournalEntry.parse({ ...change, revision: entries.length + 1, at: 5 }));
        }
        const journal = Buffer.from(entries.map(encodeEntry).join(''));
        expect(decodeJournal(journal.toString())).toEqual({ entries, whole: true });
        if (journal.length === 0) return;
        const cut = decodeJournal(journal.subarray(0, place % journal.length).toString()).entries;
        expect(entries.slice(0, cut.length)).toEqual(cut);
        const damaged = Buffer.from(journal);
        damaged[place % journal.length] = byte;
        const read = decodeJournal(
          damaged.toString('latin1').length === damaged.length ? damaged.toString() : '',
        ).entries;
        expect(entries.slice(0, read.length)).toEqual(read);
      },
    ),
  );
});

test('a long history of strokes takes the memory of the strokes, not of every drawing between them', () => {
  const strokes = (count: number): number => {
    let state = start;
    for (let index = 0; index < count; index += 1) {
      const before = state.document['segment:cat'];
      if (before?.type !== 'segment') throw new Error('no segment');
      const shape = { kind: 'polygon' as const, op: 'add' as const, points: [[index, 0], [9, 9], [0, 9]] as [number, number][] }; // prettier-ignore
      const after = { ...state.document, [before.id]: { ...before, shapes: [...before.shapes, shape] } };
      // As it comes over the line: a copy of everything.
      const diff = structuredClone(diffDocuments(state.document, after));
      state = applyChange(state, { diff, undo: 'mark', label: 'edit.stroke' });
    }
    return distinctObjects(state);
  };
  // Kept whole, twice as many strokes would take four times the objects.
  expect(strokes(120) / strokes(60)).toBeLessThan(2.2);
});
