import { Lock, TriangleAlert } from 'lucide-react';
import type { CSSProperties } from 'react';
import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { SegmentWarning } from '#shared/api/generation.ts';
import { segmentsOf, slotOf, slotText } from '#shared/document/document.ts';
import { LIMITS } from '#shared/document/limits.ts';
import type { SegmentId, SegmentRecord, SlotContent } from '#shared/document/records.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useDocument, useStudio, useView } from '../../app/studio.ts';
import { setText } from '../../features/segments/actions.ts';
import { warningHint, warningWords } from '../../features/segments/warning-words.ts';
import { useWarnings } from '../../features/segments/warnings.ts';
import { patchSegment } from '../../store/recipes.ts';
import { Tip } from '../../ui/button.tsx';
import { colourOf } from '../palette.ts';
import type { Stage } from '../stage.ts';
import { boxToScreen, toScreen } from '../viewport/viewport.ts';
import { placeTags } from './place-tags.ts';
import type { TagItem } from './place-tags.ts';

/** The segments' labels. They follow the canvas without React: only their texts and states are rendered. */
export function SegmentTags({ stage }: { readonly stage: Stage }) {
  const studio = useStudio();
  const layer = useRef<HTMLDivElement>(null);
  const document = useDocument((state) => state.document);
  const segments = useMemo(() => segmentsOf(document).filter((segment) => segment.visible), [document]);
  const view = useView(({ selection, hovered, showLabels, drawing, solo }) => ({ selection, hovered, showLabels, drawing, solo })); // prettier-ignore
  const warnings = useWarnings();
  const [editing, setEditing] = useState<SegmentId | null>(null);

  // once a frame: measuring the labels makes the browser lay out the page, and the end of a stroke tells several times
  const frame = useRef(0);
  const place = useCallback((): void => {
    if (frame.current !== 0) return;
    frame.current = requestAnimationFrame(() => {
      frame.current = 0;
      if (layer.current) placeAll(stage, layer.current, studio.view.getState().selection);
    });
  }, [stage, studio]);
  useEffect(() => {
    const stop = stage.subscribe(place);
    return () => {
      stop();
      cancelAnimationFrame(frame.current);
      frame.current = 0;
    };
  }, [stage, place]);
  useLayoutEffect(place);
  useEffect(
    () =>
      stage.setTextEditor((id) => {
        studio.view.select([id]);
        setEditing(id);
      }),
    [stage, studio],
  );

  return (
    <div ref={layer} className="tag-layer" data-drawing={view.drawing || undefined}>
      {segments.map((segment) => {
        const selected = view.selection.includes(segment.id);
        if (!view.showLabels && !selected && editing !== segment.id) return null;
        return (
          <Tag
            key={segment.id}
            segment={segment}
            content={slotOf(document, segment.slot).content}
            words={slotText(document, slotOf(document, segment.slot).content)}
            selected={selected}
            hovered={view.hovered === segment.id}
            dimmed={view.solo.length > 0 && !view.solo.includes(segment.id)}
            editing={editing === segment.id}
            warning={warnings.find((one) => one.segment === segment.id && one.code !== 'no-text')}
            onEditing={setEditing}
            onGrown={place}
          />
        );
      })}
    </div>
  );
}

/** Screen pixels that the turning handle takes above the selection. */
const TURN_HANDLE = 34;

/** Puts each label where the canvas now has its segment. */
function placeAll(stage: Stage, layer: HTMLElement, selection: readonly SegmentId[]): void {
  const { viewport } = stage;
  const items: TagItem[] = [];
  const elements = new Map<string, HTMLElement>();
  for (const element of layer.children) {
    if (!(element instanceof HTMLElement)) continue;
    const id = element.dataset.segment as SegmentId;
    const object = stage.scene.segment(id);
    const outline = object?.outline;
    const top = outline?.top();
    const bounds = stage.scene.boundsOf([id]);
    if (!bounds || !top) {
      // a segment without an area has no place; its text can be written all the same
      const editing = element.classList.contains('is-editing');
      hide(element, !editing);
      if (editing) centre(stage, element);
      continue;
    }
    elements.set(id, element);
    const [x, y] = toScreen(viewport, object?.moved ? [bounds.x + bounds.width / 2, bounds.y] : top);
    const box = boxToScreen(viewport, bounds);
    // the handle that turns the selection stands above it; its label goes higher still
    const room = stage.scene.box.visible && selection.includes(id) ? TURN_HANDLE : 0;
    items.push({
      id,
      top: [x, room > 0 ? box.y - room : y],
      bounds: { ...box, y: box.y - room, height: box.height + room },
      size: { width: element.offsetWidth, height: element.offsetHeight },
    });
  }
  // the selected one, then the uppermost segments get the best places
  items.reverse();
  items.sort((a, b) => Number(selection.includes(b.id as SegmentId)) - Number(selection.includes(a.id as SegmentId)));
  const bars = [...stage.root.querySelectorAll<HTMLElement>('.tool-bar, .tool-options, .view-chip')];
  const taken = bars.map((bar) => ({ x: bar.offsetLeft, y: bar.offsetTop, width: bar.offsetWidth, height: bar.offsetHeight })); // prettier-ignore
  const places = placeTags(items, stage.size, taken);
  for (const [id, element] of elements) {
    const at = places.get(id);
    hide(element, at === undefined);
    if (at) element.style.transform = `translate(${at[0]}px, ${at[1]}px)`;
  }
}

