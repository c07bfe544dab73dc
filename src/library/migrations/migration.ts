import type { Database } from 'better-sqlite3';

/** One step of the database, run in a transaction. Never edited once released; the next change is a new file. */
export interface Migration {
  /** `user_version` after it; numbered in tens, as an urgent repair may have to go in between. */
  readonly version: number;
  /** Why it is there, in words for the log. */
  readonly why: string;
  migrate(database: Database): void;
}
