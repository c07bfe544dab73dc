import { expect, test } from 'vitest';
import { column, databaseAt, insertResult, migrateTo } from './migrations.testkit.ts';

test('0020 gives results of version 10 an empty note, and tags and boards', () => {
  const database = databaseAt(10);
  insertResult(database, 1, 'beach', 'cat');
  migrateTo(database, 20);
  expect(column(database, 'SELECT note FROM results')).toEqual(['']);
  expect(column(database, 'SELECT text FROM results')).toEqual(['beach']);
  database.exec("INSERT INTO tags VALUES (1, 'x'); INSERT INTO boards VALUES (1, 'B'); DELETE FROM results");
  expect(column(database, 'SELECT tag FROM tags UNION SELECT board FROM boards')).toEqual([]);
});
