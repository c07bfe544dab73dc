import './library.css';
import { BookmarkPlus, PaintBucket, ScanSearch, Shapes, Trash2, X } from 'lucide-react';
import { useCallback, useEffect, useMemo, useState } from 'react';
import type { CallOutput, LibraryItem } from '#shared/api/calls.ts';
import { createScene } from '#shared/document/create.ts';
import { segmentName, slotOf } from '#shared/document/document.ts';
import type { SegmentId } from '#shared/document/records.ts';
import { formatNumber } from '../../app/format.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useDocument, useStudio, useView } from '../../app/studio.ts';
import { IconButton } from '../../ui/button.tsx';
import { Empty } from '../../ui/parts.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { SceneThumb } from '../scene/scene-thumb.tsx';
import {
  ITEM_TYPE,
  fillFromContent,
  fillFromItem,
  itemRecords,
  keepSegment,
  placeItem,
  removeItem,
} from './actions.ts';
import { placed } from './place.ts';

/** A kept segment is shown in the middle of a canvas of its own. */
const SHEET = { width: 512, height: 512 };

/** What fits a segment best, as it was when the artist asked. */
interface Fitting {
  readonly segment: SegmentId;
  readonly name: string;
  readonly found: CallOutput<'library.similar'>;
}

/** Segments kept for other scenes, and what fits the selected one best. */
export function LibraryPanel() {
  const studio = useStudio();
  const t = useT();
  const [items, setItems] = useState<readonly LibraryItem[] | null>(null);
  const [asked, setAsked] = useState<Fitting | null>(null);
  const [search, setSearch] = useState('');
  const selection = useView((view) => view.selection.at(-1));
  const segment = useDocument((state) => {
    const record = state.document[selection ?? ''];
    return record?.type === 'segment' ? record : undefined;
  });
  // Of another segment than the selected one it would be wrong.
  const fitting = asked?.segment === segment?.id ? asked : null;
  const load = useCallback(
    () => studio.attempt(async () => setItems(await studio.api.call('library.list', { search }))),
    [studio, search],
  );
  useEffect(() => {
    const timer = setTimeout(load, 150);
    return () => clearTimeout(timer);
  }, [load]);

  return (
    <div className="library">
      <div className="library-head">
        <SearchField label={t('library.search')} value={search} onChange={setSearch} />
        <IconButton
          label={t('library.keep')}
          icon={<BookmarkPlus />}
          disabled={!segment}
          onClick={() =>
            segment &&
            studio.attempt(async () => {
              await keepSegment(studio, segment);
              load();
            })
          }
        />
        <IconButton
          label={t('library.similar')}
          icon={<ScanSearch />}
          disabled={!segment}
          onClick={() =>
            segment &&
            studio.attempt(async () => {
              const { document } = studio.document.getState();
              const { content } = slotOf(document, segment.slot);
              const found = await studio.api.call('library.similar', { slot: content });
              setAsked({ segment: segment.id, name: segmentName(document, segment) || t('segments.unnamed'), found });
            })
          }
        />
      </div>
      <div className="library-list scroll">
        {fitting ? (
          <div className="library-fits">
            <h3 className="ellipsis">{t('library.fits', { name: fitting.name })}</h3>
            <IconButton size="s" label={t('ui.close')} icon={<X />} onClick={() => setAsked(null)} />
          </div>
        ) : null}
        {fitting?.found.length === 0 ? <p>{t('library.nothingFits')}</p> : null}
        {fitting?.found.map((one) => (
          <div key={`${one.kind}:${one.id}`} className="library-item">
            <span className="picture">
              {one.picture ? <img src={studio.blobUrl(one.picture)} alt="" /> : <Shapes />}
            </span>
            <span className="ellipsis">
              {one.text}
              <small className="num">{t('library.cosine', { cosine: formatNumber(one.cosine, 2) })}</small>
            </span>
            <span className="buttons">
              {one.content && segment ? (
                <IconButton
                  size="s"
                  label={t('library.fill')}
                  icon={<PaintBucket />}
                  onClick={() => one.content && fillFromContent(studio, one.content, segment)}
                />
              ) : null}
            </span>
          </div>
        ))}
        {items && items.length > 0 ? <h3>{t('library.kept')}</h3> : null}
        {items?.map((item) => (
          <div
            key={item.id}
            className="library-item"
            draggable
            title={t('library.drag')}
            onDragStart={(event) => {
              event.dataTransfer.effectAllowed = 'copy';
              event.dataTransfer.setData(ITEM_TYPE, JSON.stringify(item));
              const picture = event.currentTarget.querySelector('.picture');
              if (picture) event.dataTransfer.setDragImage(picture, 20, 20);
            }}
          >
            <span className="picture">
              <ItemPicture item={item} />
            </span>
            <span className="ellipsis">
              {item.name}
              <small className="ellipsis">{item.text}</small>
            </span>
            <span className="buttons">
              <IconButton
                size="s"
                label={t('library.place')}
                icon={<Shapes />}
                onClick={() => studio.attempt(() => placeItem(studio, item))}
              />
              <IconButton
                size="s"
                label={t('library.fill')}
                icon={<PaintBucket />}
                disabled={!segment}
                onClick={() => segment && studio.attempt(() => fillFromItem(studio, item, segment))}
              />
              <IconButton
                size="s"
                label={t('library.remove')}
                icon={<Trash2 />}
                onClick={() => studio.attempt(() => removeItem(studio, item, load))}
              />
            </span>
          </div>
        ))}
        {items?.length === 0 ? (
          <Empty icon={<BookmarkPlus />} title={t(search ? 'library.noMatch' : 'library.none')}>
            {search ? null : t('library.noneHint')}
          </Empty>
        ) : null}
      </div>
    </div>
  );
}

function ItemPicture({ item }: { readonly item: LibraryItem }) {
  const records = useMemo(() => {
    try {
      return [createScene(), ...placed(itemRecords(item), SHEET, [SHEET.width / 2, SHEET.height / 2])];
    } catch {
      // An item that this release cannot read is still listed, so that it can be removed.
      return null;
    }
  }, [item]);
  return records ? <SceneThumb records={records} /> : <Shapes />;
}
