import { expect, test } from 'vitest';
import type { JobPhase, JobProgress } from '#shared/api/generation.ts';
import { Countdown } from './countdown.ts';

const at = (secondsLeft: number | null, phase: JobPhase = 'denoise', id = 'job-a') => {
  const progress: JobProgress = { phase, passesDone: 1, passesTotal: 9, step: 0, steps: 3, image: 0, images: 1, secondsLeft }; // prettier-ignore
  return { id: id as 'job-a', progress };
};

test('counts down while the host is silent, and never below nothing', () => {
  const clock = new Countdown();
  const job = at(60);
  expect(clock.left(job, 1000)).toBe(60);
  expect(clock.left(job, 26_000)).toBe(35);
  expect(clock.left(job, 99_000)).toBe(0);
});

test('a new estimate of the same phase is approached, one of another phase or job is taken', () => {
  const clock = new Countdown();
  clock.left(at(10), 0);
  const next = clock.left(at(20), 0);
  expect(next).toBeGreaterThan(10);
  expect(next).toBeLessThan(15);
  expect(clock.left(at(4, 'decode'), 0)).toBe(4);
  expect(clock.left(at(50, 'decode', 'job-b'), 0)).toBe(50);
});

test('the parts of what follows the passes do not each begin it again', () => {
  const clock = new Countdown();
  expect(clock.left(at(4, 'decode'), 0)).toBe(4);
  expect(clock.left(at(4, 'score'), 3000)).toBe(1);
  expect(clock.left(at(0.2, 'saving'), 3500)).toBeCloseTo(0.2);
  expect(clock.left(at(9, 'denoise'), 3600)).toBe(9);
});

test('nothing is told before anything was measured', () => {
  const clock = new Countdown();
  expect(clock.left(at(null), 0)).toBeNull();
  expect(clock.left(at(7), 0)).toBe(7);
});
