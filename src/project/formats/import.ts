import sharp from 'sharp';
import { z } from 'zod';
import type { ResultId } from '#shared/api/generation.ts';
import { toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { DocumentRecord } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import { MAX_PIXELS } from '#engine/image/picture.ts';
import type { Beside } from '../beside.ts';
import type { ImportInput, Imported, ImportedNow } from '../project-api.ts';
import { readAnnotations } from './annotations.ts';
import { sceneFromAreas } from './area-scene.ts';
import { isCocoPanoptic } from './coco-panoptic.ts';
import { checkLabelTable, isLabelTable, readLabelMap } from './label-map.ts';
import { LayerStamps, sceneFromLayers } from './layers.ts';
import type { LayeredFile } from './layers.ts';
import { readMaskImage } from './mask-image.ts';
import { readNpyAreas } from './npy-areas.ts';
import { parseOra } from './ora.ts';
import { RESULT_KEYWORD, SCENE_KEYWORD } from './picture-export.ts';
import { decodePicture } from './pixels.ts';
import { readTexts } from './png.ts';
import { readProject } from './project-file.ts';
import { parsePsd } from './psd.ts';
import { CarriedResult, readCarriedResult, unpackScene } from './scene-carrier.ts';
import { sniff } from './sniff.ts';
import type { FileKind } from './sniff.ts';
import { readSvg } from './svg-read.ts';
import { readXmp } from './xmp.ts';
import { openZip } from './zip.ts';

const LARGEST_FILE = 1024 * 1024 * 1024;
const Extra = z.object({ result: CarriedResult.nullable(), stamps: LayerStamps });

/**
 * What a dropped, pasted or chosen file holds: a scene, or just a picture. Every file is taken as hostile: sizes
 * are checked before memory is taken, nothing is fetched or run, nothing is written but blobs.
 * With `ask`, annotations of several images are answered with their list, for somebody to choose.
 * @throws StudioError bad-input, too-large, newer-version, not-found, unsupported
 */
export async function importFile(input: ImportInput & { readonly ask?: false | undefined }): Promise<ImportedNow>;
export async function importFile(input: ImportInput): Promise<Imported>;
export async function importFile(input: ImportInput): Promise<Imported> {
  if (input.bytes.length > LARGEST_FILE)
    throw new StudioError('too-large', `${input.name} has ${input.bytes.length} bytes`);
  const kind = sniff(input.bytes, input.name);
  try {
    return await read(kind, input);
  } catch (error) {
    const { code, message, kept, remedy } = StudioError.from(error);
    // What is thrown by a codec on a broken file is the file's fault, not the studio's.
    const typed = code === 'internal' ? 'bad-input' : code;
    throw new StudioError(typed, `${input.name}: ${message}`, {
      kept: kept ?? 'the file is unchanged',
      remedy,
      cause: error,
    });
  }
}

async function read(kind: FileKind, input: ImportInput): Promise<Imported> {
  const { bytes, writeBlob } = input;
  switch (kind) {
    case 'png':
    case 'jpg':
    case 'webp':
    case 'image':
      return readPictureFile(kind, input);
    case 'psd': {
      const { size, layers, xmp } = parsePsd(bytes);
      const carried = readXmp(xmp);
      return layered({ size, layers }, carried.scene, carried.result, writeBlob);
    }
    case 'zip':
      return readZipFile(input);
    case 'svg': {
      const { records, losses } = await readSvg(bytes, writeBlob);
      return scene(records, losses);
    }
    case 'json':
      return readJsonFile(input);
    case 'npy': {
      const { areas, size } = readNpyAreas(bytes);
      const losses = ['an array has no texts: the segments are numbered'];
      return scene(await sceneFromAreas(areas, size, writeBlob, losses), losses);
    }
  }
}

const scene = (
  records: DocumentRecord[],
  losses: string[],
  result: { readonly id: ResultId; readonly seed: number } | null | undefined = null,
): Extract<Imported, { kind: 'scene' }> => ({
  kind: 'scene',
  records,
  result: result?.id ?? null,
  ...(result && { seed: result.seed }),
  losses,
});

async function readPictureFile(kind: FileKind, input: ImportInput): Promise<Imported> {
  const { bytes, writeBlob, name } = input;
  if (input.labels) return readLabels(bytes, input.labels, writeBlob);
  const carried = await carriedByPicture(kind, bytes);
  if (carried?.scene !== undefined) {
    const document = await unpackScene(carried.scene, writeBlob);
    return scene(toRecords(document), [], readCarriedResult(carried.result));
  }
  const picture = await decodePicture(bytes, 4);
  const area = input.pictures === 'mask' ? readMaskImage(picture, name) : undefined;
  if (area) {
    const losses = ['the picture was taken as the area of one segment'];
    return scene(await sceneFromAreas([area], picture, writeBlob, losses), losses);
  }
  return {
    kind: 'image',
    blob: await writeBlob(bytes),
    width: picture.width,
    height: picture.height,
    hasAlpha: picture.data.some((value, index) => index % 4 === 3 && value < 255),
  };
}

async function readLabels(
  bytes: Uint8Array,
  labels: Readonly<Record<string, string>>,
  writeBlob: ImportInput['writeBlob'],
): Promise<Extract<Imported, { kind: 'scene' }>> {
  const table = checkLabelTable(labels);
  const picture = await decodePicture(bytes, 3);
  const { areas, losses } = readLabelMap(picture, table);
  return scene(await sceneFromAreas(areas, picture, writeBlob, losses), losses);
}

/** The picture that a table of colours came with: the one of its name, else the only one. */
async function labelMapOf({ name, beside }: ImportInput): Promise<string> {
  const pictures = [...((await beside?.names()) ?? [])].filter((one) => /\.(png|jpe?g|webp)$/i.test(one));
  const stem = (file: string): string => file.replace(/\.[^.]*$/, '');
  const found = pictures.find((one) => stem(one) === stem(name)) ?? (pictures.length === 1 ? pictures[0] : undefined);
  if (found !== undefined) return found;
  throw new StudioError('unsupported', 'a table of colours and texts, without its label map', {
    remedy: 'open or drop the table and the picture together',
  });
}

/** The texts of ours that a picture carries; damaged ones are said so only if there is no picture to show instead. */
async function carriedByPicture(
  kind: FileKind,
  bytes: Uint8Array,
): Promise<{ scene: string | undefined; result: string | undefined } | undefined> {
  if (kind === 'png') {
    const texts = readTexts(bytes);
    return { scene: texts.get(SCENE_KEYWORD), result: texts.get(RESULT_KEYWORD) };
  }
  if (kind === 'image') return undefined;
  const { xmp } = await sharp(bytes, { limitInputPixels: MAX_PIXELS }).metadata();
  return xmp ? readXmp(xmp.toString('utf8')) : undefined;
}

async function readZipFile(input: ImportInput): Promise<Imported> {
  const zip = await openZip(input.bytes);
  if (zip.has('stack.xml')) {
    const { size, layers, scene: carried, extra } = await parseOra(input.bytes);
    return layered({ size, layers }, carried, extra, input.writeBlob);
  }
  if (!zip.has('project.json'))
    throw new StudioError('bad-input', 'a zip file that is neither a project nor an OpenRaster picture');
  const project = await readProject(input.bytes);
  for (const blob of project.blobs.values()) await input.writeBlob(blob);
  const losses = [...project.troubles];
  if (project.results.length > 0) losses.push('the results inside come along only when the project is opened');
  return scene(toRecords(project.document), losses, project.results[0]);
}

async function readJsonFile(input: ImportInput): Promise<Imported> {
  const text = new TextDecoder('utf-8').decode(input.bytes);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new StudioError('bad-input', `not JSON (${error instanceof Error ? error.message : ''})`, { cause: error });
  }
  if (isCocoPanoptic(json)) return readAnnotations(json, input);
  if (isLabelTable(json)) {
    const name = await labelMapOf(input);
    const read = await readLabels(await (input.beside as Beside).read(name), json, input.writeBlob);
    return { ...read, taken: [name] };
  }
  return scene(toRecords(await unpackScene(text, input.writeBlob)), []);
}

async function layered(
  file: Pick<LayeredFile, 'size' | 'layers'>,
  carried: string | undefined,
  extra: string | undefined,
  writeBlob: ImportInput['writeBlob'],
): Promise<Imported> {
  const losses: string[] = [];
  let document: StudioDocument | null = null;
  if (carried !== undefined)
    try {
      document = await unpackScene(carried, writeBlob);
    } catch (error) {
      const typed = StudioError.from(error);
      if (typed.code === 'newer-version') throw typed;
      losses.push(`the scene inside could not be read (${typed.message}); only the layers were taken`);
    }
  const parsed = extra === undefined ? undefined : parseExtra(extra);
  const made = await sceneFromLayers({ ...file, scene: document, stamps: parsed?.stamps ?? null }, writeBlob);
  return scene(made.records, [...losses, ...made.losses], parsed?.result);
}

function parseExtra(text: string): z.infer<typeof Extra> | undefined {
  try {
    return Extra.parse(JSON.parse(text));
  } catch {
    return undefined; // without it the layers are compared by nothing, and taken as they are
  }
}
