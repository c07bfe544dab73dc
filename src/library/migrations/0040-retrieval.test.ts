import { expect, test } from 'vitest';
import { column, databaseAt, insertResult, migrateTo } from './migrations.testkit.ts';

test('0040 adds saved segments and embeddings, which go with their owners, and keeps results and search', () => {
  const database = databaseAt(30);
  insertResult(database, 1, 'beach', 'cat');
  database.exec("INSERT INTO results_search(rowid, text) VALUES (1, 'beach')");
  migrateTo(database, 40);
  expect(column(database, "SELECT rowid FROM results_search WHERE results_search MATCH 'beach'")).toEqual([1]);
  database.exec(`
    INSERT INTO spaces VALUES (1, 'clip', 2);
    INSERT INTO items VALUES ('item-1', 'n', 1, 't', '[]');
    INSERT INTO embeddings VALUES (1, 1, 1, NULL, 't', NULL, 1, x'0102'), (2, 1, NULL, 'item-1', 't', NULL, 1, x'0102');
    INSERT INTO embedding_values VALUES (1, x'00'), (2, x'00');`);
  expect(() => database.exec("INSERT INTO embeddings VALUES (3, 1, NULL, NULL, 't', NULL, 1, x'01')")).toThrow(/CHECK/);
  database.exec('DELETE FROM results; DELETE FROM items');
  expect(column(database, 'SELECT id FROM embeddings UNION SELECT id FROM embedding_values')).toEqual([]);
});
