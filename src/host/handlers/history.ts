import type { StudioHandlers } from '#shared/api/studio-api.ts';
import { DocumentRecord } from '#shared/document/records.ts';
import type { SlotContent } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import type { StudioParts } from '../parts.ts';
import type { ResultStore } from '../result-store.ts';

/** Calls about the past: results, boards, library items. */
export function historyHandlers(parts: StudioParts, results: ResultStore, picturesInUse: () => Promise<string[]>) {
  const { hub, engine, settings } = parts;

  /** The slot's embedding, or null where no pack can make one (an item without it is found by its words only). */
  const embed = async (content: SlotContent): Promise<{ values: Float32Array; space: string } | null> => {
    try {
      return await engine.embed(settings.get().defaultPack, content);
    } catch (error) {
      parts.log.warning(`no embedding: ${StudioError.from(error).message}`);
      return null;
    }
  };

  return {
    'results.list': (query) => results.list(query),
    'results.get': ({ id }) => results.get(id),
    'results.update': async (change) => {
      const result = await results.update(change);
      hub.emit('result.changed', { result });
      return result;
    },
    'results.delete': async ({ ids }) => {
      await results.remove(ids);
      hub.emit('results.removed', { ids });
      return {};
    },
    'results.restore': async ({ ids }) => {
      for (const result of await results.restore(ids)) hub.emit('result.added', { result });
      return {};
    },
    'results.erase': async ({ ids }) => {
      const { erased, bytes } = await results.erase(ids, await picturesInUse());
      if (erased.length > 0) hub.emit('results.removed', { ids: erased });
      return { erased, bytes };
    },
    'results.changes': ({ from, to }) => results.changes(from, to),
    'results.family': ({ id }) => results.family(id),
    'results.usage': async () => {
      const usage = await (await results.library()).usage();
      return { ...usage, budget: settings.get().historyBudget };
    },
    'boards.list': async () => (await results.library()).boards(),

    'library.list': async ({ search }) => (await results.library()).items(search),
    'library.add': async ({ name, records }) => {
      const parsed = records.map((record) => DocumentRecord.parse(record));
      const slots = parsed.filter((record) => record.type === 'slot').map((record) => record.content);
      const texts = slots.map((content) => (content.kind === 'text' ? content.text.trim() : ''));
      const content = slots.find((slot) => slot.kind !== 'mix');
      const embedding = content ? await embed(content) : null;
      return (await results.library()).addItem({
        name,
        records: parsed,
        text: texts.filter(Boolean).join(' + '),
        space: embedding?.space ?? null,
        embedding: embedding?.values ?? null,
      });
    },
    'library.remove': async ({ id }) => {
      await (await results.library()).removeItem(id);
      return {};
    },
    'library.similar': async ({ slot, limit }) => {
      const { space, values } = await engine.embed(settings.get().defaultPack, slot);
      return (await results.library()).similar(space, values, limit);
    },
  } satisfies Partial<StudioHandlers>;
}
