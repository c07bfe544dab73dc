import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { PackSummary } from '#shared/api/packs.ts';
import { StudioError } from '#shared/errors.ts';
import { embeddedPackFolders } from './embedded.ts';
import { packIdOf, packNameOf } from './pack-id.ts';

/** Recognises and summarises one kind of pack; the first that claims a path handles it. */
export interface PackReader<P> {
  /** Whether the path looks like its kind; cheap, reads at most a header. */
  claims(path: string): Promise<boolean>;
  /** @throws StudioError with the reason why it cannot be used */
  open(path: string): Promise<{ readonly summary: PackSummary; readonly opened: P }>;
}

interface Known<P> {
  readonly path: string;
  readonly embedded: boolean;
  readonly summary: PackSummary;
  readonly opened: P | null;
  /** Why it cannot be used. */
  readonly refusal?: StudioError;
}

const AddedFile = z.object({ version: z.literal(1), paths: z.array(z.string()) });

/** The packs this studio knows: those that came with it, and those the artist added (by path, never copied). */
export class PackCatalogue<P> {
  readonly #modelsFolder: string;
  readonly #addedFile: string | undefined;
  readonly #readers: readonly PackReader<P>[];
  #known: Map<string, Known<P>> | undefined;

  constructor(modelsFolder: string, addedFile: string | undefined, readers: readonly PackReader<P>[]) {
    this.#modelsFolder = modelsFolder;
    this.#addedFile = addedFile;
    this.#readers = readers;
  }

  async list(): Promise<{ packs: PackSummary[]; defaultPack: string }> {
    const known = await this.#load();
    const packs = [...known.values()].map(({ summary }) => summary);
    const defaultPack = [...known.values()].find(({ embedded, opened }) => embedded && opened)?.summary.id;
    if (defaultPack === undefined)
      throw new StudioError('model', `there is no usable pack in ${this.#modelsFolder}`, {
        remedy: 'install the studio again',
      });
    return { packs, defaultPack };
  }

  /** Everything it knows, usable or not, as it was when last looked at. */
  async all(): Promise<{ path: string; added: boolean; summary: PackSummary; opened: P | null }[]> {
    const known = await this.#load();
    return [...known.values()].map(({ path: at, embedded, summary, opened }) => ({
      path: at,
      added: !embedded,
      summary,
      opened,
    }));
  }

  /** The pack of that id; null: the default one. @throws StudioError not-found, model */
  async get(id: string | null): Promise<{ summary: PackSummary; opened: P }> {
    const known = await this.#load();
    const wanted = id ?? (await this.list()).defaultPack;
    const found = known.get(wanted);
    if (!found)
      throw new StudioError('not-found', `there is no pack named ${wanted} here`, {
        remedy: 'choose another pack, or add this one (spatext packs add FOLDER)',
      });
    // What was bad at the last look may be mended, and the other way round.
    const fresh = await this.#read(found.path, found.embedded, found.summary);
    known.set(wanted, fresh);
    if (!fresh.opened) {
      const { message = `the pack ${wanted} cannot be used`, remedy } = fresh.refusal ?? {};
      const kept = 'the scene, and the packs that still work';
      throw new StudioError('model', message, { kept, remedy, cause: fresh.refusal });
    }
    return { summary: fresh.summary, opened: fresh.opened };
  }

