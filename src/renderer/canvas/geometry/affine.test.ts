import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Affine } from '#shared/document/geometry.ts';
import {
  IDENTITY,
  applyTo,
  determinant,
  invert,
  isIdentity,
  mirroring,
  multiply,
  rotation,
  scaling,
  translation,
} from './affine.ts';

const number = fc.double({ min: -50, max: 50, noNaN: true });
const anyMap = fc.tuple(number, number, number, number, number, number).map((map): Affine => map);

describe('affine maps', () => {
  test('a product applies the inner map first', () => {
    const turned = multiply(translation(10, 0), rotation(Math.PI / 2));
    const [x, y] = applyTo(turned, [1, 0]);
    expect(x).toBeCloseTo(10);
    expect(y).toBeCloseTo(1);
  });

  test('products are associative and agree with applying one after the other', () => {
    fc.assert(
      fc.property(anyMap, anyMap, number, number, (outer, inner, x, y) => {
        const direct = applyTo(multiply(outer, inner), [x, y]);
        const stepped = applyTo(outer, applyTo(inner, [x, y]));
        expect(direct[0]).toBeCloseTo(stepped[0], 4);
        expect(direct[1]).toBeCloseTo(stepped[1], 4);
      }),
    );
  });

  test('the inverse undoes a map; a flat map has none', () => {
    fc.assert(
      fc.property(anyMap, (map) => {
        fc.pre(Math.abs(determinant(map)) > 0.5);
        const back = invert(map);
        expect(back && isIdentity(multiply(back, map), 1e-6)).toBe(true);
      }),
    );
    expect(invert([1, 2, 2, 4, 0, 0])).toBeUndefined();
  });

  test('scaling, turning and mirroring leave their centre where it is', () => {
    for (const map of [
      scaling(3, 0.5, [7, 9]),
      rotation(1, [7, 9]),
      mirroring('horizontal', [7, 9]),
      mirroring('vertical', [7, 9]),
    ]) {
      const [x, y] = applyTo(map, [7, 9]);
      expect(x).toBeCloseTo(7);
      expect(y).toBeCloseTo(9);
    }
    expect(applyTo(mirroring('horizontal', [7, 9]), [10, 20])).toEqual([4, 20]);
    expect(isIdentity(multiply(mirroring('vertical', [7, 9]), mirroring('vertical', [7, 9])))).toBe(true);
    expect(isIdentity(IDENTITY)).toBe(true);
  });
});
