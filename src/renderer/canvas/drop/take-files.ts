import { sceneOf } from '#shared/document/document.ts';
import type { Point } from '#shared/document/geometry.ts';
import type { SegmentId } from '#shared/document/records.ts';
import { lossWords } from '../../app/host-words/host-words.ts';
import { translate } from '../../app/i18n/texts.ts';
import { addImportedSegments, addReference, importFiles } from '../../features/scene/actions.ts';
import { addSegment } from '../../store/recipes.ts';
import { fitRecords, recoloured } from '../edit/fit-records.ts';
import type { Stage } from '../stage.ts';

interface Where {
  /** Where a file was dropped, in scene pixels. */
  readonly at: Point | undefined;
  readonly asReference: boolean;
}

/**
 * Files given to the canvas: the shapes of an SVG and cut-out pictures become segments of this scene, other pictures
 * are to draw after, scenes open. The host reads them; nothing in them runs or is fetched.
 */
export async function takeFiles(stage: Stage, files: readonly File[], where: Where): Promise<void> {
  const isSvg = (file: File): boolean => file.type === 'image/svg+xml' || /\.svg$/i.test(file.name);
  for (const file of files.filter(isSvg)) await takeSvg(stage, file);
  const others = files.filter((file) => !isSvg(file));
  await importFiles(stage.studio, others, (picture, file) => {
    if (picture.hasAlpha && !where.asReference) addCutOut(stage, picture, where.at, file.name);
    else addReference(stage.studio, picture);
  });
}

/** Each shape of an SVG as a segment of the open scene, instead of opening the SVG as a scene of its own. */
async function takeSvg(stage: Stage, file: File): Promise<void> {
  const { studio } = stage;
  const bytes = new Uint8Array(await file.arrayBuffer());
  const imported = await studio.api.call('import.file', { name: file.name || 'drawing.svg', bytes });
  if (imported.kind === 'image') {
    addReference(studio, imported);
    return;
  }
  if (imported.kind === 'annotations') return;
  const records = recoloured(fitRecords(imported.records, stage.sceneRecord), stage.document);
  const count = records.filter(({ type }) => type === 'segment').length;
  if (count === 0) stage.hint('canvas.drop.svgEmpty');
  else addImportedSegments(studio, records);
  const losses = imported.losses.map(lossWords).join('; ');
  if (losses) studio.session.notify({ level: 'warning', message: translate('scene.importLosses', { losses }) });
}

/** A picture with transparency: what is opaque in it is the segment. */
function addCutOut(
  stage: Stage,
  picture: { readonly blob: string; readonly width: number; readonly height: number },
  at: Point | undefined,
  name: string,
): void {
  let made: SegmentId | undefined;
  stage.studio.document.edit('edit.import', (document) => {
    const scene = sceneOf(document);
    const scale = Math.min(1, scene.width / picture.width, scene.height / picture.height);
    const width = picture.width * scale;
    const height = picture.height * scale;
    const [cx, cy] = at ?? [scene.width / 2, scene.height / 2];
    const x = Math.round(cx - width / 2);
    const y = Math.round(cy - height / 2);
    const [after, id] = addSegment(
      document,
      [{ kind: 'bitmap', blob: picture.blob, x, y, width, height }],
      wordsOf(name),
    );
    made = id;
    return after;
  });
  if (made) {
    stage.studio.view.select([made]);
    stage.editText(made);
  }
}

/** A file name as words: `red_balloon-2.png` says "red balloon". */
const wordsOf = (name: string): string =>
  name
    .replace(/\.[^.]*$/, '')
    .replaceAll(/[_\-.]+/g, ' ')
    .replaceAll(/\s*\d+\s*$/g, '')
    .trim()
    .slice(0, 80);
