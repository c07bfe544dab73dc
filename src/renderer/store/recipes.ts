import { createSegment } from '#shared/document/create.ts';
import { segmentsOf, slotOf } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { ShapeInput } from '#shared/document/geometry.ts';
import type {
  DocumentRecord,
  RecordId,
  SceneRecord,
  SegmentId,
  SegmentRecord,
  SlotContent,
  SlotId,
  SlotRecord,
} from '#shared/document/records.ts';

/** A name part for a new record's id. */
export const freshKey = (): string => crypto.randomUUID().replaceAll('-', '').slice(0, 12);

/** Adds or replaces records. */
export const withRecords = (document: StudioDocument, records: readonly DocumentRecord[]): StudioDocument => ({
  ...document,
  ...Object.fromEntries(records.map((record) => [record.id, record])),
});

export const withoutRecords = (document: StudioDocument, ids: readonly RecordId[]): StudioDocument =>
  Object.fromEntries(Object.entries(document).filter(([id]) => !(ids as readonly string[]).includes(id)));

/** Records that made a picture, with the seed locked: generated again they give the same picture. */
export const withItsSeed = (records: readonly DocumentRecord[]): DocumentRecord[] =>
  records.map((record) => (record.type === 'scene' ? { ...record, seedLocked: true } : record));

export const patchScene = (document: StudioDocument, patch: Partial<SceneRecord>): StudioDocument =>
  withRecords(document, [{ ...document['scene:main'], ...patch } as SceneRecord]);

/** Changes one segment; an unknown id changes nothing (it may just have been deleted). */
export function patchSegment(
  document: StudioDocument,
  id: SegmentId,
  patch: Partial<Omit<SegmentRecord, 'id' | 'type'>> | ((segment: SegmentRecord) => Partial<SegmentRecord>),
): StudioDocument {
  const segment = document[id];
  if (segment?.type !== 'segment') return document;
  return withRecords(document, [{ ...segment, ...(typeof patch === 'function' ? patch(segment) : patch) }]);
}

/** Fills a slot anew; slots that only the old content used go with it. */
export function setSlot(document: StudioDocument, id: SlotId, content: SlotContent): StudioDocument {
  const slot = document[id];
  if (slot?.type !== 'slot') return document;
  return withoutLooseSlots(withRecords(document, [{ ...slot, content }]));
}

/** Drops slots that no segment reaches. */
export function withoutLooseSlots(document: StudioDocument): StudioDocument {
  const used = new Set<string>();
  const visit = (id: SlotId): void => {
    const slot = document[id];
    if (slot?.type !== 'slot' || used.has(id)) return;
    used.add(id);
    if (slot.content.kind === 'mix') {
      visit(slot.content.a);
      visit(slot.content.b);
    }
  };
  for (const record of Object.values(document)) if (record.type === 'segment') visit(record.slot);
  const loose = Object.values(document).filter((record) => record.type === 'slot' && !used.has(record.id));
  return loose.length === 0 ? document : withoutRecords(document, loose.map((record) => record.id)); // prettier-ignore
}

/** The colour least used so far, so that neighbours in the list differ. */
export function nextColor(document: StudioDocument, colors = 8): number {
  const counts = Array.from({ length: colors }, () => 0);
  for (const segment of segmentsOf(document))
    counts[segment.color % colors] = (counts[segment.color % colors] ?? 0) + 1;
  return counts.indexOf(Math.min(...counts));
}

/** A new segment on top of the others. @returns the document and the segment's id */
export function addSegment(
  document: StudioDocument,
  shapes: readonly ShapeInput[],
  content: SlotContent | string = '',
  fields: Partial<Omit<SegmentRecord, 'id' | 'type' | 'shapes' | 'slot'>> = {},
): [StudioDocument, SegmentId] {
  const top = segmentsOf(document).at(-1)?.order ?? 0;
  const [segment, slot] = createSegment(freshKey(), content, shapes, {
    order: top + 1,
    color: nextColor(document),
    ...fields,
  });
  return [withRecords(document, [segment, slot]), segment.id];
}

/** Removes segments with their slots, and groups left empty. */
export function removeSegments(document: StudioDocument, ids: readonly SegmentId[]): StudioDocument {
  return withoutEmptyGroups(withoutLooseSlots(withoutRecords(document, ids)));
}

