import { toDocument, toRecords, sceneOf } from '#shared/document/document.ts';
import type { DocumentRecord } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import type { ImportInput, Imported } from '../project-api.ts';
import { sceneFromAreas } from './area-scene.ts';
import { annotatedImages, chooseAnnotation, parseCocoPanoptic, photographOf, readAnnotation } from './coco-panoptic.ts';
import { decodePicture } from './pixels.ts';

/** Images named in one answer: what a list to choose from can use. */
const MOST_IMAGES = 5000;

/**
 * A scene of one annotated image, with its photograph to draw after if that came along; or, with `ask`, the images to
 * choose from where the choice or the picture of areas is missing.
 * @throws StudioError bad-input, not-found, unsupported, too-large
 */
export async function readAnnotations(json: unknown, input: ImportInput): Promise<Imported> {
  const { beside, ask, image, writeBlob } = input;
  const coco = parseCocoPanoptic(json);
  const there = (await beside?.names()) ?? new Set<string>();
  let annotation = chooseAnnotation(coco, image, there);
  if (ask && (!annotation || !there.has(annotation.file_name))) {
    const images = annotatedImages(coco, there);
    return { kind: 'annotations', images: images.slice(0, MOST_IMAGES), total: images.length, chosen: image ?? null };
  }
  const losses: string[] = [];
  if (!annotation) {
    annotation = coco.annotations.find(({ file_name }) => there.has(file_name)) ?? coco.annotations[0];
    if (!annotation) throw new StudioError('bad-input', 'annotations of no image');
    losses.push(`the file has ${coco.annotations.length} images; ${annotation.file_name} was taken`);
  }
  if (!beside)
    throw new StudioError('unsupported', `the areas are in the picture ${annotation.file_name}`, {
      remedy: 'open or drop the JSON and this picture together',
    });
  const { areas, size } = await readAnnotation(coco, annotation, await beside.read(annotation.file_name));
  const records = await sceneFromAreas(areas, size, writeBlob, losses);
  const taken = [annotation.file_name];
  const photograph = photographOf(coco, annotation);
  if (photograph !== undefined && there.has(photograph)) {
    records.push(await toDrawAfter(await beside.read(photograph), records, writeBlob));
    taken.push(photograph);
  }
  return { kind: 'scene', records: toRecords(toDocument(records)), result: null, losses, taken };
}

/** A photograph over the whole scene, half seen, below which nothing is generated. */
async function toDrawAfter(
  bytes: Uint8Array,
  records: readonly DocumentRecord[],
  writeBlob: ImportInput['writeBlob'],
): Promise<DocumentRecord> {
  const { width, height } = await decodePicture(bytes, 3);
  const scene = sceneOf(toDocument(records));
  return {
    id: 'reference:photograph',
    type: 'reference',
    blob: await writeBlob(bytes),
    transform: [scene.width / width, 0, 0, scene.height / height, 0, 0],
    width,
    height,
    opacity: 0.6,
    visible: true,
  };
}
