import type { GenerateRequest, Result } from '#shared/api/generation.ts';
import type { SegmentId } from '#shared/document/records.ts';

/**
 * The next detail pass of a picture that was just made: its segment anew in a frame of its own, everything else pixel
 * for pixel, at the picture's own seed.
 * @param segments those still to be made, the next one first
 * @returns the order, with the segments that come after it in `detail`; undefined if there is nothing left
 */
export function detailPass(made: Result, segments: readonly SegmentId[]): GenerateRequest | undefined {
  const [segment, ...detail] = segments;
  if (segment === undefined) return undefined;
  return {
    records: made.records.map((record) =>
      record.type === 'scene' ? { ...record, batch: { count: 1, bestOf: 1 } } : record,
    ),
    purpose: { kind: 'redo-segment', segment, picture: made.picture, strength: 1 },
    parents: [made.id],
    priority: 'front',
    detail,
  };
}
