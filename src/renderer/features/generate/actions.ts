import type { JobId, JobSummary, ResultSummary } from '#shared/api/generation.ts';
import { sceneOf } from '#shared/document/document.ts';
import type { SegmentId } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import type { Studio } from '../../app/studio.ts';
import { translate } from '../../app/i18n/texts.ts';
import { patchScene } from '../../store/recipes.ts';
import { freshSeed, generateRequest, redoSegmentRequest, upscaleRequest, variationsRequest } from './requests.ts';
import type { Request } from './requests.ts';

/** Jobs that the artist did not ask for one by one. */
export const isQuiet = (job: Pick<JobSummary, 'purpose'>): boolean =>
  job.purpose.kind === 'live' || job.purpose.kind === 'grid';

export const isActive = (job: JobSummary): boolean => job.state === 'queued' || job.state === 'running';

/** The job the artist waits for: the running one, else the first in the queue. */
export function foregroundJob(jobs: readonly JobSummary[]): JobSummary | undefined {
  const waited = jobs.filter((job) => isActive(job) && !isQuiet(job));
  return waited.find((job) => job.state === 'running') ?? waited[0];
}

async function start(studio: Studio, request: Request): Promise<JobId> {
  studio.session.setState({ lastFailure: null });
  const { job } = await studio.api.call('generate.start', request);
  return job;
}

export const generate = (studio: Studio): Promise<JobId> =>
  start(studio, generateRequest(studio.document.getState().document, studio.view.getState()));

/** Variations of the shown result, or of the scene's seed. */
export function vary(studio: Studio, count = 4, strength = 0.35): Promise<JobId> {
  const { document } = studio.document.getState();
  const shown = shownResult(studio);
  return start(
    studio,
    variationsRequest(document, studio.view.getState(), count, strength, shown?.seed ?? sceneOf(document).seed),
  );
}

/** @throws StudioError bad-use if no result is shown */
export function redoSegment(studio: Studio, segment: SegmentId, strength = 1): Promise<JobId> {
  const { shown } = studio.view.getState();
  if (shown.kind !== 'result') return Promise.reject(needsResult());
  return start(studio, redoSegmentRequest(studio.document.getState().document, shown, segment, strength));
}

export function upscale(studio: Studio, factor: 2 | 4): Promise<JobId> {
  const result = shownResult(studio);
  if (!result) return Promise.reject(needsResult());
  return start(studio, upscaleRequest(studio.document.getState().document, result, factor));
}

const needsResult = (): StudioError =>
  new StudioError('bad-use', translate('generate.needsResult'), { remedy: translate('generate.needsResultRemedy') });

/** The result on the canvas, if it is one of the history. */
export function shownResult(studio: Studio): ResultSummary | undefined {
  const { shown } = studio.view.getState();
  return shown.kind === 'result'
    ? studio.session.getState().results.find((result) => result.id === shown.id)
    : undefined;
}

export async function cancel(studio: Studio, job: JobId, hard = false): Promise<void> {
  await studio.api.call('generate.cancel', { job, hard });
}

export async function cancelForeground(studio: Studio): Promise<void> {
  const job = foregroundJob(studio.session.getState().jobs);
  if (job) await cancel(studio, job.id);
}

/** Lets the next pictures start from the shown result instead of noise. */
export function startFromShown(studio: Studio, strength = 0.6): void {
  const { shown } = studio.view.getState();
  if (shown.kind === 'none' || shown.kind === 'preview') throw needsResult();
  studio.document.edit('edit.start', (document) =>
    patchScene(document, { start: { blob: shown.picture, strength: sceneOf(document).start?.strength ?? strength } }),
  );
}

export const setSeed = (studio: Studio, seed: number): void =>
  void studio.document.edit('edit.seed', (document) => patchScene(document, { seed, seedLocked: true }), {
    extend: 'seed',
  });

export const rollSeed = (studio: Studio): void => setSeed(studio, freshSeed());
