import { expect, test } from 'vitest';
import { column, databaseAt, insertResult, migrateTo } from './migrations.testkit.ts';

test('0030 finds what version 20 held: texts, segments, notes, tags; not what was deleted', () => {
  const database = databaseAt(20);
  // More than one portion of the migration.
  for (let seq = 1; seq <= 1203; seq += 1) insertResult(database, seq, 'beach', seq === 700 ? 'a walrus' : 'a cat');
  database.exec(`
    UPDATE results SET note = 'for Anna' WHERE seq = 3;
    INSERT INTO tags VALUES (4, 'birthday');
    UPDATE results SET deleted_at = 1 WHERE seq = 5;`);
  migrateTo(database, 30);
  const search = (match: string) =>
    column(database, 'SELECT rowid FROM results_search WHERE results_search MATCH ? ORDER BY rowid', match);
  expect(search('beach')).toHaveLength(1202);
  expect(search('walrus')).toEqual([700]);
  expect(search('anna')).toEqual([3]);
  expect(search('birthday')).toEqual([4]);
  expect(search('beach')).not.toContain(5);
});
