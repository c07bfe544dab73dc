import type { Library } from '#library/library-api.ts';
import type { OpenDocument } from '#shared/api/calls.ts';
import { Result } from '#shared/api/generation.ts';
import type { ResultSummary } from '#shared/api/generation.ts';
import { StudioError } from '#shared/errors.ts';

/** A project file is to be sent around: it takes the best, not the whole history. */
const MOST = 24;

/**
 * The results that go into a project file with its scene: the starred ones made from it. A result was made from a
 * scene if they have a segment in common (its id is drawn at random, and copies keep it); a scene without segments
 * is known by its text.
 */
export async function chosenResults(library: Library, document: OpenDocument): Promise<Result[]> {
  const segments = new Set<string>();
  let text = '';
  for (const record of document.records) {
    if (record.type === 'segment') segments.add(record.id);
    else if (record.type === 'scene') text = record.text;
  }
  const starred = await library.list({ search: '', starred: true, deleted: false, limit: 200 });
  const chosen: Result[] = [];
  for (const { id } of starred.results) {
    if (chosen.length === MOST) break;
    const result = Result.parse(await library.get(id));
    const fits =
      segments.size > 0
        ? result.records.some((record) => segments.has(record.id))
        : text !== '' && result.records.some((record) => record.type === 'scene' && record.text === text);
    if (fits) chosen.push(result);
  }
  return chosen;
}

/** Takes in the results that came with a project file, but for those that are known. @returns the new ones */
export async function adoptResults(library: Library, results: readonly Result[]): Promise<ResultSummary[]> {
  const added: ResultSummary[] = [];
  for (const result of results) {
    const known = await library.get(result.id).then(
      () => true,
      (error: unknown) => {
        if (StudioError.from(error).code === 'not-found') return false;
        throw error;
      },
    );
    // They were starred where they came from.
    if (!known) {
      await library.add({ result, embeddings: [], space: '' });
      added.push(await library.update({ id: result.id, starred: true }));
    }
  }
  return added;
}