  /** Adds a pack by its path. @throws StudioError with the reason if it cannot be used; nothing changes then */
  async add(target: string): Promise<PackSummary> {
    const known = await this.#load();
    const absolute = path.resolve(target);
    await stat(absolute).catch((error: unknown) => {
      throw StudioError.from(error, `adding ${target}`);
    });
    const reader = await this.#readerOf(absolute);
    const { summary, opened } = await reader.open(absolute);
    const same = known.get(summary.id);
    if (same && same.path !== absolute)
      throw new StudioError('bad-input', `a pack with the id ${summary.id} is already there, at ${same.path}`, {
        kept: 'that pack stays',
        remedy: 'remove it first, or give this one another name (its file, or the id in pack.json)',
      });
    await this.#change(known, (packs) =>
      packs.set(summary.id, { path: absolute, embedded: same?.embedded ?? false, summary, opened }),
    );
    return summary;
  }

  async remove(id: string): Promise<void> {
    const known = await this.#load();
    const found = known.get(id);
    if (!found) throw new StudioError('not-found', `there is no pack named ${id} here`);
    if (found.embedded) throw new StudioError('bad-use', 'the pack that came with the studio cannot be removed');
    await this.#change(known, (packs) => packs.delete(id));
  }

  /** Changes what is known, and remembers it; if that cannot be written (a full disk), it stays as it was. */
  async #change(known: Map<string, Known<P>>, change: (packs: Map<string, Known<P>>) => unknown): Promise<void> {
    const changed = new Map(known);
    change(changed);
    await this.#save(changed);
    this.#known = changed;
  }

  async #load(): Promise<Map<string, Known<P>>> {
    if (this.#known) return this.#known;
    const known = new Map<string, Known<P>>();
    for (const folder of await embeddedPackFolders(this.#modelsFolder)) {
      const entry = await this.#read(folder, true);
      if (!known.has(entry.summary.id)) known.set(entry.summary.id, entry);
    }
    for (const added of await this.#readAdded()) {
      const entry = await this.#read(added, false);
      if (!known.has(entry.summary.id)) known.set(entry.summary.id, entry);
    }
    this.#known = known;
    return known;
  }

  async #readerOf(target: string): Promise<PackReader<P>> {
    for (const reader of this.#readers) if (await reader.claims(target)) return reader;
    throw new StudioError(
      'bad-input',
      `${path.basename(target)} is no model pack and no checkpoint that the studio knows`,
      {
        remedy: 'choose a folder with pack.json or model_index.json, or a .safetensors checkpoint',
      },
    );
  }

  /** A pack that cannot be used stays in the list with its reason, so that the artist sees why it is gone. */
  async #read(target: string, embedded: boolean, before?: PackSummary): Promise<Known<P>> {
    try {
      await stat(target).catch((error: unknown) => {
        throw new StudioError('model', `${path.basename(target)} is no longer where it was (${target})`, {
          remedy: 'put it back, or remove it from the list of models',
          cause: error,
        });
      });
      const reader = await this.#readerOf(target);
      const { summary, opened } = await reader.open(target);
      return { path: target, embedded, summary: embedded ? { ...summary, source: 'embedded' } : summary, opened };
    } catch (error) {
      const refusal = StudioError.from(error, `the model ${path.basename(target)}`);
      const { message, remedy } = refusal;
      const problem = remedy ? `${message} (${remedy})` : message;
      // What is known of it stays, so that scenes still find it by its id when the file comes back.
      const summary = { ...(before ?? unknownSummary(target)), problem };
      return { path: target, embedded, summary, opened: null, refusal };
    }
  }

  async #readAdded(): Promise<string[]> {
    if (!this.#addedFile) return [];
    try {
      return AddedFile.parse(JSON.parse(await readFile(this.#addedFile, 'utf8'))).paths;
    } catch {
      return [];
    }
  }

  async #save(known: ReadonlyMap<string, Known<P>>): Promise<void> {
    if (!this.#addedFile) return;
    const paths = [...known.values()].filter(({ embedded }) => !embedded).map((known) => known.path);
    const temporary = `${this.#addedFile}.${process.pid}.tmp`;
    try {
      await writeFile(temporary, JSON.stringify({ version: 1, paths }));
      await rename(temporary, this.#addedFile);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw StudioError.from(error, 'remembering the models');
    }
  }
}

function unknownSummary(target: string): PackSummary {
  const none = { width: 0, height: 0 };
  return {
    id: packIdOf(target),
    name: packNameOf(target),
    kind: 'spatext-pixel',
    licence: '',
    source: packNameOf(target) === path.basename(target) ? 'folder' : 'checkpoint',
    bytes: 0,
    mapSize: none,
    outputSize: none,
    anySize: false,
    defaults: { sampler: 'ddim', steps: 1, mode: 'multi', globalScale: 0, localScale: 0 },
    abilities: [],
    problem: null,
  };
}
