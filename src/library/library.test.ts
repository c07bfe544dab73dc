import { closeSync, openSync, readdirSync, writeSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { CALLS } from '#shared/api/calls.ts';
import type { CallInput } from '#shared/api/calls.ts';
import { finished, libraryIn, temporaryFolder } from './library.testkit.ts';

const query = (fields: CallInput<'results.list'> = {}) => CALLS['results.list'].input.parse(fields);
const ids = (results: readonly { id: string }[]): string[] => results.map((result) => result.id.slice(7));

test('a result comes back as it was, after a restart too', async () => {
  await using folder = await temporaryFolder();
  const { library } = await libraryIn(folder.path);
  const made = finished({ id: 'a', clip: 0.3 });
  const summary = await library.add(made);
  expect(summary).toMatchObject({ id: 'result-a', title: 'at the beach', text: 'at the beach', starred: false });
  await library.close();
  const again = await libraryIn(folder.path);
  const back = CALLS['results.get'].output.parse(await again.library.get('result-a'));
  expect(back).toEqual({ ...made.result, starred: false, note: '', tags: [], boards: [] });
  await expect(again.library.get('result-none')).rejects.toMatchObject({ code: 'not-found' });
  await again.library.close();
  expect(again.notices).toEqual([]);
});

test('pages follow each other without gaps, in the order of adding, whatever the clock said', async () => {
  await using folder = await temporaryFolder();
  const { library } = await libraryIn(folder.path);
  const names = Array.from({ length: 25 }, (_, index) => `n${index}`);
  // The clock jumps back by a year in the middle.
  for (const [index, id] of names.entries())
    await library.add(finished({ id, createdAt: 1_700_000_000_000 + index - (index > 11 ? 3e10 : 0) }));
  const seen: string[] = [];
  let before: { createdAt: number; id: `result-${string}` } | undefined;
  for (;;) {
    const { results, total } = await library.list(query({ limit: 10, ...(before && { before }) }));
    expect(total).toBe(25);
    if (results.length === 0) break;
    seen.push(...ids(results));
    const last = results.at(-1)!;
    before = { createdAt: last.createdAt, id: last.id as `result-${string}` };
  }
  expect(seen).toEqual(names.toReversed());
  await library.close();
});

test('search finds texts, segments, notes and tags, by beginnings, phrases and without accents', async () => {
  await using folder = await temporaryFolder();
  const { library } = await libraryIn(folder.path);
  await library.add(finished({ id: 'a', text: 'a café by the sea', segment: 'a black cat' }));
  await library.add(finished({ id: 'b', text: 'a castle', segment: 'a red "ball"' }));
  await library.update({ id: 'result-b', note: 'for Grandmother', tags: ['birthday'] });
  const search = async (text: string) => ids((await library.list(query({ search: text }))).results);
  expect(await search('cafe')).toEqual(['a']);
  expect(await search('CAST')).toEqual(['b']);
  expect(await search('cat black')).toEqual(['a']);
  expect(await search('"black cat"')).toEqual(['a']);
  expect(await search('"cat black"')).toEqual([]);
  expect(await search('grandm')).toEqual(['b']);
  expect(await search('birthday ball')).toEqual(['b']);
  expect(await search('a')).toEqual(['b', 'a']);
  // Nothing of the search engine's syntax gets through, and none of it is an error.
  for (const hostile of ['NEAR(', 'note:', '"', '""', '*', 'a AND', "';--", '^', '-cat', 'title:x OR', '(', '\u0000'])
    await expect(library.list(query({ search: hostile }))).resolves.toBeDefined();
  expect(await search('-cat')).toEqual(['a']);
  await library.update({ id: 'result-b', note: '' });
  expect(await search('grandm')).toEqual([]);
  await library.close();
});

test('stars, tags, boards, packs and scores filter, together and with search', async () => {
  await using folder = await temporaryFolder();
  const { library } = await libraryIn(folder.path);
  await library.add(finished({ id: 'a', clip: 0.1, pack: 'p1' }));
  await library.add(finished({ id: 'b', clip: 0.3, pack: 'p2', segment: 'a dog' }));
  await library.add(finished({ id: 'c', clip: null, pack: 'p2' }));
  await library.update({ id: 'result-b', starred: true, boards: ['Posters', ' Posters ', ''], tags: ['x'] });
  await library.update({ id: 'result-c', boards: ['Posters', 'Cards'] });
  const wide = finished({ id: 'wide', clip: 0.1, pack: 'p3' });
  const list = async (fields: CallInput<'results.list'>) => {
    const { results, total } = await library.list(query(fields));
    expect(total).toBe(results.length);
    return ids(results);
  };
  expect(await list({ starred: true })).toEqual(['b']);
  expect(await list({ starred: false })).toEqual(['c', 'a']);
  expect(await list({ pack: 'p2' })).toEqual(['c', 'b']);
  expect(await list({ minScore: 0.2 })).toEqual(['b']);
  await library.add({ ...wide, result: { ...wide.result, width: 1024, height: 256 } });
  expect(await list({ minSide: 1024 })).toEqual(['wide']);
  expect(await list({ minSide: 512, minScore: 0.2 })).toEqual(['b']);
  expect(await list({ minSide: 1025 })).toEqual([]);
  expect(await list({ minSide: 513, search: 'cat', pack: 'p3' })).toEqual(['wide']);
  expect(await list({ minSide: 513, pack: 'p2' })).toEqual([]);
  expect(await list({ board: 'Posters' })).toEqual(['c', 'b']);
  expect(await list({ board: 'Posters', search: 'dog', tag: 'x', pack: 'p2', starred: true })).toEqual(['b']);
  expect(await library.boards()).toEqual([
    { name: 'Cards', count: 1 },
    { name: 'Posters', count: 2 },
  ]);
  await library.close();
});

test('deleting can be undone; afterwards rows, search entries, embeddings and pictures are really gone', async () => {
  await using folder = await temporaryFolder();
  const { library, blobs } = await libraryIn(folder.path);
  const own = await blobs.write(new Uint8Array(5000).fill(1));
  const shared = await blobs.write(new Uint8Array(3000).fill(2));
  const inUse = await blobs.write(new Uint8Array(1000).fill(3));
  await library.add(finished({ id: 'a', picture: own, segment: 'a walrus', embedding: [1, 0, 0] }));
  await library.add(finished({ id: 'b', picture: shared, embedding: [0.9, 0.1, 0] }));
  await library.add(finished({ id: 'c', picture: shared, embedding: [0, 1, 0] }));
  await library.add(finished({ id: 'd', picture: inUse, embedding: [0, 0, 1] }));
  const nearest = async () => (await library.similar('test', Float32Array.from([1, 0, 0]), 9)).map(({ id }) => id);
  expect(await nearest()).toEqual(['result-a', 'result-b', 'result-d', 'result-c']);
  await library.remove(['result-a', 'result-b', 'result-d']);
  expect(await nearest()).toEqual(['result-c']);
  expect(ids((await library.list(query())).results)).toEqual(['c']);
  expect(ids((await library.list(query({ deleted: true }))).results)).toEqual(['d', 'b', 'a']);
  expect(ids((await library.list(query({ deleted: true, search: 'beach' }))).results)).toEqual(['d', 'b', 'a']);
  expect((await library.list(query({ search: 'walrus' }))).total).toBe(0);
  expect(ids(await library.restore(['result-a']))).toEqual(['a']);
  expect(await nearest()).toEqual(['result-a', 'result-c']);
  expect(ids((await library.list(query({ search: 'walrus' }))).results)).toEqual(['a']);

  await library.remove(['result-a']);
  expect(await library.purge({ olderThanMs: 3_600_000, budget: 1e12 })).toMatchObject({ removed: [] });
  const { removed } = await library.purge({ olderThanMs: -1000, budget: 1e12, keep: [inUse] });
  expect(removed.toSorted()).toEqual(['result-a', 'result-b', 'result-d']);
  expect(blobs.has(own)).toBe(false);
  expect(blobs.has(shared)).toBe(true); // result c shows it
  expect(blobs.has(inUse)).toBe(true); // a document uses it
  await expect(library.get('result-a')).rejects.toMatchObject({ code: 'not-found' });
  // Once the document is gone, so is its picture.
  await library.purge({ olderThanMs: 0, budget: 1e12 });
  expect(blobs.has(inUse)).toBe(false);
  await library.close();
  const database = await readFile(path.join(folder.path, 'library.sqlite'));
  expect(database.includes('walrus')).toBe(false);
  expect(database.includes('result-a')).toBe(false);
});

test('what is in the trash is deleted for good at once when asked; what is not in it stays', async () => {
  await using folder = await temporaryFolder();
  const { library, blobs } = await libraryIn(folder.path);
  const [gone, used, live] = await Promise.all([1, 2, 3].map((fill) => blobs.write(new Uint8Array(4000).fill(fill))));
  await library.add(finished({ id: 'gone', picture: gone, segment: 'a walrus', embedding: [1, 0, 0] }));
  await library.add(finished({ id: 'used', picture: used }));
  await library.add(finished({ id: 'live', picture: live }));
  await library.remove(['result-gone', 'result-used']);
  const { removed, bytes } = await library.erase(['result-gone', 'result-used', 'result-live', 'result-none'], [used!]);
  expect(removed).toEqual(['result-gone', 'result-used']);
  expect(bytes).toBeGreaterThanOrEqual(8000);
  expect([gone, used, live].map((hash) => blobs.has(hash!))).toEqual([false, true, true]);
  await expect(library.get('result-gone')).rejects.toMatchObject({ code: 'not-found' });
  expect((await library.list(query({ deleted: true }))).total).toBe(0);
  expect(ids((await library.list(query())).results)).toEqual(['live']);
  await library.close();
  expect((await readFile(path.join(folder.path, 'library.sqlite'))).includes('walrus')).toBe(false);
});

test('the budget drops deleted results first, then old ones that nobody marked, never the newest', async () => {
  await using folder = await temporaryFolder();
  const { library, blobs } = await libraryIn(folder.path);
  for (let index = 0; index < 30; index += 1) {
    const picture = await blobs.write(new Uint8Array(100_000).fill(index));
    await library.add(finished({ id: `n${index}`, picture }));
  }
  await library.update({ id: 'result-n0', starred: true });
  await library.update({ id: 'result-n1', note: 'mine' });
  await library.update({ id: 'result-n2', boards: ['B'] });
  await library.remove(['result-n25']);
  const { bytes } = await library.usage();
  const first = await library.purge({ olderThanMs: 3_600_000, budget: bytes - 250_000 });
  expect(ids(first.removed.map((id) => ({ id })))).toEqual(['n25', 'n3', 'n4']);
  expect(first.bytes).toBeGreaterThan(250_000);
  const all = await library.purge({ olderThanMs: 3_600_000, budget: 0 });
  expect(ids(all.removed.map((id) => ({ id })))).toEqual(['n5', 'n6', 'n7', 'n8']);
  expect((await library.list(query())).total).toBe(23);
  await library.close();
});

test('lineage is a tree', async () => {
  await using folder = await temporaryFolder();
  const { library } = await libraryIn(folder.path);
  await library.add(finished({ id: 'root' }));
  await library.add(finished({ id: 'left', parents: ['root'] }));
  await library.add(finished({ id: 'right', parents: ['root', 'gone'] }));
  await library.add(finished({ id: 'both', parents: ['left', 'right'] }));
  const of = async (id: string) => {
    const { ancestors, descendants } = await library.family(`result-${id}`);
    return [ids(ancestors), ids(descendants)];
  };
  expect(await of('both')).toEqual([['right', 'left', 'root'], []]);
  expect(await of('root')).toEqual([[], ['left', 'right', 'both']]);
  expect((await library.get('result-right')).parents).toEqual(['result-root', 'result-gone']);
  // A file from elsewhere may hold a loop.
  await library.add(finished({ id: 'egg', parents: ['hen'] }));
  await library.add(finished({ id: 'hen', parents: ['egg', 'hen'] }));
  expect(await of('hen')).toEqual([['egg'], ['egg']]);
  await library.close();
});

test('saved segments: search, embedding, removal', async () => {
  await using folder = await temporaryFolder();
  const { library } = await libraryIn(folder.path);
  const { records } = finished({ id: 'x', segment: 'a green parrot' }).result;
  const item = await library.addItem({
    name: 'Parrot',
    records: records.slice(1),
    text: 'a green parrot',
    space: 'test',
    embedding: Float32Array.from([0, 3, 0]),
  });
  await library.addItem({ name: 'Other', records: records.slice(1), text: '', space: null, embedding: null });
  expect((await library.items('PARR green')).map(({ name }) => name)).toEqual(['Parrot']);
  expect((await library.items('')).length).toBe(2);
  const [found] = await library.similar('test', Float32Array.from([0, 1, 0]), 3);
  expect(found).toMatchObject({ kind: 'item', id: item.id, content: { kind: 'text', text: 'a green parrot' } });
  expect(found?.cosine).toBeCloseTo(1, 6);
  await library.removeItem(item.id);
  expect(await library.similar('test', Float32Array.from([0, 1, 0]), 3)).toEqual([]);
  await expect(library.removeItem(item.id)).rejects.toMatchObject({ code: 'not-found' });
  await expect(
    library.addItem({ name: 'bad', records: [{ nothing: 1 }], text: '', space: null, embedding: null }),
  ).rejects.toMatchObject({ code: 'bad-input' });
  await library.close();
});

test('similar results come with the crop that shows the segment, in the pixels of the picture', async () => {
  await using folder = await temporaryFolder();
  const { library } = await libraryIn(folder.path);
  const made = finished({ id: 'a', x: 200, embedding: [1, 0] });
  await library.add(made);
  const [found] = await library.similar('test', Float32Array.from([1, 1]), 1);
  // The scene is 256 wide, the picture 512: twice the numbers, cut at the edge.
  expect(found).toMatchObject({
    text: 'a black cat',
    picture: made.result.picture,
    content: { kind: 'crop', result: 'result-a', box: { x: 400, y: 120, width: 112, height: 240 } },
  });
  expect(found?.cosine).toBeCloseTo(Math.SQRT1_2, 6);
  await expect(library.similar('test', Float32Array.from([1, 0, 0]), 1)).rejects.toMatchObject({ code: 'bad-input' });
  expect(await library.similar('another space', Float32Array.from([1]), 1)).toEqual([]);
  await library.close();
});

test('one writer: a second one is told, a reader may look', async () => {
  await using folder = await temporaryFolder();
  const { library } = await libraryIn(folder.path);
  await library.add(finished({ id: 'a' }));
  await expect(libraryIn(folder.path)).rejects.toMatchObject({ code: 'busy' });
  const reader = await libraryIn(folder.path, { readOnly: true });
  expect((await reader.library.list(query())).total).toBe(1);
  await expect(reader.library.update({ id: 'result-a', starred: true })).rejects.toMatchObject({ code: 'storage' });
  await reader.library.close();
  await library.close();
  await (await libraryIn(folder.path)).library.close();
});

test('a database of a newer release is refused and not touched', async () => {
  await using folder = await temporaryFolder();
  await (await libraryIn(folder.path)).library.close();
  const file = path.join(folder.path, 'library.sqlite');
  const database = new Sqlite(file);
  database.pragma('user_version = 990');
  database.close();
  const before = await readFile(file);
  await expect(libraryIn(folder.path)).rejects.toMatchObject({ code: 'newer-version' });
  expect((await readFile(file)).equals(before)).toBe(true);
});

test.each([
  ['is no database', (file: string) => writeFile(file, 'this was my diary')],
  ['has damaged pages', (file: string) => Promise.resolve(overwrite(file))],
])('a file that %s is kept aside and the studio starts', async (_what, damage) => {
  await using folder = await temporaryFolder();
  const { library } = await libraryIn(folder.path);
  for (let index = 0; index < 60; index += 1) await library.add(finished({ id: `n${index}` }));
  await library.close();
  await damage(path.join(folder.path, 'library.sqlite'));
  const again = await libraryIn(folder.path);
  expect(again.notices).toHaveLength(1);
  expect(again.notices[0]).toMatchObject({ level: 'error' });
  expect(readdirSync(folder.path)).toContain('library.damaged-1.sqlite');
  await again.library.add(finished({ id: 'new' }));
  expect((await again.library.list(query())).total).toBe(1);
  await again.library.close();
});

/** Damages pages in the middle, as a failing disk would. */
function overwrite(file: string): void {
  const handle = openSync(file, 'r+');
  for (let page = 3; page < 12; page += 1) writeSync(handle, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096);
  closeSync(handle);
}
