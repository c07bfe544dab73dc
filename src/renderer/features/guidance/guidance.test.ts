import { describe, expect, it, vi } from 'vitest';
import type { DocumentRecord } from '#shared/document/records.ts';
import { job, testStudio } from '../../app/studio.testkit.ts';
import { patchScene, patchSegment } from '../../store/recipes.ts';
import { patchGuidance, setPoint } from './actions.ts';
import { followGrid, gridKey } from './grid.ts';
import { PAD_MAX, fromPad, gridPoints, pointKey, toPad } from './plane.ts';

describe('the plane', () => {
  it('has segments to the right and scene upwards', () => {
    expect(fromPad(0, 1)).toEqual([0, 0]);
    expect(fromPad(1, 0)).toEqual([PAD_MAX, PAD_MAX]);
    expect(fromPad(2, -1)).toEqual([PAD_MAX, PAD_MAX]);
    expect(toPad([2, 6])).toEqual({ x: 0.25, y: 0.25 });
    expect(toPad([30, 30])).toEqual({ x: 1, y: 0 });
  });

  it('is filled from where the dials stand', () => {
    const points = gridPoints(4, [7, 1]);
    expect(points).toHaveLength(16);
    expect(points[0]).toEqual([7, 1]);
    expect(points.at(-1)).toEqual([1, 7]);
    expect(new Set(points.map(pointKey)).size).toBe(16);
  });

  it('is one step of undo for each drag', () => {
    const { studio } = testStudio();
    for (const local of [1, 2, 3]) setPoint(studio, [local, 1]);
    studio.document.seal();
    setPoint(studio, [5, 5]);
    patchGuidance(studio, { rescale: 0.5 }, 'rescale');
    expect(studio.document.getState().undo).toHaveLength(3);
  });
});

describe('the grid of pictures', () => {
  const tick = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  const setUp = () => {
    const kit = testStudio();
    const stop = followGrid(kit.studio, 100);
    const starts = () =>
      kit.host.sent<{ records: DocumentRecord[]; purpose: { points: [number, number][] }; priority: string }>(
        'generate.start',
      );
    const cancels = () => kit.host.sent<{ job: string }>('generate.cancel').map((call) => call.job);
    const grid = (id: string, state: 'running' | 'done' | 'cancelled' | 'failed' = 'running') =>
      kit.host.say('job.changed', { job: job(id, { state, purpose: { kind: 'grid', points: [[1, 1]], steps: 8 } }) });
    const tile = (id: string, index: number, point: [number, number]) =>
      kit.host.say('job.picture', { job: id as 'job-1', index, picture: `${index}`.repeat(64), point });
    const on = () => kit.studio.view.setState({ grid: { on: true, cells: 3 } });
    return { ...kit, stop, starts, cancels, grid, tile, on };
  };
  const run = (test: (kit: ReturnType<typeof setUp>) => Promise<void>) => async () => {
    vi.useFakeTimers();
    const kit = setUp();
    try {
      await test(kit);
    } finally {
      kit.stop();
      vi.useRealTimers();
    }
  };

  it(
    'asks for all points, behind everything else',
    run(async ({ on, starts }) => {
      on();
      await tick(150);
      expect(starts()).toHaveLength(1);
      expect(starts()[0]?.purpose.points).toHaveLength(9);
      expect(starts()[0]?.priority).toBe('background');
    }),
  );

  it(
    'keeps its pictures when only the dials move',
    run(async ({ studio, on, starts, cancels, grid, tile }) => {
      on();
      await tick(150);
      grid('job-1');
      tile('job-1', 0, [1.3, 1.3]);
      setPoint(studio, [6, 6]);
      await tick(500);
      expect(cancels()).toEqual([]);
      expect(starts()).toHaveLength(1);
      expect(studio.session.getState().grid).toHaveLength(1);
    }),
  );

  it(
    'throws them away when the scene changes, and starts over when the hand rests',
    run(async ({ studio, on, starts, cancels, grid, tile }) => {
      on();
      await tick(150);
      grid('job-1');
      tile('job-1', 0, [1.3, 1.3]);
      studio.document.edit('edit.text', (document) => patchScene(document, { text: 'other' }));
      expect(studio.session.getState().grid).toEqual([]);
      expect(cancels()).toEqual(['job-1']);
      tile('job-1', 1, [4, 4]);
      expect(studio.session.getState().grid).toEqual([]);
      await tick(150);
      expect(starts()).toHaveLength(2);
    }),
  );

  it(
    'gives way to a job the artist waits for, and then fills only what is missing',
    run(async ({ host, on, starts, cancels, grid, tile }) => {
      on();
      await tick(150);
      grid('job-1');
      const [first] = starts()[0]!.purpose.points;
      tile('job-1', 0, first!);
      host.say('job.changed', { job: job('job-7', { state: 'queued' }) });
      expect(cancels()).toEqual(['job-1']);
      grid('job-1', 'cancelled');
      await tick(300);
      expect(starts()).toHaveLength(1);
      host.say('job.changed', { job: job('job-7', { state: 'done' }) });
      await tick(150);
      expect(starts()).toHaveLength(2);
      expect(starts()[1]?.purpose.points).toHaveLength(8);
    }),
  );

  it(
    'does not try again by itself what failed',
    run(async ({ on, starts, grid }) => {
      on();
      await tick(150);
      grid('job-1', 'failed');
      await tick(1000);
      expect(starts()).toHaveLength(1);
    }),
  );

  it(
    'stops and forgets when it is switched off',
    run(async ({ studio, on, cancels, grid, tile }) => {
      on();
      await tick(150);
      grid('job-1');
      tile('job-1', 0, [1.3, 1.3]);
      studio.view.setState({ grid: { on: false, cells: 3 } });
      expect(cancels()).toEqual(['job-1']);
      expect(studio.session.getState().grid).toEqual([]);
    }),
  );

  it('depends on everything but the scales', () => {
    const { document } = testStudio().studio.document.getState();
    const scene = document['scene:main'];
    if (scene?.type !== 'scene') throw new Error('no scene');
    const dialled = patchScene(document, { guidance: { ...scene.guidance, localScale: 9, globalScale: 1 } });
    expect(gridKey(dialled)).toBe(gridKey(document));
    expect(gridKey(patchScene(document, { guidance: { ...scene.guidance, mode: 'joint' } }))).not.toBe(
      gridKey(document),
    );
    expect(gridKey(patchSegment(document, 'segment:fox', { weight: 0 }))).not.toBe(gridKey(document));
  });
});
