import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { migrate } from '../database.ts';
import { MIGRATIONS } from './index.ts';
import { column, databaseAt } from './migrations.testkit.ts';

test('versions grow, and every one has its reason', () => {
  const versions = MIGRATIONS.map((migration) => migration.version);
  expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
  expect(MIGRATIONS.every((migration) => migration.why.length > 10)).toBe(true);
});

test('a step that fails leaves the database at the version before it', () => {
  const database = databaseAt(10);
  const failing = {
    version: 15,
    why: 'a test',
    migrate: (db: Sqlite.Database) => {
      db.exec('CREATE TABLE half (x)');
      throw new Error('power cut');
    },
  };
  expect(() => migrate(database, [...MIGRATIONS.slice(0, 1), failing])).toThrow('power cut');
  expect(database.pragma('user_version', { simple: true })).toBe(10);
  expect(column(database, "SELECT name FROM sqlite_schema WHERE name = 'half'")).toEqual([]);
});

test('a newer database is refused', () => {
  const database = new Sqlite(':memory:');
  database.pragma('user_version = 99999');
  expect(() => migrate(database, MIGRATIONS)).toThrow(expect.objectContaining({ code: 'newer-version' }) as Error);
});
