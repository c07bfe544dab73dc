import { TriangleAlert, WifiOff } from 'lucide-react';
import { sceneOf, segmentName } from '#shared/document/document.ts';
import { foregroundJob } from '../../features/generate/actions.ts';
import { JobWords } from '../../features/generate/job-words.tsx';
import { useWarnings } from '../../features/segments/warnings.ts';
import { warningWords } from '../../features/segments/warning-words.ts';
import { formatBytes } from '../format.ts';
import { useT } from '../i18n/texts.ts';
import { useDocument, useSession, useStudio, useView } from '../studio.ts';

/** The line at the bottom: the job, what to look at, size and zoom, the history's space. */
export function StatusBar() {
  const studio = useStudio();
  const t = useT();
  const { jobs, paused, usage, connection } = useSession((session) => ({
    jobs: session.jobs,
    paused: session.paused,
    usage: session.usage,
    connection: session.connection,
  }));
  const { document, scene } = useDocument((state) => ({
    document: state.document,
    scene: sceneOf(state.document),
  }));
  const { zoom, solo } = useView((view) => ({ zoom: view.viewport.zoom, solo: view.solo.length }));
  const warning = useWarnings()[0];
  const warned = warning ? document[warning.segment] : undefined;
  const job = foregroundJob(jobs);
  return (
    <footer className="statusbar">
      {connection === 'closed' ? (
        <span className="warn" role="alert">
          <WifiOff /> {t('status.reconnecting')}
        </span>
      ) : null}
      {/* the passes and the seconds are for the eye: read aloud, they would never end */}
      <span className="sr-only" role="status">
        {job?.progress ? t(`phase.${job.progress.phase}`) : ''}
      </span>
      <span className="job num" aria-hidden={job !== undefined}>
        {job ? <JobWords job={job} /> : paused ? t('status.paused') : t('status.ready')}
      </span>
      {solo > 0 ? <span className="warn">{t('status.solo', { count: solo })}</span> : null}
      {warning && warned?.type === 'segment' ? (
        <button type="button" className="warn" onClick={() => studio.view.select([warning.segment])}>
          <TriangleAlert />
          <span className="ellipsis">
            {t('status.warning', {
              name: segmentName(document, warned) || t('segments.unnamed'),
              warning: warningWords(t, warning),
            })}
          </span>
        </button>
      ) : null}
      <span className="grow" />
      <span className="num">
        {scene.width} × {scene.height}
      </span>
      <span className="num">{Math.round(zoom * 100)} %</span>
      {usage ? (
        <button
          type="button"
          className="num"
          onClick={() => studio.view.openDialog({ name: 'settings', page: 'storage' })}
        >
          {t('status.history', { used: formatBytes(usage.bytes), budget: formatBytes(usage.budget) })}
        </button>
      ) : null}
    </footer>
  );
}
