import type { Migration } from './migration.ts';

/**
 * Saved segments, and embeddings of these and of results' segments. `codes` are the values as signed bytes times
 * `scale`: what a search reads; the full values lie apart and rank the few that come into question.
 */
export const retrieval: Migration = {
  version: 40,
  why: 'saved segments and embeddings',
  migrate(database) {
    database.exec(`
      CREATE TABLE items (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        created_at REAL NOT NULL,
        text TEXT NOT NULL,
        records TEXT NOT NULL
      ) STRICT;
      CREATE TABLE item_blobs (
        item TEXT NOT NULL REFERENCES items(id) ON DELETE CASCADE,
        hash TEXT NOT NULL,
        PRIMARY KEY (item, hash)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX item_blobs_hash ON item_blobs(hash);
      CREATE TABLE spaces (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        width INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE embeddings (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        space INTEGER NOT NULL REFERENCES spaces(id),
        seq INTEGER REFERENCES results(seq) ON DELETE CASCADE,
        item TEXT REFERENCES items(id) ON DELETE CASCADE,
        text TEXT NOT NULL,
        box TEXT,
        scale REAL NOT NULL,
        codes BLOB NOT NULL,
        CHECK ((seq IS NULL) <> (item IS NULL))
      ) STRICT;
      CREATE INDEX embeddings_space ON embeddings(space);
      CREATE INDEX embeddings_seq ON embeddings(seq) WHERE seq IS NOT NULL;
      CREATE INDEX embeddings_item ON embeddings(item) WHERE item IS NOT NULL;
      CREATE TABLE embedding_values (
        id INTEGER PRIMARY KEY REFERENCES embeddings(id) ON DELETE CASCADE,
        full_values BLOB NOT NULL
      ) STRICT;
    `);
  },
};
