import { statSync } from 'node:fs';
import path from 'node:path';
import type { Statement } from 'better-sqlite3';
import { z } from 'zod';
import type { CallArguments, CallOutput } from '#shared/api/calls.ts';
import { JobPurpose, ResultId, SegmentWarning } from '#shared/api/generation.ts';
import type { Result, ResultSummary } from '#shared/api/generation.ts';
import { blobsOf, toDocument } from '#shared/document/document.ts';
import { SCENE_VERSION } from '#shared/document/migrations.ts';
import { StudioError } from '#shared/errors.ts';
import type { Database } from './database.ts';
import { planList } from './query.ts';
import type { ResultQuery } from './query.ts';
import { packRecords, unpackRecords } from './records.ts';
import { SUMMARY_COLUMNS, toSummary } from './result-rows.ts';
import { globalText, searchTexts, titleFor } from './texts.ts';

const SnapshotRow = z.object({
  records: z.instanceof(Uint8Array),
  scene_version: z.number(),
  purpose: z.string(),
  warnings: z.string(),
});
const FAMILY_LIMIT = 500;

/** Results in the database: adding, reading, marking. Callers hold the worker's one connection. */
export class ResultRows {
  readonly #database: Database;
  readonly #blobFolder: string;
  readonly #statements = new Map<string, Statement<unknown[], unknown>>();

  constructor(database: Database, blobFolder: string) {
    this.#database = database;
    this.#blobFolder = blobFolder;
  }

