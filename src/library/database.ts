import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Sqlite from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import { StudioError } from '#shared/errors.ts';
import { MIGRATIONS } from './migrations/index.ts';
import type { Migration } from './migrations/index.ts';

export type { Database };

export interface Notice {
  readonly level: 'info' | 'warning' | 'error';
  readonly message: string;
  readonly kept?: string;
  readonly remedy?: string;
}

export interface OpenedDatabase {
  readonly database: Database;
  /** Lets the next writer in. The operating system does it too, should this process be killed. */
  readonly releaseWriter: () => void;
}

/** Databases up to this size are checked whole at every start (about 0.1 s); larger ones in their structure. */
const FULL_CHECK_BYTES = 48 * 1024 * 1024;

/**
 * Opens the library of a folder for writing: alone, migrated, checked. A damaged file is put aside and a new one
 * started, with a word to the artist.
 * @throws StudioError newer-version, busy (another process writes), storage, disk-full
 */
export function openForWriting(folder: string, onNotice: (notice: Notice) => void): OpenedDatabase {
  const file = path.join(folder, 'library.sqlite');
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw StudioError.from(error, 'opening the library');
  }
  const releaseWriter = becomeWriter(path.join(folder, 'library.lock'));
  try {
    try {
      return { database: openChecked(file), releaseWriter };
    } catch (error) {
      if (!isDamage(error)) throw error;
      rmSync(checkMark(file), { force: true });
      const aside = putAside(file);
      onNotice({
        level: 'error',
        message: `the library's database is damaged (${error instanceof Error ? error.message : String(error)})`,
        kept: `the damaged file was kept as ${aside}; pictures and projects are untouched`,
        remedy: 'the studio starts with an empty history; restore the file from a backup if there is one',
      });
      return { database: openChecked(file), releaseWriter };
    }
  } catch (error) {
    releaseWriter();
    throw databaseError(error, 'opening the library');
  }
}

/** For looking only, also while another process writes. @throws StudioError not-found, newer-version, storage */
export function openForReading(folder: string): Database {
  const file = path.join(folder, 'library.sqlite');
  if (!existsSync(file)) throw new StudioError('not-found', `there is no library in ${folder}`);
  try {
    const database = new Sqlite(file, { readonly: true });
    const version = versionOf(database);
    if (version === latest(MIGRATIONS)) return database;
    database.close();
    refuseNewer(version);
    throw new StudioError('unsupported', 'the library was written by an older release', {
      remedy: 'start the studio once, which brings it up to date',
    });
  } catch (error) {
    throw databaseError(error, 'opening the library');
  }
}

/** One writer: an exclusive transaction on a file beside, held as long as this process lives. */
function becomeWriter(file: string): () => void {
  let lock: Database | undefined;
  try {
    lock = new Sqlite(file, { timeout: 0 });
    lock.pragma('journal_mode = DELETE');
    lock.pragma('locking_mode = EXCLUSIVE');
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock?.close();
    if (sqliteCode(error) === 'SQLITE_BUSY')
      throw new StudioError('busy', 'the library is open in another window or program', {
        kept: 'nothing was changed',
        remedy: 'close the other one, or start this one with another data folder',
        cause: error,
      });
    throw databaseError(error, 'opening the library');
  }
  return () => lock.close();
}

