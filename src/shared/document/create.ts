import type { z } from 'zod';
import type { StudioDocument } from './document.ts';
import { toDocument } from './document.ts';
import type { ShapeInput } from './geometry.ts';
import { GroupRecord, SceneRecord, SegmentRecord, SlotRecord } from './records.ts';
import type { SlotContent } from './records.ts';

/** Fills in the defaults of a scene record. */
export const createScene = (fields: Omit<z.input<typeof SceneRecord>, 'id' | 'type'> = {}): SceneRecord =>
  SceneRecord.parse({ ...fields, id: 'scene:main', type: 'scene' });

/** A segment and its slot. `key` becomes the name part of both ids. */
export function createSegment(
  key: string,
  content: SlotContent | string,
  shapes: readonly ShapeInput[],
  fields: Partial<Omit<SegmentRecord, 'id' | 'type' | 'shapes' | 'slot'>> = {},
): [SegmentRecord, SlotRecord] {
  const slotContent = typeof content === 'string' ? { kind: 'text', text: content } : content;
  return [
    SegmentRecord.parse({ ...fields, id: `segment:${key}`, type: 'segment', slot: `slot:${key}`, shapes }),
    SlotRecord.parse({ id: `slot:${key}`, type: 'slot', content: slotContent }),
  ];
}

export const createGroup = (key: string, name: string, order: number): GroupRecord =>
  GroupRecord.parse({ id: `group:${key}`, type: 'group', name, order });

/** An empty document: a scene record alone. */
export const emptyDocument = (): StudioDocument => toDocument([createScene()]);
