import { useEffect, useState } from 'react';
import type { JobId, JobPhase, JobProgress, JobSummary } from '#shared/api/generation.ts';

/** How much of a new estimate is believed within a phase: the time left follows, and does not jump. */
const TRUST = 0.35;
const AFTER_PASSES: ReadonlySet<JobPhase> = new Set(['decode', 'upscale', 'score', 'saving']);

/**
 * The time left between two words of the host. It is told with each pass, and a pass of a large model takes a
 * minute: in between the clock counts down from what was told last.
 */
export class Countdown {
  #job: JobId | undefined;
  #progress: JobProgress | undefined;
  /** When the job will have ended, in the milliseconds of `now`. */
  #end = 0;

  /**
   * @param now in milliseconds, as performance.now() has it
   * @returns seconds, 0 at the least; null if nobody can tell
   */
  left(job: Pick<JobSummary, 'id' | 'progress'>, now: number): number | null {
    const { id, progress } = job;
    if (!progress || progress.secondsLeft === null) {
      this.#job = undefined;
      return null;
    }
    if (progress !== this.#progress || id !== this.#job) {
      const end = now + progress.secondsLeft * 1000;
      this.#end = id === this.#job ? this.#follow(end, progress.phase) : end;
      this.#job = id;
      this.#progress = progress;
    }
    return Math.max(0, (this.#end - now) / 1000);
  }

  /** The new end of the same job. */
  #follow(end: number, phase: JobPhase): number {
    const before = this.#progress?.phase;
    if (phase === before) return this.#end + (end - this.#end) * TRUST;
    // What follows the passes is estimated as a whole; each of its parts tells that whole, and part of it is over.
    return before && AFTER_PASSES.has(phase) && AFTER_PASSES.has(before) ? Math.min(end, this.#end) : end;
  }
}

/** One for the window, so that all places that show the time show the same. One job runs at a time. */
const countdown = new Countdown();

/** The seconds left of a running job by the clock; the component paints itself again while they pass. */
export function useSecondsLeft(job: JobSummary): number | null {
  const [left, setLeft] = useState<number | null>(null);
  useEffect(() => {
    if (job.state !== 'running') return undefined;
    // Rounded to what is shown, so that nothing is painted again for nothing.
    const look = (): void => setLeft(rounded(countdown.left(job, performance.now())));
    const timer = setInterval(look, 100);
    look();
    return () => clearInterval(timer);
  }, [job]);
  return job.state === 'running' ? left : null;
}

const rounded = (left: number | null): number | null =>
  left === null ? null : left < 10 ? Math.round(left * 10) / 10 : Math.round(left);