function openChecked(file: string): Database {
  const database = new Sqlite(file);
  try {
    // Before anything that might write: a newer release's file is not touched.
    refuseNewer(versionOf(database));
    // Pages that deletions free can be given back to the disk; has to be said before the first table.
    database.pragma('auto_vacuum = INCREMENTAL');
    database.pragma('journal_mode = WAL');
    // FULL, not NORMAL: NORMAL may lose the last results at a power cut. A result takes seconds to make, its
    // commit some milliseconds more.
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    // Delete really deletes: freed pages are overwritten.
    database.pragma('secure_delete = ON');
    database.pragma('cache_size = -32000');
    database.pragma('temp_store = MEMORY');
    check(database, existsSync(checkMark(file)));
    rmSync(checkMark(file), { force: true });
    migrate(database, MIGRATIONS);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** A file that asks for a full check at the next start: left when damage shows while working. */
const checkMark = (file: string): string => `${file}.check`;

export function demandCheck(folder: string): void {
  writeFileSync(checkMark(path.join(folder, 'library.sqlite')), '');
}

function check(database: Database, full: boolean): void {
  const pages = Number(database.pragma('page_count', { simple: true }));
  const bytes = pages * Number(database.pragma('page_size', { simple: true }));
  // An empty schema is a new file; reading it also finds a file that is no database at all.
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[];
  if (full || bytes <= FULL_CHECK_BYTES) {
    const verdict = database.pragma('quick_check(1)', { simple: true });
    if (verdict !== 'ok') throw new DamageError(String(verdict));
  } else if (tables.includes('results')) {
    database.prepare('SELECT count(*), max(seq) FROM results INDEXED BY results_live').get();
  }
}

class DamageError extends Error {}

/** Brings a database up to date, each step in a transaction of its own. @throws StudioError newer-version */
export function migrate(database: Database, migrations: readonly Migration[]): void {
  const version = versionOf(database);
  refuseNewer(version, latest(migrations));
  for (const migration of migrations) {
    if (migration.version <= version) continue;
    database.transaction(() => {
      migration.migrate(database);
      database.pragma(`user_version = ${migration.version}`);
    })();
  }
}

const versionOf = (database: Database): number => Number(database.pragma('user_version', { simple: true }));
const latest = (migrations: readonly Migration[]): number => migrations.at(-1)?.version ?? 0;

function refuseNewer(version: number, newest = latest(MIGRATIONS)): void {
  if (version > newest)
    throw new StudioError(
      'newer-version',
      `the library was written by a newer release (version ${version}, this one reads up to ${newest})`,
      { kept: 'the library is unchanged', remedy: 'start the newer release, or choose another data folder' },
    );
}

/** Moves a damaged database and its side files to a free name. */
function putAside(file: string): string {
  for (let number = 1; ; number += 1) {
    const aside = path.join(path.dirname(file), `library.damaged-${number}.sqlite`);
    if (existsSync(aside)) continue;
    renameSync(file, aside);
    for (const side of ['-wal', '-shm']) if (existsSync(file + side)) renameSync(file + side, aside + side);
    return aside;
  }
}

const sqliteCode = (error: unknown): string => (error instanceof Sqlite.SqliteError ? error.code : '');

export const isDamage = (error: unknown): boolean =>
  error instanceof DamageError || /^SQLITE_(CORRUPT|NOTADB)/.test(sqliteCode(error));

/** Any error of the database in words. */
export function databaseError(error: unknown, doing: string): StudioError {
  const code = sqliteCode(error);
  const message = `${doing}: ${error instanceof Error ? error.message : String(error)}`;
  const remedyOf: Record<string, [StudioError['code'], string]> = {
    SQLITE_FULL: ['disk-full', 'free some space and try again'],
    SQLITE_BUSY: ['busy', 'another program holds the library; try again'],
    SQLITE_READONLY: ['storage', 'the folder of the library cannot be written; choose another data folder'],
    SQLITE_CANTOPEN: ['storage', 'check that the data folder exists and can be written'],
    SQLITE_IOERR: ['storage', 'check the disk'],
    SQLITE_CORRUPT: ['storage', 'start the studio again: it keeps the damaged file aside'],
    SQLITE_NOTADB: ['storage', 'start the studio again: it keeps the damaged file aside'],
  };
  const found = Object.entries(remedyOf).find(([prefix]) => code.startsWith(prefix));
  if (found) return new StudioError(found[1][0], message, { remedy: found[1][1], cause: error });
  return StudioError.from(error, doing);
}
