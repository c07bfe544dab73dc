import { describe, expect, test } from 'vitest';
import type { Shape } from '#shared/document/geometry.ts';
import { Shapes } from '#shared/document/geometry.ts';
import { LIMITS } from '#shared/document/limits.ts';
import { createSegment } from '#shared/document/create.ts';
import { rotation, translation } from '../geometry/affine.ts';
import { addShape, strokeShape } from './add-shape.ts';
import { combine } from './boolean.ts';
import { countShapes, depthOf, transformShapes } from './transform.ts';

const rect = (x: number): Shape => ({ kind: 'rect', op: 'add', x, y: 0, width: 10, height: 10 });
const segment = (key: string, shapes: Shape[], fields = {}) => createSegment(key, 'x', shapes, fields)[0];

describe('transformShapes', () => {
  test('puts the new map after what a shape already does', () => {
    const [turned] = transformShapes([{ ...rect(0), transform: translation(5, 0) }], rotation(Math.PI / 2));
    // the rectangle's corner goes to (5, 0) first, then turns to (0, 5)
    expect(turned?.transform?.[4]).toBeCloseTo(0);
    expect(turned?.transform?.[5]).toBeCloseTo(5);
  });

  test('there and back leaves no trace, and the whole canvas does not move', () => {
    const shapes: Shape[] = [rect(1), { kind: 'canvas', op: 'add' }];
    const there = transformShapes(shapes, translation(3, 4));
    expect(there[1]).toBe(shapes[1]);
    expect(transformShapes(there, translation(-3, -4))).toEqual(shapes);
  });

  test('what comes out is a valid document shape', () => {
    expect(Shapes.parse(transformShapes([rect(0), strokeShape(5, [[0, 0, 1]])], rotation(0.3)))).toHaveLength(2);
  });
});

describe('addShape', () => {
  test('strokes join the strokes before them; an eraser stroke begins a new shape', () => {
    const first = addShape([], strokeShape(10, [[0, 0, 1]]), 'add');
    const second = addShape(first, strokeShape(20, [[5, 5, 1]]), 'add');
    expect(second).toHaveLength(1);
    expect(second[0]).toMatchObject({ kind: 'strokes', strokes: [{ width: 10 }, { width: 20 }] });
    const erased = addShape(second, strokeShape(20, [[5, 5, 1]]), 'subtract');
    expect(erased.map((shape) => shape.op)).toEqual(['add', 'subtract']);
    expect(addShape(erased, strokeShape(3, [[1, 1, 1]]), 'subtract')).toHaveLength(2);
  });

  test('strokes join only those of the same softness', () => {
    const crisp = addShape([], strokeShape(10, [[0, 0, 1]]), 'add');
    const soft = addShape(crisp, strokeShape(10, [[5, 5, 1]], 4), 'add');
    expect(soft.map(({ feather }) => feather)).toEqual([undefined, 4]);
    expect(addShape(soft, strokeShape(30, [[6, 6, 1]], 4), 'add')).toHaveLength(2);
    expect(addShape(soft, strokeShape(30, [[6, 6, 1]], 3), 'add')).toHaveLength(3);
    expect(Shapes.parse(soft)).toEqual(soft);
  });

  test('a stroke does not join strokes that were moved', () => {
    const moved = transformShapes(addShape([], strokeShape(10, [[0, 0, 1]]), 'add'), translation(9, 0));
    expect(addShape(moved, strokeShape(10, [[0, 0, 1]]), 'add')).toHaveLength(2);
  });

  test('a full strokes shape is followed by another', () => {
    const full: Shape = { kind: 'strokes', op: 'add', strokes: Array.from({ length: LIMITS.strokesPerShape }, () => ({ width: 1, points: [[0, 0, 1]] })) }; // prettier-ignore
    expect(addShape([full], strokeShape(1, [[0, 0, 1]]), 'add')).toHaveLength(2);
  });

  test('on an inverted segment painting takes from the shapes, erasing gives, and the original is left alone', () => {
    const shapes = [rect(0)];
    expect(addShape(shapes, rect(5), 'add', true)[1]?.op).toBe('subtract');
    expect(addShape(shapes, rect(5), 'subtract', true)[1]?.op).toBe('add');
    expect(addShape(shapes, rect(5), 'intersect', true)[1]).toMatchObject({ kind: 'group', op: 'add' });
    expect(shapes).toEqual([rect(0)]);
  });
});

describe('combine', () => {
  const a = segment('a', [rect(0)]);
  const b = segment('b', [rect(5), { ...rect(7), op: 'subtract' }]);

  test('the other segment enters as one group, so that its own subtractions stay inside it', () => {
    expect(combine(a, [b], 'union')).toEqual([rect(0), { kind: 'group', op: 'add', shapes: b.shapes }]);
    expect(combine(a, [b], 'subtract')?.[1]?.op).toBe('subtract');
    expect(combine(a, [b], 'intersect')?.[1]?.op).toBe('intersect');
  });

  test('inversion is written out on both sides', () => {
    const inverted = segment('c', [rect(0)], { invert: true });
    const shapes = combine(inverted, [inverted], 'union');
    for (const shape of shapes ?? [])
      expect(shape).toMatchObject({ kind: 'group', shapes: [{ kind: 'canvas', op: 'add' }, { kind: 'group', op: 'subtract' }] }); // prettier-ignore
  });

  test('a traced area stands in for a segment that grows', () => {
    const traced: Shape = { kind: 'path', op: 'add', d: 'M0 0L1 0L1 1Z', fillRule: 'evenodd' };
    expect(combine(a, [segment('d', [rect(1)], { grow: 4 })], 'subtract', new Map([['segment:d', traced]]))?.[1]).toEqual({ ...traced, op: 'subtract' }); // prettier-ignore
  });

  test('refuses what the document could not hold', () => {
    let deep = a;
    for (let depth = 0; depth < LIMITS.shapeDepth - 1; depth += 1) {
      const shapes = combine(segment('x', [rect(0)]), [deep], 'union');
      expect(shapes).toBeDefined();
      deep = segment('y', shapes ?? []);
    }
    expect(depthOf(deep.shapes)).toBe(LIMITS.shapeDepth);
    expect(Shapes.safeParse(deep.shapes).success).toBe(true);
    expect(combine(a, [deep], 'union')).toBeUndefined();
    const long = segment(
      'z',
      Array.from({ length: 300 }, (_, k) => rect(k)),
    );
    expect(countShapes(long.shapes)).toBe(300);
    expect(combine(long, [long], 'union')).toBeUndefined();
  });
});
