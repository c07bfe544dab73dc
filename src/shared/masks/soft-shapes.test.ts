// Shapes that carry a feather of their own (rasterize.ts), as soft brushes draw them.
import { describe, expect, test } from 'vitest';
import type { ShapeInput } from '../document/geometry.ts';
import { featherMask } from './blur.ts';
import { invertMask } from './mask.ts';
import { draw, halved, largestDifference } from './masks.testkit.ts';

describe('shapes with soft edges of their own', () => {
  const stroke = (y: number, feather?: number, op: 'add' | 'subtract' = 'add'): ShapeInput => ({
    kind: 'strokes',
    op,
    ...(feather !== undefined && { feather }),
    strokes: [
      {
        width: 40,
        points: [
          [40, y, 1],
          [216, y, 1],
        ],
      },
    ],
  });
  const at = (mask: ReturnType<typeof draw>, x: number, y: number): number => mask.data[y * mask.width + x]!;

  test('fall off over the feather as a segment of that feather does, and not at all without one', () => {
    const soft = draw([stroke(128, 16)], 256);
    expect(soft.data).toEqual(featherMask(draw([stroke(128)], 256), 16).data);
    expect(draw([stroke(128, 0)], 256).data).toEqual(draw([stroke(128)], 256).data);
    expect(at(soft, 128, 128)).toBeGreaterThan(240);
    expect(Math.abs(at(soft, 128, 148) - 128)).toBeLessThan(12);
  });

  test('leave the edges of the shapes before them as they are', () => {
    const area: ShapeInput = { kind: 'rect', x: 20, y: 20, width: 216, height: 100 };
    const crisp = draw([area], 256);
    const both = draw([area, stroke(200, 16)], 256);
    for (const y of [19, 20, 60, 119, 120]) expect(at(both, 128, y)).toBe(at(crisp, 128, y));
    expect(at(both, 128, 200)).toBeGreaterThan(240);
    const bitten = draw([area, stroke(120, 16, 'subtract')], 256);
    expect(at(bitten, 128, 20)).toBe(255);
    expect(at(bitten, 128, 118)).toBeLessThan(15);
    expect(Math.abs(at(bitten, 128, 99) - 128)).toBeLessThan(12);
  });

  test('taken away and given back in one mean the same inside out', () => {
    const added = draw([stroke(128, 16)], 256);
    expect(draw([{ kind: 'canvas' }, stroke(128, 16, 'subtract')], 256).data).toEqual(invertMask(added).data);
  });

  test('are as wide in scene pixels at any resolution, and grow with the shape', () => {
    const large = halved(draw([stroke(128, 16)], 256, 512));
    expect(largestDifference(draw([stroke(128, 16)], 256), large)).toBeLessThan(6);
    const scaled = draw([{ ...stroke(64, 8), transform: [2, 0, 0, 2, -128, 0] }], 256);
    const wide: ShapeInput = { kind: 'strokes', feather: 16, strokes: [{ width: 80, points: [[-48, 128, 1], [304, 128, 1]] }] }; // prettier-ignore
    expect(largestDifference(scaled, draw([wide], 256))).toBeLessThan(4);
  });

  test('keep them inside a group of additions', () => {
    const group: ShapeInput = { kind: 'group', shapes: [{ kind: 'rect', x: 0, y: 0, width: 20, height: 20 }, stroke(128, 16)] }; // prettier-ignore
    expect(at(draw([group], 256), 128, 128)).toBe(at(draw([stroke(128, 16)], 256), 128, 128));
    expect(at(draw([group], 256), 128, 150)).toBe(at(draw([stroke(128, 16)], 256), 128, 150));
  });
});
