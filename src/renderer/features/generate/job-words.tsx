import type { JobSummary } from '#shared/api/generation.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useSession } from '../../app/studio.ts';
import { useSecondsLeft } from './countdown.ts';
import { progressWords } from './words.ts';

/** A job's progress in one line, with the time left counting down. */
export function JobWords({ job }: { readonly job: JobSummary }) {
  const t = useT();
  const paused = useSession((session) => session.paused);
  const left = useSecondsLeft(job);
  return paused && job.state === 'queued' ? t('status.paused') : progressWords(t, job, left);
}
