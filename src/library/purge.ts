import { rmSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { ResultId } from '#shared/api/generation.ts';
import type { Database } from './database.ts';

/** However small the budget, the last results stay: the artist is looking at them. */
const NEWEST_KEPT = 20;
/** In one transaction, so that a purge of thousands never keeps the worker from answering for long. */
const PORTION = 200;

export interface RemovalOptions {
  /** Pictures that documents use: their files stay. */
  readonly keep: ReadonlySet<string>;
  readonly blobFolder: string;
  /** Called with each result's seq while its rows are still there. */
  readonly onRemove: (seq: number) => void;
}

export interface PurgeOptions extends RemovalOptions {
  readonly olderThanMs: number;
  /** Bytes that pictures and database may take. */
  readonly budget: number;
  readonly now: number;
}

const Row = z.object({ seq: z.number(), id: ResultId });

export const usedBytes = (database: Database): number => pictureBytes(database) + pageBytes(database);

const pictureBytes = (database: Database): number =>
  z.number().parse(database.prepare('SELECT coalesce(sum(bytes), 0) FROM blobs').pluck().get());

function pageBytes(database: Database): number {
  const pages = Number(database.pragma('page_count', { simple: true }));
  const free = Number(database.pragma('freelist_count', { simple: true }));
  return (pages - free) * Number(database.pragma('page_size', { simple: true }));
}

/**
 * Deletes for good: rows, embeddings, search entries, picture files. First what was deleted long enough ago; then,
 * while more than the budget is used, deleted results from the one deleted first, and results without star, note,
 * tag or board from the oldest on. Starred and organised results are never dropped for room.
 */
export function purge(database: Database, options: PurgeOptions): { removed: ResultId[]; bytes: number } {
  let pictures = pictureBytes(database);
  const before = pictures + pageBytes(database);
  const removed: ResultId[] = [];
  const select = (sql: string, ...values: number[]): z.infer<typeof Row>[] =>
    z.array(Row).parse(database.prepare(sql).all(...values));
  const drop = (rows: readonly z.infer<typeof Row>[], enough: () => boolean): void => {
    for (const { seq, id } of rows) {
      if (enough()) return;
      options.onRemove(seq);
      pictures -= removeRows(database, seq);
      removed.push(id);
    }
  };
  const inPortions = (sql: string, enough: () => boolean, ...values: number[]): void => {
    for (let rows = select(sql, ...values); rows.length > 0 && !enough(); rows = select(sql, ...values))
      database.transaction(() => drop(rows, enough))();
  };
  inPortions(
    `SELECT seq, id FROM results WHERE deleted_at <= ? ORDER BY deleted_at, seq LIMIT ${PORTION}`,
    () => false,
    options.now - options.olderThanMs,
  );
  const fits = (): boolean => pictures + pageBytes(database) <= options.budget;
  inPortions(
    `SELECT seq, id FROM results WHERE deleted_at IS NOT NULL ORDER BY deleted_at, seq LIMIT ${PORTION}`,
    fits,
  );
  inPortions(
    `SELECT seq, id FROM results r WHERE deleted_at IS NULL AND starred = 0 AND note = ''
       AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.seq = r.seq)
       AND NOT EXISTS (SELECT 1 FROM boards b WHERE b.seq = r.seq)
       AND seq < coalesce((SELECT seq FROM results WHERE deleted_at IS NULL ORDER BY seq DESC LIMIT 1 OFFSET ?), 0)
     ORDER BY seq LIMIT ${PORTION}`,
    fits,
    NEWEST_KEPT - 1,
  );
  return { removed, bytes: settle(database, options, removed.length, before) };
}

/** Deletes for good the results among `ids` that are in the trash; the others are left as they are. */
export function erase(
  database: Database,
  ids: readonly ResultId[],
  options: RemovalOptions,
): { removed: ResultId[]; bytes: number } {
  const before = usedBytes(database);
  const inTrash = database.prepare('SELECT seq, id FROM results WHERE id = ? AND deleted_at IS NOT NULL');
  const removed: ResultId[] = [];
  database.transaction(() => {
    for (const one of ids) {
      const row = Row.optional().parse(inTrash.get(one));
      if (!row) continue;
      options.onRemove(row.seq);
      removeRows(database, row.seq);
      removed.push(row.id);
    }
  })();
  return { removed, bytes: settle(database, options, removed.length, before) };
}

/** Files, free pages and log follow the rows. @returns the bytes that are free now */
function settle(database: Database, options: RemovalOptions, count: number, before: number): number {
  removeFiles(database, options);
  if (count > 0) {
    database.pragma('incremental_vacuum');
    database.pragma('wal_checkpoint(TRUNCATE)');
  }
  return Math.max(0, before - usedBytes(database));
}

/** Deletes the rows of one result and notes the pictures nothing points at any more. @returns these pictures' bytes */
function removeRows(database: Database, seq: number): number {
  let freed = 0;
  const hashes = z
    .array(z.string())
    .parse(database.prepare('SELECT hash FROM result_blobs WHERE seq = ?').pluck().all(seq));
  database.prepare('DELETE FROM results_search WHERE rowid = ?').run(seq);
  database.prepare('DELETE FROM results WHERE seq = ?').run(seq);
  for (const hash of hashes) {
    const bytes = database
      .prepare(
        `DELETE FROM blobs WHERE hash = ? AND NOT EXISTS (SELECT 1 FROM result_blobs r WHERE r.hash = blobs.hash)
         RETURNING bytes`,
      )
      .pluck()
      .get(hash);
    if (typeof bytes !== 'number') continue;
    freed += bytes;
    const used = database.prepare('SELECT 1 FROM item_blobs WHERE hash = ? LIMIT 1').get(hash) !== undefined;
    if (!used) database.prepare('INSERT OR IGNORE INTO blob_removals (hash) VALUES (?)').run(hash);
  }
  return freed;
}

/** Deletes the noted files; one that a document uses, or that cannot be deleted now, stays noted for the next time. */
function removeFiles(database: Database, { keep, blobFolder }: RemovalOptions): void {
  const hashes = z.array(z.string()).parse(database.prepare('SELECT hash FROM blob_removals').pluck().all());
  for (const hash of hashes) {
    if (keep.has(hash)) continue;
    const used =
      database
        .prepare('SELECT 1 FROM blobs WHERE hash = ? UNION ALL SELECT 1 FROM item_blobs WHERE hash = ? LIMIT 1')
        .get(hash, hash) !== undefined;
    try {
      if (!used) rmSync(path.join(blobFolder, hash.slice(0, 2), hash), { force: true });
    } catch {
      continue;
    }
    database.prepare('DELETE FROM blob_removals WHERE hash = ?').run(hash);
  }
}
