import { beforeEach, describe, expect, it } from 'vitest';
import type { OpenDocument } from '#shared/api/calls.ts';
import { ResultQuery } from '#shared/api/calls.ts';
import { adoptResults, chosenResults } from './project-results.ts';
import { SessionStrip } from './session-strip.ts';
import { finished, sampleRecords, sampleResult } from './studio.testkit.ts';

let strip: SessionStrip;
const list = async (query: Parameters<typeof ResultQuery.parse>[0]) =>
  (await strip.list(ResultQuery.parse(query))).results.map(({ id }) => id);

beforeEach(async () => {
  strip = new SessionStrip();
  for (const [id, at, text] of [
    ['result-a', 1, 'a beach'],
    ['result-b', 2, 'a forest'],
    ['result-c', 2, 'a beach at night'],
  ] as const)
    await strip.add(finished(sampleResult(id, at, sampleRecords(text))));
});

describe('SessionStrip', () => {
  it('lists the latest first and page by page without gaps', async () => {
    expect(await list({})).toEqual(['result-c', 'result-b', 'result-a']);
    expect(await list({ limit: 2 })).toEqual(['result-c', 'result-b']);
    expect(await list({ before: { createdAt: 2, id: 'result-c' } })).toEqual(['result-b', 'result-a']);
  });

  it('finds by words, stars, boards, tags and score', async () => {
    await strip.update({ id: 'result-a', starred: true, boards: ['sea'], tags: ['day'] });
    await strip.update({ id: 'result-c', note: 'too dark' });
    expect(await list({ search: 'beach DARK' })).toEqual(['result-c']);
    expect(await list({ starred: true })).toEqual(['result-a']);
    expect(await list({ starred: false })).toEqual(['result-c', 'result-b']);
    expect(await list({ board: 'sea' })).toEqual(['result-a']);
    expect(await list({ tag: 'night' })).toEqual([]);
    expect(await list({ minScore: 0.31 })).toEqual([]);
    expect(await list({ pack: 'sample-pack' })).toHaveLength(3);
    expect(await strip.boards()).toEqual([{ name: 'sea', count: 1 }]);
  });

  it('hides what is deleted until it is restored', async () => {
    await strip.remove(['result-a']);
    expect(await list({})).toEqual(['result-c', 'result-b']);
    expect(await list({ deleted: true })).toEqual(['result-a']);
    await strip.restore(['result-a']);
    expect(await list({})).toHaveLength(3);
  });

  it('says what changed between two', async () => {
    const other = { ...sampleResult('result-d', 3, sampleRecords('a forest')), seed: 8 };
    await strip.add(finished(other));
    expect(await strip.changes('result-b', 'result-d')).toEqual(['seed 7 -> 8']);
    expect(await strip.changes('result-a', 'result-b')).toEqual(['changed scene:main']);
    await strip.add(finished(sampleResult('result-e', 4, sampleRecords('a beach').slice(0, 1))));
    expect(await strip.changes('result-a', 'result-e')).toEqual(['removed segment:ball', 'removed slot:ball']);
  });

  it('knows a family through generations, loops included', async () => {
    await strip.add(finished({ ...sampleResult('result-d', 4), parents: ['result-a', 'result-gone'] }));
    await strip.add(finished({ ...sampleResult('result-e', 5), parents: ['result-d'] }));
    const { ancestors, descendants } = await strip.family('result-d');
    expect(ancestors.map(({ id }) => id)).toEqual(['result-a']);
    expect(descendants.map(({ id }) => id)).toEqual(['result-e']);
    expect((await strip.family('result-a')).descendants.map(({ id }) => id)).toEqual(['result-d', 'result-e']);
    await strip.add(finished({ ...sampleResult('result-a', 1), parents: ['result-e'] }));
    expect((await strip.family('result-a')).ancestors.map(({ id }) => id)).toEqual(['result-e', 'result-d']);
  });

  it('finds neighbours in one space only, the nearest first', async () => {
    const item = { name: 'x', records: [], text: 'x' };
    await strip.addItem({ ...item, space: 'test', embedding: new Float32Array([1, 0]) });
    await strip.addItem({ ...item, space: 'other', embedding: new Float32Array([1, 0]) });
    await strip.addItem({ ...item, space: null, embedding: null });
    const found = await strip.similar('test', new Float32Array([1, 0]), 2);
    expect(found.map(({ kind, cosine }) => [kind, Math.round(cosine * 10) / 10])).toEqual([
      ['item', 1],
      ['result', 0.6],
    ]);
  });

  it.each([
    ['get', () => strip.get('result-x')],
    ['update', () => strip.update({ id: 'result-x' })],
    ['remove', () => strip.remove(['result-x'])],
    ['family', () => strip.family('result-x')],
    ['removeItem', () => strip.removeItem('item-x')],
  ])('%s refuses what is not there', async (_name, run) => {
    await expect(run()).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('results of a project file', () => {
  const open = (records = sampleRecords()): OpenDocument => ({
    id: 'doc-1',
    records,
    undo: [],
    redo: [],
    file: null,
    dirty: false,
  });

  it('are the starred ones made from the scene', async () => {
    await strip.update({ id: 'result-b', starred: true });
    expect((await chosenResults(strip, open())).map(({ id }) => id)).toEqual(['result-b']);
    const other = sampleRecords().map(
      (record) => JSON.parse(JSON.stringify(record).replaceAll(':ball', ':cloud')) as typeof record,
    );
    expect(await chosenResults(strip, open(other))).toEqual([]);
    // Without segments the text decides.
    expect((await chosenResults(strip, open(sampleRecords('a forest').slice(0, 1)))).length).toBe(1);
    expect((await chosenResults(strip, open(sampleRecords('').slice(0, 1)))).length).toBe(0);
  });

  it('are taken in once, starred', async () => {
    const added = await adoptResults(strip, [sampleResult('result-a'), sampleResult('result-new', 9)]);
    expect(added).toMatchObject([{ id: 'result-new', starred: true }]);
    expect(await adoptResults(strip, [sampleResult('result-new', 9)])).toEqual([]);
  });
});
