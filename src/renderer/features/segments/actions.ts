import { createGroup } from '#shared/document/create.ts';
import { segmentsOf, slotOf } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { GroupId, GroupRecord, SegmentId, SegmentRecord, SlotContent, SlotId } from '#shared/document/records.ts';
import type { Studio } from '../../app/studio.ts';
import {
  duplicateSegments,
  freshKey,
  patchSegment,
  removeSegments,
  setSlot,
  shiftSegments,
  withRecords,
  withoutEmptyGroups,
} from '../../store/recipes.ts';

/** Selected segments that still exist. */
export function selectedSegments(studio: Studio): SegmentRecord[] {
  const { document } = studio.document.getState();
  return studio.view.getState().selection.flatMap((id) => {
    const record = document[id];
    return record?.type === 'segment' ? [record] : [];
  });
}

const unlocked = (segments: readonly SegmentRecord[]): SegmentId[] =>
  segments.filter((segment) => !segment.locked).map((segment) => segment.id);

export function patchSegments(
  studio: Studio,
  label: string,
  ids: readonly SegmentId[],
  patch: Partial<Omit<SegmentRecord, 'id' | 'type'>>,
  gesture?: string,
): void {
  studio.document.edit(
    label,
    (document) => ids.reduce((next, id) => patchSegment(next, id, patch), document),
    gesture === undefined ? {} : { extend: `${gesture}:${ids.join()}` },
  );
}

export function deleteSelected(studio: Studio): void {
  const ids = unlocked(selectedSegments(studio));
  if (ids.length === 0) return;
  studio.document.edit('edit.delete', (document) => removeSegments(document, ids));
  studio.view.select([]);
}

export function duplicateSelected(studio: Studio): void {
  const ids = selectedSegments(studio).map((segment) => segment.id);
  let copies: SegmentId[] = [];
  studio.document.edit('edit.duplicate', (document) => {
    const [next, made] = duplicateSegments(document, ids);
    copies = made;
    return next;
  });
  if (copies.length > 0) studio.view.select(copies);
}

export const shiftSelected = (studio: Studio, where: 'up' | 'down' | 'top' | 'bottom'): void =>
  void studio.document.edit('edit.order', (document) =>
    shiftSegments(document, unlocked(selectedSegments(studio)), where),
  );

/** Hides (or shows) all selected segments: one state for all, the opposite of the primary one's. */
export function toggleSelected(studio: Studio, field: 'visible' | 'locked' | 'invert' | 'detail'): void {
  const segments = selectedSegments(studio);
  const primary = segments.at(-1);
  if (!primary) return;
  const label = { visible: 'edit.visibility', locked: 'edit.lock', invert: 'edit.invert', detail: 'edit.detail' }[
    field
  ];
  patchSegments(studio, label, segments.map((segment) => segment.id), { [field]: !primary[field] }); // prettier-ignore
}

export function toggleSolo(studio: Studio, ids: readonly SegmentId[]): void {
  const { solo } = studio.view.getState();
  const same = solo.length === ids.length && ids.every((id) => solo.includes(id));
  studio.view.setState({ solo: same ? [] : [...ids] });
}

/** Puts the selected segments into a new group, together at the place of the topmost. */
export function groupSelected(studio: Studio, name: string): void {
  const ids = selectedSegments(studio).map((segment) => segment.id);
  if (ids.length === 0) return;
  studio.document.edit('edit.group', (document) => {
    const group = createGroup(freshKey(), name, 0);
    const all = segmentsOf(document);
    const top = all.findLastIndex((segment) => ids.includes(segment.id));
    const inside = all.filter((segment) => ids.includes(segment.id));
    const above = all.slice(top + 1);
    const below = all.slice(0, top + 1).filter((segment) => !ids.includes(segment.id));
    const ordered = [...below, ...inside, ...above].map((segment, order) => ({
      ...segment,
      order,
      group: ids.includes(segment.id) ? group.id : segment.group,
    }));
    return withoutEmptyGroups(withRecords(document, [group, ...ordered]));
  });
}