export function withoutEmptyGroups(document: StudioDocument): StudioDocument {
  const used = new Set(segmentsOf(document).map((segment) => segment.group));
  const empty = Object.values(document).filter((record) => record.type === 'group' && !used.has(record.id));
  return empty.length === 0 ? document : withoutRecords(document, empty.map((record) => record.id)); // prettier-ignore
}

/** Copies a slot and the slots it mixes under new names. @returns the copies, the first being that of `id` */
export function copySlots(document: StudioDocument, id: SlotId): [SlotRecord, ...SlotRecord[]] {
  const { content } = slotOf(document, id);
  const copy: SlotId = `slot:${freshKey()}`;
  if (content.kind !== 'mix') return [{ id: copy, type: 'slot', content }];
  const [a, ...restA] = copySlots(document, content.a);
  const [b, ...restB] = copySlots(document, content.b);
  return [{ id: copy, type: 'slot', content: { ...content, a: a.id, b: b.id } }, a, ...restA, b, ...restB];
}

/** Copies segments, each just above its original. @returns the document and the copies' ids */
export function duplicateSegments(document: StudioDocument, ids: readonly SegmentId[]): [StudioDocument, SegmentId[]] {
  let next = document;
  const copies: SegmentId[] = [];
  for (const id of ids) {
    const segment = next[id];
    if (segment?.type !== 'segment') continue;
    const slots = copySlots(next, segment.slot);
    const copy: SegmentRecord = {
      ...segment,
      id: `segment:${freshKey()}`,
      slot: slots[0].id,
      color: nextColor(next),
      locked: false,
    };
    copies.push(copy.id);
    next = reorder(withRecords(next, [copy, ...slots]), [copy.id], segment.id, 'above');
  }
  return [next, copies];
}

/** Puts segments directly above or below another; all orders become whole numbers from 0. */
export function reorder(
  document: StudioDocument,
  ids: readonly SegmentId[],
  anchor: SegmentId,
  side: 'above' | 'below',
): StudioDocument {
  if (ids.includes(anchor)) return document;
  const all = segmentsOf(document);
  const moving = all.filter((segment) => ids.includes(segment.id));
  const rest = all.filter((segment) => !ids.includes(segment.id));
  const at = rest.findIndex((segment) => segment.id === anchor);
  if (at < 0) return document;
  rest.splice(side === 'above' ? at + 1 : at, 0, ...moving);
  return withOrder(document, rest);
}

/** Moves segments one place up or down, or to an end, among all segments. */
export function shiftSegments(
  document: StudioDocument,
  ids: readonly SegmentId[],
  where: 'up' | 'down' | 'top' | 'bottom',
): StudioDocument {
  const all = segmentsOf(document);
  const moving = all.filter((segment) => ids.includes(segment.id));
  const rest = all.filter((segment) => !ids.includes(segment.id));
  if (moving.length === 0 || rest.length === 0) return document;
  const first = all.findIndex((segment) => ids.includes(segment.id));
  const last = all.findLastIndex((segment) => ids.includes(segment.id));
  // How many of the others lie below the block afterwards. A group of others is stepped over as one, since the list
  // shows it as one; part of one group moves within it, a whole group past others.
  const common = moving.every((segment) => segment.group === moving[0]?.group) ? (moving[0]?.group ?? null) : null;
  const group = rest.some((segment) => segment.group === common) ? common : null;
  const step = (at: number, by: 1 | -1): number => {
    const neighbour = rest[by > 0 ? at : at - 1];
    if (!neighbour) return at;
    if (group !== null) return neighbour.group === group ? at + by : at;
    let next = at + by;
    if (neighbour.group !== null) while (rest[by > 0 ? next : next - 1]?.group === neighbour.group) next += by;
    return next;
  };
  const below = {
    top: () => rest.length,
    bottom: () => 0,
    up: () => step(last - moving.length + 1, 1),
    down: () => step(first, -1),
  }[where]();
  rest.splice(below, 0, ...moving);
  return withOrder(document, rest);
}

function withOrder(document: StudioDocument, ordered: readonly SegmentRecord[]): StudioDocument {
  const changed = ordered.flatMap((segment, order) => (segment.order === order ? [] : [{ ...segment, order }]));
  return changed.length === 0 ? document : withRecords(document, changed);
}
