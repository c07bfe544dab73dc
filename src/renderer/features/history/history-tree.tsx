import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo } from 'react';
import type { ResultSummary } from '#shared/api/generation.ts';
import { useStudio } from '../../app/studio.ts';
import { openAsItWas } from './actions.ts';
import { nextSelection } from './history-grid.tsx';
import type { PickerProps } from './history-grid.tsx';
import { ResultMenu } from './thumb.tsx';
import { useInnerWidth } from './inner-width.ts';
import { useResultName } from './result-names.ts';
import { layoutTree } from './tree-layout.ts';

const NODE = 112;
const COLUMN = NODE + 40;
const ROW = NODE + 16;

/** Results with where they come from, as trees from left to right. */
export function HistoryTree({ results, selected, onSelect, onMore }: PickerProps & { readonly onMore: () => void }) {
  const studio = useStudio();
  const { scroller, width } = useInnerWidth();
  const across = Math.max(1, Math.floor((width + COLUMN - NODE) / COLUMN));
  const nodes = useMemo(() => layoutTree(results, across), [results, across]);
  const rowCount = Math.max(0, ...nodes.map((node) => node.row)) + 1;
  const columns = Math.max(0, ...nodes.map((node) => node.column)) + 1;
  const byId = useMemo(() => new Map(nodes.map((node) => [node.result.id, node])), [nodes]);
  // The compiler cannot memoise what the virtualizer returns; nothing here relies on that.
  // oxlint-disable-next-line react/incompatible-library
  const rows = useVirtualizer({
    count: rowCount,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 3,
  });
  const visible = rows.getVirtualItems();
  const first = visible[0]?.index ?? 0;
  const last = visible.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last + 2 >= rowCount) onMore();
  }, [last, rowCount, onMore]);
  return (
    <div ref={scroller} className="history-grid scroll">
      <div className="tree" style={{ width: columns * COLUMN, height: rows.getTotalSize() }}>
        <svg className="tree-lines" width={columns * COLUMN} height={rows.getTotalSize()} aria-hidden="true">
          {nodes.map((node) => {
            const parent = node.parent === null ? undefined : byId.get(node.parent);
            if (!parent || node.row < first || parent.row > last) return null;
            const [x1, y1] = [parent.column * COLUMN + NODE, parent.row * ROW + NODE / 2];
            const [x2, y2] = [node.column * COLUMN, node.row * ROW + NODE / 2];
            const bend = x2 - 20;
            return (
              <path
                key={node.result.id}
                d={`M${x1} ${y1}H${bend - 8}Q${bend} ${y1} ${bend} ${y1 + Math.sign(y2 - y1) * 8}V${y2 - Math.sign(y2 - y1) * 8}Q${bend} ${y2} ${bend + 8} ${y2}H${x2}`}
                fill="none"
                stroke="currentColor"
                strokeWidth="1.5"
              />
            );
          })}
        </svg>
        {nodes
          .filter((node) => node.row >= first && node.row <= last)
          .map(({ result, column, row }) => (
            <div
              key={result.id}
              className="thumb-wrap"
              style={{ transform: `translate(${column * COLUMN}px, ${row * ROW}px)` }}
            >
              <ResultMenu result={result}>
                <button
                  type="button"
                  className="thumb"
                  data-shown={selected.includes(result.id)}
                  aria-pressed={selected.includes(result.id)}
                  title={result.text}
                  onClick={(event) => onSelect(nextSelection(results, selected, result.id, event))}
                  onDoubleClick={() =>
                    studio.attempt(async () => {
                      await openAsItWas(studio, result.id);
                      studio.view.openDialog(null);
                    })
                  }
                >
                  <img src={studio.blobUrl(result.picture)} alt="" draggable={false} />
                  <ResultName result={result} />
                </button>
              </ResultMenu>
            </div>
          ))}
      </div>
    </div>
  );
}

/** What was changed to get it: what the tree is looked at for. */
function ResultName({ result }: { readonly result: ResultSummary }) {
  return <span className="thumb-label ellipsis">{useResultName(result)}</span>;
}
