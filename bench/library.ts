// A history of 100,000 results with an embedding each: how long opening, pages, searches and retrieval take.
import { existsSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import os, { tmpdir } from 'node:os';
import path from 'node:path';
import { CALLS } from '#shared/api/calls.ts';
import type { CallInput } from '#shared/api/calls.ts';
import { createScene, createSegment } from '#shared/document/create.ts';
import { openForWriting } from '#library/database.ts';
import { Embeddings } from '#library/embeddings.ts';
import { finished } from '#library/library.testkit.ts';
import { openLibrary } from '#library/library.ts';
import { ResultRows } from '#library/results.ts';
import { record, spread } from './record.ts';

const ROWS = 100_000;
const WIDTH = 512;
const WORDS = 'cat dog castle sea forest red blue green small old house tree boat moon river cloud stone bird'.split(
  ' ',
);
const folder = process.argv[2] ?? path.join(tmpdir(), 'spatext-bench-library');

let state = 12_345;
const random = (): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
};
const word = (): string => WORDS[Math.floor(random() * WORDS.length)] ?? '';
const vector = (): number[] => Array.from({ length: WIDTH }, () => random() + random() + random() - 1.5);

/** Through the library's own code, but many results in one transaction: one by one would take an hour. */
async function fill(): Promise<number> {
  await mkdir(folder, { recursive: true });
  const start = performance.now();
  const { database, releaseWriter } = openForWriting(folder, () => undefined);
  const results = new ResultRows(database, path.join(folder, 'blobs'));
  const embeddings = new Embeddings(database);
  for (let first = 0; first < ROWS; first += 1000)
    database.transaction(() => {
      for (let index = first; index < first + 1000; index += 1) {
        const made = finished({
          id: index.toString(16).padStart(8, '0'),
          createdAt: 1_700_000_000_000 + index * 60_000,
          pack: index % 10 === 0 ? 'other' : 'embedded',
          clip: 0.15 + random() * 0.2,
        });
        const points = Array.from({ length: 60 }, (): [number, number, number] => [random() * 256, random() * 256, 1]);
        made.result.records = [
          createScene({ text: `a ${word()} ${word()} by the ${word()}${index === 50_000 ? ' with a walrus' : ''}` }),
          ...['a', 'b', 'c'].flatMap((key) =>
            createSegment(key, `a ${word()} ${word()}`, [{ kind: 'strokes', strokes: [{ width: 12, points }] }]),
          ),
        ];
        const { seq } = results.add(made.result);
        if (index % 37 === 0) results.update({ id: made.result.id, starred: true, tags: [word()] });
        embeddings.add('bench', { owner: { seq }, text: 'a thing', box: null, values: Float32Array.from(vector()) });
      }
    })();
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
  releaseWriter();
  return (performance.now() - start) / 1000;
}

async function time(times: number, work: () => Promise<unknown>): Promise<ReturnType<typeof spread>> {
  const measured: number[] = [];
  for (let index = 0; index < times; index += 1) {
    const start = performance.now();
    await work();
    measured.push(performance.now() - start);
  }
  return spread(measured);
}

const filled = existsSync(path.join(folder, 'library.sqlite')) ? null : await fill();
const open = () => openLibrary({ folder, blobFolder: path.join(folder, 'blobs') });
const opened: number[] = [];
for (let index = 0; index < 5; index += 1) {
  const before = performance.now();
  const one = await open();
  opened.push(performance.now() - before);
  await one.close();
}
const library = await open();
const list = (query: CallInput<'results.list'>) => library.list(CALLS['results.list'].input.parse(query));
const middle = { createdAt: 1_700_000_000_000 + 50_000 * 60_000, id: 'result-0000c350' as const };
const start = performance.now();
await library.similar('bench', Float32Array.from(vector()), 12);
const firstSimilar = performance.now() - start;
const figures = {
  rows: (await list({})).total,
  databaseMiB: Math.round(statSync(path.join(folder, 'library.sqlite')).size / 2 ** 20),
  fillSeconds: filled === null ? null : Math.round(filled),
  /** Other work on the machine at the time: the figures were not taken in quiet. */
  loadAverage: Number(os.loadavg()[0]?.toFixed(1)),
  milliseconds: {
    open: spread(opened),
    'page: newest 50': await time(20, () => list({})),
    'page: 50 from the middle': await time(20, () => list({ before: middle })),
    'page: starred': await time(20, () => list({ starred: true })),
    'page: one pack, score at least 0.3': await time(20, () => list({ pack: 'other', minScore: 0.3 })),
    'page: a longer side of at least 1024': await time(20, () => list({ minSide: 1024 })),
    'search: a word of one result': await time(20, () => list({ search: 'walrus' })),
    'search: a word of a third of all': await time(20, () => list({ search: 'cat' })),
    'search: two words': await time(20, () => list({ search: 'castle river' })),
    'search: one letter': await time(20, () => list({ search: 'c' })),
    'search: a word and a star': await time(20, () => list({ search: 'cat', starred: true })),
    'retrieval: first of a session': Number(firstSimilar.toFixed(1)),
    [`retrieval: nearest 12 of 100,000, width ${WIDTH}`]: await time(30, () =>
      library.similar('bench', Float32Array.from(vector()), 12),
    ),
  },
};
await library.close();
record('library', 'node bench/library.ts', figures);
