import type { ResultId, ResultSummary } from '#shared/api/generation.ts';
import { sceneOf, toDocument } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { DocumentRecord } from '#shared/document/records.ts';
import { showDocument } from '../../app/boot.ts';
import type { Studio } from '../../app/studio.ts';
import { formatBytes } from '../../app/format.ts';
import { translate } from '../../app/i18n/texts.ts';
import { withItsSeed } from '../../store/recipes.ts';

export function showResult(studio: Studio, result: Pick<ResultSummary, 'id' | 'picture'>): void {
  studio.view.setState({ shown: { kind: 'result', id: result.id, picture: result.picture } });
}

/** Shows the result before or after the shown one in the strip. */
export function stepResult(studio: Studio, by: 1 | -1): void {
  const { results } = studio.session.getState();
  const { shown } = studio.view.getState();
  const at = shown.kind === 'result' ? results.findIndex((result) => result.id === shown.id) : -1;
  // The strip is newest first: "next" is the newer one.
  const next = results[at < 0 ? 0 : at - by];
  if (next) showResult(studio, next);
}

/** Puts the open scene back as it was when the result was made: one undoable step. */
export async function openAsItWas(studio: Studio, id: ResultId): Promise<void> {
  const result = await studio.api.call('results.get', { id });
  studio.document.edit('edit.reopen', (document) => sceneOfResult(document, result.records));
  studio.view.select([]);
  studio.view.setState({ solo: [] });
  showResult(studio, result);
}

/** A result's records, with the title and note that the open scene has now. */
function sceneOfResult(document: StudioDocument, records: readonly DocumentRecord[]): StudioDocument {
  const { title, note } = sceneOf(document);
  const kept = withItsSeed(records);
  return toDocument(kept.map((record) => (record.type === 'scene' ? { ...record, title, note } : record)));
}

/** A scene of its own, beginning as the result's scene was. */
export async function openAsNewScene(studio: Studio, id: ResultId): Promise<void> {
  const result = await studio.api.call('results.get', { id });
  await studio.document.flush();
  showDocument(studio, await studio.api.call('document.new', { records: withItsSeed(result.records) }));
  showResult(studio, result);
  studio.view.openDialog(null);
}

export async function updateResult(
  studio: Studio,
  change: { id: ResultId; starred?: boolean; note?: string; tags?: string[]; boards?: string[] },
): Promise<void> {
  studio.session.putResult(await studio.api.call('results.update', change));
}

/** Deletes, with a way back in the notice. */
export async function deleteResults(studio: Studio, ids: ResultId[]): Promise<void> {
  await studio.api.call('results.delete', { ids });
  studio.session.dropResults(ids);
  const { shown } = studio.view.getState();
  if (shown.kind === 'result' && ids.includes(shown.id)) studio.view.setState({ shown: { kind: 'none' } });
  studio.session.notify({
    level: 'info',
    message: translate('history.deleted', { count: ids.length }),
    action: { label: translate('ui.undo'), run: () => studio.attempt(() => restoreResults(studio, ids)) },
  });
}

export async function restoreResults(studio: Studio, ids: ResultId[]): Promise<void> {
  await studio.api.call('results.restore', { ids });
  const { results } = await studio.api.call('results.list', { limit: 60 });
  studio.session.setState({ results });
}

/** Deletes what is in the trash for good: no way back. */
export async function eraseResults(studio: Studio, ids: ResultId[]): Promise<void> {
  const { erased, bytes } = await studio.api.call('results.erase', { ids });
  if (erased.length === 0) return;
  studio.view.setState(({ compare }) => ({ compare: compare.filter((id) => !erased.includes(id)) }));
  studio.session.notify({
    level: 'info',
    message: translate('history.erased', { count: erased.length, size: formatBytes(bytes) }),
  });
}

/** Adds a result to the comparison (four at most) or takes it out. */
export function toggleCompare(studio: Studio, id: ResultId): void {
  const { compare } = studio.view.getState();
  studio.view.setState({
    compare: compare.includes(id) ? compare.filter((one) => one !== id) : [...compare, id].slice(-4),
  });
}

/** Opens the comparison: of what is marked, else of the shown result and the one before it. */
export function openCompare(studio: Studio): void {
  const { compare, shown } = studio.view.getState();
  if (compare.length < 2) {
    const { results } = studio.session.getState();
    const first =
      (shown.kind === 'result' ? results.find((result) => result.id === shown.id) : undefined) ?? results[0];
    if (!first) return;
    const parent = results.find((result) => first.parents.includes(result.id));
    const second = parent ?? results.find((result) => result.createdAt < first.createdAt) ?? results.find((result) => result !== first); // prettier-ignore
    if (!second) return;
    studio.view.setState({ compare: [second.id, first.id] });
  }
  studio.view.openDialog({ name: 'compare' });
}

/** A short name for a thumbnail: what kind it is, or its number in the session. */
export const resultLabel = (result: ResultSummary): string => {
  switch (result.kind) {
    case 'redo-segment':
      return translate('history.kind.redo');
    case 'variations':
      return translate('history.kind.variation');
    case 'upscale':
      return translate('history.kind.upscale', { size: result.width });
    case 'imported':
      return translate('history.kind.imported');
    case 'generate':
    case 'grid':
    case 'live':
      return translate('history.kind.seed', { seed: result.seed });
  }
};
