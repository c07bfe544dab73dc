import { useRef } from 'react';
import type { CSSProperties, KeyboardEvent, PointerEvent } from 'react';
import { sceneOf } from '#shared/document/document.ts';
import { formatNumber } from '../../app/format.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useDocument, useSession, useStudio, useView } from '../../app/studio.ts';
import type { JobPicture } from '../../store/session-store.ts';
import { setPoint } from './actions.ts';
import { PAD_MAX, fromPad, gridPoints, pointKey, roundScale, toPad } from './plane.ts';
import type { GuidancePoint } from './plane.ts';

/** The plane of both scales: segments to the right, scene upwards. Drag, click, arrow keys; tiles show the way. */
export function Pad() {
  const studio = useStudio();
  const t = useT();
  const pad = useRef<HTMLDivElement>(null);
  const pressed = useRef<{ x: number; y: number; moved: boolean } | null>(null);
  const { localScale, globalScale } = useDocument((state) => sceneOf(state.document).guidance);
  const grid = useView((view) => view.grid);
  const place = toPad([localScale, globalScale]);

  const follow = (event: PointerEvent): void => {
    const box = pad.current?.getBoundingClientRect();
    if (!box) return;
    setPoint(studio, fromPad((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.shiftKey ? 1 : 0.1;
    const by = ({ ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] } as Record<string, [number, number]>)[event.key]; // prettier-ignore
    if (!by) return;
    event.preventDefault();
    setPoint(studio, [roundScale(localScale + by[0]), roundScale(globalScale + by[1])]);
  };

  return (
    <div
      ref={pad}
      className="pad"
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        studio.document.seal();
        pressed.current = { x: event.clientX, y: event.clientY, moved: false };
      }}
      onPointerMove={(event) => {
        const start = pressed.current;
        if (!start) return;
        if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > 3) start.moved = true;
        if (start.moved) follow(event);
      }}
      onPointerUp={(event) => {
        const start = pressed.current;
        pressed.current = null;
        if (!start) return;
        // A click on a tile takes the tile's own point and shows its picture; elsewhere the very place clicked.
        if (!start.moved && !adoptTileAt(event)) follow(event);
        studio.document.seal();
        pad.current?.querySelector<HTMLElement>('.pad-dot')?.focus({ preventScroll: true });
      }}
      onPointerCancel={() => {
        pressed.current = null;
      }}
    >
      {grid.on ? <Tiles cells={grid.cells} /> : <Lines />}
      <span className="pad-cross pad-cross-x" style={{ left: `${place.x * 100}%` }} />
      <span className="pad-cross pad-cross-y" style={{ top: `${place.y * 100}%` }} />
      <span className="pad-axis pad-axis-scene">↑ {t('guidance.sceneMore')}</span>
      <span className="pad-axis pad-axis-segments">{t('guidance.segmentsMore')} →</span>
      <span
        className="pad-dot"
        role="slider"
        tabIndex={0}
        aria-label={t('guidance.pad')}
        aria-valuemin={0}
        aria-valuemax={PAD_MAX}
        aria-valuenow={localScale}
        aria-valuetext={t('guidance.point', {
          scene: formatNumber(globalScale, 1),
          segments: formatNumber(localScale, 1),
        })}
        style={{ left: `${place.x * 100}%`, top: `${place.y * 100}%` }}
        onKeyDown={onKeyDown}
        onBlur={() => studio.document.seal()}
      />
    </div>
  );

  function adoptTileAt(event: PointerEvent): boolean {
    const box = pad.current?.getBoundingClientRect();
    if (!grid.on || !box) return false;
    const column = Math.floor(((event.clientX - box.left) / box.width) * grid.cells);
    const row = grid.cells - 1 - Math.floor(((event.clientY - box.top) / box.height) * grid.cells);
    const side = PAD_MAX / grid.cells;
    const point: GuidancePoint = [roundScale((column + 0.5) * side), roundScale((row + 0.5) * side)];
    const tile = studio.session.getState().grid.find((one) => one.point && pointKey(one.point) === pointKey(point));
    if (!tile) return false;
    setPoint(studio, point);
    studio.view.setState({ shown: { kind: 'picture', picture: tile.picture, job: tile.job } });
    return true;
  }
}

/** Pictures of the plane, where they belong. */
function Tiles({ cells }: { readonly cells: number }) {
  const studio = useStudio();
  const tiles = useSession((session) => session.grid);
  const busy = useSession((session) =>
    session.jobs.some((job) => job.purpose.kind === 'grid' && (job.state === 'running' || job.state === 'queued')),
  );
  const byPoint = new Map<string, JobPicture>();
  for (const tile of tiles) if (tile.point) byPoint.set(pointKey(tile.point), tile);
  // Rows from the top (scene says most) to the bottom.
  const ordered = gridPoints(cells, [0, 0]).toSorted((a, b) => b[1] - a[1] || a[0] - b[0]);
  return (
    <div className="pad-tiles" style={{ '--cells': cells } as CSSProperties}>
      {ordered.map((point) => {
        const tile = byPoint.get(pointKey(point));
        return (
          <span
            key={pointKey(point)}
            className="pad-tile"
            data-busy={busy && !tile}
            title={`${formatNumber(point[1], 1)} × ${formatNumber(point[0], 1)}`}
          >
            {tile ? <img src={studio.blobUrl(tile.picture)} alt="" draggable={false} /> : null}
          </span>
        );
      })}
    </div>
  );
}

/** The empty pad: a line for each whole two units. */
function Lines() {
  const marks = [1, 2, 3].map((index) => (index * 100) / 4);
  return (
    <svg className="pad-lines" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
      {marks.map((at) => (
        <g key={at} stroke="currentColor" strokeWidth="1" vectorEffect="non-scaling-stroke">
          <line x1={at} y1="0" x2={at} y2="100" vectorEffect="non-scaling-stroke" />
          <line x1="0" y1={at} x2="100" y2={at} vectorEffect="non-scaling-stroke" />
        </g>
      ))}
    </svg>
  );
}
