import { expect, test } from 'vitest';
import { emptyDocument } from '#shared/document/create.ts';
import type { ReferenceRecord } from '#shared/document/records.ts';
import { moveReference, referenceBounds, scaleReference } from './place-reference.ts';

const record: ReferenceRecord = {
  id: 'reference:a',
  type: 'reference',
  blob: 'a'.repeat(64),
  transform: [0.5, 0, 0, 0.5, 10, 20],
  width: 200,
  height: 100,
  opacity: 0.6,
  visible: true,
};
const document = { ...emptyDocument(), [record.id]: record };
const boundsIn = (next: typeof document | ReturnType<typeof moveReference>) => {
  const now = next['reference:a'];
  if (now?.type !== 'reference') throw new Error('no reference');
  return referenceBounds(now);
};

test('a reference moves by scene pixels, whatever its own scale', () => {
  expect(boundsIn(moveReference(document, 'reference:a', 5, -3))).toEqual({ x: 15, y: 17, width: 100, height: 50 });
});

test('scaled about a corner, that corner stays', () => {
  const bounds = boundsIn(scaleReference(document, 'reference:a', 2, [110, 70]));
  expect(bounds).toEqual({ x: -90, y: -30, width: 200, height: 100 });
});

test('never vanishes and never outgrows what a scene can hold', () => {
  expect(boundsIn(scaleReference(document, 'reference:a', 0, [10, 20])).width).toBeCloseTo(16);
  expect(boundsIn(scaleReference(document, 'reference:a', 1e9, [10, 20])).width).toBeCloseTo(16_384);
});

test('a reference that has just been removed changes nothing', () => {
  expect(moveReference(document, 'reference:b', 1, 1)).toBe(document);
});
