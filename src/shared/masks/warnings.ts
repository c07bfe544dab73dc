import type { SegmentWarning } from '../api/generation.ts';
import { sceneOf, segmentName, slotOf } from '../document/document.ts';
import type { StudioDocument } from '../document/document.ts';
import type { Shape } from '../document/geometry.ts';
import type { SegmentId, SegmentRecord, SlotId } from '../document/records.ts';
import type { AreaMemory } from './area-memory.ts';
import { shapesBounds } from './bounds.ts';
import { connectedComponents } from './components.ts';
import { growMask } from './distance.ts';
import { coveredPixels, maskArea, maskFrom } from './mask.ts';
import type { Mask } from './mask.ts';
import { rasterizeShapes } from './rasterize.ts';
import type { BitmapLookup } from './rasterize.ts';
import { layerSegments } from './segment-mask.ts';

/** What is measured on the map, and from where on it is worth a warning. */
export const WARNING_LIMITS = {
  /** Share of the canvas below which segments tend to be ignored (the embedded model has seen none below 0.8 %). */
  smallArea: 0.01,
  /** A segment that loses its whole area when this many map cells are taken off all around is too thin. */
  thinCells: 1,
  /** Share of a segment that must stay uncovered by those on top. */
  visibleShare: 0.4,
  /** Share of a segment that must lie on the canvas. */
  insideShare: 0.6,
  /** A second part of at least this share makes a segment split. */
  partShare: 0.1,
} as const;

export interface WarningOptions {
  /** The map that the model sees, in cells. */
  readonly mapWidth: number;
  readonly mapHeight: number;
  readonly bitmaps: BitmapLookup;
  /** Keeps the areas of segments for the next look. */
  readonly memory?: AreaMemory;
}

/**
 * What may go wrong with each visible segment on the model's map: nothing drawn, too small or thin, hidden by others,
 * in several parts, beyond the canvas, without words. Cheap enough to run after every edit.
 */
export function mapWarnings(document: StudioDocument, options: WarningOptions): SegmentWarning[] {
  const size = { width: options.mapWidth, height: options.mapHeight };
  const cells = size.width * size.height;
  const asDrawn = new Map<SegmentId, { area: number; cells: number }>();
  const { memory } = options;
  const { labelMap, segments } = layerSegments(
    document,
    size,
    options.bitmaps,
    { drawn: (segment, mask) => asDrawn.set(segment.id, { area: maskArea(mask), cells: coveredPixels(mask) }) },
    memory && ((...of) => memory.area(...of)),
  );
  const warnings: SegmentWarning[] = [];
  for (const [index, segment] of segments.entries()) {
    const final = maskFrom(size.width, size.height, (x, y) => labelMap[y * size.width + x] === index + 1);
    const { area: drawn, cells: ownCells } = asDrawn.get(segment.id) ?? { area: 0, cells: 0 };
    const name = quoted(segmentName(document, segment));
    const reaching = coveredPixels(final);
    const area = reaching / cells;
    const warn = (code: SegmentWarning['code'], message: string): void => {
      warnings.push({ segment: segment.id, code, area, message });
    };
    if (slotIsEmpty(document, segment.slot))
      warn('no-text', `${name} has no words and no picture, so the model cannot know what belongs there`);

    if (drawn === 0) {
      if (liesOutside(document, segment)) warn('outside', `${name} lies outside the canvas`);
      else warn('empty', `${name} has no area: nothing is drawn in it`);
      continue;
    }
    if (reaching === 0 && ownCells > 0) {
      warn('hidden', `${name} is wholly covered by the segments on top of it`);
      continue;
    }
    if (ownCells > 0 && reaching < WARNING_LIMITS.visibleShare * ownCells)
      warn('mostly-hidden', `only ${percent(reaching / ownCells)} of ${name} can be seen below the segments on top`);
    if (reaching === 0)
      warn('too-small', `${name} is smaller than one cell of the model's ${size.width} x ${size.height} map`);
    else if (area < WARNING_LIMITS.smallArea)
      warn('too-small', `${name} is small: ${percent(area)} of the canvas; the model may leave it out`);
    else if (coveredPixels(growMask(final, -WARNING_LIMITS.thinCells)) === 0)
      warn('too-small', `${name} is thinner than three cells of the model's map; the model may leave it out`);
    const parts = notableParts(final, reaching);
    if (parts > 1)
      warn('split', `${name} reaches the model in ${parts} separate parts; it may come out ${parts} times`);
    const measure = (): number => insideShare(document, segment, options);
    const inside = memory ? memory.inside(document, segment, size, measure) : measure();
    if (inside < WARNING_LIMITS.insideShare) warn('outside', `only ${percent(inside)} of ${name} lies on the canvas`);
  }
  return warnings;
}

const percent = (share: number): string => `${(share * 100).toFixed(share < 0.0995 ? 1 : 0)} %`;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** A name for a sentence, cut between whole characters as people see them. */
function quoted(name: string): string {
  if (!name) return 'a segment without a name';
  if (name.length <= 40) return `"${name}"`;
  let cut = '';
  for (const { segment } of graphemes.segment(name)) {
    if (cut.length + segment.length > 39) break;
    cut += segment;
  }
  return `"${cut}…"`;
}

/** Whether a slot says nothing at all; a mix does as soon as one of its ends does. */
function slotIsEmpty(document: StudioDocument, id: SlotId): boolean {
  const { content } = slotOf(document, id);
  switch (content.kind) {
    case 'text':
      return content.text.trim() === '';
    case 'image':
    case 'crop':
      return false;
    case 'mix':
      return slotIsEmpty(document, content.a) || slotIsEmpty(document, content.b);
  }
}

function liesOutside(document: StudioDocument, segment: SegmentRecord): boolean {
  const box = shapesBounds(segment.shapes);
  if (!box) return false;
  const { width, height } = sceneOf(document);
  return box.right <= 0 || box.bottom <= 0 || box.left >= width || box.top >= height;
}

/** Parts that are large enough to be taken for things of their own. */
function notableParts(mask: Mask, pixels: number): number {
  return connectedComponents(mask).components.filter((part) => part.pixels >= WARNING_LIMITS.partShare * pixels).length;
}

const hasCanvas = (shapes: readonly Shape[]): boolean =>
  shapes.some((shape) => shape.kind === 'canvas' || (shape.kind === 'group' && hasCanvas(shape.shapes)));

/** The share of the drawn area that lies on the canvas, looking one canvas size around it. */
function insideShare(document: StudioDocument, segment: SegmentRecord, options: WarningOptions): number {
  if (segment.invert || hasCanvas(segment.shapes)) return 1;
  const { width, height } = sceneOf(document);
  const box = shapesBounds(segment.shapes);
  if (!box || (box.left >= 0 && box.top >= 0 && box.right <= width && box.bottom <= height)) return 1;
  const around = rasterizeShapes(
    [{ kind: 'group', op: 'add', transform: [1, 0, 0, 1, width, height], shapes: [...segment.shapes] }],
    {
      width: 3 * width,
      height: 3 * height,
      outWidth: 3 * options.mapWidth,
      outHeight: 3 * options.mapHeight,
      bitmaps: options.bitmaps,
    },
  );
  let inside = 0;
  for (let y = options.mapHeight; y < 2 * options.mapHeight; y += 1) {
    const row = y * around.width;
    for (let x = options.mapWidth; x < 2 * options.mapWidth; x += 1) inside += around.data[row + x] ?? 0;
  }
  const whole = maskArea(around);
  return whole === 0 ? 1 : inside / 255 / whole;
}
