import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sceneOf, toDocument } from '#shared/document/document.ts';
import { writeScene } from '#shared/document/scene-file.ts';
import { StudioError } from '#shared/errors.ts';
import { SessionStrip } from './session-strip.ts';
import { PNG, fakeShell, finished, openTestStudio, sampleRecords, sampleResult, voiceOf } from './studio.testkit.ts';
import type { TestStudio } from './studio.testkit.ts';

let test: TestStudio;
beforeEach(() => {
  test = openTestStudio();
});
afterEach(() => test[Symbol.asyncDispose]());

const { call, refusalOf, eventsOf, nextEvent } = voiceOf(() => test);

describe('examples and documents', () => {
  it('opens a window without a past on the first example, and finds its document again', async () => {
    const folder = path.join(test.folder, 'examples');
    mkdirSync(folder);
    const scene = (title: string) =>
      writeScene(
        toDocument(
          sampleRecords().map((record) =>
            record.type === 'scene' ? { ...record, title, note: `shows ${title}` } : record,
          ),
        ),
      );
    writeFileSync(path.join(folder, 'b.json'), scene('B'));
    writeFileSync(path.join(folder, 'a.json'), scene('A'));
    writeFileSync(path.join(folder, 'a.png'), PNG);
    writeFileSync(path.join(folder, 'broken.json'), '{');
    const examples = (await call('examples.list', {})) as { id: string; picture: string | null }[];
    expect(examples).toMatchObject([
      { id: 'a', title: 'A', shows: 'shows A', segments: 1 },
      { id: 'b', title: 'B', picture: null },
    ]);
    expect(test.studio.parts.blobs.has(examples[0]?.picture ?? '')).toBe(true);
    expect(test.studio.parts.log.recent().at(-1)?.message).toContain('broken.json');
    const first = (await call('document.current', {})) as { id: string; records: never[] };
    expect(sceneOf(toDocument(first.records)).title).toBe('A');
    expect(await call('document.current', {})).toMatchObject({ id: first.id });
    expect(await call('document.current', {}, 'window-2')).not.toMatchObject({ id: first.id });
  });

  it('tells the examples in the language of the interface, their texts for the model as they are', async () => {
    await test[Symbol.asyncDispose]();
    test = openTestStudio({ examplesFolder: path.resolve(import.meta.dirname, '../../resources/examples') });
    type Told = { id: string; title: string; shows: string; records: never[] };
    const english = (await call('examples.list', {})) as Told[];
    expect(english).toEqual(await call('examples.list', { language: 'en' }));
    const asked = await call('examples.list', { language: 'de' });
    await call('settings.set', { language: 'de' });
    const german = (await call('examples.list', {})) as Told[];
    expect(asked).toEqual(german);
    expect(german.map(({ id }) => id)).toEqual(english.map(({ id }) => id));
    for (const [index, example] of german.entries()) {
      const original = english[index]!;
      expect(example.title, example.id).not.toBe(original.title);
      expect(example.shows, example.id).not.toBe(original.shows);
      const [scene, before] = [example, original].map(({ records }) => sceneOf(toDocument(records)));
      expect(scene).toEqual({ ...before, title: example.title, note: example.shows });
    }
    const first = (await call('document.current', {}, 'window-de')) as { records: never[] };
    expect(sceneOf(toDocument(first.records)).title).toBe(german[0]?.title);
    expect(test.studio.parts.log.recent()).toEqual([]);
  });

  it('calls the first example by its name in the language of the window, unless another one was chosen', async () => {
    await test[Symbol.asyncDispose]();
    test = openTestStudio({ examplesFolder: path.resolve(import.meta.dirname, '../../resources/examples') });
    const title = async (window: string, input: object): Promise<string> => {
      const { records } = (await call('document.current', input, window)) as { records: never[] };
      return sceneOf(toDocument(records)).title;
    };
    const german = await title('window-1', { language: 'de' });
    const english = await title('window-2', { language: 'en' });
    expect(german).not.toBe(english);
    await call('settings.set', { language: 'en' });
    expect(await title('window-3', { language: 'de' })).toBe(english);
    await call('settings.set', { language: 'de' });
    expect(await title('window-4', { language: 'en' })).toBe(german);
  });

  it('sets examples up for a default model that is none of its own', async () => {
    await test[Symbol.asyncDispose]();
    test = openTestStudio({ examplesFolder: path.resolve(import.meta.dirname, '../../resources/examples') });
    const defaults = { sampler: 'lcm', steps: 4, mode: 'joint', globalScale: 1, localScale: 1 } as const;
    const chained = { sampler: 'dpmpp-2m', steps: 16, mode: 'joint', globalScale: 1.3, localScale: 1.3 } as const;
    const [own] = (await test.engine.packs()).packs;
    test.engine.packs = async () => ({
      packs: [
        { ...own!, source: 'embedded', defaults: chained },
        { ...own!, id: 'quick', source: 'checkpoint', defaults },
      ],
      defaultPack: own!.id,
      open: null,
    });
    const guidance = async (window: string): Promise<unknown> => {
      const { records } = (await call('document.current', {}, window)) as { records: never[] };
      return sceneOf(toDocument(records)).guidance;
    };
    expect(await guidance('window-1')).toMatchObject({ globalScale: 1.3, localScale: 1.3 });
    await call('settings.set', { defaultPack: 'quick' });
    expect(await guidance('window-2')).toMatchObject({ globalScale: 1, localScale: 1 });
    for (const { records } of (await call('examples.list', {})) as { records: never[] }[])
      expect(sceneOf(toDocument(records))).toMatchObject({
        sampler: { name: 'lcm', steps: 4 },
        guidance: { globalScale: 1, localScale: 1 },
      });
    test.engine.packs = () => Promise.reject(new Error('the engine is gone'));
    expect(await guidance('window-3')).toMatchObject({ globalScale: 1.3, localScale: 1.3 });
  });

  it('reads the real examples', async () => {
    await test[Symbol.asyncDispose]();
    test = openTestStudio({ examplesFolder: path.resolve(import.meta.dirname, '../../resources/examples') });
    const examples = (await call('examples.list', {})) as { shows: string; segments: number }[];
    expect(examples.length).toBe(10);
    for (const example of examples) expect(example.shows.length).toBeGreaterThan(10);
    expect(test.studio.parts.log.recent()).toEqual([]);
  });

  it('tells when a document is on disk', async () => {
    const { id } = (await call('document.new', { records: sampleRecords() })) as { id: string };
    const saved = eventsOf('document.saved');
    await call('document.apply', {
      id,
      sequence: 4,
      diff: { added: [], updated: [], removed: [] },
      undo: 'mark',
      label: '',
    });
    expect(saved).toEqual([{ id, sequence: 4, dirty: true }]);
  });

  it('adds saved and opened projects to the recent files, which may then be opened by their path', async () => {
    const shell = fakeShell({
      dialogs: { open: () => Promise.resolve(null), save: () => Promise.resolve('/out/x.spatext') },
    });
    await test[Symbol.asyncDispose]();
    test = openTestStudio({ shell });
    const changed = eventsOf('settings.changed');
    const { id } = (await call('document.new', { records: sampleRecords() })) as { id: string };
    expect(await refusalOf(test.studio.call('project.save', { id, path: '/out/x.spatext' }, 'w'))).toMatchObject({
      code: 'refused',
    });
    await call('dialog.save', { suggestedName: 'x.spatext' });
    await call('project.save', { id, path: '/out/x.spatext' });
    expect(changed.at(-1)?.settings.recent).toMatchObject([{ path: '/out/x.spatext' }]);
    expect(await refusalOf(test.studio.call('project.open', { path: '/out/y.spatext' }, 'w'))).toMatchObject({
      code: 'refused',
    });
    await call('project.open', { path: '/out/x.spatext' }, 'window-3');
    expect(test.keeper.opened).toEqual([{ windowId: 'window-3', path: '/out/x.spatext' }]);
  });

  it('has no dialogs in a browser', async () => {
    expect(await refusalOf(test.studio.call('dialog.open', { for: 'import' }, 'w'))).toMatchObject({
      code: 'unsupported',
      remedy: expect.any(String) as string,
    });
  });
});

