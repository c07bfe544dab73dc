import { expect, test } from 'vitest';
import { column, databaseAt, insertResult, migrateTo } from './migrations.testkit.ts';

test('0050 tells from an index alone which results of version 40 are large enough', () => {
  const database = databaseAt(40);
  for (const seq of [1, 2, 3]) insertResult(database, seq, 'beach', 'cat');
  database.exec('UPDATE results SET height = 600 WHERE seq = 2');
  migrateTo(database, 50);
  const query = 'SELECT seq FROM results WHERE deleted_at IS NULL AND max(width, height) >= 512';
  expect(column(database, query)).toEqual([2]);
  const plan = database.prepare(`EXPLAIN QUERY PLAN ${query}`).all() as { detail: string }[];
  expect(plan[0]?.detail).toContain('COVERING INDEX results_size');
});
