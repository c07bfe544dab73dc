import { expect, test } from 'vitest';
import { createScene, createSegment } from '#shared/document/create.ts';
import { toDocument } from '#shared/document/document.ts';
import { applyTo } from '../geometry/affine.ts';
import { fitRecords, fitSheet, recoloured } from './fit-records.ts';

test('a sheet is laid into the middle of another', () => {
  const map = fitSheet({ width: 100, height: 100 }, { width: 400, height: 200 });
  expect(applyTo(map, [0, 0])).toEqual([100, 0]);
  expect(applyTo(map, [100, 100])).toEqual([300, 200]);
});

test('segments come along with their edges', () => {
  const records = [
    createScene({ width: 100, height: 100 }),
    ...createSegment('a', 'x', [{ kind: 'rect', x: 0, y: 0, width: 50, height: 50 }], { grow: 3, feather: 4 }),
  ];
  const fitted = fitRecords(records, { width: 200, height: 200 });
  expect(fitted[1]).toMatchObject({ grow: 6, feather: 8, shapes: [{ kind: 'rect', transform: [2, 0, 0, 2, 0, 0] }] });
  expect(fitted[2]).toBe(records[2]);
});

test('newcomers get the colours that are used least', () => {
  const document = toDocument([createScene(), ...createSegment('a', 'x', [], { color: 0 })]);
  const newcomers = [...createSegment('b', 'y', [], { color: 0 }), ...createSegment('c', 'z', [], { color: 0 })];
  const colours = recoloured(newcomers, document).flatMap((record) =>
    record.type === 'segment' ? [record.color] : [],
  );
  expect(colours).toEqual([1, 2]);
});