describe('blobs and files', () => {
  it('takes pictures and says their size', async () => {
    expect(await call('blobs.put', { bytes: PNG })).toMatchObject({ type: 'image/png', width: 1, height: 1 });
  });

  it.each([
    ['text', new TextEncoder().encode('<svg/>')],
    ['nothing', new Uint8Array()],
  ])('refuses %s as a picture', async (_what, bytes) => {
    expect(await refusalOf(test.studio.call('blobs.put', { bytes }, 'w'))).toMatchObject({ code: 'bad-input' });
  });

  it('refuses a picture that claims to be huge', async () => {
    const bytes = Buffer.from(PNG);
    bytes.writeUInt32BE(100_000, 16);
    expect(await refusalOf(test.studio.call('blobs.put', { bytes: new Uint8Array(bytes) }, 'w'))).toMatchObject({
      code: 'too-large',
    });
  });

  it('exports into a blob', async () => {
    const made = await call('export.create', { records: sampleRecords(), format: 'json', result: null });
    expect(made).toMatchObject({ fileName: 'scene.json', type: 'text/plain' });
    const { blob, bytes } = made as { blob: string; bytes: number };
    expect((await test.studio.parts.blobs.read(blob)).byteLength).toBe(bytes);
  });

  it('writes the legend of an array beside it, and nothing beside other files', async () => {
    const records = sampleRecords();
    const array = (await call('export.create', { records, format: 'npy', result: null })) as { blob: string; legend: string }; // prettier-ignore
    const target = path.join(test.folder, 'chosen.npy');
    test.studio.parts.grants.grantWrite(target);
    await call('blobs.saveAs', { hash: array.blob, path: target, legend: array.legend });
    expect(JSON.parse(readFileSync(`${target}.json`, 'utf8'))).toEqual({ segments: [] });
    expect(await call('export.create', { records, format: 'json', result: null })).toMatchObject({ legend: null });
  });

  it('names the folder that is no file', async () => {
    expect(await refusalOf(test.studio.call('import.path', { path: test.folder }, 'w'))).toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining(path.basename(test.folder)) as string,
    });
  });
});

