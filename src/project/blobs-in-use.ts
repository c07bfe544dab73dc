import type { HistoryMark } from '#shared/api/calls.ts';
import type { DocumentRecord } from '#shared/document/records.ts';
import { blobsOf } from '#shared/document/document.ts';
import type { Undoable } from './undo.ts';

/** Every blob a list of records points at; the list need not be a whole document. */
export const documentBlobs = (records: readonly DocumentRecord[]): Set<string> =>
  blobsOf(Object.fromEntries(records.map((record, index) => [index, record])));

/** Every blob that undoing or redoing could bring back. */
export function markBlobs(marks: readonly HistoryMark[]): Set<string> {
  const records = marks.flatMap(({ diff }) => [...diff.added, ...diff.removed, ...diff.updated.flat()]);
  return documentBlobs(records);
}

/** Every blob of a document and of its undo and redo steps. */
export const undoableBlobs = (state: Undoable): Set<string> =>
  new Set([...blobsOf(state.document), ...markBlobs(state.undo), ...markBlobs(state.redo)]);
