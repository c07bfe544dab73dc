import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { createScene, createSegment } from '#shared/document/create.ts';
import { sceneOf, segmentName, segmentsOf, toDocument, toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { LIMITS } from '#shared/document/limits.ts';
import { SegmentId } from '#shared/document/records.ts';
import type { DocumentRecord, SegmentRecord } from '#shared/document/records.ts';
import type { Size } from '#shared/masks/mask.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import { segmentMask } from '#shared/masks/segment-mask.ts';
import { cropMask, encodePng } from './pixels.ts';
import type { CroppedMask, Picture } from './pixels.ts';

/** What a layered file says of the segments it was made from, so that unchanged layers give back exact shapes. */
export const LayerStamps = z.object({
  width: z.number().int(),
  height: z.number().int(),
  /** Whether the lowest layer is the result's picture. */
  picture: z.boolean().default(false),
  layers: z.array(z.object({ segment: SegmentId, name: z.string(), crc: z.number() })).max(LIMITS.segments),
});
export type LayerStamps = z.infer<typeof LayerStamps>;

export interface SegmentLayer {
  readonly segment: SegmentRecord;
  readonly name: string;
  /** null: the segment covers nothing. */
  readonly area: CroppedMask | null;
}

/**
 * A name as every layered format can hold it and gives it back: one line, without characters that XML lacks.
 * Read names go through it too, or what a format does to spaces would look like a renaming.
 */
export const layerName = (name: string): string =>
  name
    .replaceAll(/[^\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 200)
    .toWellFormed();

/** The segments as layers, the lowest first; each one's whole area, whatever lies on top. */
export function segmentLayers(document: StudioDocument, size: Size, bitmaps: BitmapLookup): SegmentLayer[] {
  return segmentsOf(document).map((segment, index) => ({
    segment,
    name: layerName(segmentName(document, segment)) || `Segment ${index + 1}`,
    area: cropMask(segmentMask(document, segment, size, bitmaps)),
  }));
}

export const stampsFor = (layers: readonly SegmentLayer[], { width, height }: Size, picture: boolean): LayerStamps => ({
  width,
  height,
  picture,
  layers: layers.map(({ segment, name, area }) => ({ segment: segment.id, name, crc: checksum(area) })),
});

function checksum(area: CroppedMask | null): number {
  if (!area) return 0;
  const { left, top, mask } = area;
  return crc32(mask.data, crc32(`${left},${top},${mask.width},${mask.height}`));
}

/** A layer as some program wrote it. */
export interface ReadLayer {
  readonly name: string;
  readonly visible: boolean;
  readonly area: CroppedMask | null;
  /** Covers everything and has no mask: a picture, unless the studio knows it as a segment. */
  readonly full: boolean;
}

/** What the studio calls the layer that shows the result. */
export const PICTURE_LAYER = 'Result';

export interface LayeredFile {
  readonly size: Size;
  /** The lowest first. */
  readonly layers: readonly ReadLayer[];
  /** What the studio left in the file, if it made it. */
  readonly scene: StudioDocument | null;
  readonly stamps: LayerStamps | null;
}

/**
 * A scene from layers. With the studio's own scene in the file, a layer that is as the studio wrote it keeps its
 * segment exactly; one that was painted on gives the segment a new area; new layers become new segments; and
 * segments whose layer is gone are gone. Without it every layer becomes a segment named after it.
 */
export async function sceneFromLayers(
  file: LayeredFile,
  writeBlob: (bytes: Uint8Array) => Promise<string>,
): Promise<{ records: DocumentRecord[]; losses: string[] }> {
  const losses: string[] = [];
  const base = file.scene ?? toDocument([createScene(fittingSize(file.size))]);
  const scene = sceneOf(base);
  const known = sameSize(file.stamps, file.size) ? [...(file.stamps?.layers ?? [])] : [];
  const taken = new Set<string>();
  const records = new Map<string, DocumentRecord>();
  for (const record of toRecords(base)) if (record.type !== 'segment') records.set(record.id, record);
  const [lowest] = file.layers;
  const isOurPicture = lowest?.full === true && lowest.name === PICTURE_LAYER && (file.stamps?.picture ?? true);
  let layers = file.layers.slice(isOurPicture ? 1 : 0);
  if (layers.length > LIMITS.segments) {
    losses.push(`${layers.length - LIMITS.segments} layers beyond ${LIMITS.segments} were left out`);
    layers = layers.slice(-LIMITS.segments);
  }
  // Exact ones first: a layer that was only renamed must not lose its segment to another of its old name.
  const matches = new Map<ReadLayer, { segment: SegmentRecord; exact: boolean }>();
  for (const pass of ['crc', 'name'] as const)
    for (const layer of layers) {
      if (matches.has(layer)) continue;
      const found = known.find(
        (stamp) =>
          !taken.has(stamp.segment) &&
          (pass === 'crc' ? stamp.crc === checksum(layer.area) : stamp.name === layer.name),
      );
      const segment = found && base[found.segment];
      if (!found || segment?.type !== 'segment') continue;
      taken.add(found.segment);
      matches.set(layer, { segment, exact: pass === 'crc' });
    }
  layers = layers.filter((layer) => {
    const isPicture = layer.full && !matches.has(layer);
    if (isPicture) losses.push(`the layer “${layer.name}” covers everything and is no segment`);
    return !isPicture;
  });
  for (const [index, layer] of layers.entries()) {
    const match = matches.get(layer);
    const common = { order: index + 1, visible: layer.visible };
    if (match?.exact) {
      const renamed = known.find((stamp) => stamp.segment === match.segment.id)?.name !== layer.name;
      records.set(match.segment.id, {
        ...match.segment,
        visible: layer.visible,
        ...(renamed ? { name: layer.name.slice(0, 200) } : {}),
      });
      continue;
    }
    const shapes = layer.area ? [await bitmapShape(layer.area, file.size, scene, writeBlob)] : [];
    if (match) {
      const { id } = match.segment;
      records.set(id, { ...match.segment, ...common, shapes, grow: 0, smooth: 0, feather: 0, invert: false });
      losses.push(`“${layer.name}” was changed in another program: its area is now a bitmap`);
      continue;
    }
    if (!layer.area) continue;
    const [segment, slot] = createSegment(freeKey(records, index), layer.name.slice(0, LIMITS.text), shapes, {
      ...common,
      color: index % 64,
    });
    records.set(segment.id, segment).set(slot.id, slot);
  }
  dropUnusedSlots(records);
  return { records: toRecords(toDocument(orderKept(base, [...records.values()], layers, matches))), losses };
}

const sameSize = (stamps: LayerStamps | null, size: Size): boolean =>
  stamps !== null && stamps.width === size.width && stamps.height === size.height;

/** Segments that kept their order among themselves keep their numbers; otherwise all are numbered anew. */
function orderKept(
  base: StudioDocument,
  records: DocumentRecord[],
  layers: readonly ReadLayer[],
  matches: ReadonlyMap<ReadLayer, { segment: SegmentRecord; exact: boolean }>,
): DocumentRecord[] {
  const kept = layers.map((layer) => matches.get(layer)?.segment.id).filter((id) => id !== undefined);
  const before = segmentsOf(base)
    .map((segment) => segment.id)
    .filter((id) => kept.includes(id));
  if (kept.length === layers.length && kept.join() === before.join())
    return records.map((record) => {
      const old = base[record.id];
      return record.type === 'segment' && old?.type === 'segment' ? { ...record, order: old.order } : record;
    });
  const place = new Map(kept.map((id) => [id, layers.findIndex((layer) => matches.get(layer)?.segment.id === id) + 1]));
  return records.map((record) =>
    record.type === 'segment' && place.has(record.id) ? { ...record, order: place.get(record.id) ?? 0 } : record,
  );
}

/** Slots of segments that are gone go too, unless a mix needs them. */
function dropUnusedSlots(records: Map<string, DocumentRecord>): void {
  const used = new Set<string>();
  const use = (id: string): void => {
    const slot = records.get(id);
    if (used.has(id) || slot?.type !== 'slot') return;
    used.add(id);
    if (slot.content.kind === 'mix') [slot.content.a, slot.content.b].forEach(use);
  };
  for (const record of records.values()) if (record.type === 'segment') use(record.slot);
  for (const record of records.values()) if (record.type === 'slot' && !used.has(record.id)) records.delete(record.id);
}

function freeKey(records: ReadonlyMap<string, DocumentRecord>, index: number): string {
  for (let number = index + 1; ; number += 1) if (!records.has(`segment:layer-${number}`)) return `layer-${number}`;
}

/** A bitmap shape over the part of the scene that a cropped mask covers; its picture goes into the blob store. */
export async function bitmapShape(
  area: CroppedMask,
  size: Size,
  scene: Size,
  writeBlob: (bytes: Uint8Array) => Promise<string>,
) {
  const picture: Picture = { ...area.mask, channels: 1 };
  const scaleX = scene.width / size.width;
  const scaleY = scene.height / size.height;
  return {
    kind: 'bitmap' as const,
    op: 'add' as const,
    blob: await writeBlob(await encodePng(picture)),
    x: area.left * scaleX,
    y: area.top * scaleY,
    width: area.mask.width * scaleX,
    height: area.mask.height * scaleY,
  };
}

/** A scene of the proportions of a picture, within what a canvas may be. */
export function fittingSize({ width, height }: Size): Size {
  const scale = Math.min(1, LIMITS.canvasSide / Math.max(width, height));
  const side = (value: number): number => Math.max(LIMITS.canvasSideMin, Math.round(value * scale));
  return { width: side(width), height: side(height) };
}
