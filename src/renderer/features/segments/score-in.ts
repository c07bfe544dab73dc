import type { ResultId, ResultSummary, SegmentScore } from '#shared/api/generation.ts';
import type { SegmentId } from '#shared/document/records.ts';

/**
 * How well a segment came out in a result. One segment made anew leaves the others pixel for pixel as they were, so
 * what was measured of them in the picture before still holds.
 */
export function scoreIn(results: readonly ResultSummary[], id: ResultId, segment: SegmentId): SegmentScore | undefined {
  const seen = new Set<ResultId>();
  let result = results.find((one) => one.id === id);
  while (result && !seen.has(result.id)) {
    const score = result.scores.find((one) => one.segment === segment);
    if (score || result.kind !== 'redo-segment') return score;
    seen.add(result.id);
    const [parent] = result.parents;
    result = results.find((one) => one.id === parent);
  }
  return undefined;
}
