import type { JobId } from '#shared/api/generation.ts';
import type { Studio } from '../../app/studio.ts';
import { isActive, isQuiet } from './actions.ts';

/**
 * Puts what jobs make on the canvas: previews while they run, the first result of each when it is there.
 * The artist's choice wins: a result opened during a job stays until the job's own result comes.
 * @param urls makes and frees object URLs (replaced in tests)
 * @returns the end of it
 */
export function followJobs(
  studio: Studio,
  urls: Pick<typeof URL, 'createObjectURL' | 'revokeObjectURL'> = URL,
): () => void {
  const { api, view, session } = studio;
  let preview: { job: JobId; url: string } | null = null;
  /** What was shown before the preview: comes back if the job ends without a result. */
  let before = view.getState().shown;
  const seen = new Set<JobId>();

  function endPreview(restore: boolean): void {
    if (!preview) return;
    if (restore && view.getState().shown.kind === 'preview') view.setState({ shown: before });
    urls.revokeObjectURL(preview.url);
    preview = null;
  }

  const stops = [
    api.on('job.preview', ({ job, png }) => {
      const known = session.getState().jobs.find((one) => one.id === job);
      if (known && (isQuiet(known) || !isActive(known))) return;
      const { shown } = view.getState();
      if (shown.kind !== 'preview') {
        // Another picture was opened during this very job: do not take it away.
        if (preview?.job === job) return;
        before = shown;
      }
      const url = urls.createObjectURL(new Blob([new Uint8Array(png)], { type: 'image/png' }));
      const old = preview;
      preview = { job, url };
      view.setState({ shown: { kind: 'preview', url, job } });
      if (old) urls.revokeObjectURL(old.url);
    }),
    api.on('result.added', ({ result }) => {
      if (seen.has(result.job) || result.kind === 'imported') return;
      seen.add(result.job);
      view.setState({ shown: { kind: 'result', id: result.id, picture: result.picture } });
      endPreview(false);
    }),
    api.on('job.changed', ({ job }) => {
      if (!isActive(job) && preview?.job === job.id) endPreview(true);
    }),
  ];
  return () => {
    endPreview(true);
    for (const stop of stops) stop();
  };
}
