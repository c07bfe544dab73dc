import { sceneOf, segmentsOf, slotOf } from '#shared/document/document.ts';
import { hasSoftShape } from '#shared/document/geometry.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { ExportInput } from '../project-api.ts';

/**
 * What a format cannot carry of this scene, in words: only what the scene has. docs/format.md lists all of it;
 * what is found while writing (a picture that cannot be read) is added there.
 */
export function lossesOf(document: StudioDocument, format: ExportInput['format']): string[] {
  const segments = segmentsOf(document);
  const has = (test: (segment: (typeof segments)[number]) => boolean): boolean => segments.some(test);
  const losses: string[] = [];
  const say = (when: boolean, loss: string): void => {
    if (when) losses.push(loss);
  };
  const soft = has((segment) => segment.feather > 0 || segment.smooth > 0 || hasSoftShape(segment.shapes));
  const pictured = has((segment) => slotOf(document, segment.slot).content.kind !== 'text');
  const grouped = has((segment) => segment.group !== null);
  switch (format) {
    case 'spatext':
      break;
    case 'json':
    case 'png':
      say(true, 'undo steps stay in the studio; a project file keeps them');
      break;
    case 'jpg':
    case 'webp':
      say(true, 'the picture is compressed with losses; a PNG keeps every pixel');
      say(true, 'undo steps stay in the studio; a project file keeps them');
      break;
    case 'psd':
    case 'ora':
      say(true, 'texts, dials and exact shapes are for the studio only; other programs see names and areas');
      say(grouped, 'groups are not folders in the file');
      say(format === 'ora', 'programs that save OpenRaster drop what they do not know, the scene included');
      break;
    case 'svg':
      say(soft, 'soft edges become hard outlines in other programs');
      say(pictured, 'segments filled by pictures have only their outline in other programs');
      say(grouped, 'groups are not groups in the file');
      say(sceneOf(document).start !== null, 'the start picture is for the studio only');
      break;
    case 'npy':
      say(true, 'an array has no texts, dials or shapes: names and labels are in the .json beside it');
      say(soft, 'soft edges become hard at the resolution of the map');
      say(
        has((segment) => !segment.visible),
        'hidden segments are not in the map',
      );
      break;
    case 'sheet':
      say(true, 'a contact sheet is a picture of pictures; scenes do not travel in it');
      break;
  }
  return losses;
}
