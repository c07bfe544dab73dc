import { expect, test } from 'vitest';
import { column, databaseAt, insertResult } from './migrations.testkit.ts';

test('0010 makes tables in which snapshots, parents and pictures go with their result', () => {
  const database = databaseAt(10);
  insertResult(database, 1, 'a', 'b');
  database.exec(`
    INSERT INTO parents VALUES (1, 0, 'result-0');
    INSERT INTO blobs VALUES ('${'a'.repeat(64)}', 5);
    INSERT INTO result_blobs VALUES (1, '${'a'.repeat(64)}');`);
  expect(() => insertResult(database, 1, 'again', '')).toThrow(/UNIQUE/);
  expect(() => database.exec('INSERT INTO parents VALUES (99, 0, 0)')).toThrow(/FOREIGN KEY/);
  database.exec('DELETE FROM results');
  for (const table of ['snapshots', 'parents', 'result_blobs'])
    expect(column(database, `SELECT count(*) FROM ${table}`)).toEqual([0]);
  expect(database.pragma('user_version', { simple: true })).toBe(10);
});
