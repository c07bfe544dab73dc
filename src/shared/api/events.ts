import { z } from 'zod';
import { BlobHash } from '../document/geometry.ts';
import { DocumentId } from './calls.ts';
import { JobId, JobSummary, ResultId, ResultSummary } from './generation.ts';
import { DeviceInfo } from './packs.ts';
import { Settings } from './settings.ts';

/** Everything a host may tell a window unasked. */
export const EVENTS = {
  'queue.changed': z.object({ jobs: z.array(JobSummary), paused: z.boolean() }),
  'job.changed': z.object({ job: JobSummary }),
  /** Predicted x0 in the middle of a job: a small PNG. */
  'job.preview': z.object({
    job: JobId,
    image: z.number().int(),
    step: z.number().int(),
    png: z.instanceof(Uint8Array),
  }),
  /** A picture of a grid or live job: not in the history, but its blob is there for the session. */
  'job.picture': z.object({
    job: JobId,
    index: z.number().int(),
    picture: BlobHash,
    point: z.tuple([z.number(), z.number()]).nullable(),
  }),
  'result.added': z.object({ result: ResultSummary }),
  'result.changed': z.object({ result: ResultSummary }),
  'results.removed': z.object({ ids: z.array(ResultId) }),
  'document.saved': z.object({ id: DocumentId, sequence: z.number().int(), dirty: z.boolean() }),
  /** Changes cannot be kept on disk just now (`stuck`), or can again; they are tried again every second. */
  'document.trouble': z.object({ id: DocumentId, stuck: z.boolean() }),
  'settings.changed': z.object({ settings: Settings }),
  'packs.changed': z.object({}),
  'device.changed': z.object({ device: DeviceInfo }),
  /** Something the artist should read: what happened, what was kept, what to do. */
  notice: z.object({
    level: z.enum(['info', 'warning', 'error']),
    message: z.string(),
    kept: z.string().optional(),
    remedy: z.string().optional(),
  }),
  /** A menu entry or a file opened from outside: the window runs the command of that name. */
  command: z.object({ name: z.string().max(100), argument: z.string().max(4096).optional() }),
} as const satisfies Record<string, z.ZodType>;

export type EventName = keyof typeof EVENTS;
export type EventPayload<N extends EventName> = z.output<(typeof EVENTS)[N]>;
export type AnyEvent = { [N in EventName]: { readonly name: N; readonly payload: EventPayload<N> } }[EventName];
