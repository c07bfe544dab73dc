import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { CallOutput } from '#shared/api/calls.ts';
import { emptyDocument } from '#shared/document/create.ts';
import { sceneOf, segmentsOf, toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { readScene } from '#shared/document/scene-file.ts';
import type { BlobStore } from '#engine/blobs/blob-store.ts';
import type { Log } from './log.ts';

export type Example = CallOutput<'examples.list'>[number];

/**
 * The example scenes of resources/examples in the order of their file names; NAME.webp or NAME.png beside
 * NAME.json is its picture. Read once; a broken file is left out and logged.
 */
export class Examples {
  readonly #folder: string;
  readonly #blobs: BlobStore;
  readonly #log: Log;
  #loaded: Promise<{ example: Example; document: StudioDocument }[]> | undefined;

  constructor(folder: string, blobs: BlobStore, log: Log) {
    this.#folder = folder;
    this.#blobs = blobs;
    this.#log = log;
  }

  async list(): Promise<Example[]> {
    return (await this.#load()).map(({ example }) => example);
  }

  /** What a window without a past opens on. */
  async first(): Promise<StudioDocument> {
    return (await this.#load())[0]?.document ?? emptyDocument();
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

  async #readOne(name: string, names: readonly string[]): Promise<{ example: Example; document: StudioDocument }> {
    const { document, blobs } = readScene(await readFile(path.join(this.#folder, name), 'utf8'));
    for (const base64 of Object.values(blobs)) await this.#blobs.write(Buffer.from(base64, 'base64'));
    const id = name.slice(0, -'.json'.length);
    const pictureFile = [`${id}.webp`, `${id}.png`].find((file) => names.includes(file));
    const picture = pictureFile ? await this.#blobs.write(await readFile(path.join(this.#folder, pictureFile))) : null;
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
