import { randomUUID } from 'node:crypto';
import type { FinishedResult } from '#engine/jobs/engine-api.ts';
import type { Library } from '#library/library-api.ts';
import type { LibraryItem, ResultQuery } from '#shared/api/calls.ts';
import { Result } from '#shared/api/generation.ts';
import type { ResultId, ResultSummary } from '#shared/api/generation.ts';
import { sceneOf, segmentName, segmentsOf, toDocument } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';

interface Row {
  readonly finished: FinishedResult;
  summary: ResultSummary;
}
interface Item {
  readonly item: LibraryItem;
  readonly space: string | null;
  readonly embedding: Float32Array | null;
}

/** A result as a row of the history: its title is the scene's, its text everything that it says. */
export function summarize(result: Result): ResultSummary {
  const document = toDocument(result.records);
  const scene = sceneOf(document);
  const texts = [scene.text, ...segmentsOf(document).map((segment) => segmentName(document, segment))];
  const row = Result.omit({ records: true, purpose: true, warnings: true }).parse(result);
  return {
    ...row,
    title: scene.title || scene.text.slice(0, 80),
    text: texts.filter(Boolean).join(' · '),
    starred: false,
    note: '',
    tags: [],
    boards: [],
    deleted: false,
  };
}

/**
 * The results of this session in memory: stands in for the library where its database cannot be opened, and holds
 * what it could not take (a full disk). The studio works on; what is only here is gone at the end of the session,
 * though its pictures stay in the blob store.
 */
export class SessionStrip implements Library {
  readonly #rows = new Map<ResultId, Row>();
  readonly #items = new Map<string, Item>();

  has(id: ResultId): boolean {
    return this.#rows.has(id);
  }
  get size(): number {
    return this.#rows.size;
  }

  async add(finished: FinishedResult): Promise<ResultSummary> {
    const summary = summarize(finished.result);
    this.#rows.set(finished.result.id, { finished, summary });
    return summary;
  }

