import { Pencil, Plus, Shapes } from 'lucide-react';
import { Fragment, useMemo, useState } from 'react';
import { segmentsOf } from '#shared/document/document.ts';
import type { SegmentId } from '#shared/document/records.ts';
import { useT } from '../../app/i18n/texts.ts';
import { commandEntries } from '../../app/shell/use-command.ts';
import { useDocument, useStudio, useView } from '../../app/studio.ts';
import { patchSegment, reorder, withoutEmptyGroups } from '../../store/recipes.ts';
import { IconButton } from '../../ui/button.tsx';
import { Menu } from '../../ui/menu.tsx';
import { Empty } from '../../ui/parts.tsx';
import { layerRows } from './actions.ts';
import { GroupRow } from './group-row.tsx';
import { Layer } from './layer.tsx';
import type { LayerDrag } from './layer.tsx';

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
  const loaded = useDocument((state) => state.id !== null);
  const selection = useView((view) => view.selection);
  const [dragged, setDragged] = useState<readonly SegmentId[]>([]);
  const [drop, setDrop] = useState<DropPlace | null>(null);
  const rows = layerRows(document);
  const count = segmentsOf(document).length;

  const listed = rows.flatMap((row) => (row.kind === 'segment' ? [row.segment.id] : []));
  const tabStop = listed.find((id) => selection.includes(id)) ?? listed[0];
  const drag = useMemo<LayerDrag>(
    () => ({
      start: (id) => {
        const { selection: chosen } = studio.view.getState();
        setDragged(chosen.includes(id) ? chosen : [id]);
      },
      over: (anchor, side) => setDrop((old) => (old?.anchor === anchor && old.side === side ? old : { anchor, side })),
      end: () => {
        setDragged([]);
        setDrop(null);
      },
    }),
    [studio],
  );

  const finishDrop = (): void => {
    if (drop && dragged.length > 0)
      studio.document.edit('edit.order', (now) => {
        const anchor = now[drop.anchor];
        const group = anchor?.type === 'segment' ? anchor.group : null;
        const moved = reorder(now, dragged, drop.anchor, drop.side);
        // A layer dropped among a group's members joins the group, as its place in the list says.
        return withoutEmptyGroups(dragged.reduce((next, id) => patchSegment(next, id, { group }), moved));
      });
    drag.end();
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
                tabStop={row.segment.id === tabStop}
                drag={drag}
              />
              {drop?.anchor === row.segment.id && drop.side === 'below' ? (
                <div className="layer-drop" role="presentation" />
              ) : null}
            </Fragment>
          ),
        )}
      </div>
      {count === 0 && loaded ? (
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
