import type { FinishedResult } from '#engine/jobs/engine-api.ts';
import type { CallArguments, CallOutput, LibraryItem } from '#shared/api/calls.ts';
import type { ResultId, ResultSummary } from '#shared/api/generation.ts';

/** The artist's past: one SQLite file behind a worker, its only writer. All methods reject with a StudioError. */
export interface Library {
  /** Adds a result; one that is already there (from a project file) is left as it is, and restored if deleted. */
  add(finished: FinishedResult): Promise<ResultSummary>;
  list(query: CallArguments<'results.list'>): Promise<CallOutput<'results.list'>>;
  get(id: ResultId): Promise<CallOutput<'results.get'>>;
  update(change: CallArguments<'results.update'>): Promise<ResultSummary>;
  /** Marks as deleted; gone for good (rows, blobs, embeddings) after the grace time, or by purge. */
  remove(ids: readonly ResultId[]): Promise<void>;
  restore(ids: readonly ResultId[]): Promise<ResultSummary[]>;
  /** Deletes for good what was removed longer than `olderThanMs` ago, and what the budget has no room for. */
  purge(options: {
    olderThanMs: number;
    budget: number;
    /** Pictures that open or recoverable documents use (keeper.blobsInUse()): their files stay. */
    keep?: Iterable<string>;
  }): Promise<{ removed: ResultId[]; bytes: number }>;
  /** Deletes for good those of `ids` that are removed already; `keep` as for purge. */
  erase(ids: readonly ResultId[], keep?: Iterable<string>): Promise<{ removed: ResultId[]; bytes: number }>;
  /** Pictures of the moment: gone at the next purge that does not keep them, unless a result or an item uses them. */
  letGo(hashes: readonly string[]): Promise<void>;
  changes(from: ResultId, to: ResultId): Promise<string[]>;
  /** The results it comes from and those made from it, the nearest first. */
  family(id: ResultId): Promise<{ ancestors: ResultSummary[]; descendants: ResultSummary[] }>;
  usage(): Promise<{ bytes: number; results: number }>;
  boards(): Promise<{ name: string; count: number }[]>;

  items(search: string): Promise<LibraryItem[]>;
  addItem(item: {
    name: string;
    records: unknown[];
    text: string;
    space: string | null;
    embedding: Float32Array | null;
  }): Promise<LibraryItem>;
  removeItem(id: string): Promise<void>;
  /** Nearest embeddings of one space by cosine. */
  similar(space: string, embedding: Float32Array, limit: number): Promise<CallOutput<'library.similar'>>;
  close(): Promise<void>;
}

export interface LibraryOptions {
  /** Holds library.sqlite. */
  readonly folder: string;
  /** The blob store's folder (see engine/blobs). */
  readonly blobFolder: string;
  /** Only look, also while a studio has it open: for the command line. Nothing is created, migrated or repaired. */
  readonly readOnly?: boolean;
  /** The worker's script where it is bundled; by default worker.ts beside library.ts. */
  readonly workerUrl?: URL;
  /** What was noticed at opening: a corrupt file kept aside, a database of a newer release. */
  readonly onNotice?: (notice: {
    level: 'info' | 'warning' | 'error';
    message: string;
    kept?: string;
    remedy?: string;
  }) => void;
}
// openLibrary(options): Promise<Library> lives in library.ts.
