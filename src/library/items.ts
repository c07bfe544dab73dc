import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { LibraryItem } from '#shared/api/calls.ts';
import { blobsOf } from '#shared/document/document.ts';
import { DocumentRecord } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import type { Database } from './database.ts';

const Row = z.object({
  id: z.string(),
  name: z.string(),
  created_at: z.number(),
  text: z.string(),
  records: z.string(),
});

/** Saved segments: shape and slot, to be dragged into any scene. */
export class ItemRows {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The items whose name or text holds all the words, the newest first. */
  list(search: string): LibraryItem[] {
    const words = fold(search).split(/\s+/).filter(Boolean);
    const rows = z
      .array(Row)
      .parse(this.#database.prepare('SELECT * FROM items ORDER BY created_at DESC, id LIMIT 5000').all());
    return rows.filter((row) => words.every((word) => fold(`${row.name} ${row.text}`).includes(word))).map(toItem);
  }

  add(item: { name: string; records: readonly unknown[]; text: string }, now: number): LibraryItem {
    const parsed = z.array(DocumentRecord).min(1).safeParse(item.records);
    if (!parsed.success) throw StudioError.from(parsed.error, 'the segment cannot be saved');
    const id = `item-${randomBytes(9).toString('base64url')}`;
    const row = { id, name: item.name, created_at: now, text: item.text, records: JSON.stringify(parsed.data) };
    this.#database
      .prepare(
        'INSERT INTO items (id, name, created_at, text, records) VALUES (@id, @name, @created_at, @text, @records)',
      )
      .run(row);
    const blobs = blobsOf(Object.fromEntries(parsed.data.map((record) => [record.id, record])));
    for (const hash of blobs) {
      this.#database.prepare('INSERT INTO item_blobs (item, hash) VALUES (?, ?)').run(id, hash);
      this.#database.prepare('DELETE FROM blob_removals WHERE hash = ?').run(hash);
    }
    return toItem(row);
  }

  /** Its rows and embeddings go with it; its pictures may be in use by scenes and stay for `purge` to judge. */
  remove(id: string): void {
    this.#database
      .prepare(
        `INSERT OR IGNORE INTO blob_removals (hash) SELECT hash FROM item_blobs mine WHERE item = ?
         AND NOT EXISTS (SELECT 1 FROM result_blobs r WHERE r.hash = mine.hash)
         AND NOT EXISTS (SELECT 1 FROM item_blobs other WHERE other.hash = mine.hash AND other.item <> mine.item)`,
      )
      .run(id);
    const { changes } = this.#database.prepare('DELETE FROM items WHERE id = ?').run(id);
    if (changes === 0) throw new StudioError('not-found', 'this saved segment is no longer there');
  }
}

const toItem = (row: z.infer<typeof Row>): LibraryItem => ({
  id: row.id,
  name: row.name,
  createdAt: row.created_at,
  text: row.text,
  records: z.array(z.unknown()).parse(JSON.parse(row.records)),
});

/** Without accents and capitals, as the search of results compares. */
const fold = (text: string): string => text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
