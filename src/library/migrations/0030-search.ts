import { z } from 'zod';
import { searchTexts } from '../texts.ts';
import { unpackRecords } from '../records.ts';
import type { Migration } from './migration.ts';

const Row = z.object({
  seq: z.number(),
  title: z.string(),
  text: z.string(),
  note: z.string(),
  records: z.instanceof(Uint8Array),
  scene_version: z.number(),
});
const Tags = z.array(z.object({ tag: z.string() }));

/**
 * Full-text search. Rows taken out of the index are overwritten (secure-delete), which needs the index to keep
 * its own copy of the texts. Deleted results are not in it: restoring puts them back.
 */
export const search: Migration = {
  version: 30,
  why: 'full-text search over texts, notes and tags',
  migrate(database) {
    database.exec(`
      CREATE VIRTUAL TABLE results_search USING fts5(
        title, text, segments, note, tags,
        tokenize='unicode61 remove_diacritics 2', prefix='1 2 3'
      );
      INSERT INTO results_search(results_search, rank) VALUES ('secure-delete', 1);
    `);
    const insert = database.prepare(
      'INSERT INTO results_search(rowid, title, text, segments, note, tags) VALUES (?, ?, ?, ?, ?, ?)',
    );
    const tagsOf = database.prepare('SELECT tag FROM tags WHERE seq = ? ORDER BY tag');
    const next = database.prepare(`
      SELECT r.seq, r.title, r.text, r.note, s.records, s.scene_version
      FROM results r JOIN snapshots s ON s.seq = r.seq
      WHERE r.deleted_at IS NULL AND r.seq > ? ORDER BY r.seq LIMIT 500`);
    // In portions: a connection cannot write while it iterates.
    for (let last = 0; ;) {
      const rows = z.array(Row).parse(next.all(last));
      for (const row of rows) {
        const tags = Tags.parse(tagsOf.all(row.seq)).map(({ tag }) => tag);
        const records = unpackRecords(row.records, row.scene_version);
        insert.run(row.seq, row.title, row.text, searchTexts(records).join('\n'), row.note, tags.join('\n'));
        last = row.seq;
      }
      if (rows.length === 0) break;
    }
  },
};
