import { contactSheet } from '#engine/image/contact-sheet.ts';
import { sceneOf, toDocument } from '#shared/document/document.ts';
import { StudioError, missingCase } from '#shared/errors.ts';
import { safeFileName } from '../files.ts';
import type { ExportInput, ExportOutput } from '../project-api.ts';
import { exportLayered } from './layered-export.ts';
import { lossesOf } from './losses.ts';
import { exportLossy, exportPng, missingLoss, pictureScene } from './picture-export.ts';
import { bitmapsOf, decodePicture } from './pixels.ts';
import { PROJECT_MIMETYPE, writeProject } from './project-file.ts';
import { carryScene } from './scene-carrier.ts';
import { makeSt } from './st-array.ts';
import { makeSvg } from './svg-write.ts';

const TYPES: Readonly<Record<ExportInput['format'], readonly [extension: string, type: string]>> = {
  spatext: ['spatext', PROJECT_MIMETYPE],
  png: ['png', 'image/png'],
  jpg: ['jpg', 'image/jpeg'],
  webp: ['webp', 'image/webp'],
  psd: ['psd', 'image/vnd.adobe.photoshop'],
  ora: ['ora', 'image/openraster'],
  svg: ['svg', 'image/svg+xml'],
  json: ['json', 'application/json'],
  npy: ['npy', 'application/x-npy'],
  sheet: ['png', 'image/png'],
};
const SHEET_COLUMNS = 4;
const SHEET_SIDE = 384;

/**
 * A scene as a file of any format. Nothing is written to disk: the caller gets the bytes, a name for them and what
 * the format cannot carry. @throws StudioError bad-input, too-large, not-found (a picture), unsupported
 */
export async function exportScene(input: ExportInput): Promise<ExportOutput> {
  const made = await make(input);
  const [extension, type] = TYPES[input.format];
  // A picture carries the scene that it was made from; everything else holds the scene as it is now.
  const picture = input.format === 'png' || input.format === 'jpg' || input.format === 'webp';
  const scene = sceneOf(picture ? pictureScene(input) : input.document);
  const name = safeFileName((scene.title || scene.text).slice(0, 60), 'scene');
  const seed = input.result && picture;
  const base = input.format === 'sheet' ? `${name} sheet` : seed ? `${name} ${input.result?.seed}` : name;
  return {
    // Plain bytes, as they go through doors that do not know Node's Buffer.
    bytes: new Uint8Array(made.bytes.buffer, made.bytes.byteOffset, made.bytes.byteLength),
    fileName: `${base}.${extension}`,
    type,
    losses: [...lossesOf(input.document, input.format), ...made.losses],
    ...(made.legend && { beside: [{ bytes: made.legend, fileName: `${base}.npy.json` }] }),
  };
}

async function make(input: ExportInput): Promise<{ bytes: Uint8Array; losses: string[]; legend?: Uint8Array }> {
  switch (input.format) {
    case 'png':
      return exportPng(input);
    case 'jpg':
    case 'webp':
      return exportLossy(input, input.format);
    case 'psd':
    case 'ora':
      return exportLayered(input, input.format);
    case 'json': {
      const carried = await carryScene(input.document, input.readBlob);
      return { bytes: Buffer.from(carried.text), losses: missingLoss(carried.missing) };
    }
    case 'svg': {
      const { bitmaps, missing } = await bitmapsOf(input.document, input.readBlob);
      const carried = await carryScene(input.document, input.readBlob);
      const svg = makeSvg(input.document, bitmaps, carried.text);
      return { bytes: Buffer.from(svg), losses: missingLoss(Math.max(missing, carried.missing)) };
    }
    case 'npy': {
      const { bitmaps, missing } = await bitmapsOf(input.document, input.readBlob);
      const { array, legend, losses } = await makeSt(input.document, bitmaps, input.filling);
      return { bytes: array, legend, losses: [...losses, ...missingLoss(missing)] };
    }
    case 'spatext': {
      const results = input.result ? [input.result, ...input.results] : [...input.results];
      const unique = [...new Map(results.map((result) => [result.id, result])).values()];
      const { bytes, missing } = await writeProject({
        document: input.document,
        undo: input.undo ?? [],
        redo: input.redo ?? [],
        results: unique,
        readBlob: input.readBlob,
      });
      return { bytes, losses: missingLoss(missing.length) };
    }
    case 'sheet':
      return sheet(input);
    default:
      return missingCase(input.format);
  }
}

async function sheet(input: ExportInput): Promise<{ bytes: Uint8Array; losses: string[] }> {
  const results = input.results.length > 0 ? input.results : input.result ? [input.result] : [];
  if (results.length === 0)
    throw new StudioError('bad-input', 'a contact sheet needs results', { remedy: 'choose some in the history' });
  const tiles = await Promise.all(
    results.map(async (result) => ({
      picture: await decodePicture(await input.readBlob(result.picture), 3),
      caption: `${result.seed} · ${sceneOf(toDocument(result.records)).text}`,
    })),
  );
  const rows = [];
  for (let first = 0; first < tiles.length; first += SHEET_COLUMNS)
    rows.push(tiles.slice(first, first + SHEET_COLUMNS));
  return { bytes: await contactSheet(rows, SHEET_SIDE), losses: [] };
}
