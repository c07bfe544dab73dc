import type { StudioDocument } from '#shared/document/document.ts';
import type { Affine } from '#shared/document/geometry.ts';
import type { DocumentRecord } from '#shared/document/records.ts';
import { nextColor, withRecords } from '../../store/recipes.ts';
import type { Size } from '../viewport/viewport.ts';
import { transformShapes } from './transform.ts';

/** The map that lays one sheet over another, as large as it fits, in its middle. */
export function fitSheet(from: Size, to: Size): Affine {
  const scale = Math.min(to.width / from.width, to.height / from.height);
  return [scale, 0, 0, scale, (to.width - from.width * scale) / 2, (to.height - from.height * scale) / 2];
}

/** The records of another scene with its segments where they belong on a sheet of another size. */
export function fitRecords(records: readonly DocumentRecord[], to: Size): DocumentRecord[] {
  const scene = records.find((record) => record.type === 'scene');
  if (!scene) return [...records];
  const map = fitSheet(scene, to);
  const [scale] = map;
  return records.map((record) =>
    record.type === 'segment'
      ? {
          ...record,
          shapes: transformShapes(record.shapes, map),
          grow: record.grow * scale,
          smooth: record.smooth * scale,
          feather: record.feather * scale,
        }
      : record,
  );
}

/** Segments that join a document in the colours it uses least, so that they can be told from those that are there. */
export function recoloured(records: readonly DocumentRecord[], document: StudioDocument): DocumentRecord[] {
  let seen = document;
  return records.map((record) => {
    if (record.type !== 'segment') return record;
    const fresh = { ...record, color: nextColor(seen) };
    seen = withRecords(seen, [fresh]);
    return fresh;
  });
}
