import type { JobPhase, JobProgress } from '#shared/api/generation.ts';

/** Milliseconds that a pass of size 1, and everything after the passes of a picture of size 1, take. */
export interface Speed {
  readonly passMs: number;
  readonly tailMs: number;
}

/** What a call of a network takes at least: one of a few kilobytes says nothing about how fast a large one is. */
const CALL_MS = 10;

/**
 * Counts passes and tells the time left. The number of passes of a job is known before it starts; what a pass
 * costs is measured as it runs, and remembered from one job to the next.
 */
export class Pace {
  /** Milliseconds a denoiser pass (one picture, one condition, size 1) took lately in this process. */
  #passMs: number | undefined;
  /** Milliseconds of everything after the passes, per picture, lately. */
  #tailMs: number | undefined;

  /** A model of the cost, as long as it has a say. */
  #guess: Speed | undefined;
  #measured = 0;

  /**
   * @param expected what a pass and the rest of a picture took at earlier times
   * @param guess what they should take by a model of the cost, where no earlier time is known
   */
  constructor(expected?: Speed, guess?: Speed) {
    this.#passMs = expected?.passMs;
    this.#tailMs = expected?.tailMs;
    if (expected) return;
    this.#guess = guess;
    this.#passMs = guess?.passMs;
  }

  /** What was measured lately, to be remembered; null before there is anything. */
  get speed(): Speed | null {
    return this.#passMs === undefined ? null : { passMs: this.#passMs, tailMs: this.#rest(this.#passMs) };
  }

  /** Milliseconds after the passes. A machine that is slower in its passes than was guessed is so in the rest, too. */
  #rest(passMs: number): number {
    if (this.#tailMs !== undefined) return this.#tailMs;
    return this.#guess ? (this.#guess.tailMs * passMs) / Math.max(this.#guess.passMs, CALL_MS) : 0;
  }

  measurePasses(passes: number, milliseconds: number): void {
    const each = milliseconds / passes;
    // Follows a machine that gets busy within a few steps, without jumping at one slow pass; a guess soon has no say.
    const trust = this.#guess && this.#measured < 3 ? 0.5 : 0.2;
    this.#measured += 1;
    this.#passMs = this.#passMs === undefined ? each : this.#passMs * (1 - trust) + each * trust;
  }

  /** @param pictures that were finished, weighted by their size */
  measureTail(pictures: number, milliseconds: number): void {
    if (pictures > 0) this.#tailMs = milliseconds / pictures;
  }

  /** Seconds left, or null before anything was measured. */
  secondsLeft(passes: number, pictures: number): number | null {
    if (this.#passMs === undefined) return null;
    return (passes * this.#passMs + pictures * this.#rest(this.#passMs)) / 1000;
  }
}

/** A job's progress as it goes. */
export class JobMeter {
  readonly #pace: Pace;
  readonly #report: (progress: JobProgress) => void;
  readonly #timings: Record<string, number> = {};
  #phase: JobPhase = 'loading';
  #since = performance.now();
  #passesDone = 0;
  #workDone = 0;
  #picturesDone = 0;
  passesTotal = 0;
  /** The passes weighted by their size, where passes of one job differ in it; null: all alike. */
  workTotal: number | null = null;
  /** Size of a finished picture, in the unit in which what follows the passes is measured. */
  pictureSize = 1;
  images = 0;
  image = 0;
  step = 0;
  steps = 0;

  constructor(pace: Pace, report: (progress: JobProgress) => void) {
    this.#pace = pace;
    this.#report = report;
  }

  get passesDone(): number {
    return this.#passesDone;
  }

  enter(phase: JobPhase): void {
    this.#close();
    this.#phase = phase;
    this.tell();
  }

  /** @param size of one pass, in the unit of workTotal */
  passed(passes: number, milliseconds: number, size = 1): void {
    this.#passesDone += passes;
    this.#workDone += passes * size;
    this.#pace.measurePasses(passes * size, milliseconds);
    this.tell();
  }

  pictureFinished(tailMs: number): void {
    this.#picturesDone += 1;
    this.#pace.measureTail(this.pictureSize, tailMs);
  }

  tell(): void {
    this.#report({
      phase: this.#phase,
      passesDone: this.#passesDone,
      passesTotal: Math.max(this.passesTotal, this.#passesDone),
      step: this.step,
      steps: this.steps,
      image: this.image,
      images: this.images,
      // Before the job is laid out nothing is left that could be counted.
      secondsLeft:
        this.images === 0
          ? null
          : this.#pace.secondsLeft(
              Math.max(0, (this.workTotal ?? this.passesTotal) - this.#workDone),
              Math.max(0, this.images - this.#picturesDone) * this.pictureSize,
            ),
    });
  }

  /**
   * Milliseconds by phase of the picture just made; what all pictures of the job share (loading, texts, map)
   * counts for each. The next picture begins anew.
   */
  takeTimings(): Record<string, number> {
    this.#close();
    const taken = { ...this.#timings };
    for (const phase of ['denoise', 'decode', 'upscale', 'score', 'saving']) delete this.#timings[phase];
    return taken;
  }

  #close(): void {
    const now = performance.now();
    this.#timings[this.#phase] = (this.#timings[this.#phase] ?? 0) + now - this.#since;
    this.#since = now;
  }
}
