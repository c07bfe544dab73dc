// What the host does with jobs: which pack, whose turn, detail passes, where results go, trouble of the engine.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EventPayload } from '#shared/api/events.ts';
import type { JobId } from '#shared/api/generation.ts';
import { createSegment } from '#shared/document/create.ts';
import { sceneOf, toDocument } from '#shared/document/document.ts';
import { SessionStrip } from './session-strip.ts';
import { finished, openTestStudio, sampleRecords, sampleResult, voiceOf } from './studio.testkit.ts';
import type { TestStudio } from './studio.testkit.ts';

let test: TestStudio;
beforeEach(() => {
  test = openTestStudio();
});
afterEach(() => test[Symbol.asyncDispose]());

const { call, eventsOf, nextEvent } = voiceOf(() => test);

describe('jobs', () => {
  it('uses the pack of the settings where the scene has none', async () => {
    await call('settings.set', { defaultPack: 'second-pack' });
    await call('generate.start', { records: sampleRecords() });
    const records = test.engine.submitted[0]?.request.records ?? [];
    expect(sceneOf(toDocument(records)).pack).toBe('second-pack');
    expect(await call('packs.list', {})).toMatchObject({ defaultPack: 'second-pack' });
    await call('settings.set', { defaultPack: 'gone' });
    expect(await call('packs.list', {})).toMatchObject({ defaultPack: 'sample-pack' });
  });

  it('lets a new live job take the place of one that still waits, in the same window only', async () => {
    const live = { records: sampleRecords(), purpose: { kind: 'live', steps: 4 } };
    const { job: first } = (await call('generate.start', live)) as { job: string };
    const { job: other } = (await call('generate.start', live, 'window-2')) as { job: string };
    const { job: second } = (await call('generate.start', live)) as { job: string };
    expect(test.engine.cancelled).toEqual([{ job: first, hard: false }]);
    test.engine.setState(second, 'running');
    await call('generate.start', live);
    expect(test.engine.cancelled.length).toBe(1);
    expect(other).not.toBe(second);
  });

  it('gives up the drafts of a window that is gone, not what goes into the history', async () => {
    const records = sampleRecords();
    const start = async (kind: object, window: string): Promise<string> =>
      ((await call('generate.start', { records, purpose: kind }, window)) as { job: string }).job;
    const grid = await start({ kind: 'grid', points: [[1, 2]], steps: 4 }, 'window-1');
    const live = await start({ kind: 'live', steps: 4 }, 'window-1');
    await start({ kind: 'generate' }, 'window-1');
    await start({ kind: 'live', steps: 4 }, 'window-2');
    test.studio.windowGone('window-1');
    expect(test.engine.cancelled.map(({ job }) => job)).toEqual([grid, live]);
    await vi.waitFor(() => expect(test.keeper.closedWindows).toEqual(['window-1']));
  });

  it('says of each job what tells it apart, against the one that the same window ordered before', async () => {
    await call('generate.start', { records: sampleRecords() });
    const records = sampleRecords('a pond').map((record) =>
      record.type === 'scene' ? { ...record, seed: 9 } : record,
    );
    await call('generate.start', { records: sampleRecords('a lake') }, 'window-2');
    await call('generate.start', { records, purpose: { kind: 'live', steps: 4 } });
    await call('generate.start', { records });
    const { jobs } = (await call('queue.list', {})) as EventPayload<'queue.changed'>;
    expect(jobs.map(({ about }) => about)).toEqual([
      { seed: 7, changes: [], detail: false },
      { seed: 7, changes: [], detail: false },
      { seed: 9, changes: [], detail: false },
      { seed: 9, changes: ['global text “a beach” → “a pond”', 'seed 7 → 9'], detail: false },
    ]);
  });

  it('orders the detail passes one after the other, each from the picture before', async () => {
    const [scene, ball, slot] = sampleRecords();
    const [tree, words] = createSegment('tree', 'a tree', []);
    const records = [scene!, ball!, slot!, tree, words];
    const detail = ['segment:ball', 'segment:tree'];
    const { job } = (await call('generate.start', { records, detail })) as { job: JobId };
    const heard = eventsOf('queue.changed');
    const made = { ...sampleResult('result-1', 1, records), job, picture: 'c'.repeat(64) };
    test.engine.emit({ type: 'result', finished: finished(made) });
    test.engine.setState(job, 'done');
    await vi.waitFor(() => expect(test.engine.submitted.length).toBe(2));
    const [, first] = test.engine.submitted;
    expect(first?.request).toMatchObject({
      purpose: { kind: 'redo-segment', segment: 'segment:ball', picture: 'c'.repeat(64) },
      parents: ['result-1'],
      detail: ['segment:tree'],
    });
    expect(heard.at(-1)?.jobs.at(-1)?.about).toEqual({
      seed: 7,
      changes: ['“a red ball” made anew, the rest kept'],
      detail: true,
    });
    const again = { ...sampleResult('result-2', 2, records), job: first!.job, picture: 'd'.repeat(64) };
    test.engine.emit({ type: 'result', finished: finished(again) });
    await vi.waitFor(() => expect(test.engine.submitted.length).toBe(3));
    const last = test.engine.submitted[2];
    expect(last?.request).toMatchObject({
      purpose: { segment: 'segment:tree', picture: 'd'.repeat(64) },
      parents: ['result-2'],
      detail: [],
    });
    test.engine.emit({ type: 'result', finished: finished({ ...again, id: 'result-3', job: last!.job }) });
    await nextEvent('result.added');
    expect(test.engine.submitted.length).toBe(3);
  });

  it('orders no detail pass of a job that was called off', async () => {
    const { job } = (await call('generate.start', { records: sampleRecords(), detail: ['segment:ball'] })) as { job: JobId }; // prettier-ignore
    test.engine.emit({ type: 'result', finished: finished({ ...sampleResult('result-1'), job }) });
    await call('generate.cancel', { job, hard: false });
    await nextEvent('result.added');
    expect(test.engine.submitted.length).toBe(1);
  });

  it('puts results into the history and tells all windows', async () => {
    const added = nextEvent('result.added');
    test.engine.emit({ type: 'result', finished: finished(sampleResult('result-1')) });
    expect((await added).result).toMatchObject({ id: 'result-1', title: 'Beach', text: 'a beach · a red ball' });
    expect(await call('results.list', {})).toMatchObject({ total: 1 });
  });

  it('answers for a result that is still being stored', async () => {
    let finish: (() => void) | undefined;
    const slow = new (class extends SessionStrip {
      override async add(one: Parameters<SessionStrip['add']>[0]): ReturnType<SessionStrip['add']> {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return super.add(one);
      }
    })();
    await test[Symbol.asyncDispose]();
    test = openTestStudio({ library: Promise.resolve(slow) });
    test.engine.emit({ type: 'result', finished: finished(sampleResult('result-1')) });
    const asked = call('results.get', { id: 'result-1' });
    await vi.waitFor(() => expect(finish).toBeDefined());
    await new Promise((resolve) => setTimeout(resolve, 20));
    finish?.();
    expect(await asked).toMatchObject({ id: 'result-1' });
  });

  it('says that the engine crashed: what happened, what was kept, what to do', async () => {
    const notice = nextEvent('notice');
    test.engine.emit({ type: 'crashed', report: { code: 'crashed', message: 'gone', kept: 'all', remedy: 'again' } });
    expect(await notice).toEqual({ level: 'error', message: 'gone', kept: 'all', remedy: 'again' });
  });

  it('configures the engine when device or threads change, and only then', async () => {
    await call('settings.set', { theme: 'dark' });
    expect(test.engine.configured).toEqual([]);
    const device = nextEvent('device.changed');
    await call('settings.set', { device: 'cpu', threads: 2 });
    expect(test.engine.configured).toEqual([{ device: 'cpu', threads: 2, restMinutes: 5 }]);
    expect((await device).device.id).toBe('cpu');
  });
});
