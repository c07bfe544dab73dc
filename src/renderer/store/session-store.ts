import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';
import type { CallOutput } from '#shared/api/calls.ts';
import type { EventPayload } from '#shared/api/events.ts';
import type { JobId, JobSummary, ResultId, ResultSummary, SegmentWarning } from '#shared/api/generation.ts';
import type { DeviceInfo, OpenModel, PackSummary } from '#shared/api/packs.ts';
import { Settings } from '#shared/api/settings.ts';
import type { BlobHash } from '#shared/document/geometry.ts';
import type { ErrorReport } from '#shared/errors.ts';

/** Something the artist should read: what happened, what was kept, what to do. */
export interface Notice {
  readonly id: number;
  readonly level: 'info' | 'warning' | 'error';
  readonly message: string;
  readonly kept?: string | undefined;
  readonly remedy?: string | undefined;
  /** A way out, one click away. */
  readonly action?: { readonly label: string; run(): void } | undefined;
}

/** A picture of a grid or live job. */
export interface JobPicture {
  readonly job: JobId;
  readonly index: number;
  readonly picture: BlobHash;
  /** [localScale, globalScale] of a grid's tile. */
  readonly point: readonly [number, number] | null;
}

/** The host's state as far as this window has heard of it. */
export interface SessionState {
  /** `closed`: the line to the host is down, and being taken up again. */
  readonly connection: 'open' | 'closed';
  readonly info: CallOutput<'app.info'> | null;
  readonly settings: Settings;
  readonly packs: readonly PackSummary[];
  readonly defaultPack: string | null;
  /** The model of the artist's own that is held in memory. */
  readonly openModel: OpenModel | null;
  readonly devices: readonly DeviceInfo[];
  readonly jobs: readonly JobSummary[];
  readonly paused: boolean;
  /** The newest results first; the strip shows them. */
  readonly results: readonly ResultSummary[];
  readonly resultsTotal: number;
  readonly usage: CallOutput<'results.usage'> | null;
  readonly notices: readonly Notice[];
  /** What may go wrong with segments on the model's map; follows the document with a short delay. */
  readonly warnings: readonly SegmentWarning[];
  /** Pictures of the guidance grid, by tile; see features/guidance/grid.ts. */
  readonly grid: readonly JobPicture[];
  /** Why the last job failed; shown until the next one starts. */
  readonly lastFailure: ErrorReport | null;
}

export interface SessionStore extends StoreApi<SessionState> {
  notify(notice: Omit<Notice, 'id'>): number;
  dismiss(id: number): void;
  putResult(result: ResultSummary): void;
  dropResults(ids: readonly ResultId[]): void;
  putJob(job: JobSummary): void;
}

export type QueueState = EventPayload<'queue.changed'>;

/** Notices shown at once; older ones make room. */
const NOTICES = 4;

export function createSessionStore(): SessionStore {
  const store = createStore<SessionState>(() => ({
    connection: 'open',
    info: null,
    settings: Settings.parse({}),
    packs: [],
    defaultPack: null,
    openModel: null,
    devices: [],
    jobs: [],
    paused: false,
    results: [],
    resultsTotal: 0,
    usage: null,
    notices: [],
    warnings: [],
    grid: [],
    lastFailure: null,
  }));
  let noticeId = 0;
  return {
    ...store,
    notify: (notice) => {
      const id = (noticeId += 1);
      store.setState(({ notices }) => ({
        // The same trouble again replaces its notice: a flapping line must not fill the window.
        notices: [...notices.filter((old) => old.message !== notice.message), { ...notice, id }].slice(-NOTICES),
      }));
      return id;
    },
    dismiss: (id) => store.setState(({ notices }) => ({ notices: notices.filter((notice) => notice.id !== id) })),
    putResult: (result) =>
      store.setState(({ results, resultsTotal }) => {
        const at = results.findIndex((old) => old.id === result.id);
        if (at >= 0) return { results: results.with(at, result) };
        const place = results.findIndex((old) => old.createdAt <= result.createdAt);
        return {
          results: results.toSpliced(place < 0 ? results.length : place, 0, result),
          resultsTotal: resultsTotal + 1,
        };
      }),
    dropResults: (ids) =>
      store.setState(({ results, resultsTotal }) => {
        const rest = results.filter((result) => !ids.includes(result.id));
        return { results: rest, resultsTotal: Math.max(rest.length, resultsTotal - (results.length - rest.length)) };
      }),
    putJob: (job) =>
      store.setState(({ jobs }) => {
        const at = jobs.findIndex((old) => old.id === job.id);
        return { jobs: at >= 0 ? jobs.with(at, job) : [...jobs, job] };
      }),
  };
}
