import { describe, expect, it, vi } from 'vitest';
import { GenerateRequest } from '#shared/api/generation.ts';
import type { PackSummary } from '#shared/api/packs.ts';
import { sceneOf, segmentsOf, toDocument } from '#shared/document/document.ts';
import type { DocumentRecord } from '#shared/document/records.ts';
import { rasterizeShapes, NO_BITMAPS } from '#shared/masks/rasterize.ts';
import { maskArea } from '#shared/masks/mask.ts';
import { job, result, testStudio } from '../../app/studio.testkit.ts';
import { patchScene, patchSegment } from '../../store/recipes.ts';
import { foregroundJob } from './actions.ts';
import { followJobs } from './follow-jobs.ts';
import { followLive } from './live.ts';
import {
  generateRequest,
  gridRequest,
  liveRequest,
  modelKey,
  passesOf,
  redoSegmentRequest,
  variationsRequest,
} from './requests.ts';
import { RATIOS, resizeScene, sizeOfRatio } from './size.ts';

const documentIn = (request: unknown) => toDocument(GenerateRequest.parse(request).records);
const sceneIn = (request: unknown) => sceneOf(documentIn(request));

describe('requests', () => {
  const view = { solo: [], shown: { kind: 'none' } } as const;

  it('are all taken by the host', () => {
    const { document } = testStudio().studio.document.getState();
    const picture = 'b'.repeat(64);
    for (const request of [
      generateRequest(document, view),
      variationsRequest(document, view, 4, 0.3, 9),
      redoSegmentRequest(document, { id: 'result-1', picture }, 'segment:fox'),
      gridRequest(document, view, [[1, 2]], 8, 3),
      liveRequest(document, view, 6),
    ])
      expect(GenerateRequest.safeParse(request).success).toBe(true);
  });

  it('keep a locked seed and draw another for an unlocked one', () => {
    const { document } = testStudio().studio.document.getState();
    expect(sceneIn(generateRequest(document, view)).seed).toBe(7);
    const loose = patchScene(document, { seedLocked: false });
    const seeds = new Set(Array.from({ length: 8 }, () => sceneIn(generateRequest(loose, view)).seed));
    expect(seeds.size).toBeGreaterThan(1);
  });

  it('send soloed segments alone', () => {
    const { document } = testStudio().studio.document.getState();
    const request = generateRequest(document, { ...view, solo: ['segment:fox'] });
    const visible = segmentsOf(documentIn(request)).filter((segment) => segment.visible);
    expect(visible.map((segment) => segment.id)).toEqual(['segment:fox']);
  });

  it('name the segments that get a detail pass: those that take part', () => {
    const { document } = testStudio().studio.document.getState();
    const both = patchSegment(patchSegment(document, 'segment:fox', { detail: true }), 'segment:tent', {
      detail: true,
    });
    expect(generateRequest(document, view).detail).toEqual([]);
    expect(generateRequest(both, view).detail).toEqual(['segment:fox', 'segment:tent']);
    expect(generateRequest(patchSegment(both, 'segment:fox', { visible: false }), view).detail).toEqual([
      'segment:tent',
    ]);
    expect(variationsRequest(both, { ...view, solo: ['segment:fox'] }, 4, 0.3, 9).detail).toEqual(['segment:fox']);
    expect(modelKey(both)).toBe(modelKey(document));
  });

  it('name the shown result as the parent', () => {
    const { document } = testStudio().studio.document.getState();
    const shown = { kind: 'result', id: 'result-1', picture: 'b'.repeat(64) } as const;
    expect(generateRequest(document, { solo: [], shown }).parents).toEqual(['result-1']);
  });

  it('count the passes by the kind of guidance and the sampler', () => {
    const scene = sceneOf(testStudio().studio.document.getState().document);
    expect(passesOf(scene)).toBe(48);
    expect(passesOf({ ...scene, guidance: { ...scene.guidance, mode: 'single' } })).toBe(32);
    const chained = { ...scene.guidance, mode: 'joint', globalScale: 1.5, localScale: 1.5 } as const;
    expect(passesOf({ ...scene, guidance: chained })).toBe(32);
    expect(passesOf({ ...scene, guidance: { ...chained, localScale: 3 } })).toBe(48);
    expect(passesOf({ ...scene, sampler: { ...scene.sampler, name: 'heun' }, batch: { count: 2, bestOf: 2 } })).toBe(
      384,
    );
  });

  it('count the second stage that a large canvas takes on an own model', () => {
    const scene = sceneOf(testStudio().studio.document.getState().document);
    const pack = { anySize: true, outputSize: { width: 512, height: 512 } } as PackSummary;
    expect(passesOf({ ...scene, width: 512, height: 512 }, pack)).toBe(48);
    // Sixteen steps, then the last six of them again.
    expect(passesOf({ ...scene, width: 1024, height: 1024 }, pack)).toBe(66);
    expect(passesOf({ ...scene, width: 1024, height: 1024 }, { ...pack, anySize: false })).toBe(48);
  });

  it('tell what the model sees from what it does not', () => {
    const { document } = testStudio().studio.document.getState();
    const key = modelKey(document);
    expect(modelKey(patchSegment(document, 'segment:fox', { name: 'Reynard', color: 3, locked: true }))).toBe(key);
    expect(modelKey(patchScene(document, { title: 'x', note: 'y' }))).toBe(key);
    expect(modelKey(patchSegment(document, 'segment:fox', { weight: 2 }))).not.toBe(key);
    const lora = { file: '/loras/ink.safetensors', strength: 0.8 };
    expect(modelKey(patchScene(document, { loras: [lora] }))).not.toBe(key);
    expect(modelKey(patchSegment(document, 'segment:fox', { visible: false }))).not.toBe(key);
  });
});

