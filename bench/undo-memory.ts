/**
 * What the undo steps of a long drawing take in the host: strokes on one segment, each arriving as a change does, as a
 * copy of the whole record before and after.
 *   node --expose-gc bench/undo-memory.ts [strokes] [points]
 * `whole` is the same history with each step kept as it arrived.
 */
import { createSegment, emptyDocument } from '#shared/document/create.ts';
import { applyDiff, diffDocuments } from '#shared/document/diff.ts';
import type { Shape, StrokePoint } from '#shared/document/geometry.ts';
import { applyChange } from '#project/undo.ts';
import type { Undoable } from '#project/undo.ts';
import { record } from './record.ts';

const STROKES = Number(process.argv[2] ?? 500);
const POINTS = Number(process.argv[3] ?? 40);
/** The window writes a segment anew as its outline from this many points on (renderer/canvas/edit/compact.ts). */
const COMPACTED = 4000;
const [segment, slot] = createSegment('a', 'a hill', []);

type Stroke = Extract<Shape, { kind: 'strokes' }>['strokes'][number];
const stroke = (index: number): Stroke => ({
  width: 24,
  points: Array.from({ length: POINTS }, (_, at): StrokePoint => [
    256 + 200 * Math.sin(index + at / 9),
    256 + 200 * Math.cos(index * 2 + at / 7),
    0.5 + 0.5 * Math.sin(at),
  ]),
});

/** Megabytes of the heap that the history takes. */
function measure(shared: boolean): number {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  let state: Undoable = {
    document: { ...emptyDocument(), [segment.id]: segment, [slot.id]: slot },
    undo: [],
    redo: [],
  };
  let strokes: Stroke[] = [];
  for (let index = 0; index < STROKES; index += 1) {
    strokes = strokes.length * POINTS >= COMPACTED ? [stroke(index)] : [...strokes, stroke(index)];
    const now = state.document[segment.id];
    if (now?.type !== 'segment') throw new Error('the segment is gone');
    const after = {
      ...state.document,
      [now.id]: { ...now, shapes: [{ kind: 'strokes', op: 'add', strokes }] as Shape[] },
    };
    const change = {
      diff: structuredClone(diffDocuments(state.document, after)),
      undo: 'mark' as const,
      label: 'edit.stroke',
    };
    if (shared) state = applyChange(state, change);
    else state = { document: applyDiff(state.document, change.diff), undo: [...state.undo, change], redo: [] };
  }
  globalThis.gc?.();
  const taken = process.memoryUsage().heapUsed - before;
  if (state.undo.length === 0) throw new Error('nothing was kept');
  return Math.round(taken / 1e5) / 10;
}

if (!globalThis.gc) throw new Error('run it with node --expose-gc');
record('undo-memory', `node --expose-gc bench/undo-memory.ts ${STROKES} ${POINTS}`, {
  strokes: STROKES,
  pointsPerStroke: POINTS,
  megabytes: { shared: measure(true), whole: measure(false) },
});
