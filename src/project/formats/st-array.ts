import { slerp } from '#engine/tensor/index.ts';
import { buildMap } from '#engine/spatext/st-map.ts';
import { framedDocument, sceneFrame } from '#engine/spatext/frame.ts';
import { sceneOf, segmentName, slotOf } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { SlotContent } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import { disjointMasks } from '#shared/masks/segment-mask.ts';
import type { MapFilling } from '../project-api.ts';
import { makeNpy } from './npy.ts';

/** Without a pack to ask: the side of the map that the paper's pixel model has. */
const DEFAULT_SIDE = 64;

export interface StFiles {
  readonly array: Uint8Array;
  /** Which segment is where, as JSON: an array of numbers says nothing of names. */
  readonly legend: Uint8Array;
  readonly losses: string[];
}

/**
 * The prepared spatio-textual map as an array (SpaText, section 3.1): float32 [width, n, n], at each pixel the unit
 * embedding of the segment there, zero where there is none. The map shows the square around the canvas. Without
 * anything that can fill slots: uint16 [n, n], 0 for none, k for the k-th segment of the legend.
 */
export async function makeSt(
  document: StudioDocument,
  bitmaps: BitmapLookup,
  filling: MapFilling | undefined,
): Promise<StFiles> {
  const size = filling
    ? { width: filling.width, height: filling.height }
    : { width: DEFAULT_SIDE, height: DEFAULT_SIDE };
  const frame = sceneFrame(sceneOf(document));
  const { segments, labelMap } = disjointMasks(framedDocument(document, frame), size, bitmaps);
  const losses: string[] = [];
  const records = segments.map(({ segmentId }) => {
    const record = document[segmentId];
    if (record?.type !== 'segment') throw new StudioError('internal', `the document has no ${segmentId}`);
    return record;
  });
  const legend = {
    format: 'spatext-st',
    version: 1,
    map: size,
    /** The square of the scene that the map shows, in scene pixels. */
    frame,
    space: filling?.space ?? null,
    segments: records.map((record, index) => ({
      label: index + 1,
      segment: record.id,
      name: segmentName(document, record),
      pixels: labelMap.reduce((count, label) => count + (label === index + 1 ? 1 : 0), 0),
    })),
    labels: Array.from({ length: size.height }, (_, y) => [...labelMap.subarray(y * size.width, (y + 1) * size.width)]),
  };
  const legendBytes = Buffer.from(`${JSON.stringify(legend)}\n`);
  if (!filling) {
    losses.push('no model pack filled the slots: the array holds segment numbers instead of embeddings');
    return { array: makeNpy({ shape: [size.height, size.width], values: labelMap }), legend: legendBytes, losses };
  }
  const embeddings: Float32Array[] = [];
  for (const record of records) embeddings.push(await fill(document, slotOf(document, record.slot).content, filling));
  const width = embeddings[0]?.length ?? 1;
  const values = buildMap(labelMap, embeddings, width);
  return { array: makeNpy({ shape: [width, size.height, size.width], values }), legend: legendBytes, losses };
}

async function fill(document: StudioDocument, content: SlotContent, filling: MapFilling): Promise<Float32Array> {
  if (content.kind !== 'mix') return filling.embed(content);
  const a = await fill(document, slotOf(document, content.a).content, filling);
  const b = await fill(document, slotOf(document, content.b).content, filling);
  return slerp(a, b, content.t);
}
