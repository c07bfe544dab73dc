import { Eye, EyeOff, Focus, Lock, LockOpen, TriangleAlert } from 'lucide-react';
import { memo, useState } from 'react';
import type { CSSProperties, KeyboardEvent } from 'react';
import { segmentName, slotOf } from '#shared/document/document.ts';
import { LIMITS } from '#shared/document/limits.ts';
import type { SegmentId, SegmentRecord, SlotContent } from '#shared/document/records.ts';
import { formatNumber } from '../../app/format.ts';
import { useT } from '../../app/i18n/texts.ts';
import { commandEntries } from '../../app/shell/use-command.ts';
import { useDocument, useSession, useStudio, useView } from '../../app/studio.ts';
import type { Studio } from '../../app/studio.ts';
import { colourOf } from '../../canvas/palette.ts';
import { IconButton, Tip } from '../../ui/button.tsx';
import { Editable } from '../../ui/editable.tsx';
import { RightClick } from '../../ui/menu.tsx';
import { layerRows, patchSegments, setText, toggleSolo } from './actions.ts';
import { MaskThumb } from './mask-thumb.tsx';
import { scoreIn } from './score-in.ts';
import { remedyFor, slotWords, warningHint, warningWords } from './warning-words.ts';

/** Scores are cosines; pictures that fit well lie around 0.3. */
const SCORE_FULL = 0.4;
const SCORE_LOW = 0.2;

interface LayerProps {
  readonly segment: SegmentRecord;
  readonly depth: 0 | 1;
  readonly selected: boolean;
  readonly dragging: boolean;
  /** The one row that Tab reaches; arrows go on from there. */
  readonly tabStop: boolean;
  readonly drag: LayerDrag;
}

/** Dragging layers, as the list sees it. The same object as long as the list is there. */
export interface LayerDrag {
  readonly start: (id: SegmentId) => void;
  readonly over: (id: SegmentId, side: 'above' | 'below') => void;
  readonly end: () => void;
}

