import { sceneOf } from '#shared/document/document.ts';
import type { Studio } from '../../app/studio.ts';
import { packOf } from '../generate/requests.ts';

/** The map of the embedded pack, until the host has named another. */
const DEFAULT_MAP = { width: 64, height: 64 };

/** The size of the map that the scene's pack sees. */
export function mapSizeOf(studio: Studio): { readonly width: number; readonly height: number } {
  const { packs, defaultPack } = studio.session.getState();
  return packOf(sceneOf(studio.document.getState().document), packs, defaultPack)?.mapSize ?? DEFAULT_MAP;
}
