import type { JobProgress, JobSummary } from '#shared/api/generation.ts';
import { formatSeconds } from '../../app/format.ts';
import type { Translate } from '../../app/i18n/texts.ts';

/** Progress 0..1 by network passes; null while it cannot be told. */
export function fractionOf(progress: JobProgress | null): number | null {
  if (!progress || progress.passesTotal === 0) return null;
  return Math.min(1, progress.passesDone / progress.passesTotal);
}

/** A job's progress in one line: "48 of 80 passes · 1.2 s left". */
export function progressWords(t: Translate, job: JobSummary): string {
  if (job.state === 'queued' || !job.progress) return t('job.waiting');
  const { phase, passesDone, passesTotal, images, image, secondsLeft } = job.progress;
  if (phase !== 'denoise') return t(`phase.${phase}`);
  const parts = [t('job.passes', { done: passesDone, total: passesTotal })];
  if (images > 1) parts.unshift(t('job.image', { image: Math.min(image + 1, images), images }));
  if (secondsLeft !== null) parts.push(t('job.left', { time: formatSeconds(secondsLeft) }));
  return parts.join(' · ');
}

export const purposeWords = (t: Translate, job: Pick<JobSummary, 'purpose'>): string =>
  t(`purpose.${job.purpose.kind}`);
