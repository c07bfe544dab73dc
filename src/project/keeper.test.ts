import { readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { sceneOf, toDocument } from '#shared/document/document.ts';
import { openBlobStore } from '#engine/blobs/blob-store.ts';
import { Blobs, testResult } from './formats/formats.testkit.ts';
import { beach, invertDiff, keeperIn, setText, temporaryFolder } from './keeper.testkit.ts';

const textOf = (records: Parameters<typeof toDocument>[0]): string => sceneOf(toDocument(records)).text;

test('the document closed last comes back after a restart, with undo and redo', async () => {
  await using folder = await temporaryFolder();
  const { keeper } = await keeperIn(folder.path);
  const opened = await keeper.current('window-1', beach);
  let document = toDocument(opened.records);
  for (const [index, text] of ['one', 'two', 'three'].entries()) {
    const { diff, next } = setText(document, text);
    await keeper.apply({ id: opened.id, sequence: index + 1, diff, undo: 'mark', label: text });
    document = next;
  }
  const { diff } = setText(document, 'two');
  await keeper.apply({ id: opened.id, sequence: 4, diff, undo: 'undo', label: '' });
  await keeper.close();

  const again = await keeperIn(folder.path);
  const restored = await again.keeper.current('another-window', () => beach('fallback'));
  expect(textOf(restored.records)).toBe('two');
  expect(restored.undo.map((mark) => mark.label)).toEqual(['one', 'two']);
  expect(restored.redo.map((mark) => mark.label)).toEqual(['three']);
  expect(restored.dirty).toBe(true);
  const redo = restored.redo.at(-1)!;
  await again.keeper.apply({ id: restored.id, sequence: 1, diff: redo.diff, undo: 'redo', label: '' });
  const now = await again.keeper.current('another-window', beach);
  expect(textOf(now.records)).toBe('three');
  expect(now.redo).toEqual([]);
  await again.keeper.apply({
    id: now.id,
    sequence: 2,
    diff: invertDiff(now.undo.at(-1)!.diff),
    undo: 'undo',
    label: '',
  });
  expect(textOf((await again.keeper.current('another-window', beach)).records)).toBe('two');
  await again.keeper.close();
});

test('a stroke sent in pieces is one undo step', async () => {
  await using folder = await temporaryFolder();
  const { keeper } = await keeperIn(folder.path);
  const opened = await keeper.current('w', beach);
  let document = toDocument(opened.records);
  for (const [index, text] of ['a', 'ab', 'abc'].entries()) {
    const { diff, next } = setText(document, text);
    await keeper.apply({ id: opened.id, sequence: index, diff, undo: index === 0 ? 'mark' : 'extend', label: 'type' });
    document = next;
  }
  const { undo } = await keeper.current('w', beach);
  expect(undo).toHaveLength(1);
  expect(setText(document, 'at the beach').diff).toEqual(invertDiff(undo[0]!.diff));
  await keeper.close();
});

test('changes are told as saved within a second, the last one included', async () => {
  await using folder = await temporaryFolder();
  const { keeper } = await keeperIn(folder.path);
  const { id, records } = await keeper.current('w', beach);
  const saved: number[] = [];
  keeper.onSaved((event) => saved.push(event.sequence));
  const start = performance.now();
  const { diff } = setText(toDocument(records), 'new');
  await keeper.apply({ id, sequence: 17, diff, undo: 'mark', label: '' });
  await vi.waitFor(() => expect(saved).toContain(17), { timeout: 2000, interval: 10 });
  expect(performance.now() - start).toBeLessThan(1000);
  await keeper.close();
});

test('save, open, and the way back: records, undo and pictures', async () => {
  await using folder = await temporaryFolder();
  const store = openBlobStore(path.join(folder.path, 'blobs'));
  const hash = await store.write(new Uint8Array([1, 2, 3]));
  const { keeper, notices } = await keeperIn(folder.path);
  const opened = await keeper.create('w', {
    ...beach(),
    'reference:r': {
      id: 'reference:r',
      type: 'reference',
      blob: hash,
      transform: [1, 0, 0, 1, 0, 0],
      width: 2,
      height: 2,
      opacity: 1,
      visible: true,
    },
  });
  const { diff } = setText(toDocument(opened.records), 'changed');
  await keeper.apply({ id: opened.id, sequence: 1, diff, undo: 'mark', label: 'text' });
  const target = path.join(folder.path, 'My work.spatext');
  const { file } = await keeper.save({ id: opened.id, path: target });
  expect(file).toEqual({ path: target, name: 'My work' });
  expect((await keeper.current('w', beach)).dirty).toBe(false);
  await keeper.close();
  await rm(path.join(folder.path, 'blobs'), { recursive: true });
  await rm(path.join(folder.path, 'documents'), { recursive: true });

  const again = await keeperIn(folder.path);
  const back = await again.keeper.open('w', target);
  expect(textOf(back.records)).toBe('changed');
  expect(back.undo.map((mark) => mark.label)).toEqual(['text']);
  expect(back.dirty).toBe(false);
  expect([...(await store.read(hash))]).toEqual([1, 2, 3]);
  expect([...(await again.keeper.blobsInUse())]).toEqual([hash]);
  await again.keeper.close();
  expect(notices).toEqual([]);
});

test('the file replaced by a save is kept as a backup, the five newest of them', async () => {
  await using folder = await temporaryFolder();
  const { keeper, notices } = await keeperIn(folder.path);
  const { id, records } = await keeper.current('w', beach);
  let document = toDocument(records);
  await keeper.save({ id, name: 'Cat' });
  for (let index = 1; index <= 7; index += 1) {
    const { diff, next } = setText(document, `version ${index}`);
    document = next;
    await keeper.apply({ id, sequence: index, diff, undo: 'mark', label: '' });
    await keeper.save({ id });
  }
  const [entry] = await keeper.list();
  expect(entry?.name).toBe('Cat');
  const backups = path.join(folder.path, 'documents', 'backups');
  const [one] = await readdir(backups);
  expect((await readdir(path.join(backups, one!))).toSorted()).toEqual(
    ['3', '4', '5', '6', '7'].map((number) => `${number}.spatext`),
  );
  await keeper.close();
  // The newest backup is the version before the last; a damaged file points at it.
  await writeFile(entry!.path, 'damaged');
  const again = await keeperIn(folder.path);
  await expect(again.keeper.open('v', entry!.path)).rejects.toMatchObject({
    code: 'bad-input',
    remedy: expect.stringContaining('7.spatext') as unknown,
  });
  const backup = await again.keeper.open('v', path.join(backups, one!, '7.spatext'));
  expect(textOf(backup.records)).toBe('version 6');
  await again.keeper.close();
  expect(notices).toEqual([]);
});

test('two windows on one file: the second is refused, in this process and in another keeper', async () => {
  await using folder = await temporaryFolder();
  await using elsewhere = await temporaryFolder();
  const { keeper } = await keeperIn(folder.path);
  const { id } = await keeper.current('w1', beach);
  const { file } = await keeper.save({ id, path: path.join(folder.path, 'x.spatext') });
  await expect(keeper.open('w2', file.path)).rejects.toMatchObject({ code: 'busy' });
  const other = await keeperIn(elsewhere.path);
  await expect(other.keeper.open('w', file.path)).rejects.toMatchObject({ code: 'busy' });
  await keeper.closeWindow('w1');
  expect((await other.keeper.open('w', file.path)).file?.path).toBe(file.path);
  await other.keeper.close();
  await keeper.close();
});

test('a file changed by another program is noticed and that version kept', async () => {
  await using folder = await temporaryFolder();
  const { keeper, notices } = await keeperIn(folder.path);
  const { id } = await keeper.current('w', beach);
  const target = path.join(folder.path, 'x.spatext');
  await keeper.save({ id, path: target });
  await writeFile(target, 'somebody else');
  await keeper.save({ id });
  expect(notices).toHaveLength(1);
  const kept = /kept as (.*)$/.exec(notices[0]!.kept!)![1]!;
  expect(await readFile(kept, 'utf8')).toBe('somebody else');
  await keeper.close();
});

test('a file that vanished is written again; a working folder that vanished too', async () => {
  await using folder = await temporaryFolder();
  const { keeper } = await keeperIn(folder.path);
  const { id, records } = await keeper.current('w', beach);
  const target = path.join(folder.path, 'x.spatext');
  await keeper.save({ id, path: target });
  await rm(target);
  await keeper.save({ id });
  expect((await stat(target)).size).toBeGreaterThan(100);

  await rm(path.join(folder.path, 'documents', 'open', id), { recursive: true });
  const { diff } = setText(toDocument(records), 'after');
  await keeper.apply({ id, sequence: 1, diff, undo: 'mark', label: '' });
  await vi.waitFor(
    async () =>
      expect(await readFile(path.join(folder.path, 'documents', 'open', id, 'snapshot.json'), 'utf8')).toContain(
        'after',
      ),
    { timeout: 4000 },
  );
  await keeper.close();
});

test('a damaged snapshot: the one before and both journals give the same document', async () => {
  await using folder = await temporaryFolder();
  const { keeper } = await keeperIn(folder.path);
  const { id, records } = await keeper.current('w', beach);
  let document = toDocument(records);
  const change = async (text: string): Promise<void> => {
    const { diff, next } = setText(document, text);
    document = next;
    await keeper.apply({ id, sequence: 0, diff, undo: 'mark', label: text });
  };
  await change('a');
  await change('b');
  await keeper.flush();
  await change('c');
  await keeper.closeWindow('w');
  await keeper.close();
  await writeFile(path.join(folder.path, 'documents', 'open', id, 'snapshot.json'), '{"half":');
  const again = await keeperIn(folder.path);
  const back = await again.keeper.current('w', () => beach('fallback'));
  expect(textOf(back.records)).toBe('c');
  expect(back.undo.map((mark) => mark.label)).toEqual(['a', 'b', 'c']);
  expect(again.notices.map((notice) => notice.level)).toEqual(['warning']);
  await again.keeper.close();
});

test('a clock that jumps back does not change which document was open last', async () => {
  await using folder = await temporaryFolder();
  const { keeper } = await keeperIn(folder.path);
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2031-05-05') });
  try {
    const first = await keeper.current('w', () => beach('first'));
    await keeper.apply({
      id: first.id,
      sequence: 1,
      diff: setText(toDocument(first.records), 'first, changed').diff,
      undo: 'mark',
      label: '',
    });
    vi.setSystemTime(new Date('1999-01-01'));
    const second = await keeper.create('w', beach('second'));
    await keeper.save({ id: second.id, name: 'After' });
    await keeper.close();
    const again = await keeperIn(folder.path);
    const back = await again.keeper.current('w', () => beach('fallback'));
    expect(textOf(back.records)).toBe('second');
    const [unsaved] = await again.keeper.recoverable();
    expect(unsaved).toMatchObject({ id: first.id, title: 'first, changed' });
    await again.keeper.close();
  } finally {
    vi.useRealTimers();
  }
});

test('unsaved scenes without a title or a text are told apart by their segments', async () => {
  await using folder = await temporaryFolder();
  const { keeper } = await keeperIn(folder.path);
  const first = await keeper.current('w', beach);
  const { diff } = setText(toDocument(first.records), '');
  await keeper.apply({ id: first.id, sequence: 1, diff, undo: 'mark', label: '' });
  await keeper.create('w', beach('next'));
  const [found] = await keeper.recoverable();
  expect(found?.title).toBe('a black cat, a red ball');
  await keeper.close();
});

test('unsaved work that was put aside is listed, recovered or discarded', async () => {
  await using folder = await temporaryFolder();
  const { keeper } = await keeperIn(folder.path);
  const first = await keeper.current('w', beach);
  const { diff } = setText(toDocument(first.records), 'unsaved');
  await keeper.apply({ id: first.id, sequence: 1, diff, undo: 'mark', label: '' });
  await keeper.create('w', beach('next'));
  const [found] = await keeper.recoverable();
  expect(found).toMatchObject({ id: first.id, title: 'unsaved', segments: 2 });
  const back = await keeper.recover('w2', first.id);
  expect(textOf(back.records)).toBe('unsaved');
  await expect(keeper.discard(first.id)).rejects.toMatchObject({ code: 'busy' });
  await keeper.closeWindow('w2');
  await keeper.discard(first.id);
  expect(await keeper.recoverable()).toEqual([]);
  await expect(keeper.discard('../../etc')).rejects.toMatchObject({ code: 'bad-input' });
  await keeper.close();
});

test('a lock left by a process that is gone is taken over, a living one of another machine is not', async () => {
  await using folder = await temporaryFolder();
  const { keeper } = await keeperIn(folder.path);
  const { id } = await keeper.current('w', beach);
  const target = path.join(folder.path, 'x.spatext');
  await keeper.save({ id, path: target });
  await keeper.close();
  const lock = path.join(folder.path, '.~x.spatext.lock');
  const hold = (holder: object): Promise<void> => writeFile(lock, JSON.stringify(holder));
  const again = await keeperIn(folder.path);

  await hold({ pid: 999_999_999, started: '1', host: (await import('node:os')).hostname(), token: 'gone' });
  expect((await again.keeper.open('a', target)).file?.path).toBe(target);
  await again.keeper.closeWindow('a');

  await hold({ pid: 1, started: '1', host: 'another-machine', token: 'far' });
  await expect(again.keeper.open('b', target)).rejects.toMatchObject({ code: 'busy' });
  const longAgo = new Date(Date.now() - 3_600_000);
  await utimes(lock, longAgo, longAgo);
  expect((await again.keeper.open('c', target)).file?.path).toBe(target);
  await again.keeper.close();
});

test('what does not fit is refused, and the document stays as it was', async () => {
  await using folder = await temporaryFolder();
  const { keeper } = await keeperIn(folder.path);
  const { id } = await keeper.current('w', beach);
  const stranger = setText(beach(), 'x').diff;
  const wrong = { ...stranger, removed: [Object.values(beach()).find((record) => record.type === 'slot')!] };
  await expect(keeper.apply({ id, sequence: 1, diff: wrong, undo: 'mark', label: '' })).rejects.toMatchObject({
    code: 'bad-input',
  });
  await expect(
    keeper.apply({ id: 'doc-unknown', sequence: 1, diff: stranger, undo: 'mark', label: '' }),
  ).rejects.toMatchObject({ code: 'not-found' });
  const now = await keeper.current('w', beach);
  expect(textOf(now.records)).toBe('at the beach');
  expect(now.undo).toEqual([]);
  await keeper.close();
});

test('the results the artist chose travel in the project file, with their pictures', async () => {
  await using folder = await temporaryFolder();
  await using elsewhere = await temporaryFolder();
  const blobs = new Blobs();
  const result = await testResult(beach(), blobs, 16, 16);
  const picture = await openBlobStore(path.join(folder.path, 'blobs')).write(await blobs.read(result.picture));
  const { keeper } = await keeperIn(folder.path, { chosenResults: () => Promise.resolve([result]) });
  const { id } = await keeper.current('w', beach);
  const target = path.join(folder.path, 'x.spatext');
  await keeper.save({ id, path: target });
  await keeper.close();
  const received: string[] = [];
  const other = await keeperIn(elsewhere.path, {
    onResults: (results) => {
      received.push(...results.map((one) => one.id));
      return Promise.resolve();
    },
  });
  await other.keeper.open('w', target);
  expect(received).toEqual(['result-test']);
  expect(openBlobStore(path.join(elsewhere.path, 'blobs')).has(picture)).toBe(true);
  await other.keeper.close();
});