  async list(query: ResultQuery): Promise<{ results: ResultSummary[]; total: number }> {
    const words = query.search.toLowerCase().split(/\s+/).filter(Boolean);
    const { before, board, tag, minScore, minSide } = query;
    const found = [...this.#rows.values()]
      .map((row) => row.summary)
      .filter((row) => row.deleted === query.deleted)
      .filter((row) => query.starred === undefined || row.starred === query.starred)
      .filter((row) => query.pack === undefined || row.pack.id === query.pack)
      .filter((row) => board === undefined || row.boards.includes(board))
      .filter((row) => tag === undefined || row.tags.includes(tag))
      .filter((row) => minScore === undefined || (row.globalScore ?? Number.NEGATIVE_INFINITY) >= minScore)
      .filter((row) => minSide === undefined || Math.max(row.width, row.height) >= minSide)
      .filter((row) => {
        const text = `${row.title} ${row.text} ${row.note}`.toLowerCase();
        return words.every((word) => text.includes(word));
      })
      .toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
    const after = before
      ? found.filter(
          (row) => row.createdAt < before.createdAt || (row.createdAt === before.createdAt && row.id < before.id),
        )
      : found;
    return { results: after.slice(0, query.limit), total: found.length };
  }

  async get(id: ResultId): Promise<Result & { starred: boolean; note: string; tags: string[]; boards: string[] }> {
    const { finished, summary } = this.#row(id);
    const { starred, note, tags, boards } = summary;
    return { ...finished.result, starred, note, tags, boards };
  }

  async update(change: {
    id: ResultId;
    starred?: boolean | undefined;
    note?: string | undefined;
    tags?: string[] | undefined;
    boards?: string[] | undefined;
  }): Promise<ResultSummary> {
    const row = this.#row(change.id);
    row.summary = {
      ...row.summary,
      starred: change.starred ?? row.summary.starred,
      note: change.note ?? row.summary.note,
      tags: change.tags ?? row.summary.tags,
      boards: change.boards ?? row.summary.boards,
    };
    return row.summary;
  }

  async remove(ids: readonly ResultId[]): Promise<void> {
    for (const id of ids) {
      const row = this.#row(id);
      row.summary = { ...row.summary, deleted: true };
    }
  }

  async restore(ids: readonly ResultId[]): Promise<ResultSummary[]> {
    return ids.map((id) => {
      const row = this.#row(id);
      row.summary = { ...row.summary, deleted: false };
      return row.summary;
    });
  }

  async erase(ids: readonly ResultId[]): Promise<{ removed: ResultId[]; bytes: number }> {
    const removed = ids.filter((id) => this.#rows.get(id)?.summary.deleted);
    for (const id of removed) this.#rows.delete(id);
    return { removed, bytes: 0 };
  }

  /** Nothing here has a budget: it all goes with the session. */
  async purge(): Promise<{ removed: ResultId[]; bytes: number }> {
    return { removed: [], bytes: 0 };
  }

  /** Nothing is purged here; the library of a later session has not heard of them, and they stay. */
  async letGo(): Promise<void> {}

  async changes(from: ResultId, to: ResultId): Promise<string[]> {
    const [a, b] = [this.#row(from).finished.result, this.#row(to).finished.result];
    const changes: string[] = [];
    if (a.seed !== b.seed) changes.push(`seed ${a.seed} -> ${b.seed}`);
    if (a.pack.id !== b.pack.id) changes.push(`pack ${a.pack.name} -> ${b.pack.name}`);
    const before = new Map(a.records.map((record) => [record.id as string, JSON.stringify(record)]));
    for (const record of b.records) {
      const old = before.get(record.id);
      before.delete(record.id);
      if (old === undefined) changes.push(`added ${record.id}`);
      else if (old !== JSON.stringify(record)) changes.push(`changed ${record.id}`);
    }
    for (const id of before.keys()) changes.push(`removed ${id}`);
    return changes;
  }

  async family(id: ResultId): Promise<{ ancestors: ResultSummary[]; descendants: ResultSummary[] }> {
    this.#row(id);
    const parentsOf = (of: ResultId): ResultId[] => this.#rows.get(of)?.summary.parents ?? [];
    const childrenOf = (of: ResultId): ResultId[] =>
      [...this.#rows.values()].filter((row) => row.summary.parents.includes(of)).map((row) => row.summary.id);
    return { ancestors: this.#reach(id, parentsOf), descendants: this.#reach(id, childrenOf) };
  }

  async usage(): Promise<{ bytes: number; results: number }> {
    return { bytes: 0, results: this.#rows.size };
  }

  async boards(): Promise<{ name: string; count: number }[]> {
    const counts = new Map<string, number>();
    for (const { summary } of this.#rows.values())
      if (!summary.deleted) for (const name of summary.boards) counts.set(name, (counts.get(name) ?? 0) + 1);
    return [...counts].map(([name, count]) => ({ name, count })).toSorted((a, b) => a.name.localeCompare(b.name));
  }

  async items(search: string): Promise<LibraryItem[]> {
    const text = search.toLowerCase();
    return [...this.#items.values()]
      .map(({ item }) => item)
      .filter((item) => `${item.name} ${item.text}`.toLowerCase().includes(text))
      .toSorted((a, b) => b.createdAt - a.createdAt);
  }

  async addItem(given: {
    name: string;
    records: unknown[];
    text: string;
    space: string | null;
    embedding: Float32Array | null;
  }): Promise<LibraryItem> {
    const { name, records, text, space, embedding } = given;
    const item: LibraryItem = { id: `item-${randomUUID()}`, name, records, text, createdAt: Date.now() };
    this.#items.set(item.id, { item, space, embedding });
    return item;
  }

  async removeItem(id: string): Promise<void> {
    if (!this.#items.delete(id)) throw new StudioError('not-found', `there is no library item ${id}`);
  }

  async similar(space: string, embedding: Float32Array, limit: number): ReturnType<Library['similar']> {
    const found: Awaited<ReturnType<Library['similar']>> = [];
    for (const { finished } of this.#rows.values()) {
      if (finished.space !== space) continue;
      for (const { text, values } of finished.embeddings)
        found.push({
          kind: 'result',
          id: finished.result.id,
          text,
          cosine: dot(values, embedding),
          picture: finished.result.picture,
          content: null,
        });
    }
    for (const { item, space: other, embedding: values } of this.#items.values())
      if (values && other === space)
        found.push({
          kind: 'item',
          id: item.id,
          text: item.text,
          cosine: dot(values, embedding),
          picture: null,
          content: null,
        });
    return found.toSorted((a, b) => b.cosine - a.cosine).slice(0, limit);
  }

  async close(): Promise<void> {
    this.#rows.clear();
    this.#items.clear();
  }

  /** Everything that steps lead to, the nearest first. */
  #reach(from: ResultId, step: (id: ResultId) => ResultId[]): ResultSummary[] {
    const reached = new Set<ResultId>([from]);
    // A Set hands out what is added while it is walked: a breadth-first search.
    for (const id of reached) for (const next of step(id)) reached.add(next);
    reached.delete(from);
    return [...reached].flatMap((id) => this.#rows.get(id)?.summary ?? []);
  }

  #row(id: ResultId): Row {
    const row = this.#rows.get(id);
    if (!row) throw new StudioError('not-found', `there is no result ${id}`);
    return row;
  }
}

/** Cosine of two unit vectors. */
function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += (a[index] ?? 0) * (b[index] ?? 0);
  return sum;
}
