import type { Migration } from './migration.ts';

/** Notes, tags and boards. */
export const organise: Migration = {
  version: 20,
  why: 'notes, tags and boards',
  migrate(database) {
    database.exec(`
      ALTER TABLE results ADD COLUMN note TEXT NOT NULL DEFAULT '';
      CREATE TABLE tags (
        seq INTEGER NOT NULL REFERENCES results(seq) ON DELETE CASCADE,
        tag TEXT NOT NULL,
        PRIMARY KEY (seq, tag)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX tags_tag ON tags(tag, seq);
      CREATE TABLE boards (
        seq INTEGER NOT NULL REFERENCES results(seq) ON DELETE CASCADE,
        board TEXT NOT NULL,
        PRIMARY KEY (seq, board)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX boards_board ON boards(board, seq);
    `);
  },
};
