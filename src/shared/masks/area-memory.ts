import { sceneOf } from '../document/document.ts';
import type { StudioDocument } from '../document/document.ts';
import type { Shape } from '../document/geometry.ts';
import type { SegmentRecord } from '../document/records.ts';
import type { Mask, Size } from './mask.ts';
import type { BitmapLookup } from './rasterize.ts';
import { segmentMask } from './segment-mask.ts';

interface Known {
  /** The sizes it was made for. */
  readonly key: string;
  readonly mask: Mask;
  inside: number | undefined;
}

/**
 * Areas of segments from one look at the map to the next: an edit changes one segment, and the others need not be
 * rasterized again. Records are never changed in place, so what is known of one holds as long as it is there.
 */
export class AreaMemory {
  readonly #known = new WeakMap<SegmentRecord, Known>();
  readonly #make: typeof segmentMask;

  /** @param make rasterizes what is not known (replaced in tests) */
  constructor(make: typeof segmentMask = segmentMask) {
    this.#make = make;
  }

  /** As segmentMask(): the caller may change what it gets. */
  area(document: StudioDocument, segment: SegmentRecord, size: Size, bitmaps: BitmapLookup): Mask {
    // pixels of a bitmap may still be on their way
    if (hasBitmap(segment.shapes)) return this.#make(document, segment, size, bitmaps);
    const key = keyOf(document, size);
    let known = this.#known.get(segment);
    if (known?.key !== key) {
      known = { key, mask: this.#make(document, segment, size, bitmaps), inside: undefined };
      this.#known.set(segment, known);
    }
    return { ...known.mask, data: known.mask.data.slice() };
  }

  /** The share of a segment that lies on the canvas, 0..1, measured once. */
  inside(document: StudioDocument, segment: SegmentRecord, size: Size, measure: () => number): number {
    const known = this.#known.get(segment);
    if (known?.key !== keyOf(document, size)) return measure();
    known.inside ??= measure();
    return known.inside;
  }
}

function keyOf(document: StudioDocument, size: Size): string {
  const { width, height } = sceneOf(document);
  return `${width} ${height} ${size.width} ${size.height}`;
}

const hasBitmap = (shapes: readonly Shape[]): boolean =>
  shapes.some((shape) => shape.kind === 'bitmap' || (shape.kind === 'group' && hasBitmap(shape.shapes)));
