import type { EngineHandle } from '#engine/jobs/engine-api.ts';
import type { MapFilling } from '#project/project-api.ts';
import { sceneOf } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';

/**
 * What fills the prepared map of an export: the scene's pack, or the default one. undefined if that pack knows no
 * segments; the array then holds segment numbers, and the export says so.
 * @throws StudioError model if the pack cannot be used
 */
export async function mapFilling(engine: EngineHandle, document: StudioDocument): Promise<MapFilling | undefined> {
  const { packs, defaultPack } = await engine.packs();
  const wanted = sceneOf(document).pack ?? defaultPack;
  const pack = packs.find(({ id }) => id === wanted) ?? packs.find(({ id }) => id === defaultPack);
  if (!pack?.abilities.includes('segments')) return undefined;
  const { space } = await engine.embed(pack.id, { kind: 'text', text: 'a', reading: 0 });
  return { ...pack.mapSize, space, embed: async (content) => (await engine.embed(pack.id, content)).values };
}
