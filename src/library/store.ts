import type { FinishedResult } from '#engine/jobs/engine-api.ts';
import type { CallArguments, CallOutput, LibraryItem } from '#shared/api/calls.ts';
import type { ResultId, ResultSummary } from '#shared/api/generation.ts';
import { describeChanges } from './changes.ts';
import { openForReading, openForWriting } from './database.ts';
import type { Database, Notice } from './database.ts';
import { Embeddings, segmentBox } from './embeddings.ts';
import { ItemRows } from './items.ts';
import { erase, purge, usedBytes } from './purge.ts';
import type { RemovalOptions } from './purge.ts';
import { ResultRows } from './results.ts';

/** The library inside its worker: synchronous, each method one transaction. See library-api.ts for the words. */
export class LibraryStore {
  readonly #database: Database;
  readonly #blobFolder: string;
  readonly #results: ResultRows;
  readonly #items: ItemRows;
  readonly #embeddings: Embeddings;
  readonly #releaseWriter: () => void;

  constructor(
    options: { readonly folder: string; readonly blobFolder: string; readonly readOnly: boolean },
    onNotice: (notice: Notice) => void,
  ) {
    const opened = options.readOnly
      ? { database: openForReading(options.folder), releaseWriter: () => undefined }
      : openForWriting(options.folder, onNotice);
    this.#database = opened.database;
    this.#releaseWriter = opened.releaseWriter;
    this.#blobFolder = options.blobFolder;
    this.#results = new ResultRows(opened.database, options.blobFolder);
    this.#items = new ItemRows(opened.database);
    this.#embeddings = new Embeddings(opened.database);
  }

  add({ result, embeddings, space }: FinishedResult): ResultSummary {
    return this.#transaction(() => {
      const { seq, isNew } = this.#results.add(result);
      if (isNew)
        for (const { segment, text, values } of embeddings)
          this.#embeddings.add(space, { owner: { seq }, text, box: segmentBox(result, segment), values });
      return this.#results.summary(result.id);
    });
  }

  list(query: CallArguments<'results.list'>): CallOutput<'results.list'> {
    return this.#results.list(query);
  }

  get(id: ResultId): CallOutput<'results.get'> {
    return this.#results.get(id);
  }

  update(change: CallArguments<'results.update'>): ResultSummary {
    return this.#transaction(() => this.#results.update(change));
  }

  remove(ids: readonly ResultId[]): void {
    this.#transaction(() => {
      for (const seq of this.#results.remove(ids, Date.now())) this.#embeddings.forget({ seq });
    });
  }

  restore(ids: readonly ResultId[]): ResultSummary[] {
    return this.#transaction(() => {
      const { seqs, summaries } = this.#results.restore(ids);
      for (const seq of seqs) this.#embeddings.remember(seq);
      return summaries;
    });
  }

  purge(options: { olderThanMs: number; budget: number; keep?: Iterable<string> | undefined }): {
    removed: ResultId[];
    bytes: number;
  } {
    return purge(this.#database, {
      ...this.#removal(options.keep),
      olderThanMs: options.olderThanMs,
      budget: options.budget,
      now: Date.now(),
    });
  }

  erase(ids: readonly ResultId[], keep?: Iterable<string>): { removed: ResultId[]; bytes: number } {
    return erase(this.#database, ids, this.#removal(keep));
  }

  #removal(keep: Iterable<string> | undefined): RemovalOptions {
    return {
      keep: new Set(keep),
      blobFolder: this.#blobFolder,
      onRemove: (seq) => this.#embeddings.forget({ seq }),
    };
  }

  letGo(hashes: readonly string[]): void {
    this.#transaction(() => {
      for (const hash of hashes)
        this.#database.prepare('INSERT OR IGNORE INTO blob_removals (hash) VALUES (?)').run(hash);
    });
  }

  changes(from: ResultId, to: ResultId): string[] {
    return describeChanges(this.#results.get(from), this.#results.get(to));
  }

  family(id: ResultId): { ancestors: ResultSummary[]; descendants: ResultSummary[] } {
    return this.#results.family(id);
  }

  usage(): { bytes: number; results: number } {
    const results = this.#database.prepare('SELECT count(*) FROM results WHERE deleted_at IS NULL').pluck().get();
    return { bytes: usedBytes(this.#database), results: Number(results) };
  }

  boards(): { name: string; count: number }[] {
    return this.#results.boards();
  }

  items(search: string): LibraryItem[] {
    return this.#items.list(search);
  }

  addItem(item: {
    name: string;
    records: unknown[];
    text: string;
    space: string | null;
    embedding: Float32Array | null;
  }): LibraryItem {
    return this.#transaction(() => {
      const added = this.#items.add(item, Date.now());
      if (item.space !== null && item.embedding !== null)
        this.#embeddings.add(item.space, {
          owner: { item: added.id },
          text: item.text || item.name,
          box: null,
          values: item.embedding,
        });
      return added;
    });
  }

  removeItem(id: string): void {
    this.#transaction(() => {
      this.#embeddings.forget({ item: id });
      this.#items.remove(id);
    });
  }

  similar(space: string, embedding: Float32Array, limit: number): CallOutput<'library.similar'> {
    return this.#embeddings.similar(space, embedding, limit);
  }

  /** Loads a part of what searches need, while nobody waits. @returns whether there is more */
  warm(): boolean {
    return this.#embeddings.warm();
  }

  close(): void {
    try {
      if (!this.#database.readonly) {
        // Bounded, so that closing never reads a large history through.
        this.#database.pragma('analysis_limit = 400');
        this.#database.pragma('optimize');
      }
    } finally {
      // On a full or damaged disk, too: a thread must not end with its database open.
      this.#database.close();
      this.#releaseWriter();
    }
  }

  #transaction<T>(work: () => T): T {
    return this.#database.transaction(work).immediate();
  }
}
