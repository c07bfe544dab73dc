import type { JobId } from '#shared/api/generation.ts';
import type { Studio } from '../../app/studio.ts';
import { foregroundJob, isActive } from './actions.ts';
import { liveRequest, modelKey } from './requests.ts';

/** Steps of a live picture: few, so that it follows the hand. */
export const LIVE_STEPS = 6;
/** Quiet time after a change before a picture is asked for, in milliseconds. */
const SETTLE = 120;

/**
 * Pictures that follow the drawing: one job in flight, the latest state wins. A change during a job is not lost and
 * does not cancel it (a slow machine would never show anything); the next job starts from what the document is then.
 * @returns the end of it
 */
export function followLive(studio: Studio, steps = LIVE_STEPS): () => void {
  const { document, view, session, api } = studio;
  let inFlight: JobId | null = null;
  let starting = false;
  let made = '';
  let timer: ReturnType<typeof setTimeout> | null = null;

  const wake = (delay = SETTLE): void => {
    if (!view.getState().live) return;
    if (timer) clearTimeout(timer);
    timer = setTimeout(() => {
      timer = null;
      studio.attempt(next);
    }, delay);
  };

  async function next(): Promise<void> {
    if (!view.getState().live || starting || inFlight !== null || view.getState().drawing) return;
    if (foregroundJob(session.getState().jobs)) return;
    const state = document.getState();
    if (!state.id) return;
    const key = modelKey(state.document) + view.getState().solo.join();
    if (key === made) return;
    made = key;
    starting = true;
    try {
      inFlight = (await api.call('generate.start', liveRequest(state.document, view.getState(), steps))).job;
    } finally {
      starting = false;
    }
    // It may have ended before its name was known here.
    const job = session.getState().jobs.find(({ id }) => id === inFlight);
    if (job && !isActive(job)) done();
  }

  function done(): void {
    inFlight = null;
    wake(0);
  }

  const stops = [
    document.subscribe((state, before) => {
      if (state.document !== before.document) wake();
    }),
    view.subscribe((state, before) => {
      if (state.live && !before.live) {
        made = '';
        wake(0);
      }
      if (!state.live && before.live && inFlight) {
        const job = inFlight;
        studio.attempt(() => api.call('generate.cancel', { job, hard: false }));
      }
      if ((before.drawing && !state.drawing) || state.solo !== before.solo) wake();
    }),
    api.on('job.changed', ({ job }) => {
      if (job.id === inFlight && !isActive(job)) done();
      else if (!isActive(job)) wake();
    }),
    api.on('queue.changed', ({ jobs }) => {
      // A job can also vanish from the queue (the engine was killed) without a last word.
      if (inFlight && !jobs.some((job) => job.id === inFlight && isActive(job))) done();
    }),
    api.on('job.picture', ({ job, picture, point }) => {
      if (job === inFlight && point === null && view.getState().live)
        view.setState({ shown: { kind: 'picture', picture, job } });
    }),
  ];
  if (view.getState().live) wake(0);
  return () => {
    if (timer) clearTimeout(timer);
    for (const stop of stops) stop();
  };
}
