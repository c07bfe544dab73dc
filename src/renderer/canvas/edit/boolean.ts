import type { Shape, ShapeOp } from '#shared/document/geometry.ts';
import { LIMITS } from '#shared/document/limits.ts';
import type { SegmentRecord } from '#shared/document/records.ts';
import { countShapes, depthOf } from './transform.ts';

export type BooleanOp = 'union' | 'subtract' | 'intersect';

const OPS: Record<BooleanOp, ShapeOp> = { union: 'add', subtract: 'subtract', intersect: 'intersect' };

/** Whether a segment's area is more than its shapes: such an area must be traced before it can be combined. */
export const hasModifiers = (segment: Pick<SegmentRecord, 'grow' | 'smooth'>): boolean =>
  segment.grow !== 0 || segment.smooth !== 0;

/** A segment's area as one shape; inversion is written out, growing and smoothing are not looked at. */
export function asGroup(segment: Pick<SegmentRecord, 'shapes' | 'invert'>, op: ShapeOp): Shape {
  const inner: Shape = { kind: 'group', op, shapes: [...segment.shapes] };
  if (!segment.invert) return inner;
  return {
    kind: 'group',
    op,
    shapes: [
      { kind: 'canvas', op: 'add' },
      { ...inner, op: 'subtract' },
    ],
  };
}

/**
 * `target` combined with `others`, as shapes for the target (which then has invert off). Both sides stay
 * editable as they were drawn: nothing is turned into pixels.
 * @param traced areas of segments that grow or smooth, by id, as shapes; see hasModifiers
 * @returns undefined if the outcome would be deeper or longer than the document allows: trace it instead
 */
export function combine(
  target: SegmentRecord,
  others: readonly SegmentRecord[],
  op: BooleanOp,
  traced: ReadonlyMap<string, Shape> = new Map(),
): Shape[] | undefined {
  const area = (segment: SegmentRecord, as: ShapeOp): Shape => {
    const known = traced.get(segment.id);
    return known ? { ...known, op: as } : asGroup(segment, as);
  };
  const plainTarget = !target.invert && !traced.has(target.id);
  // the target's own shapes stay at the top level, so that strokes go on joining them
  const start = plainTarget ? [...target.shapes] : [area(target, 'add')];
  const shapes = [...start, ...others.map((segment) => area(segment, OPS[op]))];
  if (countShapes(shapes) > LIMITS.shapes || depthOf(shapes) > LIMITS.shapeDepth) return undefined;
  return shapes;
}
