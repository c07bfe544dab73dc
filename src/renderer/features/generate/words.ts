import type { JobProgress, JobSummary } from '#shared/api/generation.ts';
import { formatSeconds } from '../../app/format.ts';
import type { Translate } from '../../app/i18n/texts.ts';
import { changeWords } from '../compare/change-words.ts';

/** Progress 0..1 by network passes; null while it cannot be told. */
export function fractionOf(progress: JobProgress | null): number | null {
  if (!progress || progress.passesTotal === 0) return null;
  return Math.min(1, progress.passesDone / progress.passesTotal);
}

/**
 * A job's progress in one line: "48 of 80 passes · 1.2 s left", "developing · 0.4 s left".
 * @param secondsLeft by the clock, see countdown.ts; null: not known
 */
export function progressWords(t: Translate, job: JobSummary, secondsLeft: number | null): string {
  if (job.state === 'queued' || !job.progress) return t('job.waiting');
  const { phase, passesDone, passesTotal, images, image } = job.progress;
  const parts = [phase === 'denoise' ? t('job.passes', { done: passesDone, total: passesTotal }) : t(`phase.${phase}`)];
  if (images > 1) parts.unshift(t('job.image', { image: Math.min(image + 1, images), images }));
  if (secondsLeft !== null)
    parts.push(secondsLeft < 0.05 ? t('job.soon') : t('job.left', { time: formatSeconds(secondsLeft) }));
  return parts.join(' · ');
}

export const purposeWords = (t: Translate, job: Pick<JobSummary, 'purpose' | 'about'>): string =>
  t(job.about?.detail ? 'purpose.detail' : `purpose.${job.purpose.kind}`);

/** What tells a job of the queue apart: what changed since the one before it, or its seed. */
export function aboutWords(t: Translate, { about }: Pick<JobSummary, 'about'>): string {
  if (!about) return '';
  const changes = about.changes.map((change) => changeWords(t, change));
  return changes.length > 0 ? changes.join(' · ') : t('job.seed', { seed: about.seed });
}
