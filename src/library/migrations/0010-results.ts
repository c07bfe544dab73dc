import type { Migration } from './migration.ts';

/**
 * Results with their snapshots and parents. `seq` counts additions: it, not the clock, orders the history, so
 * that a clock that jumps back cannot hide a new picture below old ones.
 */
export const results: Migration = {
  version: 10,
  why: 'results, their snapshots, parents and pictures',
  migrate(database) {
    database.exec(`
      CREATE TABLE results (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        job TEXT NOT NULL,
        created_at REAL NOT NULL,
        kind TEXT NOT NULL,
        picture TEXT NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        seed INTEGER NOT NULL,
        pack_id TEXT NOT NULL,
        pack_name TEXT NOT NULL,
        pack_fingerprint TEXT NOT NULL,
        passes INTEGER NOT NULL,
        title TEXT NOT NULL,
        text TEXT NOT NULL,
        global_score REAL,
        score REAL,
        timings TEXT NOT NULL,
        scores TEXT NOT NULL,
        starred INTEGER NOT NULL DEFAULT 0,
        deleted_at REAL
      ) STRICT;
      -- With the score in them, the indexes alone answer how many match.
      CREATE INDEX results_live ON results(deleted_at, seq, score);
      CREATE INDEX results_pack ON results(pack_id, deleted_at, seq, score);
      CREATE INDEX results_starred ON results(deleted_at, seq, score) WHERE starred = 1;

      -- Apart, as they are long and a page of the history does not need them. records: deflated JSON.
      CREATE TABLE snapshots (
        seq INTEGER PRIMARY KEY REFERENCES results(seq) ON DELETE CASCADE,
        scene_version INTEGER NOT NULL,
        records BLOB NOT NULL,
        purpose TEXT NOT NULL,
        warnings TEXT NOT NULL
      ) STRICT;

      -- A parent may be gone for good, so it is named by its id and not referenced.
      CREATE TABLE parents (
        seq INTEGER NOT NULL REFERENCES results(seq) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        parent TEXT NOT NULL,
        PRIMARY KEY (seq, position)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX parents_parent ON parents(parent);

      CREATE TABLE blobs (hash TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE result_blobs (
        seq INTEGER NOT NULL REFERENCES results(seq) ON DELETE CASCADE,
        hash TEXT NOT NULL REFERENCES blobs(hash),
        PRIMARY KEY (seq, hash)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX result_blobs_hash ON result_blobs(hash);

      -- Files to delete after their rows are gone: finished at the next start, should this process end in between.
      CREATE TABLE blob_removals (hash TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    `);
  },
};
