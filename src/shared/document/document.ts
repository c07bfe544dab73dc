import { z } from 'zod';
import { StudioError } from '../errors.ts';
import { LIMITS } from './limits.ts';
import { DocumentRecord } from './records.ts';
import type { RecordId, SceneRecord, SegmentId, SegmentRecord, SlotContent, SlotId, SlotRecord } from './records.ts';

/** The document in memory: flat records by id. Never changed in place; see diff.ts. */
export type StudioDocument = Readonly<Record<string, DocumentRecord>>;

/** The list form in which records are stored and sent. */
export const DocumentRecords = z
  .array(DocumentRecord)
  .max(LIMITS.records)
  .superRefine((records, context) => {
    const problem = documentProblem(records);
    if (problem) context.addIssue({ code: 'custom', message: problem });
  });
export type DocumentRecords = z.infer<typeof DocumentRecords>;

/**
 * What makes a list of records no document, or undefined if it is one: exactly one scene, ids unique,
 * each segment with its slot, mixes without cycles, not too many segments.
 */
export function documentProblem(records: readonly DocumentRecord[]): string | undefined {
  const byId = new Map<string, DocumentRecord>();
  let segments = 0;
  for (const record of records) {
    if (byId.has(record.id)) return `two records with the id ${record.id}`;
    byId.set(record.id, record);
    if (record.type === 'segment') segments += 1;
  }
  if (!byId.has('scene:main')) return 'no scene record (scene:main)';
  if (segments > LIMITS.segments) return `${segments} segments, at most ${LIMITS.segments} are allowed`;
  for (const record of records) {
    if (record.type === 'segment') {
      if (byId.get(record.slot)?.type !== 'slot')
        return `${record.id} names the slot ${record.slot}, which is not there`;
      if (record.group !== null && byId.get(record.group)?.type !== 'group')
        return `${record.id} lies in ${record.group}, which is not there`;
    } else if (record.type === 'slot') {
      const problem = mixProblem(record, byId, 1);
      if (problem) return problem;
    }
  }
  return undefined;
}

function mixProblem(slot: SlotRecord, byId: ReadonlyMap<string, DocumentRecord>, depth: number): string | undefined {
  if (slot.content.kind !== 'mix') return undefined;
  if (depth > LIMITS.mixDepth) return `${slot.id} mixes mixes more than ${LIMITS.mixDepth} deep, or itself`;
  for (const part of [slot.content.a, slot.content.b]) {
    const other = byId.get(part);
    if (other?.type !== 'slot') return `${slot.id} mixes ${part}, which is not there`;
    const problem = mixProblem(other, byId, depth + 1);
    if (problem) return problem;
  }
  return undefined;
}

/**
 * Records as a document.
 * @throws StudioError bad-input if the records do not make one (see documentProblem)
 */
export function toDocument(records: readonly DocumentRecord[]): StudioDocument {
  const problem = documentProblem(records);
  if (problem) throw new StudioError('bad-input', problem);
  return Object.fromEntries(records.map((record) => [record.id, record]));
}

/** The records in an order that does not depend on edits: by id, so that equal documents give equal files. */
export function toRecords(document: StudioDocument): DocumentRecord[] {
  return Object.values(document).toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

export function sceneOf(document: StudioDocument): SceneRecord {
  const scene = document['scene:main'];
  if (scene?.type !== 'scene') throw new StudioError('internal', 'the document has no scene record');
  return scene;
}

/** All segments, the lowest first; equal orders are settled by id so that every process agrees. */
export function segmentsOf(document: StudioDocument): SegmentRecord[] {
  return Object.values(document)
    .filter((record) => record.type === 'segment')
    .toSorted((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1));
}

/**
 * Segments that are made anew in frames of their own once the picture is there; the lowest first.
 * @param solo segments that alone take part, whether hidden or not; empty: all that are visible
 */
export const detailSegments = (document: StudioDocument, solo: readonly SegmentId[] = []): SegmentId[] =>
  segmentsOf(document).flatMap(({ id, detail, visible }) =>
    detail && (solo.length > 0 ? solo.includes(id) : visible) ? [id] : [],
  );

export function slotOf(document: StudioDocument, id: SlotId): SlotRecord {
  const slot = document[id];
  if (slot?.type !== 'slot') throw new StudioError('internal', `the document has no ${id}`);
  return slot;
}

/** What a slot says in words; empty for a slot without any (a picture). */
export function slotText(document: StudioDocument, content: SlotContent): string {
  switch (content.kind) {
    case 'text':
      return content.text.trim();
    case 'mix': {
      const parts = [content.a, content.b].map((id) => slotText(document, slotOf(document, id).content));
      return parts.filter(Boolean).join(' + ');
    }
    case 'image':
    case 'crop':
      return '';
  }
}

/** A segment's name: what the artist called it, else its slot's text. */
export function segmentName(document: StudioDocument, segment: SegmentRecord): string {
  return segment.name ?? slotText(document, slotOf(document, segment.slot).content);
}

/** Every blob the document points at. */
export function blobsOf(document: StudioDocument): Set<string> {
  const hashes = new Set<string>();
  const visitShapes = (shapes: SegmentRecord['shapes']): void => {
    for (const shape of shapes) {
      if (shape.kind === 'bitmap') hashes.add(shape.blob);
      else if (shape.kind === 'group') visitShapes(shape.shapes);
    }
  };
  for (const record of Object.values(document)) {
    switch (record.type) {
      case 'scene':
        if (record.start) hashes.add(record.start.blob);
        break;
      case 'segment':
        visitShapes(record.shapes);
        break;
      case 'slot':
        if (record.content.kind === 'image' || record.content.kind === 'crop') {
          hashes.add(record.content.blob);
          if (record.content.mask) hashes.add(record.content.mask);
        }
        break;
      case 'reference':
        hashes.add(record.blob);
        break;
      case 'group':
      case 'guide':
        break;
    }
  }
  return hashes;
}

export type { RecordId };