function centre(stage: Stage, element: HTMLElement): void {
  const { width, height } = stage.size;
  const [x, y] = [(width - element.offsetWidth) / 2, (height - element.offsetHeight) / 2];
  element.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
}

/** Out of sight, but not `hidden`: a field that was just opened must be able to take the focus before its place is known. */
function hide(element: HTMLElement, hidden: boolean): void {
  element.toggleAttribute('data-unplaced', hidden);
}

interface TagProps {
  readonly segment: SegmentRecord;
  readonly content: SlotContent;
  /** What the slot says, also where its parts have changed and the slot itself has not. */
  readonly words: string;
  readonly selected: boolean;
  readonly hovered: boolean;
  readonly dimmed: boolean;
  readonly editing: boolean;
  readonly warning: SegmentWarning | undefined;
  readonly onEditing: (id: SegmentId | null) => void;
  readonly onGrown: () => void;
}

const Tag = memo(function Tag({ segment, content, words, selected, hovered, dimmed, editing, warning, onEditing, onGrown }: TagProps) { // prettier-ignore
  const studio = useStudio();
  const t = useT();
  const cancelled = useRef(false);
  const { id, slot, name, locked, color } = segment;
  const text = name ?? words;
  const shown = text || (content.kind === 'text' ? t('canvas.tag.empty') : t('canvas.tag.picture'));
  const style = { '--segment': colourOf(color) } as CSSProperties;
  const classes = ['segment-tag', selected && 'is-selected', hovered && 'is-hovered', dimmed && 'is-dimmed', !text && 'is-empty'].filter(Boolean).join(' '); // prettier-ignore

  const commit = (value: string): void => {
    const typed = value.trim();
    // a picture's segment has no text of its own: what is typed is its name
    if (content.kind === 'text') {
      if (typed !== content.text.trim()) setText(studio, slot, typed);
    } else if (typed !== (name ?? ''))
      studio.document.edit('edit.rename', (document) => patchSegment(document, id, { name: typed || null }));
  };

  if (editing)
    return (
      <div className={`${classes} is-editing`} data-segment={id} style={style}>
        <input
          className="tag-input"
          aria-label={t('canvas.tag.edit')}
          defaultValue={content.kind === 'text' ? content.text : (name ?? '')}
          placeholder={t('canvas.tag.empty')}
          maxLength={LIMITS.text}
          autoFocus
          spellCheck={false}
          size={Math.min(48, Math.max(14, text.length + 2))}
          onFocus={(event) => event.currentTarget.select()}
          onInput={(event) => {
            event.currentTarget.size = Math.min(48, Math.max(14, event.currentTarget.value.length + 2));
            onGrown();
          }}
          onKeyDown={(event) => {
            event.stopPropagation();
            if (event.key === 'Escape') cancelled.current = true;
            if (event.key === 'Escape' || (event.key === 'Enter' && !event.nativeEvent.isComposing)) event.currentTarget.blur();
          }}
          onBlur={(event) => {
            if (!cancelled.current) commit(event.currentTarget.value);
            cancelled.current = false;
            onEditing(null);
          }}
        />
      </div>
    );

  return (
    <div
      className={classes}
      data-segment={id}
      style={style}
      onPointerEnter={() => studio.view.setState({ hovered: id })}
      onPointerLeave={() => studio.view.setState({ hovered: null })}
    >
      <button
        type="button"
        className="tag-text ellipsis"
        tabIndex={-1}
        onClick={(event) => studio.view.select([id], event.shiftKey || event.ctrlKey || event.metaKey ? 'toggle' : 'replace')}
        onDoubleClick={() => onEditing(id)}
      >
        {shown}
      </button>
      {locked ? <Lock className="tag-icon" role="img" aria-label={t('canvas.tag.locked')} /> : null}
      {warning ? (
        <Tip label={`${warningWords(t, warning)}. ${warningHint(t, warning)}`}>
          <button type="button" className="tag-warning" tabIndex={-1} aria-label={warningWords(t, warning)} onClick={() => studio.view.select([id])}>
            <TriangleAlert className="tag-icon" />
          </button>
        </Tip>
      ) : null}
    </div>
  );
}); // prettier-ignore
