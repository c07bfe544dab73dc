import sharp from 'sharp';
import { drawSegments } from '#engine/image/contact-sheet.ts';
import { sceneOf, toDocument } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import type { ExportInput } from '../project-api.ts';
import { parametersText } from './parameters.ts';
import { bitmapsOf, encodePng, decodePicture } from './pixels.ts';
import { isPng, withTexts } from './png.ts';
import { carryResult, carryScene } from './scene-carrier.ts';
import { makeXmp } from './xmp.ts';

/** PNG keywords. `parameters` is what other programs read. */
export const SCENE_KEYWORD = 'spatext-scene';
export const RESULT_KEYWORD = 'spatext-result';
/** One APP1 segment of a JPEG, less its header; longer packets would be cut by the encoder. */
const JPEG_XMP = 65_000;

/** The scene that a picture of this result must carry: the one it was made from, so that it can be made again. */
export const pictureScene = (input: ExportInput): StudioDocument =>
  input.result ? toDocument(input.result.records) : input.document;

/** PNG bytes of the result, or of the drawn segments while there is none. */
async function pictureOf(input: ExportInput): Promise<Uint8Array> {
  if (input.result) return input.readBlob(input.result.picture);
  const { bitmaps } = await bitmapsOf(input.document, input.readBlob);
  const { width, height } = sceneOf(input.document);
  return encodePng(await drawSegments(input.document, bitmaps, Math.max(width, height)));
}

export async function exportPng(input: ExportInput): Promise<{ bytes: Uint8Array; losses: string[] }> {
  const document = pictureScene(input);
  const carried = await carryScene(document, input.readBlob);
  const picture = await pictureOf(input);
  const png = isPng(picture) ? picture : await encodePng(await decodePicture(picture, 4));
  const texts: Record<string, string> = {
    parameters: parametersText(document, input.result),
    Software: 'SpaText Studio',
    [SCENE_KEYWORD]: carried.text,
  };
  if (input.result) texts[RESULT_KEYWORD] = carryResult(input.result);
  return { bytes: withTexts(png, texts), losses: missingLoss(carried.missing) };
}

/** JPEG or WebP with the scene in XMP and the settings in EXIF, where other programs look for them. */
export async function exportLossy(
  input: ExportInput,
  format: 'jpg' | 'webp',
): Promise<{ bytes: Uint8Array; losses: string[] }> {
  const document = pictureScene(input);
  const carried = await carryScene(document, input.readBlob);
  const losses = missingLoss(carried.missing);
  const parameters = parametersText(document, input.result);
  const { text } = sceneOf(document);
  const description = ascii(text);
  const result = input.result ? carryResult(input.result) : undefined;
  const packet = (scene: string | undefined): string =>
    makeXmp({ description: text, parameters, ...(scene && { scene }), ...(result && { result }) });
  let xmp = packet(carried.text);
  if (format === 'jpg' && Buffer.byteLength(xmp) > JPEG_XMP) {
    losses.push('the scene is too large for the metadata of a JPEG and is not in the file; WebP and PNG have room');
    xmp = packet(undefined);
  }
  try {
    const image = sharp(await pictureOf(input))
      .flatten({ background: '#000' })
      .withExif({
        // An empty text is refused by the encoder.
        IFD0: { Software: 'SpaText Studio', ...(description && { ImageDescription: description }) },
        IFD2: { UserComment: parameters },
      })
      .withXmp(xmp);
    const quality = Math.round(input.quality);
    const encoded = format === 'jpg' ? image.jpeg({ quality, chromaSubsampling: '4:4:4' }) : image.webp({ quality });
    return { bytes: new Uint8Array(await encoded.toBuffer()), losses };
  } catch (error) {
    throw StudioError.from(error, `writing the ${format.toUpperCase()} picture`);
  }
}

/** EXIF's description is plain ASCII by its standard. */
const ascii = (text: string): string =>
  text
    .normalize('NFKD')
    .replaceAll(/[^\x20-\x7e]/g, '')
    .trim()
    .slice(0, 2000);

export const missingLoss = (missing: number): string[] =>
  missing > 0 ? [`${missing} picture(s) of the scene could not be put into the file`] : [];
