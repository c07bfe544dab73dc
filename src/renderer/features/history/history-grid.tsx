import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect } from 'react';
import type { CSSProperties, KeyboardEvent } from 'react';
import type { ResultId, ResultSummary } from '#shared/api/generation.ts';
import { formatWhen } from '../../app/format.ts';
import { useStudio } from '../../app/studio.ts';
import { openAsItWas, resultLabel } from './actions.ts';
import { useInnerWidth } from './inner-width.ts';
import { ResultMenu } from './thumb.tsx';

const TILE = 168;
/** Words below a tile and the gap between rows. */
const TILE_EXTRA = 52;

export interface PickerProps {
  readonly results: readonly ResultSummary[];
  readonly selected: readonly ResultId[];
  readonly onSelect: (ids: readonly ResultId[]) => void;
}

/** The selection after a click: alone, toggled (Ctrl), or a stretch (Shift). */
export function nextSelection(
  results: readonly ResultSummary[],
  selected: readonly ResultId[],
  id: ResultId,
  keys: { readonly shiftKey: boolean; readonly ctrlKey: boolean; readonly metaKey: boolean },
): readonly ResultId[] {
  if (keys.ctrlKey || keys.metaKey)
    return selected.includes(id) ? selected.filter((one) => one !== id) : [...selected, id];
  const last = selected.at(-1);
  if (!keys.shiftKey || last === undefined) return [id];
  const [from = 0, to = 0] = [last, id]
    .map((one) => results.findIndex((result) => result.id === one))
    .toSorted((a, b) => a - b);
  const stretch = results.slice(Math.max(0, from), to + 1).map((result) => result.id);
  return [...stretch.filter((one) => one !== id), id];
}

/** Thousands of results, of which only the visible rows exist. */
export function HistoryGrid({ results, selected, onSelect, onMore }: PickerProps & { readonly onMore: () => void }) {
  const studio = useStudio();
  const { scroller, width } = useInnerWidth();
  const columns = Math.max(2, Math.floor(width / TILE));
  const tile = width > 0 ? (width - (columns - 1) * 10) / columns : TILE;
  // The compiler cannot memoise what the virtualizer returns; nothing here relies on that.
  // oxlint-disable-next-line react/incompatible-library
  const rows = useVirtualizer({
    count: Math.ceil(results.length / columns),
    getScrollElement: () => scroller.current,
    estimateSize: () => tile + TILE_EXTRA,
    overscan: 2,
  });
  useEffect(() => rows.measure(), [rows, tile]);
  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if ((last + 2) * columns >= results.length) onMore();
  }, [last, columns, results.length, onMore]);
  const now = Date.now();
  const onKeyDown = (event: KeyboardEvent): void => {
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: columns,
      ArrowUp: -columns,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = results.findIndex((result) => result.id === selected.at(-1));
    const next = results[Math.min(results.length - 1, Math.max(0, at + step))];
    if (!next) return;
    onSelect(event.shiftKey ? nextSelection(results, selected, next.id, event) : [next.id]);
    rows.scrollToIndex(Math.floor(results.indexOf(next) / columns));
    // The row may only exist once it was scrolled to.
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-result="${next.id}"]`)?.focus());
  };
  return (
    <div ref={scroller} className="history-grid scroll" onKeyDown={onKeyDown}>
      <div className="history-rows" style={{ height: rows.getTotalSize() }}>
        {items.map((row) => (
          <div
            key={row.key}
            className="history-row"
            style={{ '--columns': columns, transform: `translateY(${row.start}px)` } as CSSProperties}
          >
            {results.slice(row.index * columns, (row.index + 1) * columns).map((result) => (
              <ResultMenu key={result.id} result={result}>
                <button
                  type="button"
                  className="tile"
                  data-result={result.id}
                  data-selected={selected.includes(result.id)}
                  aria-pressed={selected.includes(result.id)}
                  onClick={(event) => onSelect(nextSelection(results, selected, result.id, event))}
                  onDoubleClick={() =>
                    studio.attempt(async () => {
                      await openAsItWas(studio, result.id);
                      studio.view.openDialog(null);
                    })
                  }
                >
                  <span className="thumb">
                    <img src={studio.blobUrl(result.picture)} alt="" loading="lazy" draggable={false} />
                    {result.starred ? <span className="thumb-star thumb-starred">★</span> : null}
                  </span>
                  <span className="tile-words">
                    <span className="ellipsis">{result.title || result.text || resultLabel(result)}</span>
                    <small className="num">
                      {formatWhen(result.createdAt, now)} · {resultLabel(result)}
                    </small>
                  </span>
                </button>
              </ResultMenu>
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}
