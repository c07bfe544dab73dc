import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGroup, createScene, createSegment } from '#shared/document/create.ts';
import { documentProblem, segmentsOf, slotOf, toDocument } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { SegmentId } from '#shared/document/records.ts';
import {
  addSegment,
  duplicateSegments,
  nextColor,
  removeSegments,
  reorder,
  setSlot,
  shiftSegments,
  withRecords,
} from './recipes.ts';

const letters = ['a', 'b', 'c', 'd'] as const;
const base = (): StudioDocument =>
  toDocument([createScene(), ...letters.flatMap((key, order) => createSegment(key, key, [], { order }))]);
const orderOf = (document: StudioDocument): string =>
  segmentsOf(document)
    .map((segment) => segment.id.slice(8))
    .join('');

describe('order', () => {
  it('moves a block up, down and to the ends', () => {
    const ids: SegmentId[] = ['segment:b'];
    expect(orderOf(shiftSegments(base(), ids, 'up'))).toBe('acbd');
    expect(orderOf(shiftSegments(base(), ids, 'down'))).toBe('bacd');
    expect(orderOf(shiftSegments(base(), ids, 'top'))).toBe('acdb');
    expect(orderOf(shiftSegments(base(), ids, 'bottom'))).toBe('bacd');
    expect(orderOf(shiftSegments(base(), ['segment:b', 'segment:c'], 'up'))).toBe('adbc');
    expect(orderOf(shiftSegments(base(), ['segment:b', 'segment:c'], 'down'))).toBe('bcad');
  });

  it('stays as it is at the end', () => {
    const document = base();
    expect(shiftSegments(document, ['segment:d'], 'up')).toBe(document);
    expect(shiftSegments(document, ['segment:a'], 'bottom')).toBe(document);
    expect(
      shiftSegments(
        document,
        letters.map((key): SegmentId => `segment:${key}`),
        'up',
      ),
    ).toBe(document);
  });

  it('steps over a group as one, and moves within a group', () => {
    const grouped = withRecords(base(), [
      createGroup('g', 'group', 0),
      ...segmentsOf(base())
        .slice(1, 3)
        .map((segment) => ({ ...segment, group: 'group:g' as const })),
    ]);
    expect(orderOf(shiftSegments(grouped, ['segment:a'], 'up'))).toBe('bcad');
    expect(orderOf(shiftSegments(grouped, ['segment:d'], 'down'))).toBe('adbc');
    expect(orderOf(shiftSegments(grouped, ['segment:b'], 'up'))).toBe('acbd');
    expect(shiftSegments(grouped, ['segment:c'], 'up')).toBe(grouped);
    expect(orderOf(shiftSegments(grouped, ['segment:b', 'segment:c'], 'down'))).toBe('bcad');
  });

  it('puts segments beside an anchor', () => {
    expect(orderOf(reorder(base(), ['segment:a'], 'segment:c', 'above'))).toBe('bcad');
    expect(orderOf(reorder(base(), ['segment:d'], 'segment:b', 'below'))).toBe('adbc');
    expect(orderOf(reorder(base(), ['segment:d', 'segment:a'], 'segment:b', 'above'))).toBe('badc');
    const document = base();
    expect(reorder(document, ['segment:a'], 'segment:a', 'above')).toBe(document);
  });

  it('never loses a segment, whatever is moved where', () => {
    fc.assert(
      fc.property(
        fc.subarray([...letters]),
        fc.constantFrom('up', 'down', 'top', 'bottom'),
        fc.constantFrom(...letters),
        (keys, where, anchor) => {
          const ids = keys.map((key): SegmentId => `segment:${key}`);
          const moved = reorder(shiftSegments(base(), ids, where), ids, `segment:${anchor}`, 'below');
          expect(orderOf(moved).split('').toSorted().join('')).toBe('abcd');
        },
      ),
    );
  });
});

describe('segments and slots', () => {
  it('adds on top in the least used colour', () => {
    const [document, id] = addSegment(base(), [], 'tent');
    expect(segmentsOf(document).at(-1)?.id).toBe(id);
    expect(nextColor(base())).toBe(1);
    expect(document[id]).toMatchObject({ color: 1 });
  });

  it('removes with the slots only they used, and with their empty group', () => {
    let document = withRecords(base(), [createGroup('g', 'group', 0)]);
    document = withRecords(document, [
      { ...segmentsOf(document)[0]!, group: 'group:g' },
      { id: 'slot:x', type: 'slot', content: { kind: 'text', text: 'x', reading: 0 } },
      { id: 'slot:a', type: 'slot', content: { kind: 'mix', a: 'slot:x', b: 'slot:b', t: 0.5 } },
    ]);
    const left = removeSegments(document, ['segment:a']);
    expect(Object.keys(left).toSorted()).toEqual(['scene:main', 'segment:b', 'segment:c', 'segment:d', 'slot:b', 'slot:c', 'slot:d']); // prettier-ignore
    expect(documentProblem(Object.values(left))).toBeUndefined();
  });

  it('ends a mix without leaving its parts', () => {
    const mixed = withRecords(base(), [
      { id: 'slot:p', type: 'slot', content: { kind: 'text', text: 'p', reading: 0 } },
      { id: 'slot:q', type: 'slot', content: { kind: 'text', text: 'q', reading: 0 } },
      { id: 'slot:a', type: 'slot', content: { kind: 'mix', a: 'slot:p', b: 'slot:q', t: 0.2 } },
    ]);
    const plain = setSlot(mixed, 'slot:a', { kind: 'text', text: 'plain', reading: 0 });
    expect(plain['slot:p']).toBeUndefined();
    expect(plain['slot:q']).toBeUndefined();
  });

  it('copies segments just above their originals, mixes with all their parts', () => {
    const mixed = withRecords(base(), [
      { id: 'slot:p', type: 'slot', content: { kind: 'text', text: 'p', reading: 0 } },
      { id: 'slot:a', type: 'slot', content: { kind: 'mix', a: 'slot:p', b: 'slot:b', t: 0.2 } },
    ]);
    const [document, [copy]] = duplicateSegments(mixed, ['segment:a']);
    expect(documentProblem(Object.values(document))).toBeUndefined();
    expect(
      segmentsOf(document)
        .map((segment) => segment.id)
        .indexOf(copy!),
    ).toBe(1);
    const segment = document[copy!];
    const { content } = slotOf(document, segment?.type === 'segment' ? segment.slot : 'slot:none');
    expect(content).toMatchObject({ kind: 'mix', t: 0.2 });
    if (content.kind === 'mix') expect(slotOf(document, content.a).content).toMatchObject({ text: 'p' });
    expect(content).not.toMatchObject({ a: 'slot:p' });
  });
});
