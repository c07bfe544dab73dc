import type { Affine, Shape } from '#shared/document/geometry.ts';
import { IDENTITY, isIdentity, multiply } from '../geometry/affine.ts';

/**
 * Shapes moved, scaled, turned or mirrored: `map` (scene to scene) comes after what each shape already does.
 * The whole-canvas shape stays what it is: it has no place that could move.
 */
export const transformShapes = (shapes: readonly Shape[], map: Affine): Shape[] =>
  shapes.map((shape) => transformShape(shape, map));

function transformShape(shape: Shape, map: Affine): Shape {
  if (shape.kind === 'canvas') return shape;
  const transform = multiply(map, shape.transform ?? IDENTITY);
  if (!isIdentity(transform)) return { ...shape, transform };
  const plain = { ...shape };
  delete plain.transform;
  return plain;
}

/** How many shapes there are, nested ones included (the document allows LIMITS.shapes). */
export const countShapes = (shapes: readonly Shape[]): number =>
  shapes.reduce((sum, shape) => sum + 1 + (shape.kind === 'group' ? countShapes(shape.shapes) : 0), 0);

/** How deep groups are nested: 1 for shapes without groups. */
export const depthOf = (shapes: readonly Shape[]): number =>
  shapes.reduce((deepest, shape) => Math.max(deepest, shape.kind === 'group' ? 1 + depthOf(shape.shapes) : 1), 0);
