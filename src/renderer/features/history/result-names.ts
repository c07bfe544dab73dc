import { useEffect, useSyncExternalStore } from 'react';
import type { ResultId, ResultSummary } from '#shared/api/generation.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useStudio } from '../../app/studio.ts';
import type { Studio } from '../../app/studio.ts';
import { changeWords } from '../compare/change-words.ts';
import { resultLabel } from './actions.ts';

/** The weightiest change of each result against its parent, asked of the host once. */
class ChangeCache {
  readonly #known = new Map<ResultId, string | null>();
  readonly #listeners = new Set<() => void>();
  readonly #api: Studio['api'];

  constructor(api: Studio['api']) {
    this.#api = api;
  }

  get(id: ResultId): string | null {
    return this.#known.get(id) ?? null;
  }

  ask(id: ResultId, parent: ResultId): void {
    if (this.#known.has(id)) return;
    this.#known.set(id, null);
    this.#api.call('results.changes', { from: parent, to: id }).then(
      ([first]) => {
        if (first === undefined) return;
        this.#known.set(id, first);
        for (const listener of this.#listeners) listener();
      },
      // A parent that was deleted: the result keeps its plain name.
      () => undefined,
    );
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

const caches = new WeakMap<Studio, ChangeCache>();
const cacheOf = (studio: Studio): ChangeCache => {
  const cache = caches.get(studio) ?? new ChangeCache(studio.api);
  caches.set(studio, cache);
  return cache;
};

/** A result's name in the strip: what was changed to get it, else its seed or kind. */
export function useResultName(result: ResultSummary): string {
  const studio = useStudio();
  const t = useT();
  const cache = cacheOf(studio);
  const parent = result.parents[0];
  const plain = result.kind === 'generate' || result.kind === 'redo-segment';
  useEffect(() => {
    if (parent && plain) cache.ask(result.id, parent);
  }, [cache, result.id, parent, plain]);
  const change = useSyncExternalStore(cache.subscribe, () => cache.get(result.id));
  return change === null ? resultLabel(result) : changeWords(t, change);
}
