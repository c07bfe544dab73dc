import type { HistoryMark } from '#shared/api/calls.ts';
import { applyDiff, invertDiff, squashDiffs } from '#shared/document/diff.ts';
import type { RecordsDiff } from '#shared/document/diff.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { shareDiff } from '#shared/document/sharing.ts';
import type { UndoKind } from './working-copy.ts';

/** Undo steps kept for a document, and the JSON they may take: a history that outgrows its document helps no one. */
const MARKS = 500;
const MARK_CHARACTERS = 24 * 1024 * 1024;

/** A document with its undo steps, which share what they do not change. All marks hold the forward change; the last of `redo` is the next to redo. */
export interface Undoable {
  readonly document: StudioDocument;
  readonly undo: readonly HistoryMark[];
  readonly redo: readonly HistoryMark[];
}

/**
 * Applies a change and keeps the undo steps in pace with it:
 * - mark: a new step; what could be redone is gone
 * - extend: the same, as part of the last step (a stroke is one step however many changes it sends)
 * - undo, redo: `diff` is the change made (the inverse of the last step; the next step again)
 * - none: not undoable (a cached value, a view)
 * @throws StudioError bad-input if the change does not fit the document, which then stays as it was
 */
export function applyChange(
  state: Undoable,
  change: { readonly diff: RecordsDiff; readonly undo: UndoKind; readonly label: string },
): Undoable {
  // A change comes as a copy of whole records: five hundred steps of five hundred strokes, unless they share them.
  const diff = shareDiff(state.document, change.diff);
  const document = applyDiff(state.document, diff);
  const { label } = change;
  const last = state.undo.at(-1);
  const next = state.redo.at(-1);
  switch (change.undo) {
    case 'mark':
      return { document, undo: limitMarks([...state.undo, { label, diff }]), redo: [] };
    case 'extend': {
      if (!last) return { document, undo: [{ label, diff }], redo: [] };
      const longer = { label: label || last.label, diff: squashDiffs(last.diff, diff) };
      return { document, undo: [...state.undo.slice(0, -1), longer], redo: [] };
    }
    case 'undo': {
      // The change as made, not as recorded: should they differ, the document is right and redo must lead back.
      const undone = { label: last?.label ?? label, diff: invertDiff(diff) };
      return { document, undo: state.undo.slice(0, -1), redo: [...state.redo, undone] };
    }
    case 'redo':
      return {
        document,
        undo: [...state.undo, { label: next?.label ?? label, diff }],
        redo: state.redo.slice(0, -1),
      };
    case 'none':
      return { document, undo: state.undo, redo: state.redo };
  }
}

const limitMarks = (marks: readonly HistoryMark[]): readonly HistoryMark[] => marks.slice(-MARKS);

/** The newest steps that fit into what a file may hold. */
export function marksToKeep(marks: readonly HistoryMark[]): HistoryMark[] {
  let room = MARK_CHARACTERS;
  let first = marks.length;
  while (first > 0) {
    const mark = marks[first - 1];
    if (!mark) break;
    room -= charactersOf(mark);
    if (room < 0) break;
    first -= 1;
  }
  return marks.slice(first);
}

const known = new WeakMap<HistoryMark, number>();
function charactersOf(mark: HistoryMark): number {
  let length = known.get(mark);
  if (length === undefined) {
    length = JSON.stringify(mark).length;
    known.set(mark, length);
  }
  return length;
}
