import { useCallback, useEffect, useRef, useState } from 'react';
import type { CallInput } from '#shared/api/calls.ts';
import type { ResultSummary } from '#shared/api/generation.ts';
import { useStudio } from '../../app/studio.ts';

export type Filter = Omit<CallInput<'results.list'>, 'before' | 'limit'>;

const PAGE = 100;

/** Results that match a filter, loaded page by page; follows what happens to them. */
export function useResults(filter: Filter): {
  readonly results: readonly ResultSummary[];
  readonly total: number;
  readonly loading: boolean;
  readonly more: () => void;
  readonly reload: () => void;
} {
  const studio = useStudio();
  const [state, setState] = useState<{ results: readonly ResultSummary[]; total: number }>({ results: [], total: 0 });
  const [loading, setLoading] = useState(true);
  const run = useRef(0);
  const key = JSON.stringify(filter);

  const load = useCallback(
    async (before?: ResultSummary): Promise<void> => {
      const mine = (run.current += 1);
      setLoading(true);
      try {
        const page = await studio.api.call('results.list', {
          ...(JSON.parse(key) as Filter),
          limit: PAGE,
          ...(before ? { before: { createdAt: before.createdAt, id: before.id } } : {}),
        });
        if (mine !== run.current) return;
        setState((old) => ({
          results: before ? [...old.results, ...page.results] : page.results,
          total: page.total,
        }));
      } finally {
        if (mine === run.current) setLoading(false);
      }
    },
    [studio, key],
  );

  useEffect(() => {
    // Typing in the search field asks once it rests.
    const timer = setTimeout(() => studio.attempt(() => load()), 120);
    const stops = [
      studio.api.on('result.changed', ({ result }) =>
        setState((old) => ({ ...old, results: old.results.map((one) => (one.id === result.id ? result : one)) })),
      ),
      studio.api.on('result.added', () => studio.attempt(() => load())),
      studio.api.on('results.removed', ({ ids }) =>
        setState((old) => ({ ...old, results: old.results.filter((one) => !ids.includes(one.id)) })),
      ),
    ];
    return () => {
      clearTimeout(timer);
      for (const stop of stops) stop();
    };
  }, [studio, load]);

  const last = state.results.at(-1);
  const complete = state.results.length >= state.total;
  const more = useCallback(() => {
    if (!loading && last && !complete) studio.attempt(() => load(last));
  }, [studio, load, loading, last, complete]);
  const reload = useCallback(() => studio.attempt(() => load()), [studio, load]);
  return { ...state, loading, more, reload };
}
