import { describe, expect, test } from 'vitest';
import { GenerateRequest } from '#shared/api/generation.ts';
import type { JobId } from '#shared/api/generation.ts';
import { createScene } from '#shared/document/create.ts';
import { JobQueue } from './queue.ts';

const request = (priority: 'front' | 'normal' | 'background' = 'normal') =>
  GenerateRequest.parse({ records: [createScene()], priority });
const ids = (queue: JobQueue): JobId[] => queue.list().map(({ id }) => id);

describe('the order of jobs', () => {
  test('first come, first served; front before normal before background', () => {
    const queue = new JobQueue();
    queue.add('job-a', request('background'), '', 1);
    queue.add('job-b', request(), '', 2);
    queue.add('job-c', request(), '', 3);
    queue.add('job-d', request('front'), '', 4);
    expect(ids(queue)).toEqual(['job-d', 'job-b', 'job-c', 'job-a']);
  });

  test('a running job is never overtaken, and one runs at a time', () => {
    const queue = new JobQueue();
    queue.add('job-a', request(), '', 1);
    queue.update('job-a', { state: 'running' });
    queue.add('job-b', request('front'), '', 2);
    expect(ids(queue)).toEqual(['job-a', 'job-b']);
    expect(queue.next()).toBeUndefined();
    queue.update('job-a', { state: 'done' });
    expect(queue.next()?.id).toBe('job-b');
  });

  test('paused: nothing is next', () => {
    const queue = new JobQueue();
    queue.add('job-a', request(), '', 1);
    queue.paused = true;
    expect(queue.next()).toBeUndefined();
  });

  test('a waiting job moves to the front or the back, others do not', () => {
    const queue = new JobQueue();
    for (const id of ['job-a', 'job-b', 'job-c'] as const) queue.add(id, request(), '', 1);
    queue.move('job-c', 'front');
    expect(ids(queue)).toEqual(['job-c', 'job-a', 'job-b']);
    queue.move('job-c', 'back');
    expect(ids(queue)).toEqual(['job-a', 'job-b', 'job-c']);
    queue.update('job-a', { state: 'running' });
    expect(() => queue.move('job-a', 'back')).toThrow(/does not wait/);
  });

  test('an id is taken once', () => {
    const queue = new JobQueue();
    queue.add('job-a', request(), '', 1);
    expect(() => queue.add('job-a', request(), '', 2)).toThrow(/already there/);
  });

  test('the list of finished jobs does not grow without end', () => {
    const queue = new JobQueue();
    for (let i = 0; i < 200; i += 1) {
      queue.add(`job-${i}`, request(), '', i);
      queue.update(`job-${i}`, { state: 'done' });
    }
    expect(queue.list().length).toBeLessThanOrEqual(31);
    expect(queue.get('job-199')?.state).toBe('done');
  });
});
