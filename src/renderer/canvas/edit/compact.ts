import { hasSoftShape } from '#shared/document/geometry.ts';
import type { Shape } from '#shared/document/geometry.ts';
import { LIMITS } from '#shared/document/limits.ts';
import type { SegmentId, SegmentRecord } from '#shared/document/records.ts';
import { patchSegment } from '../../store/recipes.ts';
import { compactPath } from '../geometry/path-data.ts';
import { Outline } from '../masks/outline.ts';
import type { Stage } from '../stage.ts';
import { countShapes } from './transform.ts';

/**
 * Points of strokes from which a segment is written anew as its outline (about a hundred strokes): each edit carries
 * the whole record to the host's journal, before and after.
 */
const MANY_POINTS = 4000;
/** A shape of fewer points is as small as its outline would be. */
const FEW_POINTS = 200;
const MANY_SHAPES = LIMITS.shapes - 64;

export function isHeavy(shapes: readonly Shape[]): boolean {
  return countShapes(shapes) > MANY_SHAPES || countPoints(shapes) > MANY_POINTS;
}

export const countPoints = (shapes: readonly Shape[]): number =>
  shapes.reduce((sum, shape) => {
    if (shape.kind === 'strokes')
      return sum + shape.strokes.reduce((points, stroke) => points + stroke.points.length, 0);
    return sum + (shape.kind === 'group' ? countPoints(shape.shapes) : 0);
  }, 0);

/** The area of a segment's shapes alone, as one shape; undefined if nothing is covered. */
export async function traceShapes(stage: Stage, segment: SegmentRecord, modified: boolean): Promise<Shape | undefined> {
  const plain = modified ? segment : { ...segment, grow: 0, smooth: 0, invert: false };
  const answer = await stage.masks.ask<'trace'>({
    kind: 'trace',
    scene: stage.sceneRecord,
    segment: { ...plain, feather: 0 },
    detail: 'full',
  });
  const d = compactPath(new Outline(answer).rings(), 0.15);
  return d === undefined ? undefined : { kind: 'path', op: 'add', d, fillRule: 'evenodd' };
}

/** Replaces very many strokes by the outline of what they cover, as part of the step that made them too many. */
export async function compactSegment(stage: Stage, id: SegmentId): Promise<void> {
  const segment = stage.document[id];
  if (segment?.type !== 'segment' || !isHeavy(segment.shapes)) return;
  const shapes = hasSoftShape(segment.shapes)
    ? await traceEach(stage, segment)
    : [await traceShapes(stage, segment, false)].filter((path) => path !== undefined);
  const now = stage.document[id];
  // drawn on in the meantime: the next stroke will ask again
  if (shapes.length === 0 || now?.type !== 'segment' || now.shapes !== segment.shapes) return;
  stage.studio.document.edit('edit.stroke', (document) => patchSegment(document, id, { shapes }), { extend: true });
}

/** An outline has no soft edge, so where there are some each shape becomes an outline by itself and keeps its feather. */
async function traceEach(stage: Stage, segment: SegmentRecord): Promise<Shape[]> {
  const traced: Shape[] = [];
  for (const shape of segment.shapes) {
    if (shape.kind !== 'strokes' || countPoints([shape]) < FEW_POINTS) {
      traced.push(shape);
      continue;
    }
    const { feather, op } = shape;
    const path = await traceShapes(stage, { ...segment, shapes: [{ ...shape, op: 'add', feather: 0 }] }, false);
    if (path) traced.push({ ...path, op, ...(feather !== undefined && { feather }) });
  }
  return traced;
}
