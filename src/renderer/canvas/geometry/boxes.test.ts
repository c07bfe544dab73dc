import { expect, test } from 'vitest';
import { rotation } from './affine.ts';
import { boxAround, dragBox, mapBox, overlap, unite } from './boxes.ts';

const free = { square: false, fromCentre: false };

test('a drag in any direction spans a box with positive sides', () => {
  expect(dragBox([10, 10], [4, 30], free)).toEqual({ x: 4, y: 10, width: 6, height: 20 });
});

test('shift makes the longer side the side of a square, in the direction of the drag', () => {
  expect(dragBox([10, 10], [4, 30], { square: true, fromCentre: false })).toEqual({
    x: -10,
    y: 10,
    width: 20,
    height: 20,
  });
});

test('alt draws from the centre', () => {
  expect(dragBox([10, 10], [15, 12], { square: false, fromCentre: true })).toEqual({
    x: 5,
    y: 8,
    width: 10,
    height: 4,
  });
  expect(dragBox([10, 10], [15, 12], { square: true, fromCentre: true })).toEqual({
    x: 5,
    y: 5,
    width: 10,
    height: 10,
  });
});

test('boxes around points, united, mapped and overlapped', () => {
  expect(boxAround([])).toBeUndefined();
  expect(boxAround([[3, 4], [-1, 8]])).toEqual({ x: -1, y: 4, width: 4, height: 4 }); // prettier-ignore
  const box = { x: 0, y: 0, width: 2, height: 2 };
  expect(unite(box, undefined)).toBe(box);
  expect(unite(box, { x: 4, y: 1, width: 1, height: 5 })).toEqual({ x: 0, y: 0, width: 5, height: 6 });
  const turned = mapBox(rotation(Math.PI / 4), box);
  expect(turned.width).toBeCloseTo(2 * Math.SQRT2);
  expect(overlap(box, { x: 1, y: 1, width: 9, height: 9 })).toBe(1);
  expect(overlap(box, { x: 2, y: 0, width: 9, height: 9 })).toBe(0);
});
