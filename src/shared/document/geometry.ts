import { z } from 'zod';
import { LIMITS } from './limits.ts';

/** A coordinate in scene pixels; x to the right, y down, (0, 0) the top left corner of the canvas. */
export const Coordinate = z.number().min(-LIMITS.coordinate).max(LIMITS.coordinate);
const Length = z.number().min(0).max(LIMITS.coordinate);

/** A point [x, y]. */
export const Point = z.tuple([Coordinate, Coordinate]);
export type Point = z.infer<typeof Point>;

/** A point of a stroke [x, y, pressure], pressure 0..1 scaling the brush's width. */
export const StrokePoint = z.tuple([Coordinate, Coordinate, z.number().min(0).max(1)]);
export type StrokePoint = z.infer<typeof StrokePoint>;

/** Affine map [a, b, c, d, e, f] as in SVG: x' = a x + c y + e, y' = b x + d y + f. */
export const Affine = z.tuple([Coordinate, Coordinate, Coordinate, Coordinate, Coordinate, Coordinate]);
export type Affine = z.infer<typeof Affine>;

/** How a shape changes what the shapes before it have covered. */
export const ShapeOp = z.enum(['add', 'subtract', 'intersect']);
export type ShapeOp = z.infer<typeof ShapeOp>;

const common = {
  op: ShapeOp.default('add'),
  transform: Affine.optional(),
  /** Softens the shape's edge over about this many of its pixels to either side, before it is applied. */
  feather: z.number().min(0).max(512).optional(),
};

/** SHA-256 of a blob's bytes, as 64 lower-case hexadecimal digits. */
export const BlobHash = z.string().regex(/^[0-9a-f]{64}$/, 'expected the SHA-256 of a blob (64 hexadecimal digits)');
export type BlobHash = z.infer<typeof BlobHash>;

/** Brush strokes: discs of diameter `width` times pressure along each polyline, united. */
export const StrokesShape = z.object({
  kind: z.literal('strokes'),
  ...common,
  strokes: z
    .array(
      z.object({
        width: z.number().min(0.1).max(4096),
        points: z.array(StrokePoint).min(1).max(LIMITS.pointsPerStroke),
      }),
    )
    .min(1)
    .max(LIMITS.strokesPerShape),
});

/** A closed polygon, filled by the even-odd rule when it crosses itself. */
export const PolygonShape = z.object({
  kind: z.literal('polygon'),
  ...common,
  points: z.array(Point).min(3).max(LIMITS.pointsPerStroke),
});

export const RectShape = z.object({
  kind: z.literal('rect'),
  ...common,
  x: Coordinate,
  y: Coordinate,
  width: Length,
  height: Length,
});

/** An ellipse by its centre and radii. */
export const EllipseShape = z.object({
  kind: z.literal('ellipse'),
  ...common,
  cx: Coordinate,
  cy: Coordinate,
  rx: Length,
  ry: Length,
});

/** SVG path data (the whole grammar of `d`). */
export const PathShape = z.object({
  kind: z.literal('path'),
  ...common,
  d: z.string().min(1).max(LIMITS.pathData),
  fillRule: z.enum(['nonzero', 'evenodd']).default('nonzero'),
});

/** A grey or alpha picture laid over a rectangle of the scene; covered where its value is at least one half. */
export const BitmapShape = z.object({
  kind: z.literal('bitmap'),
  ...common,
  blob: BlobHash,
  x: Coordinate,
  y: Coordinate,
  width: Length,
  height: Length,
});

/** The whole canvas; with `subtract` of a group this inverts. */
export const CanvasShape = z.object({ kind: z.literal('canvas'), ...common });

interface GroupShapeInput {
  kind: 'group';
  op?: ShapeOp | undefined;
  transform?: Affine | undefined;
  feather?: number | undefined;
  shapes: ShapeInput[];
}
export interface GroupShape {
  kind: 'group';
  op: ShapeOp;
  transform?: Affine | undefined;
  feather?: number | undefined;
  shapes: Shape[];
}

export type SimpleShape =
  | z.infer<typeof StrokesShape>
  | z.infer<typeof PolygonShape>
  | z.infer<typeof RectShape>
  | z.infer<typeof EllipseShape>
  | z.infer<typeof PathShape>
  | z.infer<typeof BitmapShape>
  | z.infer<typeof CanvasShape>;
type SimpleShapeInput =
  | z.input<typeof StrokesShape>
  | z.input<typeof PolygonShape>
  | z.input<typeof RectShape>
  | z.input<typeof EllipseShape>
  | z.input<typeof PathShape>
  | z.input<typeof BitmapShape>
  | z.input<typeof CanvasShape>;

/** What a segment's area is made of. */
export type Shape = SimpleShape | GroupShape;
export type ShapeInput = SimpleShapeInput | GroupShapeInput;

const SimpleShapes = [
  StrokesShape,
  PolygonShape,
  RectShape,
  EllipseShape,
  PathShape,
  BitmapShape,
  CanvasShape,
] as const;

/**
 * A shape at a depth of nesting. Groups hold the shapes of one segment inside another's (union and subtraction of
 * segments). The schema is unrolled to the depth that is allowed, instead of referring to itself, so that a file of a
 * hundred thousand nested groups is refused with a sentence and not by a stack overflow.
 */
function shapeAt(depth: number): z.ZodType<Shape, ShapeInput> {
  if (depth >= LIMITS.shapeDepth)
    return z.discriminatedUnion('kind', SimpleShapes, {
      error: (issue) =>
        issue.code === 'invalid_union' ? `groups of shapes nested more than ${LIMITS.shapeDepth} deep` : undefined,
    });
  const group = z.object({
    kind: z.literal('group'),
    ...common,
    shapes: z.array(shapeAt(depth + 1)).max(LIMITS.shapes),
  });
  return z.discriminatedUnion('kind', [...SimpleShapes, group]);
}

export const Shape: z.ZodType<Shape, ShapeInput> = shapeAt(1);

/** How many shapes a list holds, nested ones included, and how deep it goes. */
export function shapeExtent(shapes: readonly Shape[], depth = 1): { count: number; depth: number } {
  let count = 0;
  let deepest = depth;
  for (const shape of shapes) {
    count += 1;
    if (shape.kind === 'group') {
      const inner = shapeExtent(shape.shapes, depth + 1);
      count += inner.count;
      deepest = Math.max(deepest, inner.depth);
    }
  }
  return { count, depth: deepest };
}

/** The area of a segment: shapes applied in order to an empty mask. */
export const Shapes = z
  .array(Shape)
  .max(LIMITS.shapes)
  .superRefine((shapes, context) => {
    const { count } = shapeExtent(shapes);
    if (count > LIMITS.shapes)
      context.addIssue({ code: 'custom', message: `${count} shapes, at most ${LIMITS.shapes} are allowed` });
  });

/** Whether a shape, or one within it, has a soft edge of its own. */
export const hasSoftShape = (shapes: readonly Shape[]): boolean =>
  shapes.some((shape) => (shape.feather ?? 0) > 0 || (shape.kind === 'group' && hasSoftShape(shape.shapes)));
