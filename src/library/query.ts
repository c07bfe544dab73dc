import type { CallArguments } from '#shared/api/calls.ts';
import { SUMMARY_COLUMNS } from './result-rows.ts';

export type ResultQuery = CallArguments<'results.list'>;

/**
 * What the artist typed as a query of FTS5: all words, each as a beginning ("cast" finds castle); words in double
 * quotes as a phrase. Nothing of FTS5's own syntax gets through. Empty: nothing to search for.
 */
export function toMatch(search: string): string {
  const terms: string[] = [];
  for (const [, phrase, word] of search.matchAll(/"([^"]*)"|([^\s"]+)/g)) {
    const text = phrase ?? word ?? '';
    // A term without a letter or digit has no token, and FTS5 would find nothing at all.
    if (/[\p{L}\p{N}]/u.test(text)) terms.push(phrase === undefined ? `"${text}"*` : `"${text}"`);
  }
  return terms.join(' ');
}

interface Statement {
  readonly sql: string;
  readonly values: (string | number)[];
}

/** How a query is answered. */
export type ListPlan =
  /** One statement for the page, one for the number of all. */
  | { readonly kind: 'page'; readonly page: Statement; readonly total: Statement }
  /** One statement for the numbers (seq) of all that match, the newest first; the page is a part of them. */
  | { readonly kind: 'all'; readonly all: Statement };

/**
 * The statements for a page of results below `beforeSeq`. A search by itself walks the search index, which has the
 * order of the history, and stops after a page. A search with filters is answered by the few rows that pass the
 * filters, looked up among the matches once.
 */
export function planList(query: ResultQuery, beforeSeq: number | undefined): ListPlan {
  const where: string[] = [];
  const values: (string | number)[] = [];
  const condition = (sql: string, ...more: (string | number)[]): void => {
    where.push(sql);
    values.push(...more);
  };
  const match = toMatch(query.search);
  const filtered = [query.starred, query.pack, query.minScore, query.minSide, query.tag, query.board].some(
    (one) => one !== undefined,
  );
  // Deleted results are not in the search index; there are few of them, so their texts are looked through.
  const walks = match !== '' && !query.deleted && !filtered;
  // Without a narrower filter, the index that has the sizes: else each row would be looked up for its own.
  const bySize = query.minSide !== undefined && query.pack === undefined && !query.starred && !query.deleted;
  const table = bySize && match === '' ? 'results r INDEXED BY results_size' : 'results r';
  const from = walks ? 'results_search s JOIN results r ON r.seq = s.rowid' : table;
  const key = walks ? 's.rowid' : 'r.seq';
  if (walks) condition('results_search MATCH ?', match);
  else {
    condition(query.deleted ? 'r.deleted_at IS NOT NULL' : 'r.deleted_at IS NULL');
    if (match !== '' && !query.deleted)
      condition('r.seq IN (SELECT rowid FROM results_search WHERE results_search MATCH ?)', match);
    if (match !== '' && query.deleted) {
      const like = `%${query.search.trim().replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
      condition("(r.title || ' ' || r.text || ' ' || r.note) LIKE ? ESCAPE '\\'", like);
    }
  }
  if (query.starred !== undefined) condition(query.starred ? 'r.starred = 1' : 'r.starred = 0');
  if (query.pack !== undefined) condition('r.pack_id = ?', query.pack);
  if (query.minScore !== undefined) condition('r.score >= ?', query.minScore);
  if (query.minSide !== undefined) condition('max(r.width, r.height) >= ?', query.minSide);
  if (query.tag !== undefined) condition('EXISTS (SELECT 1 FROM tags WHERE seq = r.seq AND tag = ?)', query.tag);
  if (query.board !== undefined)
    condition('EXISTS (SELECT 1 FROM boards WHERE seq = r.seq AND board = ?)', query.board);
  if (match !== '' && !query.deleted && filtered)
    return {
      kind: 'all',
      all: { sql: `SELECT r.seq FROM ${from} WHERE ${where.join(' AND ')} ORDER BY r.seq DESC`, values },
    };
  // The index alone can count what it matches, which is much faster than looking up each row.
  const total = {
    sql: walks
      ? 'SELECT count(*) FROM results_search s WHERE results_search MATCH ?'
      : `SELECT count(*) FROM ${from} WHERE ${where.join(' AND ')}`,
    values: [...values],
  };
  if (beforeSeq !== undefined) condition(`${key} < ?`, beforeSeq);
  const page = {
    sql: `SELECT ${SUMMARY_COLUMNS} FROM ${from} WHERE ${where.join(' AND ')} ORDER BY ${key} DESC LIMIT ?`,
    values: [...values, query.limit],
  };
  return { kind: 'page', page, total };
}
