import { useEffect, useState } from 'react';
import type { CallOutput } from '#shared/api/calls.ts';
import { useDocument, useSession, useStudio, useView } from '../../app/studio.ts';
import { generateRequest, modelKey } from './requests.ts';

type Cost = NonNullable<CallOutput<'generate.cost'>['cost']>;

/** Longer than between two words, so that typing asks nothing. */
const CALM_MS = 700;

/**
 * What a picture of the scene costs with an artist's own model: counted by the engine with the plan that would run.
 * Null while nothing is known, and for the embedded pack.
 */
export function useCost(wanted: boolean): Cost | null {
  const studio = useStudio();
  const key = useDocument((state) => modelKey(state.document));
  const solo = useView((view) => view.solo);
  // With every picture the engine knows better how fast it is.
  const made = useSession((session) => session.resultsTotal);
  const [told, setTold] = useState<{ key: string; cost: Cost | null }>({ key: '', cost: null });
  useEffect(() => {
    if (!wanted) return undefined;
    let over = false;
    const ask = async (): Promise<void> => {
      const request = generateRequest(studio.document.getState().document, studio.view.getState());
      // A scene that cannot be made says so when it is asked to be.
      const answer = await studio.api.call('generate.cost', request).catch(() => null);
      if (!over) setTold({ key, cost: answer?.cost ?? null });
    };
    const timer = setTimeout(() => void ask(), CALM_MS);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [studio, wanted, key, solo, made]);
  return wanted && told.key === key ? told.cost : null;
}
