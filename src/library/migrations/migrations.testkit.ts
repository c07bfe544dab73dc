import Sqlite from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import { createScene, createSegment } from '#shared/document/create.ts';
import { migrate } from '../database.ts';
import { packRecords } from '../records.ts';
import { MIGRATIONS } from './index.ts';

/** A database as the release of that version made it. */
export function databaseAt(version: number): Database {
  const database = new Sqlite(':memory:');
  database.pragma('foreign_keys = ON');
  migrate(
    database,
    MIGRATIONS.filter((migration) => migration.version <= version),
  );
  return database;
}

/** Brings it one step further. */
export function migrateTo(database: Database, version: number): void {
  migrate(
    database,
    MIGRATIONS.filter((migration) => migration.version <= version),
  );
}

/** A result's rows with the columns that every version has. */
export function insertResult(database: Database, seq: number, text: string, segment: string): void {
  database
    .prepare(
      `INSERT INTO results (seq, id, job, created_at, kind, picture, width, height, seed, pack_id, pack_name,
        pack_fingerprint, passes, title, text, timings, scores)
       VALUES (?, ?, 'job-1', 1, 'generate', ?, 8, 8, 7, 'p', 'P', 'f', 1, ?, ?, '{}', '[]')`,
    )
    .run(seq, `result-${seq}`, 'a'.repeat(64), text, text);
  const records = [createScene({ text }), ...createSegment('s', segment, [])];
  database
    .prepare(`INSERT INTO snapshots (seq, scene_version, records, purpose, warnings) VALUES (?, 1, ?, '{}', '[]')`)
    .run(seq, packRecords(records));
}

export const column = (database: Database, sql: string, ...values: (string | number)[]): unknown[] =>
  database
    .prepare(sql)
    .pluck()
    .all(...values);