describe('a history that is not there', () => {
  it('is told once, and the session strip takes its place', async () => {
    await test[Symbol.asyncDispose]();
    const broken = Promise.reject(new StudioError('storage', 'the file is broken', { remedy: 'restore it' }));
    test = openTestStudio({ library: broken });
    const heard = nextEvent('notice');
    await new Promise((resolve) => setTimeout(resolve, 10));
    // Nobody was there to hear it: the first window does.
    await call('document.current', {});
    const notice = await heard;
    expect(notice).toMatchObject({ level: 'warning', remedy: 'restore it' });
    expect(notice.message).toContain('the file is broken');
    test.engine.emit({ type: 'result', finished: finished(sampleResult('result-1')) });
    expect(await call('results.list', {})).toMatchObject({ total: 1, results: [{ id: 'result-1' }] });
    expect(await call('results.update', { id: 'result-1', starred: true })).toMatchObject({ starred: true });
  });

  it('keeps what a full disk refused, beside what the library has', async () => {
    const full = new (class extends SessionStrip {
      fails = false;
      override add(one: Parameters<SessionStrip['add']>[0]): ReturnType<SessionStrip['add']> {
        return this.fails ? Promise.reject(new StudioError('disk-full', 'the disk is full')) : super.add(one);
      }
    })();
    await full.add(finished(sampleResult('result-1', 1)));
    full.fails = true;
    await test[Symbol.asyncDispose]();
    test = openTestStudio({ library: Promise.resolve(full) });
    const notice = nextEvent('notice');
    test.engine.emit({ type: 'result', finished: finished(sampleResult('result-2', 2)) });
    expect(await notice).toMatchObject({ level: 'warning', kept: expect.any(String) as string });
    expect(await call('results.list', {})).toMatchObject({
      total: 2,
      results: [{ id: 'result-2' }, { id: 'result-1' }],
    });
    expect(await call('results.get', { id: 'result-2' })).toMatchObject({ seed: 7 });
    expect(await call('results.changes', { from: 'result-1', to: 'result-2' })).toEqual([]);
    await call('results.delete', { ids: ['result-1', 'result-2'] });
    expect(await call('results.list', {})).toMatchObject({ total: 0 });
    const restored = eventsOf('result.added');
    await call('results.restore', { ids: ['result-1', 'result-2'] });
    expect(restored.map(({ result }) => result.id).toSorted()).toEqual(['result-1', 'result-2']);
    await call('results.delete', { ids: ['result-2'] });
    const removed = eventsOf('results.removed');
    expect(await call('results.erase', { ids: ['result-1', 'result-2'] })).toEqual({ erased: ['result-2'], bytes: 0 });
    expect(removed).toEqual([{ ids: ['result-2'] }]);
    expect(await call('results.list', { deleted: true })).toMatchObject({ total: 0 });
    expect(await call('results.list', {})).toMatchObject({ total: 1 });
  });
});

describe('library items', () => {
  it('keep their words and are found by their embedding', async () => {
    const records = sampleRecords().slice(1);
    const item = (await call('library.add', { name: 'Ball', records })) as { id: string };
    expect(item).toMatchObject({ name: 'Ball', text: 'a red ball' });
    const similar = await call('library.similar', { slot: { kind: 'text', text: 'ball' } });
    expect(similar).toMatchObject([{ kind: 'item', id: item.id, cosine: 1 }]);
  });

  it('are kept without an embedding where no pack can make one', async () => {
    test.engine.embedFails = true;
    await call('library.add', { name: 'Ball', records: sampleRecords().slice(1) });
    expect(await call('library.list', { search: 'red' })).toMatchObject([{ name: 'Ball' }]);
    expect(await refusalOf(test.studio.call('library.similar', { slot: { kind: 'text' } }, 'w'))).toMatchObject({
      code: 'model',
    });
  });

  it('are records, not just anything', async () => {
    const reply = test.studio.call('library.add', { name: 'x', records: [{ type: 'virus' }] }, 'w');
    expect(await refusalOf(reply)).toMatchObject({ code: 'bad-input' });
  });
});

describe('closing', () => {
  it('saves, ends the engine, and may be asked for twice', async () => {
    await Promise.all([test.studio.close(), test.studio.close()]);
    expect(test.keeper.flushed).toBe(1);
    expect(test.engine.closed).toBe(true);
  });
});