describe('what is shown while jobs run', () => {
  const urls = () => {
    const open = new Set<string>();
    let count = 0;
    return {
      open,
      createObjectURL: () => {
        const url = `blob:${(count += 1)}`;
        open.add(url);
        return url;
      },
      revokeObjectURL: (url: string) => void open.delete(url),
    };
  };
  const preview = (id: string) => ({ job: id as 'job-1', image: 0, step: 1, png: new Uint8Array([1]) });

  it('is the preview, then the result; no object URL is left behind', () => {
    const { studio, host } = testStudio();
    const fake = urls();
    followJobs(studio, fake);
    host.say('job.changed', { job: job('job-1') });
    host.say('job.preview', preview('job-1'));
    host.say('job.preview', preview('job-1'));
    expect(studio.view.getState().shown).toMatchObject({ kind: 'preview', url: 'blob:2' });
    expect([...fake.open]).toEqual(['blob:2']);
    host.say('result.added', { result: result('r') });
    expect(studio.view.getState().shown).toMatchObject({ kind: 'result', id: 'result-r' });
    host.say('job.changed', { job: job('job-1', { state: 'done' }) });
    expect(studio.view.getState().shown).toMatchObject({ kind: 'result' });
    expect(fake.open.size).toBe(0);
  });

  it('comes back as it was when the job is cancelled', () => {
    const { studio, host } = testStudio();
    const before = { kind: 'result', id: 'result-old', picture: 'c'.repeat(64) } as const;
    studio.view.setState({ shown: before });
    followJobs(studio, urls());
    host.say('job.preview', preview('job-1'));
    host.say('job.changed', { job: job('job-1', { state: 'cancelled' }) });
    expect(studio.view.getState().shown).toEqual(before);
  });

  it('stays what the artist opened during the job', () => {
    const { studio, host } = testStudio();
    followJobs(studio, urls());
    host.say('job.preview', preview('job-1'));
    const chosen = { kind: 'result', id: 'result-old', picture: 'c'.repeat(64) } as const;
    studio.view.setState({ shown: chosen });
    host.say('job.preview', preview('job-1'));
    expect(studio.view.getState().shown).toEqual(chosen);
    host.say('job.changed', { job: job('job-1', { state: 'failed' }) });
    expect(studio.view.getState().shown).toEqual(chosen);
  });

  it('is not taken over by jobs in the background', () => {
    const { studio, host } = testStudio();
    followJobs(studio, urls());
    host.say('job.changed', { job: job('job-1', { purpose: { kind: 'grid', points: [[1, 1]], steps: 4 } }) });
    host.say('job.preview', preview('job-1'));
    expect(studio.view.getState().shown).toEqual({ kind: 'none' });
    expect(foregroundJob(studio.session.getState().jobs)).toBeUndefined();
  });
});

