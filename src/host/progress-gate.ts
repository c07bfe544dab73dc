import type { JobId, JobSummary } from '#shared/api/generation.ts';

/** Progress within a phase is told at most this often; a fast pack makes hundreds of passes a second. */
const TELL_EVERY_MS = 50;

interface Told {
  job: JobSummary;
  at: number;
  /** The newest progress that was held back. */
  held: JobSummary | undefined;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Lets a job's progress through at a pace that windows can paint. Whatever is more than progress passes at once: a
 * new state, the first word of each phase and each picture, and before it the last word of the one that ended.
 */
export class ProgressGate {
  readonly #told = new Map<JobId, Told>();
  readonly #tell: (job: JobSummary) => void;

  constructor(tell: (job: JobSummary) => void) {
    this.#tell = tell;
  }

  note(job: JobSummary): void {
    const now = performance.now();
    const told = this.#told.get(job.id);
    if (!told || stageOf(told.held ?? told.job) !== stageOf(job)) {
      this.#release(job.id);
      this.#say(job, now);
      if (job.state !== 'queued' && job.state !== 'running') this.#told.delete(job.id);
      return;
    }
    const wait = told.at + TELL_EVERY_MS - now;
    if (wait <= 0) {
      this.#drop(told);
      this.#say(job, now);
      return;
    }
    told.held = job;
    told.timer ??= setTimeout(() => this.#release(job.id), wait).unref();
  }

  /** All jobs were told as they are now: what is held back is old. */
  caughtUp(): void {
    for (const told of this.#told.values()) this.#drop(told);
  }

  close(): void {
    this.caughtUp();
    this.#told.clear();
  }

  #say(job: JobSummary, at: number): void {
    this.#told.set(job.id, { job, at, held: undefined, timer: undefined });
    this.#tell(job);
  }

  #release(id: JobId): void {
    const told = this.#told.get(id);
    const held = told?.held;
    if (!told || !held) return;
    this.#drop(told);
    this.#say(held, performance.now());
  }

  #drop(told: Told): void {
    clearTimeout(told.timer);
    told.held = undefined;
    told.timer = undefined;
  }
}

/** What may not be held back when it changes. */
const stageOf = ({ state, progress, results }: JobSummary): string =>
  `${state} ${progress?.phase} ${progress?.image} ${results.length}`;
