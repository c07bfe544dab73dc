import { useT } from '../../app/i18n/texts.ts';
import { useSession } from '../../app/studio.ts';
import { foregroundJob } from './actions.ts';
import { fractionOf } from './words.ts';

/** The running job as a thin line above the canvas. */
export function JobBar() {
  const t = useT();
  const job = useSession((session) => foregroundJob(session.jobs));
  if (!job) return null;
  const fraction = fractionOf(job.progress);
  return (
    <div className="stage-progress">
      <ProgressLine label={t('job.progress')} fraction={fraction} />
    </div>
  );
}

export function ProgressLine({ label, fraction }: { readonly label: string; readonly fraction: number | null }) {
  return (
    <div
      className={`bar ${fraction === null ? 'bar-idle' : ''}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(fraction === null ? {} : { 'aria-valuenow': Math.round(fraction * 100) })}
    >
      <i style={fraction === null ? {} : { width: `${fraction * 100}%` }} />
    </div>
  );
}
