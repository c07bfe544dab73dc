import type { FinishedResult } from '#engine/jobs/engine-api.ts';
import type { Library } from '#library/library-api.ts';
import type { CallArguments, CallOutput } from '#shared/api/calls.ts';
import type { ResultId, ResultSummary } from '#shared/api/generation.ts';
import { SessionStrip } from './session-strip.ts';

/**
 * Where results go: the library if there is one, this session's strip for what it does not take. A result that is
 * just being stored can be asked for already; the answer waits for it.
 */
export class ResultStore {
  /** The library, or the strip in its place; settles in any case. */
  readonly #library: Promise<Library>;
  readonly #strip = new SessionStrip();
  readonly #adding = new Map<ResultId, Promise<ResultSummary>>();

  constructor(library: Promise<Library>, onUnavailable: (error: unknown) => void) {
    this.#library = library.catch((error: unknown) => {
      onUnavailable(error);
      return this.#strip;
    });
  }

  library(): Promise<Library> {
    return this.#library;
  }

  /** Stores a result; if the library cannot, it is in the strip and `onKept` says so. */
  async add(finished: FinishedResult, onKept: (error: unknown) => void): Promise<ResultSummary> {
    const adding = this.#library
      .then((library) => library.add(finished))
      .catch((error: unknown) => {
        onKept(error);
        return this.#strip.add(finished);
      });
    this.#adding.set(finished.result.id, adding);
    try {
      return await adding;
    } finally {
      this.#adding.delete(finished.result.id);
    }
  }

  async list(query: CallArguments<'results.list'>): Promise<CallOutput<'results.list'>> {
    const library = await this.#library;
    const listed = await library.list(query);
    if (library === this.#strip || this.#strip.size === 0) return listed;
    const here = await this.#strip.list(query);
    const results = [...listed.results, ...here.results]
      .toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
      .slice(0, query.limit);
    return { results, total: listed.total + here.total };
  }

  async get(id: ResultId): Promise<CallOutput<'results.get'>> {
    return (await this.#holder(id)).get(id);
  }

  async update(change: CallArguments<'results.update'>): Promise<ResultSummary> {
    return (await this.#holder(change.id)).update(change);
  }

  async remove(ids: readonly ResultId[]): Promise<void> {
    for (const [holder, own] of await this.#byHolder(ids)) await holder.remove(own);
  }

  async restore(ids: readonly ResultId[]): Promise<ResultSummary[]> {
    const restored: ResultSummary[] = [];
    for (const [holder, own] of await this.#byHolder(ids)) restored.push(...(await holder.restore(own)));
    return restored;
  }

  /** @param keep pictures that scenes and windows use */
  async erase(ids: readonly ResultId[], keep: readonly string[]): Promise<{ erased: ResultId[]; bytes: number }> {
    const all: { erased: ResultId[]; bytes: number } = { erased: [], bytes: 0 };
    for (const [holder, own] of await this.#byHolder(ids)) {
      const { removed, bytes } = await holder.erase(own, keep);
      all.erased.push(...removed);
      all.bytes += bytes;
    }
    return all;
  }

  async changes(from: ResultId, to: ResultId): Promise<string[]> {
    const [a, b] = [await this.#holder(from), await this.#holder(to)];
    if (a === b) return a.changes(from, to);
    // One in each: the strip compares any two results, and takes a copy for that.
    const both = new SessionStrip();
    for (const [holder, id] of [
      [a, from],
      [b, to],
    ] as const)
      await both.add({ result: await holder.get(id), embeddings: [], space: '' });
    return both.changes(from, to);
  }

  async family(id: ResultId): Promise<CallOutput<'results.family'>> {
    return (await this.#holder(id)).family(id);
  }

  /** Until everything that was finished is stored. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#adding.values());
  }

  async close(): Promise<void> {
    await this.settle();
    await (await this.#library).close();
  }

  async #holder(id: ResultId): Promise<Library> {
    await this.#adding.get(id)?.catch(() => undefined);
    return this.#strip.has(id) ? this.#strip : await this.#library;
  }

  async #byHolder(ids: readonly ResultId[]): Promise<Map<Library, ResultId[]>> {
    const groups = new Map<Library, ResultId[]>();
    for (const id of ids) {
      const holder = await this.#holder(id);
      groups.set(holder, [...(groups.get(holder) ?? []), id]);
    }
    return groups;
  }
}
