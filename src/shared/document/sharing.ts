import type { RecordsDiff } from './diff.ts';
import type { StudioDocument } from './document.ts';
import type { DocumentRecord } from './records.ts';

/** A step of the undo stack, as far as its parts can be shared. */
interface Step {
  readonly diff: RecordsDiff;
}

/**
 * `value`, built from the parts of `known` wherever the two are equal. What crosses a process boundary arrives as a
 * copy of everything it holds: a segment of five hundred strokes that gained one would be kept whole, twice, in each
 * undo step. Shared, a step holds what it changed. Both values are plain JSON and are never changed in place.
 * @returns `known` itself if all of it is equal; a value equal to `value` in any case
 */
export function shareParts<T>(known: unknown, value: T): T {
  return share(known, value) as T;
}

function share(known: unknown, value: unknown): unknown {
  if (known === value || typeof known !== 'object' || typeof value !== 'object' || !known || !value) return value;
  if (Array.isArray(known) !== Array.isArray(value)) return value;
  return Array.isArray(known) ? shareList(known, value as unknown[]) : shareFields(known, value);
}

/** Lists grow at one end or change in one place: what stands before the change and after it is the same. */
function shareList(known: readonly unknown[], value: readonly unknown[]): readonly unknown[] {
  if (known.length === value.length) {
    const result = value.map((part, index) => share(known[index], part));
    return result.every((part, index) => part === known[index]) ? known : result;
  }
  const result = [...value];
  const shorter = Math.min(known.length, value.length);
  let first = 0;
  while (first < shorter && (result[first] = share(known[first], value[first])) === known[first]) first += 1;
  for (let back = 1; back <= shorter - first; back += 1) {
    const old = known[known.length - back];
    const part = share(old, value[value.length - back]);
    result[value.length - back] = part;
    if (part !== old) break;
  }
  return result;
}

function shareFields(known: object, value: object): object {
  const old = new Map<string, unknown>(Object.entries(known));
  const shared = Object.entries(value).map(([name, part]) => [name, share(old.get(name), part)] as const);
  const same = fieldCount(known) === fieldCount(value) && shared.every(([name, part]) => part === old.get(name));
  return same ? known : Object.fromEntries(shared);
}

/** A field that is undefined is none, as in JSON. */
const fieldCount = (value: object): number => Object.values(value).filter((part) => part !== undefined).length;

/** Whether two records say the same. Parts that are one and the same object are not looked into. */
export const sameRecord = (a: DocumentRecord, b: DocumentRecord): boolean => share(a, b) === a;

/** A change of `document`, sharing what it does not change with the records that are there. */
export function shareDiff(document: StudioDocument, diff: RecordsDiff): RecordsDiff {
  return {
    added: diff.added,
    updated: diff.updated.map(([from, to]): [DocumentRecord, DocumentRecord] => {
      const before = shareParts(document[from.id], from);
      return [before, shareParts(before, to)];
    }),
    removed: diff.removed.map((record) => shareParts(document[record.id], record)),
  };
}

/**
 * Undo steps as they were read from a file or a message, sharing their parts with each other and with the document.
 * @param undo the last one led to `document`
 * @param redo the last one leads on from `document`
 */
export function shareSteps<T extends Step>(
  document: StudioDocument,
  undo: readonly T[],
  redo: readonly T[],
): { undo: T[]; redo: T[] } {
  return { undo: shareWalk(document, undo, backwards), redo: shareWalk(document, redo, forwards) };
}

/** From the last step to the first, each shared with what the records were when it was walked over. */
function shareWalk<T extends Step>(
  document: StudioDocument,
  steps: readonly T[],
  over: (seen: Map<string, DocumentRecord>, diff: RecordsDiff) => RecordsDiff,
): T[] {
  const seen = new Map<string, DocumentRecord>(Object.entries(document));
  return steps
    .toReversed()
    .map((step) => ({ ...step, diff: over(seen, step.diff) }))
    .toReversed();
}

/** A step's record, shared with what is known of it; known itself from now on. */
function meet(seen: Map<string, DocumentRecord>, record: DocumentRecord): DocumentRecord {
  const shared = shareParts(seen.get(record.id), record);
  seen.set(record.id, shared);
  return shared;
}

const backwards = (seen: Map<string, DocumentRecord>, diff: RecordsDiff): RecordsDiff => ({
  added: diff.added.map((record) => meet(seen, record)),
  updated: diff.updated.map(([from, to]) => {
    const after = meet(seen, to);
    return [meet(seen, from), after];
  }),
  removed: diff.removed.map((record) => meet(seen, record)),
});

const forwards = (seen: Map<string, DocumentRecord>, diff: RecordsDiff): RecordsDiff => ({
  added: diff.added.map((record) => meet(seen, record)),
  updated: diff.updated.map(([from, to]) => {
    const before = meet(seen, from);
    return [before, meet(seen, to)];
  }),
  removed: diff.removed.map((record) => meet(seen, record)),
});
