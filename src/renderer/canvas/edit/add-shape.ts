import type { Shape, ShapeOp, StrokePoint } from '#shared/document/geometry.ts';
import { LIMITS } from '#shared/document/limits.ts';

/**
 * A segment's shapes with one more. A stroke joins the strokes before it if they do the same thing with the
 * same edge, so that a drawing of a hundred strokes is one shape, softened as one.
 * @param inverted the segment shows the outside of its shapes: what adds to the area takes from the shapes
 */
export function addShape(shapes: readonly Shape[], shape: Shape, op: ShapeOp, inverted = false): Shape[] {
  if (inverted && op === 'intersect') {
    // not(S) and R = not(S or not R): the shapes gain everything outside R
    return [
      ...shapes,
      {
        kind: 'group',
        op: 'add',
        shapes: [
          { kind: 'canvas', op: 'add' },
          { ...shape, op: 'subtract' },
        ],
      },
    ];
  }
  const effective = inverted ? (op === 'add' ? 'subtract' : 'add') : op;
  const last = shapes.at(-1);
  if (
    shape.kind === 'strokes' &&
    last?.kind === 'strokes' &&
    last.op === effective &&
    (last.feather ?? 0) === (shape.feather ?? 0) &&
    effective !== 'intersect' &&
    last.transform === undefined &&
    shape.transform === undefined &&
    last.strokes.length + shape.strokes.length <= LIMITS.strokesPerShape
  )
    return [...shapes.slice(0, -1), { ...last, strokes: [...last.strokes, ...shape.strokes] }];
  return [...shapes, { ...shape, op: effective }];
}

/** @param feather of its edge, in scene pixels; 0: crisp */
export const strokeShape = (width: number, points: StrokePoint[], feather = 0): Shape => ({
  kind: 'strokes',
  op: 'add',
  ...(feather > 0 && { feather }),
  strokes: [{ width, points }],
});
