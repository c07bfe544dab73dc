import { createScene, createSegment } from '#shared/document/create.ts';
import { toDocument, toRecords } from '#shared/document/document.ts';
import { LIMITS } from '#shared/document/limits.ts';
import { StudioError } from '#shared/errors.ts';
import type { DocumentRecord } from '#shared/document/records.ts';
import type { Size } from '#shared/masks/mask.ts';
import { bitmapShape, fittingSize } from './layers.ts';
import { cropMask } from './pixels.ts';

/** An area found in a picture or array, with what is in it. */
export interface Area {
  readonly text: string;
  readonly mask: Uint8Array;
}

/** Pixels of all areas or layers together: what a file may make the studio hold and look through. */
const MOST_AREA_PIXELS = 1_000_000_000;

/** @throws StudioError too-large before memory is taken: many areas of a huge picture need few bytes in a file */
export function checkAreaPixels(areas: number, { width, height }: Size): void {
  if (areas * width * height > MOST_AREA_PIXELS)
    throw new StudioError('too-large', `${areas} areas of ${width} × ${height} pixels are more than can be held`, {
      remedy: 'make the picture smaller, or split it',
    });
}

/**
 * A scene with one segment per area, the first lowest. The largest areas stay if there are more than a scene may have.
 */
export async function sceneFromAreas(
  areas: readonly Area[],
  size: Size,
  writeBlob: (bytes: Uint8Array) => Promise<string>,
  losses: string[],
): Promise<DocumentRecord[]> {
  const scene = fittingSize(size);
  const records: DocumentRecord[] = [createScene(scene)];
  let kept = areas.map((area) => ({ ...area, area: cropMask({ ...size, data: area.mask }) }));
  if (kept.length > LIMITS.segments) {
    losses.push(`the ${kept.length - LIMITS.segments} smallest areas beyond ${LIMITS.segments} were left out`);
    const count = (mask: Uint8Array): number => mask.reduce((sum, value) => sum + (value >= 128 ? 1 : 0), 0);
    const largest = new Set(kept.toSorted((a, b) => count(b.mask) - count(a.mask)).slice(0, LIMITS.segments));
    kept = kept.filter((area) => largest.has(area));
  }
  for (const [index, { text, area }] of kept.entries()) {
    const shapes = area ? [await bitmapShape(area, size, scene, writeBlob)] : [];
    records.push(
      ...createSegment(`area-${index + 1}`, text.slice(0, LIMITS.text), shapes, {
        order: index + 1,
        color: index % 64,
      }),
    );
  }
  return toRecords(toDocument(records));
}