/** One segment in the list: colour, area, words, score, what is wrong with it. Drawn anew only when its own things change. */
export const Layer = memo(function Layer({ segment, depth, selected, dragging, tabStop, drag }: LayerProps) {
  const studio = useStudio();
  const t = useT();
  const { name, content, words } = useDocument(({ document }) => {
    const now = document[segment.id];
    // For one render a deleted segment may still be listed.
    const known = now?.type === 'segment' && document[segment.slot]?.type === 'slot';
    return {
      name: known ? segmentName(document, segment) : '',
      content: known ? slotOf(document, segment.slot).content : NO_CONTENT,
      words: known ? slotWords(t, document, segment.slot) : '',
    };
  });
  const { hovered, soloed, solo } = useView((view) => ({
    hovered: view.hovered === segment.id,
    soloed: view.solo.includes(segment.id),
    solo: view.solo.length > 0,
  }));
  const [editing, setEditing] = useState(false);
  const warning = useSession((session) => session.warnings.find((one) => one.segment === segment.id));
  const off = !segment.visible || (solo && !soloed);

  const select = (event: { shiftKey: boolean; ctrlKey: boolean; metaKey: boolean }): void => {
    const last = studio.view.getState().selection.at(-1);
    if (event.shiftKey && last) {
      const order = listedSegments(studio);
      const [from, to] = [order.indexOf(last), order.indexOf(segment.id)].toSorted((a, b) => a - b);
      studio.view.select(order.slice(from, (to ?? 0) + 1), 'add');
    } else studio.view.select([segment.id], event.ctrlKey || event.metaKey ? 'toggle' : 'replace');
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    if (event.target !== event.currentTarget || event.altKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const order = listedSegments(studio);
      const next = order[order.indexOf(segment.id) + step];
      if (!next) return;
      studio.view.select([next], event.shiftKey ? 'add' : 'replace');
      event.currentTarget.parentElement?.querySelector<HTMLElement>(`[data-segment="${next}"]`)?.focus();
    } else if (event.key === ' ') {
      event.preventDefault();
      studio.view.select([segment.id], 'toggle');
    } else if (event.key === 'F2' || event.key === 'Enter') {
      event.preventDefault();
      event.stopPropagation();
      setEditing(true);
    }
  };

  return (
    <RightClick
      onOpen={() => {
        if (!studio.view.getState().selection.includes(segment.id)) studio.view.select([segment.id]);
      }}
      entries={() =>
        commandEntries(
          studio,
          [
            'segment.editText',
            'segment.duplicate',
            '-',
            'segment.hide',
            'segment.lock',
            'segment.solo',
            'segment.invert',
            '-',
            'segment.up',
            'segment.down',
            'segment.group',
            'segment.ungroup',
            '-',
            'generate.redoSegment',
            'view.fitSelection',
            '-',
            'segment.delete',
          ],
          t,
        )
      }
    >
      <div
        className="layer"
        role="row"
        aria-selected={selected}
        aria-label={name || t('segments.unnamed')}
        tabIndex={tabStop ? 0 : -1}
        data-segment={segment.id}
        data-depth={depth}
        data-selected={selected}
        data-hovered={hovered}
        data-off={off}
        data-dragging={dragging}
        data-flags={!segment.visible || segment.locked || soloed}
        style={{ '--segment': colourOf(segment.color) } as CSSProperties}
        draggable={!editing}
        onClick={select}
        onKeyDown={onKeyDown}
        onPointerEnter={() => studio.view.setState({ hovered: segment.id })}
        onPointerLeave={() => studio.view.setState({ hovered: null })}
        onDragStart={(event) => {
          event.dataTransfer.effectAllowed = 'move';
          event.dataTransfer.setData('text/plain', name);
          drag.start(segment.id);
        }}
        onDragOver={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          drag.over(segment.id, event.clientY < box.top + box.height / 2 ? 'above' : 'below');
        }}
        onDragEnd={drag.end}
      >
        <span className="layer-colour" role="presentation" />
        <span className="layer-thumb" role="presentation">
          <MaskThumb segment={segment} />
        </span>
        <div className="layer-text" role="gridcell" onDoubleClick={() => setEditing(true)}>
          {content.kind === 'text' ? (
            <Editable
              label={t('segments.text')}
              value={content.text}
              placeholder={t('segments.textPlaceholder')}
              maxLength={LIMITS.text}
              editing={editing}
              clickEdits={selected}
              onEditing={setEditing}
              onChange={(text) => setText(studio, segment.slot, text)}
            />
          ) : (
            <Editable
              label={t('segments.name')}
              value={name}
              placeholder={t('segments.namePlaceholder')}
              maxLength={200}
              editing={editing}
              clickEdits={selected}
              onEditing={setEditing}
              onChange={(text) => patchSegments(studio, 'edit.rename', [segment.id], { name: text.trim() || null })}
            />
          )}
          <div className="layer-sub">
            {warning ? (
              <WarningChip warning={warning} />
            ) : (
              <span className="ellipsis">
                {segment.name !== null && content.kind === 'text' ? segment.name : words}
                {segment.weight === 1
                  ? ''
                  : ` · ${t('segments.weightShort', { weight: formatNumber(segment.weight, 1) })}`}
              </span>
            )}
          </div>
        </div>
        <Score segment={segment.id} />
        <div className="layer-tools" role="gridcell">
          <IconButton
            size="s"
            label={t(soloed ? 'segments.unsolo' : 'segments.solo')}
            icon={<Focus />}
            pressed={soloed}
            onClick={(event) => {
              event.stopPropagation();
              toggleSolo(studio, [segment.id]);
            }}
          />
          <IconButton
            size="s"
            label={t(segment.locked ? 'segments.unlock' : 'segments.lock')}
            icon={segment.locked ? <Lock /> : <LockOpen />}
            pressed={segment.locked}
            onClick={(event) => {
              event.stopPropagation();
              patchSegments(studio, 'edit.lock', [segment.id], { locked: !segment.locked });
            }}
          />
          <IconButton
            size="s"
            label={t(segment.visible ? 'segments.hide' : 'segments.show')}
            icon={segment.visible ? <Eye /> : <EyeOff />}
            pressed={!segment.visible}
            onClick={(event) => {
              event.stopPropagation();
              patchSegments(studio, 'edit.visibility', [segment.id], { visible: !segment.visible });
            }}
          />
        </div>
      </div>
    </RightClick>
  );
});

const NO_CONTENT: SlotContent = { kind: 'text', text: '', reading: 0 };

/** Listed segments, as the list shows them at this moment. */
const listedSegments = (studio: Studio): SegmentId[] =>
  layerRows(studio.document.getState().document).flatMap((row) => (row.kind === 'segment' ? [row.segment.id] : []));

function WarningChip({ warning }: { readonly warning: Parameters<typeof remedyFor>[0] }) {
  const studio = useStudio();
  const t = useT();
  const remedy = remedyFor(warning);
  return (
    <Tip label={`${warningHint(t, warning)} ${t(remedy.label)}.`} side="right">
      <button
        type="button"
        className="layer-warn"
        onClick={(event) => {
          event.stopPropagation();
          remedy.run(studio);
        }}
      >
        <TriangleAlert />
        <span className="ellipsis">{warningWords(t, warning)}</span>
      </button>
    </Tip>
  );
}

/** How well the segment came out in the shown result. */
function Score({ segment }: { readonly segment: SegmentId }) {
  const t = useT();
  const shown = useView((view) => view.shown);
  const score = useSession((session) =>
    shown.kind === 'result' ? scoreIn(session.results, shown.id, segment) : undefined,
  );
  const value = score?.clip ?? score?.slot ?? null;
  if (value === null) return <span className="layer-side" role="presentation" />;
  return (
    <Tip label={t('segments.scoreHint')} side="right">
      <span className="layer-side" role="gridcell">
        <span className="layer-score num">{formatNumber(value, 2)}</span>
        <span className="meter" data-low={value < SCORE_LOW}>
          <i style={{ width: `${Math.max(4, Math.min(1, value / SCORE_FULL) * 100)}%` }} />
        </span>
      </span>
    </Tip>
  );
}
