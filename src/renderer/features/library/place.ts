import type { Affine, Point } from '#shared/document/geometry.ts';
import type { DocumentRecord } from '#shared/document/records.ts';
import { shapesBounds } from '#shared/masks/bounds.ts';
import { transformShapes } from '../../canvas/edit/transform.ts';

interface Sheet {
  readonly width: number;
  readonly height: number;
}

/**
 * A kept segment on another canvas: whole, made smaller if it has to be, its middle where it was dropped. Without a
 * place it stays where it was on its own canvas, unless that lies outside of this one.
 */
export function placed(records: readonly DocumentRecord[], sheet: Sheet, at?: Point): DocumentRecord[] {
  return records.map((record) => {
    if (record.type !== 'segment') return record;
    const map = placing(record.shapes, sheet, at);
    if (!map) return record;
    const [scale] = map;
    return {
      ...record,
      shapes: transformShapes(record.shapes, map),
      grow: record.grow * scale,
      smooth: record.smooth * scale,
      feather: record.feather * scale,
    };
  });
}

/** undefined: the segment stays as it is. */
function placing(shapes: Parameters<typeof shapesBounds>[0], sheet: Sheet, at: Point | undefined): Affine | undefined {
  const box = shapesBounds(shapes);
  if (!box) return undefined;
  const inside = box.left >= 0 && box.top >= 0 && box.right <= sheet.width && box.bottom <= sheet.height;
  if (inside && !at) return undefined;
  const [width, height] = [box.right - box.left, box.bottom - box.top];
  const scale = Math.min(1, sheet.width / width, sheet.height / height);
  const [x, y] = at ?? [sheet.width / 2, sheet.height / 2];
  return [scale, 0, 0, scale, x - (scale * (box.left + box.right)) / 2, y - (scale * (box.top + box.bottom)) / 2];
}
