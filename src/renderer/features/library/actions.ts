import type { LibraryItem } from '#shared/api/calls.ts';
import { segmentName, slotOf } from '#shared/document/document.ts';
import { DocumentRecord } from '#shared/document/records.ts';
import type { SegmentRecord, SlotContent, SlotRecord } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import { translate } from '../../app/i18n/texts.ts';
import type { Studio } from '../../app/studio.ts';
import { copySlots, setSlot, withRecords } from '../../store/recipes.ts';
import { addImportedSegments } from '../scene/actions.ts';

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

/** Puts an item's segment onto the canvas. */
export function placeItem(studio: Studio, item: LibraryItem): void {
  addImportedSegments(studio, itemRecords(item));
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
