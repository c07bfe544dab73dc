import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { JobPhase, JobSummary } from '#shared/api/generation.ts';
import { ProgressGate } from './progress-gate.ts';

const job = (phase: JobPhase, passesDone: number, fields: Partial<JobSummary> = {}): JobSummary => ({
  id: 'job-a',
  state: 'running',
  purpose: { kind: 'generate' },
  title: '',
  createdAt: 0,
  progress: { phase, passesDone, passesTotal: 900, step: 0, steps: 30, image: 0, images: 1, secondsLeft: 3 },
  error: null,
  results: [],
  ...fields,
});

describe('what windows hear of a job that runs fast', () => {
  let told: [string, number][];
  let gate: ProgressGate;
  beforeEach(() => {
    vi.useFakeTimers();
    told = [];
    gate = new ProgressGate(({ state, progress }) =>
      told.push([state === 'running' ? (progress?.phase ?? '') : state, progress?.passesDone ?? -1]),
    );
  });
  afterEach(() => {
    gate.close();
    vi.useRealTimers();
  });

  test('a thousand passes in a second are told twenty times, the first and the last among them', async () => {
    for (let pass = 0; pass <= 900; pass += 1) {
      gate.note(job('denoise', pass));
      if (pass % 9 === 8) await vi.advanceTimersByTimeAsync(10);
    }
    gate.note(job('decode', 900));
    expect(told.length).toBeGreaterThan(15);
    expect(told.length).toBeLessThanOrEqual(23);
    expect(told[0]).toEqual(['denoise', 0]);
    expect(told.slice(-2)).toEqual([
      ['denoise', 900],
      ['decode', 900],
    ]);
  });

  test('what was held back is told when nothing newer comes', async () => {
    gate.note(job('denoise', 1));
    gate.note(job('denoise', 2));
    gate.note(job('denoise', 3));
    expect(told).toEqual([['denoise', 1]]);
    await vi.advanceTimersByTimeAsync(60);
    expect(told.at(-1)).toEqual(['denoise', 3]);
  });

  test('the end comes at once, after the last pass, and nothing follows it', async () => {
    gate.note(job('saving', 898));
    gate.note(job('saving', 899));
    gate.note(job('saving', 899, { state: 'done' }));
    await vi.advanceTimersByTimeAsync(100);
    expect(told).toEqual([
      ['saving', 898],
      ['saving', 899],
      ['done', 899],
    ]);
  });

  test('a list of all jobs makes what was held back old', async () => {
    gate.note(job('denoise', 1));
    gate.note(job('denoise', 2));
    gate.caughtUp();
    await vi.advanceTimersByTimeAsync(100);
    expect(told).toEqual([['denoise', 1]]);
  });
});
