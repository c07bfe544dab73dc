import type { JobId } from '#shared/api/generation.ts';
import { sceneOf } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { Studio } from '../../app/studio.ts';
import { patchScene } from '../../store/recipes.ts';
import { foregroundJob, isActive, shownResult } from '../generate/actions.ts';
import { gridRequest, modelKey } from '../generate/requests.ts';
import { gridPoints, pointKey } from './plane.ts';

/** Steps of a grid picture: enough to tell the points apart. */
const GRID_STEPS = 8;
/** Quiet time after an edit before the grid is filled, in milliseconds. */
const QUIET = 700;

/** What the grid's pictures depend on: everything but the two scales that it varies. */
export const gridKey = (document: StudioDocument): string =>
  modelKey(
    patchScene(document, { guidance: { ...sceneOf(document).guidance, localScale: 0, globalScale: 0, scale: 0 } }),
  );

/**
 * Fills the pad's plane with small pictures in the background while it is switched on. An edit that changes what the
 * pictures would show throws them away and starts over when the hand rests; moving the dials keeps them. What the
 * artist waits for goes first: the job is cancelled and taken up again with the points still missing.
 * @returns the end of it
 */
export function followGrid(studio: Studio, quiet = QUIET): () => void {
  const { api, document, view, session } = studio;
  let job: JobId | null = null;
  let starting = false;
  let key = '';
  let timer: ReturnType<typeof setTimeout> | null = null;

  const keyNow = (): string =>
    [gridKey(document.getState().document), view.getState().grid.cells, ...view.getState().solo].join();

  const wake = (delay = quiet): void => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (!view.getState().grid.on) return;
    timer = setTimeout(() => {
      timer = null;
      studio.attempt(fill);
    }, delay);
  };

  async function fill(): Promise<void> {
    const state = document.getState();
    const { grid, drawing } = view.getState();
    const scene = sceneOf(state.document);
    if (!grid.on || drawing || starting || job !== null || !state.id || scene.guidance.mode === 'single') return;
    if (foregroundJob(session.getState().jobs)) return;
    const done = new Set(session.getState().grid.flatMap(({ point }) => (point ? [pointKey(point)] : [])));
    const { localScale, globalScale } = scene.guidance;
    const points = gridPoints(grid.cells, [localScale, globalScale]).filter((point) => !done.has(pointKey(point)));
    if (points.length === 0) return;
    starting = true;
    const seed = scene.seedLocked ? scene.seed : (shownResult(studio)?.seed ?? scene.seed);
    const request = gridRequest(
      state.document,
      view.getState(),
      points,
      Math.min(GRID_STEPS, scene.sampler.steps),
      seed,
    );
    try {
      job = (await api.call('generate.start', request)).job;
    } finally {
      starting = false;
    }
    // Everything may have changed while the job was queued.
    if (keyNow() !== key || !view.getState().grid.on) stopJob();
  }

  function stopJob(): void {
    if (job === null) return;
    const stopped = job;
    job = null;
    studio.attempt(() => api.call('generate.cancel', { job: stopped, hard: false }));
  }

  /** Looks whether the tiles still show what the document says. */
  function check(): void {
    if (!view.getState().grid.on) return;
    const now = keyNow();
    if (now === key) return;
    key = now;
    stopJob();
    session.setState({ grid: [] });
    wake();
  }

  const stops = [
    document.subscribe((state, before) => {
      if (state.document !== before.document && view.getState().grid.on) check();
    }),
    view.subscribe((state, before) => {
      if (state.grid !== before.grid) {
        if (state.grid.on) {
          check();
          wake(0);
        } else {
          stopJob();
          key = '';
          session.setState({ grid: [] });
        }
      } else if (state.solo !== before.solo) check();
      if (before.drawing && !state.drawing) wake();
    }),
    api.on('job.picture', ({ job: from, index, picture, point }) => {
      if (from !== job || point === null) return;
      session.setState(({ grid }) => ({ grid: [...grid, { job: from, index, picture, point }] }));
    }),
    api.on('job.changed', ({ job: changed }) => {
      if (changed.id === job) {
        if (changed.state === 'running' && foregroundJob(session.getState().jobs)) stopJob();
        else if (!isActive(changed)) {
          job = null;
          // A failed grid is not tried again by itself: it would fail the same way.
          if (changed.state !== 'failed') wake();
        }
      } else if (!isActive(changed)) wake();
    }),
    session.subscribe((state, before) => {
      if (state.jobs !== before.jobs && job !== null && foregroundJob(state.jobs)) stopJob();
    }),
  ];
  if (view.getState().grid.on) check();
  return () => {
    if (timer) clearTimeout(timer);
    for (const stop of stops) stop();
  };
}
