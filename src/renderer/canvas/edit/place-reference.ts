import type { StudioDocument } from '#shared/document/document.ts';
import type { Affine, Point } from '#shared/document/geometry.ts';
import type { ReferenceId, ReferenceRecord } from '#shared/document/records.ts';
import { withRecords } from '../../store/recipes.ts';
import { multiply, scaling, translation } from '../geometry/affine.ts';
import { mapBox } from '../geometry/boxes.ts';
import type { Rect } from '../geometry/boxes.ts';

/** A reference is never smaller or larger than this on its longer side, in scene pixels. */
const SIDE = { min: 16, max: 16_384 } as const;

/** Where a reference lies: the upright box around it. */
export const referenceBounds = ({ transform, width, height }: ReferenceRecord): Rect =>
  mapBox(transform, { x: 0, y: 0, width, height });

export const moveReference = (document: StudioDocument, id: ReferenceId, dx: number, dy: number): StudioDocument =>
  place(document, id, () => translation(dx, dy));

/**
 * Scales a reference about a point that stays where it is.
 * @param factor is held to what leaves the picture visible and its numbers sound
 */
export const scaleReference = (
  document: StudioDocument,
  id: ReferenceId,
  factor: number,
  fixed: Point,
): StudioDocument =>
  place(document, id, (record) => {
    const { width, height } = referenceBounds(record);
    const side = Math.max(width, height);
    const held = Math.max(SIDE.min / side, Math.min(SIDE.max / side, factor));
    return scaling(held, held, fixed);
  });

function place(document: StudioDocument, id: ReferenceId, mapOf: (record: ReferenceRecord) => Affine): StudioDocument {
  const record = document[id];
  if (record?.type !== 'reference') return document;
  return withRecords(document, [{ ...record, transform: multiply(mapOf(record), record.transform) }]);
}
