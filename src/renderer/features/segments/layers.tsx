import { Pencil, Plus, Shapes } from 'lucide-react';
import { Fragment, useState } from 'react';
import { segmentsOf } from '#shared/document/document.ts';
import type { SegmentId } from '#shared/document/records.ts';
import { useT } from '../../app/i18n/texts.ts';
import { commandEntries } from '../../app/shell/use-command.ts';
import { useDocument, useStudio, useView } from '../../app/studio.ts';
import { reorder } from '../../store/recipes.ts';
import { IconButton } from '../../ui/button.tsx';
import { Menu } from '../../ui/menu.tsx';
import { Empty } from '../../ui/parts.tsx';
import { layerRows } from './actions.ts';
import { GroupRow } from './group-row.tsx';
import { Layer } from './layer.tsx';

/** Where a dragged layer would land: above or below (in the list: before or after) another. */
export interface DropPlace {
  readonly anchor: SegmentId;
  readonly side: 'above' | 'below';
}

/** The segments as layers, topmost first. */
export function Layers() {
  const studio = useStudio();
  const t = useT();
  const document = useDocument((state) => state.document);
  const selection = useView((view) => view.selection);
  const [dragged, setDragged] = useState<readonly SegmentId[]>([]);
  const [drop, setDrop] = useState<DropPlace | null>(null);
  const rows = layerRows(document);
  const count = segmentsOf(document).length;

  const finishDrop = (): void => {
    if (drop && dragged.length > 0)
      studio.document.edit('edit.order', (now) => {
        const anchor = now[drop.anchor];
        const group = anchor?.type === 'segment' ? anchor.group : null;
        const moved = reorder(now, dragged, drop.anchor, drop.side);
        // A layer dropped among a group's members joins the group, as its place in the list says.
        return dragged.reduce((next, id) => {
          const segment = next[id];
          return segment?.type === 'segment' && segment.group !== group
            ? { ...next, [id]: { ...segment, group } }
            : next;
        }, moved);
      });
    setDragged([]);
    setDrop(null);
  };

  return (
    <>
      <div className="layers-head">
        <h2>{t('segments.title')}</h2>
        <span className="count num">{count}</span>
        <IconButton
          size="s"
          label={t('command.segment.new')}
          icon={<Plus />}
          onClick={() => void studio.commands.run('segment.new')}
        />
        <Menu
          align="end"
          trigger={<IconButton size="s" label={t('segments.more')} icon={<Shapes />} />}
          entries={commandEntries(
            studio,
            [
              'segment.duplicate',
              'segment.group',
              'segment.ungroup',
              '-',
              'segment.up',
              'segment.down',
              'segment.top',
              'segment.bottom',
              '-',
              'segment.hide',
              'segment.lock',
              'segment.solo',
              'segment.invert',
              '-',
              'segment.delete',
            ],
            t,
          )}
        />
      </div>
      <div
        hidden={count === 0}
        className="layers scroll"
        role="grid"
        aria-label={t('segments.list')}
        aria-multiselectable="true"
        onDragOver={(event) => {
          if (dragged.length > 0) event.preventDefault();
        }}
        onDrop={(event) => {
          if (dragged.length > 0) event.preventDefault();
          finishDrop();
        }}
      >
        {rows.map((row) =>
          row.kind === 'group' ? (
            <GroupRow key={row.group.id} group={row.group} members={row.members} />
          ) : (
            <Fragment key={row.segment.id}>
              {drop?.anchor === row.segment.id && drop.side === 'above' ? (
                <div className="layer-drop" role="presentation" />
              ) : null}
              <Layer
                segment={row.segment}
                depth={row.depth}
                selected={selection.includes(row.segment.id)}
                dragging={dragged.includes(row.segment.id)}
                order={rows.flatMap((one) => (one.kind === 'segment' ? [one.segment.id] : []))}
                onDragStart={() => setDragged(selection.includes(row.segment.id) ? selection : [row.segment.id])}
                onDragOverSide={(side) => setDrop({ anchor: row.segment.id, side })}
                onDragEnd={() => {
                  setDragged([]);
                  setDrop(null);
                }}
              />
              {drop?.anchor === row.segment.id && drop.side === 'below' ? (
                <div className="layer-drop" role="presentation" />
              ) : null}
            </Fragment>
          ),
        )}
      </div>
      {count === 0 ? (
        <Empty icon={<Pencil />} title={t('segments.none')}>
          {t('segments.noneHint')}
        </Empty>
      ) : null}
      <div className="layers-foot">
        <button
          type="button"
          className="draw-hint"
          onClick={() => {
            studio.view.select([]);
            studio.view.setState({ tool: 'brush' });
          }}
        >
          {t('segments.drawHint')}
        </button>
      </div>
    </>
  );
}
