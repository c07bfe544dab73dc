import { useEffect, useLayoutEffect, useRef } from 'react';
import { sceneOf } from '#shared/document/document.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useDocument, useSession, useStudio, useView } from '../../app/studio.ts';
import { foregroundJob } from '../../features/generate/actions.ts';
import { fractionOf } from '../../features/generate/words.ts';
import type { Stage } from '../stage.ts';

/** What is tied to the sheet on the screen: the progress line at its lower edge and the handle of the split. */
export function SheetOverlay({ stage }: { readonly stage: Stage }) {
  const t = useT();
  const layer = useRef<HTMLDivElement>(null);
  const place = (): void => {
    const { zoom, x, y } = stage.viewport;
    const { width, height } = stage.sceneRecord;
    const { style } = layer.current ?? {};
    if (!style) return;
    style.transform = `translate(${x}px, ${y}px)`;
    style.width = `${width * zoom}px`;
    style.height = `${height * zoom}px`;
  };
  useEffect(() => stage.subscribe(place));
  useLayoutEffect(place);
  const empty = useDocument(({ document }) => !Object.values(document).some(({ type }) => type === 'segment' || type === 'reference')); // prettier-ignore
  const shown = useView((state) => state.shown.kind !== 'none');
  const drawing = useView((state) => state.drawing);
  return (
    <div ref={layer} className="sheet-overlay">
      <ProgressLine />
      {shown ? <SplitHandle stage={stage} /> : null}
      {empty && !shown && !drawing ? (
        <div className="sheet-empty">
          <strong>{t('canvas.empty.title')}</strong>
          <span>{t('canvas.empty.words')}</span>
        </div>
      ) : null}
    </div>
  );
}

function ProgressLine() {
  const t = useT();
  const { job, paused } = useSession((session) => ({ job: foregroundJob(session.jobs), paused: session.paused }));
  // a paused queue does nothing, and must not look as if it did
  if (!job || (paused && job.state === 'queued')) return null;
  const fraction = fractionOf(job.progress);
  const percent = Math.round((fraction ?? 0) * 100);
  return (
    <div
      className="progress-line"
      role="progressbar"
      aria-label={t('canvas.progress', { percent })}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(fraction === null ? {} : { 'aria-valuenow': percent })}
      data-waiting={fraction === null || undefined}
    >
      <i style={{ transform: `scaleX(${fraction ?? 0})` }} />
    </div>
  );
}

/** Drag, or arrow keys: picture on the left, segments on the right. */
function SplitHandle({ stage }: { readonly stage: Stage }) {
  const t = useT();
  const { view } = useStudio();
  const { place, split } = useView((state) => ({ place: state.resultPlace, split: state.split }));
  const width = useDocument(({ document }) => sceneOf(document).width);
  if (place !== 'split') return null;
  const moveTo = (fraction: number): void => view.setState({ split: Math.max(0, Math.min(1, fraction)) });
  return (
    <div
      className="split-handle"
      style={{ left: `${split * 100}%` }}
      role="slider"
      tabIndex={0}
      aria-label={t('canvas.split.handle')}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(split * 100)}
      data-canvas-ui
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId))
          moveTo(stage.toScene(event.clientX, event.clientY)[0] / width);
      }}
      onKeyDown={(event) => {
        const step = event.shiftKey ? 0.1 : 0.01;
        if (event.key === 'ArrowLeft') moveTo(split - step);
        else if (event.key === 'ArrowRight') moveTo(split + step);
        else return;
        event.preventDefault();
      }}
    >
      <i aria-hidden="true" />
    </div>
  );
}
