import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { BlobStore } from '#engine/blobs/blob-store.ts';
import { loadBitmaps } from '#engine/image/bitmaps.ts';
import { decodePicture } from '#engine/image/picture.ts';
import type { Picture } from '#engine/image/picture.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import type { Sample } from './sample.ts';

const PICTURE = /\.(png|jpe?g|webp)$/i;
/** What `spatext generate` adds to a scene's name. */
const ENDING = /-(seed)?\d+$/;

export interface FolderReading {
  readonly samples: Sample[];
  /** Pictures that could not be used, each with the reason. */
  readonly skipped: { readonly file: string; readonly why: string }[];
}

export interface FolderOptions {
  /** Where scenes lie beside those in the pictures and next to them. */
  readonly scenes?: string | undefined;
  readonly blobs: BlobStore;
  /** Reads a scene file (JSON); its pictures go into the blob store. */
  readonly readSceneFile: (file: string) => Promise<StudioDocument>;
  /** The scene that a picture carries inside, or null. */
  readonly sceneInside: (bytes: Uint8Array, name: string) => Promise<StudioDocument | null>;
}

/** The picture files of a folder, in the order in which people count (2 before 10). */
export async function pictureFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw StudioError.from(error, `reading ${folder}`);
  });
  return names
    .filter((name) => PICTURE.test(name) && !name.startsWith('.'))
    .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name) => path.join(folder, name));
}

/**
 * Results and their scenes. A picture's scene is, in this order: the JSON of the same name beside it or in the scenes
 * folder, with and without the seed at the end of the name, else the scene inside the picture.
 * @throws StudioError not-found, bad-input if nothing in the folder can be used
 */
export async function readResultFolder(folder: string, options: FolderOptions): Promise<FolderReading> {
  const samples: Sample[] = [];
  const skipped: FolderReading['skipped'] = [];
  for (const file of await pictureFiles(folder)) {
    const name = path.basename(file).replace(PICTURE, '');
    try {
      const document = await findScene(file, name, folder, options);
      if (!document) {
        skipped.push({ file, why: 'no scene in it, beside it or in the scenes folder' });
        continue;
      }
      const bitmaps = await loadBitmaps(document, options.blobs);
      samples.push({ name, document, bitmaps, readPicture: () => readPicture(file) });
    } catch (error) {
      skipped.push({ file, why: StudioError.from(error).message });
    }
  }
  if (samples.length === 0)
    throw new StudioError(
      'bad-input',
      `${folder} holds no picture with a scene${skipped[0] ? ` (${path.basename(skipped[0].file)}: ${skipped[0].why})` : ''}`,
      { remedy: 'name a folder that spatext generate wrote, or add --scenes FOLDER' },
    );
  return { samples, skipped };
}

export async function readPicture(file: string): Promise<Picture> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw StudioError.from(error, `reading ${file}`);
  });
  return decodePicture(bytes, 3).catch((error: unknown) => {
    throw new StudioError(StudioError.from(error).code, `${path.basename(file)}: ${StudioError.from(error).message}`, {
      cause: error,
    });
  });
}

async function findScene(
  file: string,
  name: string,
  folder: string,
  options: FolderOptions,
): Promise<StudioDocument | null> {
  for (const stem of new Set([name, name.replace(ENDING, '')])) {
    for (const place of [folder, options.scenes]) {
      if (!place) continue;
      const candidate = path.join(place, `${stem}.json`);
      try {
        return await options.readSceneFile(candidate);
      } catch (error) {
        if (StudioError.from(error).code !== 'not-found') throw error;
      }
    }
  }
  return options.sceneInside(await readFile(file), path.basename(file));
}
