import { sceneOf, segmentName, segmentsOf, slotOf, slotText, toDocument } from '#shared/document/document.ts';
import type { DocumentRecord } from '#shared/document/records.ts';

/** What a result is called in lists: its scene's title, else its global text, else its topmost segment. */
export function titleFor(records: readonly DocumentRecord[]): string {
  const document = toDocument(records);
  const scene = sceneOf(document);
  const topmost = segmentsOf(document).at(-1);
  return scene.title || scene.text.slice(0, 120) || (topmost ? segmentName(document, topmost).slice(0, 120) : '');
}

export const globalText = (records: readonly DocumentRecord[]): string => sceneOf(toDocument(records)).text;

/** The words of the segments that a search should find: their texts, names and negative texts, and the scene's note. */
export function searchTexts(records: readonly DocumentRecord[]): string[] {
  const document = toDocument(records);
  const scene = sceneOf(document);
  const texts = segmentsOf(document).flatMap((segment) => [
    slotText(document, slotOf(document, segment.slot).content),
    segment.name ?? '',
    segment.negativeText,
  ]);
  return [...new Set([...texts, scene.negativeText, scene.note])].filter(Boolean);
}
