import { sceneOf } from '#shared/document/document.ts';
import type { Point } from '#shared/document/geometry.ts';
import { LIMITS } from '#shared/document/limits.ts';
import type { SegmentId } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import { translate } from '../../app/i18n/texts.ts';
import { addReference, importFile } from '../../features/scene/actions.ts';
import { addSegment } from '../../store/recipes.ts';
import type { Stage } from '../stage.ts';
import type { SvgNode } from './svg-shapes.ts';
import { readSvg } from './svg-shapes.ts';

interface Where {
  /** Where a file was dropped, in scene pixels. */
  readonly at: Point | undefined;
  readonly asReference: boolean;
}

/** Files given to the canvas: SVG shapes and cut-out pictures become segments, other pictures are to draw after. */
export async function takeFiles(stage: Stage, files: readonly File[], where: Where): Promise<void> {
  for (const file of files) {
    const svg = file.type === 'image/svg+xml' || /\.svg$/i.test(file.name);
    if (svg && !where.asReference) await takeSvg(stage, file);
    else
      await importFile(stage.studio, file, (picture) => {
        if (picture.hasAlpha && !where.asReference) addCutOut(stage, picture, where.at, file.name);
        else addReference(stage.studio, picture);
      });
  }
}

/** Each shape of an SVG as a segment. The file is only read as data: nothing in it runs or is fetched. */
async function takeSvg(stage: Stage, file: File): Promise<void> {
  if (file.size > LIMITS.sceneFileBytes) throw new StudioError('too-large', `${file.name}: ${file.size} bytes`);
  const parsed = new DOMParser().parseFromString(await file.text(), 'image/svg+xml');
  if (parsed.querySelector('parsererror')) {
    // a scene exported as SVG may still be read by the host, which also says what is wrong with a broken file
    await importFile(stage.studio, file, (picture) => addReference(stage.studio, picture));
    return;
  }
  const room = LIMITS.segments - Object.values(stage.document).filter(({ type }) => type === 'segment').length;
  const shapes = readSvg(parsed.documentElement as unknown as SvgNode, stage.sceneRecord).slice(0, room);
  if (shapes.length === 0) {
    stage.hint('canvas.drop.svgEmpty');
    return;
  }
  const made: SegmentId[] = [];
  stage.studio.document.edit('edit.import', (document) => {
    let next = document;
    for (const { shape, name } of shapes) {
      const [after, id] = addSegment(next, [shape], name);
      next = after;
      made.push(id);
    }
    return next;
  });
  stage.studio.view.select(made);
  stage.studio.session.notify({ level: 'info', message: translate('canvas.drop.svgParts', { count: shapes.length }) });
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
    const [after, id] = addSegment(
      document,
      [
        {
          kind: 'bitmap',
          blob: picture.blob,
          x: Math.round(cx - width / 2),
          y: Math.round(cy - height / 2),
          width,
          height,
        },
      ],
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