  /** Adds a result; one that is there already (from a project file) stays as it is, and comes back if it was deleted. */
  add(result: Result): { seq: number; isNew: boolean } {
    const known = this.#sql('SELECT seq FROM results WHERE id = ?').pluck().get(result.id);
    if (typeof known === 'number') {
      this.restore([result.id]);
      return { seq: known, isNew: false };
    }
    const clips = result.scores.map((score) => score.clip).filter((clip) => clip !== null);
    const score = clips.length > 0 ? clips.reduce((sum, clip) => sum + clip, 0) / clips.length : null;
    const { lastInsertRowid } = this.#sql(`
      INSERT INTO results (id, job, created_at, kind, picture, width, height, seed, pack_id, pack_name,
        pack_fingerprint, passes, title, text, global_score, score, timings, scores)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
      result.id,
      result.job,
      result.createdAt,
      result.kind,
      result.picture,
      result.width,
      result.height,
      result.seed,
      result.pack.id,
      result.pack.name,
      result.pack.fingerprint,
      result.passes,
      titleFor(result.records),
      globalText(result.records),
      result.globalScore,
      score,
      JSON.stringify(result.timings),
      JSON.stringify(result.scores),
    );
    const seq = Number(lastInsertRowid);
    this.#sql('INSERT INTO snapshots (seq, scene_version, records, purpose, warnings) VALUES (?, ?, ?, ?, ?)').run(
      seq,
      SCENE_VERSION,
      packRecords(result.records),
      JSON.stringify(result.purpose),
      JSON.stringify(result.warnings),
    );
    result.parents.forEach((parent, position) =>
      this.#sql('INSERT INTO parents (seq, position, parent) VALUES (?, ?, ?)').run(seq, position, parent),
    );
    for (const hash of new Set([result.picture, ...blobsOf(toDocument(result.records))])) {
      this.#sql('INSERT OR IGNORE INTO blobs (hash, bytes) VALUES (?, ?)').run(hash, this.#bytesOf(hash));
      this.#sql('INSERT INTO result_blobs (seq, hash) VALUES (?, ?)').run(seq, hash);
      // A picture that comes back must not be deleted by a removal that was still to be done.
      this.#sql('DELETE FROM blob_removals WHERE hash = ?').run(hash);
    }
    this.#index(seq, result.records);
    return { seq, isNew: true };
  }

  list(query: ResultQuery): CallOutput<'results.list'> {
    const before = query.before && this.#seqBefore(query.before);
    const plan = planList(query, before);
    if (plan.kind === 'page')
      return {
        results: this.#sql(plan.page.sql)
          .all(...plan.page.values)
          .map(toSummary),
        total: z.number().parse(
          this.#sql(plan.total.sql)
            .pluck()
            .get(...plan.total.values),
        ),
      };
    const all = z.array(z.number()).parse(
      this.#sql(plan.all.sql)
        .pluck()
        .all(...plan.all.values),
    );
    const page = all.filter((seq) => before === undefined || seq < before).slice(0, query.limit);
    const row = this.#sql(`SELECT ${SUMMARY_COLUMNS} FROM results r WHERE r.seq = ?`);
    return { results: page.map((seq) => toSummary(row.get(seq))), total: all.length };
  }

  summary(id: ResultId): ResultSummary {
    const row = this.#sql(`SELECT ${SUMMARY_COLUMNS} FROM results r WHERE r.id = ?`).get(id);
    if (row === undefined) throw new StudioError('not-found', `${id} is not in the history (any more)`);
    return toSummary(row);
  }

  get(id: ResultId): CallOutput<'results.get'> {
    const summary = this.summary(id);
    const row = SnapshotRow.parse(
      this.#sql(`SELECT s.records, s.scene_version, s.purpose, s.warnings
        FROM snapshots s JOIN results r ON r.seq = s.seq WHERE r.id = ?`).get(id),
    );
    return {
      ...summary,
      records: unpackRecords(row.records, row.scene_version),
      purpose: JobPurpose.parse(JSON.parse(row.purpose)),
      warnings: z.array(SegmentWarning).parse(JSON.parse(row.warnings)),
    };
  }

  update(change: CallArguments<'results.update'>): ResultSummary {
    const seq = this.#seqOf(change.id);
    if (change.starred !== undefined)
      this.#sql('UPDATE results SET starred = ? WHERE seq = ?').run(change.starred ? 1 : 0, seq);
    if (change.note !== undefined) this.#sql('UPDATE results SET note = ? WHERE seq = ?').run(change.note, seq);
    if (change.tags) {
      this.#sql('DELETE FROM tags WHERE seq = ?').run(seq);
      for (const tag of cleanNames(change.tags)) this.#sql('INSERT INTO tags (seq, tag) VALUES (?, ?)').run(seq, tag);
    }
    if (change.boards) {
      this.#sql('DELETE FROM boards WHERE seq = ?').run(seq);
      for (const board of cleanNames(change.boards))
        this.#sql('INSERT INTO boards (seq, board) VALUES (?, ?)').run(seq, board);
    }
    const summary = this.summary(change.id);
    if ((change.note !== undefined || change.tags) && !summary.deleted) this.#index(seq, this.get(change.id).records);
    return summary;
  }

  /** Marks as deleted, out of lists and search. @returns the seqs of those that were not deleted before */
  remove(ids: readonly ResultId[], now: number): number[] {
    const gone: number[] = [];
    for (const id of ids) {
      const { changes } = this.#sql('UPDATE results SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL').run(
        now,
        id,
      );
      if (changes === 0) continue;
      const seq = this.#seqOf(id);
      this.#sql('DELETE FROM results_search WHERE rowid = ?').run(seq);
      gone.push(seq);
    }
    return gone;
  }

  restore(ids: readonly ResultId[]): { seqs: number[]; summaries: ResultSummary[] } {
    const seqs: number[] = [];
    for (const id of ids) {
      const { changes } = this.#sql('UPDATE results SET deleted_at = NULL WHERE id = ? AND deleted_at IS NOT NULL').run(
        id,
      );
      if (changes === 0) continue;
      const seq = this.#seqOf(id);
      this.#index(seq, this.get(id).records);
      seqs.push(seq);
    }
    const known = ids.filter((id) => this.#sql('SELECT 1 FROM results WHERE id = ?').get(id) !== undefined);
    return { seqs, summaries: known.map((id) => this.summary(id)) };
  }

  boards(): { name: string; count: number }[] {
    return z.array(z.object({ name: z.string(), count: z.number() })).parse(
      this.#sql(`SELECT b.board AS name, count(*) AS count FROM boards b JOIN results r ON r.seq = b.seq
        WHERE r.deleted_at IS NULL GROUP BY b.board ORDER BY b.board`).all(),
    );
  }

  /** Where a result comes from and what came from it, the nearest first. */
  family(id: ResultId): { ancestors: ResultSummary[]; descendants: ResultSummary[] } {
    this.#seqOf(id);
    return {
      ancestors: this.#walk(
        id,
        `SELECT r.id FROM results me JOIN parents p ON p.seq = me.seq JOIN results r ON r.id = p.parent
         WHERE me.id = ? ORDER BY r.seq DESC`,
      ),
      descendants: this.#walk(
        id,
        'SELECT r.id FROM parents p JOIN results r ON r.seq = p.seq WHERE p.parent = ? ORDER BY r.seq',
      ),
    };
  }

  /** Generation by generation; a file from elsewhere may claim to be its own grandparent, which ends here too. */
  #walk(start: ResultId, nextOf: string): ResultSummary[] {
    const seen = new Set<string>([start]);
    let generation: string[] = [start];
    const found: ResultSummary[] = [];
    while (generation.length > 0) {
      const next: string[] = [];
      for (const member of generation)
        for (const id of z.array(ResultId).parse(this.#sql(nextOf).pluck().all(member))) {
          if (seen.has(id) || found.length >= FAMILY_LIMIT) continue;
          seen.add(id);
          next.push(id);
          found.push(this.summary(id));
        }
      generation = next;
    }
    return found;
  }

  #index(seq: number, records: Result['records']): void {
    this.#sql('DELETE FROM results_search WHERE rowid = ?').run(seq);
    this.#sql(`INSERT INTO results_search (rowid, title, text, segments, note, tags)
      SELECT seq, title, text, ?, note, (SELECT coalesce(group_concat(tag, char(10)), '') FROM tags WHERE seq = r.seq)
      FROM results r WHERE seq = ?`).run(searchTexts(records).join('\n'), seq);
  }

  #seqOf(id: ResultId): number {
    const seq = this.#sql('SELECT seq FROM results WHERE id = ?').pluck().get(id);
    if (typeof seq !== 'number') throw new StudioError('not-found', `${id} is not in the history (any more)`);
    return seq;
  }

  /** Where a page begins: below the given result, or below its time should it be gone meanwhile. */
  #seqBefore(before: { createdAt: number; id: ResultId }): number {
    const seq =
      this.#sql('SELECT seq FROM results WHERE id = ?').pluck().get(before.id) ??
      this.#sql('SELECT max(seq) + 1 FROM results WHERE created_at <= ?').pluck().get(before.createdAt);
    return typeof seq === 'number' ? seq : 0;
  }

  #bytesOf(hash: string): number {
    try {
      return statSync(path.join(this.#blobFolder, hash.slice(0, 2), hash)).size;
    } catch {
      return 0; // a picture that is missing takes no room
    }
  }

  #sql(text: string): Statement<unknown[], unknown> {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#database.prepare<unknown[], unknown>(text);
      this.#statements.set(text, statement);
    }
    // pluck() of an earlier use would stay with the statement.
    return statement.reader ? statement.pluck(false) : statement;
  }
}

const cleanNames = (names: readonly string[]): Set<string> =>
  new Set(names.map((name) => name.trim()).filter((name) => name !== ''));
