import { z } from 'zod';
import { StudioError } from '../errors.ts';
import { toDocument } from './document.ts';
import type { StudioDocument } from './document.ts';
import { LIMITS } from './limits.ts';
import { DocumentRecord } from './records.ts';
import { sameRecord } from './sharing.ts';

/** A reversible change of the document (after tldraw's RecordsDiff). */
export const RecordsDiff = z.object({
  added: z.array(DocumentRecord).max(LIMITS.records),
  /** [before, after] of each changed record. */
  updated: z.array(z.tuple([DocumentRecord, DocumentRecord])).max(LIMITS.records),
  removed: z.array(DocumentRecord).max(LIMITS.records),
});
export type RecordsDiff = z.infer<typeof RecordsDiff>;

export const EMPTY_DIFF: RecordsDiff = { added: [], updated: [], removed: [] };

export const isEmptyDiff = (diff: RecordsDiff): boolean =>
  diff.added.length === 0 && diff.updated.length === 0 && diff.removed.length === 0;

/** The change that takes `before` to `after`; unchanged records are told by identity, then by value. */
export function diffDocuments(before: StudioDocument, after: StudioDocument): RecordsDiff {
  const diff: RecordsDiff = { added: [], updated: [], removed: [] };
  for (const record of Object.values(after)) {
    const old = before[record.id];
    if (!old) diff.added.push(record);
    else if (old !== record && !sameRecord(old, record)) diff.updated.push([old, record]);
  }
  for (const record of Object.values(before)) if (!after[record.id]) diff.removed.push(record);
  return diff;
}

/**
 * Applies a change. The result is checked as a whole: a diff can never leave a document that could not be saved.
 * @throws StudioError bad-input if the diff does not fit (an added id exists, a changed or removed one does not)
 */
export function applyDiff(document: StudioDocument, diff: RecordsDiff): StudioDocument {
  const next: Record<string, DocumentRecord> = { ...document };
  for (const record of diff.removed) {
    if (!next[record.id]) throw new StudioError('bad-input', `a change removes ${record.id}, which is not there`);
    delete next[record.id];
  }
  for (const [from, to] of diff.updated) {
    if (from.id !== to.id || !next[from.id])
      throw new StudioError('bad-input', `a change edits ${from.id}, which is not there`);
    next[from.id] = to;
  }
  for (const record of diff.added) {
    if (next[record.id]) throw new StudioError('bad-input', `a change adds ${record.id}, which is already there`);
    next[record.id] = record;
  }
  return toDocument(Object.values(next));
}

/** The change that takes back `diff`. */
export function invertDiff(diff: RecordsDiff): RecordsDiff {
  return {
    added: diff.removed,
    updated: diff.updated.map(([from, to]) => [to, from]),
    removed: diff.added,
  };
}

/** One change with the effect of `first`, then `second`. */
export function squashDiffs(first: RecordsDiff, second: RecordsDiff): RecordsDiff {
  /** What each touched record was before (null: not there) and is after. */
  const touched = new Map<string, { before: DocumentRecord | null; after: DocumentRecord | null }>();
  for (const diff of [first, second]) {
    const note = (id: string, before: DocumentRecord | null, after: DocumentRecord | null): void => {
      const known = touched.get(id);
      touched.set(id, { before: known ? known.before : before, after });
    };
    for (const record of diff.removed) note(record.id, record, null);
    for (const [from, to] of diff.updated) note(to.id, from, to);
    for (const record of diff.added) note(record.id, null, record);
  }
  const squashed: RecordsDiff = { added: [], updated: [], removed: [] };
  for (const { before, after } of touched.values()) {
    if (before && after) {
      if (!sameRecord(before, after)) squashed.updated.push([before, after]);
    } else if (after) squashed.added.push(after);
    else if (before) squashed.removed.push(before);
  }
  return squashed;
}