describe('live mode', () => {
  const tick = (ms = 200) => vi.advanceTimersByTimeAsync(ms);
  const setUp = () => {
    const kit = testStudio();
    const stop = followLive(kit.studio);
    const starts = () => kit.host.sent<{ records: DocumentRecord[]; purpose: { kind: string } }>('generate.start');
    const live = (id: string, state: 'running' | 'done' = 'running') =>
      kit.host.say('job.changed', { job: job(id, { state, purpose: { kind: 'live', steps: 6 } }) });
    const weight = (value: number) =>
      kit.studio.document.edit('edit.weight', (document) => patchSegment(document, 'segment:fox', { weight: value }));
    return { ...kit, stop, starts, live, weight };
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
    'asks for nothing while it is off',
    run(async ({ weight, starts }) => {
      weight(0.5);
      await tick();
      expect(starts()).toHaveLength(0);
    }),
  );

  it(
    'keeps one job in flight; the latest state wins',
    run(async ({ studio, starts, live, weight }) => {
      studio.view.setState({ live: true });
      await tick();
      expect(starts()).toHaveLength(1);
      live('job-1');
      for (const value of [0.5, 0.6, 0.7]) {
        weight(value);
        await tick();
      }
      expect(starts()).toHaveLength(1);
      live('job-1', 'done');
      await tick();
      expect(starts()).toHaveLength(2);
      expect(starts()[1]?.records).toContainEqual(expect.objectContaining({ id: 'segment:fox', weight: 0.7 }));
      live('job-2', 'done');
      await tick();
      expect(starts()).toHaveLength(2);
    }),
  );

  it(
    'waits while the hand draws, and for what the artist waits for',
    run(async ({ studio, starts, weight, host }) => {
      studio.view.setState({ live: true, drawing: true });
      weight(0.5);
      await tick();
      expect(starts()).toHaveLength(0);
      host.say('job.changed', { job: job('job-9') });
      studio.view.setState({ drawing: false });
      await tick();
      expect(starts()).toHaveLength(0);
      host.say('job.changed', { job: job('job-9', { state: 'done' }) });
      await tick();
      expect(starts()).toHaveLength(1);
    }),
  );

  it(
    'goes on after the engine lost the job',
    run(async ({ studio, starts, live, weight, host }) => {
      studio.view.setState({ live: true });
      await tick();
      live('job-1');
      weight(0.2);
      host.say('queue.changed', { jobs: [], paused: false });
      await tick();
      expect(starts()).toHaveLength(2);
    }),
  );

  it(
    'shows its pictures only while it is on, and cancels when it is switched off',
    run(async ({ studio, host, live }) => {
      studio.view.setState({ live: true });
      await tick();
      live('job-1');
      const picture = 'd'.repeat(64);
      host.say('job.picture', { job: 'job-1', index: 0, picture, point: null });
      expect(studio.view.getState().shown).toMatchObject({ kind: 'picture', picture });
      studio.view.setState({ live: false, shown: { kind: 'none' } });
      expect(host.sent('generate.cancel')).toEqual([{ job: 'job-1', hard: false }]);
      host.say('job.picture', { job: 'job-1', index: 1, picture, point: null });
      expect(studio.view.getState().shown).toEqual({ kind: 'none' });
    }),
  );
});

describe('size', () => {
  it('keeps the area over all proportions, in multiples of 8', () => {
    for (const ratio of RATIOS) {
      const { width, height } = sizeOfRatio(ratio, 512);
      expect([width % 8, height % 8], ratio).toEqual([0, 0]);
      expect((width * height) / 512 ** 2, ratio).toBeGreaterThan(0.95);
      expect((width * height) / 512 ** 2, ratio).toBeLessThan(1.05);
    }
  });

  it('keeps what is drawn at its place', () => {
    const { document } = testStudio().studio.document.getState();
    const wide = resizeScene(document, 1024, 256);
    const area = (of: typeof document) => {
      const { width, height } = sceneOf(of);
      return segmentsOf(of).map((segment) =>
        maskArea(rasterizeShapes(segment.shapes, { width, height, outWidth: 64, outHeight: 64, bitmaps: NO_BITMAPS })),
      );
    };
    expect(sceneOf(wide)).toMatchObject({ width: 1024, height: 256 });
    for (const [index, before] of area(document).entries()) expect(area(wide)[index]).toBeCloseTo(before, 0);
    expect(resizeScene(document, 512, 512)).toBe(document);
  });
});