export function ungroupSelected(studio: Studio): void {
  const groups = new Set(selectedSegments(studio).flatMap((segment) => (segment.group ? [segment.group] : [])));
  if (groups.size === 0) return;
  studio.document.edit('edit.ungroup', (document) => {
    const freed = segmentsOf(document)
      .filter((segment) => segment.group && groups.has(segment.group))
      .map((segment) => ({ ...segment, group: null }));
    return withoutEmptyGroups(withRecords(document, freed));
  });
}

export const patchGroup = (studio: Studio, label: string, id: GroupId, patch: Partial<GroupRecord>): void =>
  void studio.document.edit(label, (document) => {
    const group = document[id];
    return group?.type === 'group' ? withRecords(document, [{ ...group, ...patch }]) : document;
  });

/** The slot's text as typed; a picture or mix whose text is typed becomes a text again. */
export function setText(studio: Studio, slot: SlotId, text: string, gesture?: string): void {
  studio.document.edit(
    'edit.text',
    (document) => {
      const { content } = slotOf(document, slot);
      const reading = content.kind === 'text' ? content.reading : 0;
      return setSlot(document, slot, { kind: 'text', text, reading });
    },
    gesture === undefined ? {} : { extend: gesture },
  );
}

export const fillSlot = (studio: Studio, slot: SlotId, content: SlotContent): void =>
  void studio.document.edit('edit.slot', (document) => setSlot(document, slot, content));

/** The next reading of the same words: another embedding that the prior finds likely. */
export const anotherReading = (studio: Studio, slot: SlotId): void =>
  void studio.document.edit('edit.reading', (document) => {
    const { content } = slotOf(document, slot);
    if (content.kind !== 'text') return document;
    return setSlot(document, slot, { ...content, reading: (content.reading + 1) % 0xffff_ffff });
  });

/** Turns a slot into a mix of what it holds now and something new. @returns the slot of the new half */
export function mixWith(studio: Studio, slot: SlotId, content: SlotContent, t = 0.5): SlotId {
  const a: SlotId = `slot:${freshKey()}`;
  const b: SlotId = `slot:${freshKey()}`;
  studio.document.edit('edit.mix', (document) => {
    const current = slotOf(document, slot);
    return withRecords(document, [
      { id: a, type: 'slot', content: current.content },
      { id: b, type: 'slot', content },
      { ...current, content: { kind: 'mix', a, b, t } },
    ]);
  });
  return b;
}

/** Ends a mix; one of its parts stays. */
export function unmix(studio: Studio, slot: SlotId, keep: 'a' | 'b'): void {
  studio.document.edit('edit.slot', (document) => {
    const { content } = slotOf(document, slot);
    if (content.kind !== 'mix') return document;
    return setSlot(document, slot, slotOf(document, content[keep]).content);
  });
}

/** How the layer list shows the document: topmost first, groups as rows with their members inside. */
export type LayerRow =
  | { readonly kind: 'group'; readonly group: GroupRecord; readonly members: readonly SegmentRecord[] }
  | { readonly kind: 'segment'; readonly segment: SegmentRecord; readonly depth: 0 | 1 };

export function layerRows(document: StudioDocument): LayerRow[] {
  const rows: LayerRow[] = [];
  const done = new Set<string>();
  const all = segmentsOf(document).toReversed();
  for (const segment of all) {
    if (segment.group === null) {
      rows.push({ kind: 'segment', segment, depth: 0 });
      continue;
    }
    if (done.has(segment.group)) continue;
    done.add(segment.group);
    const group = document[segment.group];
    if (group?.type !== 'group') continue;
    const members = all.filter((member) => member.group === segment.group);
    rows.push({ kind: 'group', group, members });
    if (!group.collapsed) for (const member of members) rows.push({ kind: 'segment', segment: member, depth: 1 });
  }
  return rows;
}
