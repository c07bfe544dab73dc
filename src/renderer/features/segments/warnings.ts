import { AreaMemory } from '#shared/masks/area-memory.ts';
import { mapWarnings } from '#shared/masks/warnings.ts';
import type { SegmentWarning } from '#shared/api/generation.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { SegmentId } from '#shared/document/records.ts';
import { useSession } from '../../app/studio.ts';
import type { Studio } from '../../app/studio.ts';
import { createBitmapCache } from './bitmaps.ts';
import type { BitmapCache } from './bitmaps.ts';
import { mapSizeOf } from './map-size.ts';

/** Quiet time after an edit before the map is looked at, in milliseconds. */
const DELAY = 180;
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

/** Looks at the map as the model will see it after each edit, never while a stroke is drawn. @returns the end of it */
export function followWarnings(studio: Studio, delay = DELAY): () => void {
  const { document, view, session } = studio;
  const bitmaps = bitmapCache(studio);
  const memory = new AreaMemory();
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
      memory,
    });
    // What gets a frame of its own is not too small for it.
    const worth = warnings.filter(({ code, segment }) => code !== 'too-small' || !hasDetail(state.document, segment));
    session.setState({ warnings: worth });
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

function hasDetail(document: StudioDocument, id: SegmentId): boolean {
  const segment = document[id];
  return segment?.type === 'segment' && segment.detail;
}

export const useWarnings = (): readonly SegmentWarning[] => useSession((session) => session.warnings);
