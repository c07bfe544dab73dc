import { LibraryItem } from '#shared/api/calls.ts';
import { sceneOf, segmentName, slotOf } from '#shared/document/document.ts';
import type { Point } from '#shared/document/geometry.ts';
import { DocumentRecord } from '#shared/document/records.ts';
import type { SegmentRecord, SlotContent, SlotRecord } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import { translate } from '../../app/i18n/texts.ts';
import type { Studio } from '../../app/studio.ts';
import { copySlots, setSlot, withRecords } from '../../store/recipes.ts';
import { recoloured } from '../../canvas/edit/fit-records.ts';
import { addImportedSegments } from '../scene/actions.ts';
import { placed } from './place.ts';

/** An item's records, checked: they come from the artist's past, perhaps of another release. */
export function itemRecords(item: Pick<LibraryItem, 'records' | 'name'>): DocumentRecord[] {
  return item.records.map((record) => {
    const parsed = DocumentRecord.safeParse(record);
    if (!parsed.success) throw StudioError.from(parsed.error, item.name);
    return parsed.data;
  });
}

/** Keeps a segment, its area and what fills it, for other scenes. */
export async function keepSegment(studio: Studio, segment: SegmentRecord): Promise<LibraryItem> {
  const { document } = studio.document.getState();
  const slots: SlotRecord[] = [];
  const visit = (id: SlotRecord['id']): void => {
    const slot = slotOf(document, id);
    slots.push(slot);
    if (slot.content.kind === 'mix') {
      visit(slot.content.a);
      visit(slot.content.b);
    }
  };
  visit(segment.slot);
  return studio.api.call('library.add', {
    name: segmentName(document, segment) || translate('segments.unnamed'),
    records: [{ ...segment, group: null }, ...slots],
  });
}

/** What a dragged item carries: its LibraryItem as JSON. */
export const ITEM_TYPE = 'application/x-spatext-item';

/** Puts an item's segment onto the canvas, with its middle `at` a point of the scene if one is given. */
export function placeItem(studio: Studio, item: Pick<LibraryItem, 'records' | 'name'>, at?: Point): void {
  const { document } = studio.document.getState();
  addImportedSegments(studio, recoloured(placed(itemRecords(item), sceneOf(document), at), document));
}

/** An item that was dropped; anything may be dragged here from elsewhere, so it is checked. */
export function placeDropped(studio: Studio, json: string, at: Point): void {
  let item: unknown;
  try {
    item = JSON.parse(json);
  } catch {
    item = undefined;
  }
  const parsed = LibraryItem.safeParse(item);
  if (!parsed.success) throw StudioError.from(parsed.error, translate('library.notAnItem'));
  placeItem(studio, parsed.data, at);
}

/** Removes an item, with a way back in the notice. */
export async function removeItem(studio: Studio, item: LibraryItem, onChange: () => void): Promise<void> {
  await studio.api.call('library.remove', { id: item.id });
  onChange();
  studio.session.notify({
    level: 'info',
    message: translate('library.removed', { name: item.name }),
    action: {
      label: translate('ui.undo'),
      run: () =>
        studio.attempt(async () => {
          await studio.api.call('library.add', { name: item.name, records: item.records });
          onChange();
        }),
    },
  });
}

/** Fills the selected segment with what the item's segment is filled with; its area stays. */
export function fillFromItem(studio: Studio, item: LibraryItem, segment: SegmentRecord): void {
  const records = itemRecords(item);
  const source = records.find((record) => record.type === 'segment');
  if (!source) throw new StudioError('bad-input', translate('library.noSegment', { name: item.name }));
  const other = Object.fromEntries(records.map((record) => [record.id, record]));
  const [first, ...rest] = copySlots(other, source.slot);
  studio.document.edit('edit.slot', (document) => setSlot(withRecords(document, rest), segment.slot, first.content));
}

export const fillFromContent = (studio: Studio, content: SlotContent, segment: SegmentRecord): void =>
  void studio.document.edit('edit.slot', (document) => setSlot(document, segment.slot, content));
