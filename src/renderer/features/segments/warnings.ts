import { sceneOf } from '#shared/document/document.ts';
import { mapWarnings } from '#shared/masks/warnings.ts';
import type { SegmentWarning } from '#shared/api/generation.ts';
import { useSession } from '../../app/studio.ts';
import type { Studio } from '../../app/studio.ts';
import { packOf } from '../generate/requests.ts';
import { createBitmapCache } from './bitmaps.ts';
import type { BitmapCache } from './bitmaps.ts';

/** Quiet time after an edit before the map is looked at, in milliseconds. */
const DELAY = 180;
/** The map of the embedded pack, until the host has named another. */
const DEFAULT_MAP = { width: 64, height: 64 };

const caches = new WeakMap<Studio, BitmapCache>();

/** Bitmaps of this window's document. */
export function bitmapCache(studio: Studio): BitmapCache {
  let cache = caches.get(studio);
  if (!cache) {
    cache = createBitmapCache((hash) => studio.blobUrl(hash));
    caches.set(studio, cache);
  }
  return cache;
}

/** The size of the map that the scene's pack sees. */
export function mapSizeOf(studio: Studio): { width: number; height: number } {
  const { packs, defaultPack } = studio.session.getState();
  return packOf(sceneOf(studio.document.getState().document), packs, defaultPack)?.mapSize ?? DEFAULT_MAP;
}

/** Looks at the map as the model will see it after each edit, never while a stroke is drawn. @returns the end of it */
export function followWarnings(studio: Studio, delay = DELAY): () => void {
  const { document, view, session } = studio;
  const bitmaps = bitmapCache(studio);
  let timer: ReturnType<typeof setTimeout> | null = null;
  const look = (): void => {
    timer = null;
    if (view.getState().drawing) return wake();
    const state = document.getState();
    const map = mapSizeOf(studio);
    const warnings = mapWarnings(state.document, {
      mapWidth: map.width,
      mapHeight: map.height,
      bitmaps: bitmaps.lookup,
    });
    session.setState({ warnings });
    studio.attempt(async () => {
      if (await bitmaps.ensure(state.document)) wake();
    });
  };
  const wake = (): void => {
    if (timer) clearTimeout(timer);
    timer = setTimeout(look, delay);
  };
  const stops = [
    document.subscribe((state, before) => {
      if (state.document !== before.document) wake();
    }),
    session.subscribe((state, before) => {
      if (state.packs !== before.packs || state.defaultPack !== before.defaultPack) wake();
    }),
  ];
  wake();
  return () => {
    if (timer) clearTimeout(timer);
    for (const stop of stops) stop();
  };
}

export const useWarnings = (): readonly SegmentWarning[] => useSession((session) => session.warnings);
