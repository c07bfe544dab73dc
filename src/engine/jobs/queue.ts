import type { GenerateRequest, JobId, JobSummary } from '#shared/api/generation.ts';
import { StudioError } from '#shared/errors.ts';

type Entry = { readonly request: GenerateRequest; summary: JobSummary };

const RANK = { front: 0, normal: 1, background: 2 } as const;
/** Finished jobs that stay in the list, so that the artist can read what became of them. */
const KEPT = 30;

/** The order of jobs and what is known of each. Pure bookkeeping: no process, no clock. */
export class JobQueue {
  #entries: Entry[] = [];
  paused = false;

  add(id: JobId, request: GenerateRequest, title: string, now: number): JobSummary {
    if (this.#entries.some((entry) => entry.summary.id === id))
      throw new StudioError('bad-use', `the job ${id} is already there`);
    const summary: JobSummary = {
      id,
      state: 'queued',
      purpose: request.purpose,
      title,
      createdAt: now,
      progress: null,
      error: null,
      results: [],
    };
    const rank = RANK[request.priority];
    // Behind everything of the same or a higher rank that still waits.
    let at = this.#entries.length;
    while (at > 0) {
      const before = this.#entries[at - 1];
      if (before?.summary.state !== 'queued' || RANK[before.request.priority] <= rank) break;
      at -= 1;
    }
    this.#entries.splice(at, 0, { request, summary });
    return summary;
  }

  /** The next job to run, or undefined (none waits, one runs, or the queue is paused). */
  next(): { id: JobId; request: GenerateRequest } | undefined {
    if (this.paused || this.running()) return undefined;
    const entry = this.#entries.find(({ summary }) => summary.state === 'queued');
    return entry && { id: entry.summary.id, request: entry.request };
  }

  running(): JobSummary | undefined {
    return this.#entries.find(({ summary }) => summary.state === 'running')?.summary;
  }

  get(id: JobId): JobSummary | undefined {
    return this.#entries.find(({ summary }) => summary.id === id)?.summary;
  }

  /** Changes what is known of a job; returns the new summary. */
  update(id: JobId, change: Partial<Omit<JobSummary, 'id'>>): JobSummary {
    const entry = this.#entries.find(({ summary }) => summary.id === id);
    if (!entry) throw new StudioError('not-found', `there is no job ${id}`);
    entry.summary = { ...entry.summary, ...change };
    this.#forgetOld();
    return entry.summary;
  }

  move(id: JobId, to: 'front' | 'back'): void {
    const index = this.#entries.findIndex(({ summary }) => summary.id === id && summary.state === 'queued');
    const [entry] = index < 0 ? [] : this.#entries.splice(index, 1);
    if (!entry) throw new StudioError('not-found', `the job ${id} does not wait in the queue`);
    const first = this.#entries.findIndex(({ summary }) => summary.state === 'queued');
    if (to === 'back' || first < 0) this.#entries.push(entry);
    else this.#entries.splice(first, 0, entry);
  }

  list(): JobSummary[] {
    return this.#entries.map(({ summary }) => summary);
  }

  #forgetOld(): void {
    const over = this.#entries.filter(({ summary }) => isOver(summary));
    const drop = new Set(over.slice(0, Math.max(0, over.length - KEPT)));
    if (drop.size > 0) this.#entries = this.#entries.filter((entry) => !drop.has(entry));
  }
}

export const isOver = (job: JobSummary): boolean =>
  job.state === 'done' || job.state === 'failed' || job.state === 'cancelled';
