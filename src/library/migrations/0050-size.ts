import type { Migration } from './migration.ts';

/** The size in an index with the order of the history: it alone tells which results are large enough. */
export const size: Migration = {
  version: 50,
  why: 'results can be filtered by their size',
  migrate(database) {
    database.exec('CREATE INDEX results_size ON results(deleted_at, seq, width, height, score)');
  },
};
