import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { CallOutput } from '#shared/api/calls.ts';
import { emptyDocument } from '#shared/document/create.ts';
import { sceneOf, segmentsOf, toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { readScene } from '#shared/document/scene-file.ts';
import { StudioError } from '#shared/errors.ts';
import type { BlobStore } from '#engine/blobs/blob-store.ts';
import type { Log } from './log.ts';

export type Example = CallOutput<'examples.list'>[number];

/** Titles and descriptions of the examples in another language, by their ids: words/LANGUAGE.json. */
const Words = z.record(z.string(), z.object({ title: z.string().max(200), shows: z.string().max(2000) }));
type Words = z.infer<typeof Words>;

/**
 * The example scenes of resources/examples in the order of their file names; NAME.webp or NAME.png beside
 * NAME.json is its picture. Read once; a broken file is left out and logged. The scenes' own texts stay as they are:
 * they are what the model reads.
 */
export class Examples {
  readonly #folder: string;
  readonly #blobs: BlobStore;
  readonly #log: Log;
  readonly #words = new Map<string, Promise<Words>>();
  #loaded: Promise<{ example: Example; document: StudioDocument }[]> | undefined;

  constructor(folder: string, blobs: BlobStore, log: Log) {
    this.#folder = folder;
    this.#blobs = blobs;
    this.#log = log;
  }

  /** @param language as 'en' or 'de'; what has no words in it is listed as it was written */
  async list(language: string): Promise<Example[]> {
    const [loaded, words] = await Promise.all([this.#load(), this.#wordsIn(language)]);
    return loaded.map(({ example, document }) => {
      const own = words[example.id];
      return own ? { ...example, ...own, records: toRecords(titled(document, own)) } : example;
    });
  }

  /** What a window without a past opens on. */
  async first(language: string): Promise<StudioDocument> {
    const [[first], words] = await Promise.all([this.#load(), this.#wordsIn(language)]);
    if (!first) return emptyDocument();
    const own = words[first.example.id];
    return own ? titled(first.document, own) : first.document;
  }

  #wordsIn(language: string): Promise<Words> {
    let words = this.#words.get(language);
    if (!words) {
      words = this.#readWords(language);
      this.#words.set(language, words);
    }
    return words;
  }

  async #readWords(language: string): Promise<Words> {
    if (language === 'en' || !/^[a-z]{2}$/.test(language)) return {};
    const file = path.join(this.#folder, 'words', `${language}.json`);
    try {
      return Words.parse(JSON.parse(await readFile(file, 'utf8')));
    } catch (error) {
      const { code, message } = StudioError.from(error);
      if (code !== 'not-found') this.#log.warning(`the examples stay in English: ${message}`);
      return {};
    }
  }

  #load(): Promise<{ example: Example; document: StudioDocument }[]> {
    this.#loaded ??= this.#read();
    return this.#loaded;
  }

  async #read(): Promise<{ example: Example; document: StudioDocument }[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const scenes = names.filter((name) => name.endsWith('.json')).toSorted();
    const read = await Promise.all(
      scenes.map(async (name) => {
        try {
          return await this.#readOne(name, names);
        } catch (error) {
          this.#log.warning(`the example ${name} was left out: ${String(error)}`);
          return null;
        }
      }),
    );
    return read.filter((item) => item !== null);
  }

  /** The gallery's picture of an example; none where it cannot be kept: a full disk takes no scene away. */
  async #keepPicture(file: string): Promise<string | null> {
    try {
      return await this.#blobs.write(await readFile(path.join(this.#folder, file)));
    } catch (error) {
      this.#log.warning(`the picture ${file} of the gallery was left out: ${String(error)}`);
      return null;
    }
  }

  async #readOne(name: string, names: readonly string[]): Promise<{ example: Example; document: StudioDocument }> {
    const { document, blobs } = readScene(await readFile(path.join(this.#folder, name), 'utf8'));
    for (const base64 of Object.values(blobs)) await this.#blobs.write(Buffer.from(base64, 'base64'));
    const id = name.slice(0, -'.json'.length);
    const pictureFile = [`${id}.webp`, `${id}.png`].find((file) => names.includes(file));
    const picture = pictureFile ? await this.#keepPicture(pictureFile) : null;
    const scene = sceneOf(document);
    return {
      document,
      example: {
        id,
        title: scene.title || id,
        shows: scene.note,
        segments: segmentsOf(document).length,
        records: toRecords(document),
        picture,
      },
    };
  }
}

/** The example's scene under its title and note in another language. */
function titled(document: StudioDocument, { title, shows }: Words[string]): StudioDocument {
  return { ...document, 'scene:main': { ...sceneOf(document), title, note: shows } };
}
