import { createHash } from 'node:crypto';
import { readFile, readdir, realpath, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '#engine/blobs/make-folder.ts';
import type { CallArguments, CallOutput } from '#shared/api/calls.ts';
import type { BlobStore } from '#engine/blobs/blob-store.ts';
import { StudioError } from '#shared/errors.ts';
import { codeOf, keepBackup, renameOver, safeFileName, temporaryName, writeAndSync } from './files.ts';
import { readProject, writeProject } from './formats/project-file.ts';
import type { Project } from './formats/project-file.ts';
import type { KeptDocument } from './kept-document.ts';
import { acquireLock } from './lock.ts';
import type { FileLock } from './lock.ts';
import type { KeeperOptions } from './project-api.ts';

export const PROJECT_EXTENSION = '.spatext';
const BACKUPS_KEPT = 5;
const LARGEST_PROJECT = 1024 * 1024 * 1024;

/** The artist's project files: where they lie, how they are read and replaced, and their backups. */
export class ProjectFiles {
  readonly #options: KeeperOptions;
  readonly #store: BlobStore;
  readonly #folder: string;
  /** What each file looked like when this process last read or wrote it: tells changes made by others. */
  readonly #seen = new Map<string, string>();

  constructor(options: KeeperOptions, store: BlobStore) {
    this.#options = options;
    this.#store = store;
    this.#folder = path.join(options.folder, 'projects');
  }

  async start(): Promise<void> {
    await makeFolder(this.#folder);
  }

  /** Where a save goes: the path asked for, the document's own file, or a free name in the studio's folder. */
  async target(document: KeptDocument, input: CallArguments<'project.save'>): Promise<string> {
    if (input.path !== undefined) {
      const asked = path.resolve(input.path.endsWith(PROJECT_EXTENSION) ? input.path : input.path + PROJECT_EXTENSION);
      // A link keeps pointing at the file: it is the file that is replaced.
      return realpath(asked).catch(() => asked);
    }
    if (document.file && (input.name === undefined || input.name === document.file.name)) return document.file.path;
    const name = safeFileName(input.name ?? document.title);
    for (let number = 1; ; number += 1) {
      const file = path.join(this.#folder, `${number === 1 ? name : `${name} ${number}`}${PROJECT_EXTENSION}`);
      const free = await stat(file).then(
        () => false,
        (error: unknown) => codeOf(error) === 'ENOENT',
      );
      if (free) return file;
      if (number > 10_000) throw new StudioError('storage', `no free name like ${name}`);
    }
  }

  /**
   * Marks the file as open. In a folder that cannot be written there is no mark, only a word to the artist.
   * @throws StudioError busy
   */
  async lock(target: string): Promise<FileLock | undefined> {
    try {
      return await acquireLock(lockName(target), path.basename(target));
    } catch (error) {
      const typed = StudioError.from(error);
      if (typed.code === 'busy') throw typed;
      this.#options.onNotice?.({
        level: 'warning',
        message: `${path.dirname(target)} cannot be written: ${typed.message}`,
        kept: 'the document is autosaved by the studio all the same',
        remedy: 'save it in another folder',
      });
      return undefined;
    }
  }

  /** @throws StudioError bad-input, newer-version, too-large, not-found, storage */
  async read(target: string): Promise<Project> {
    try {
      const stats = await stat(target);
      if (!stats.isFile()) throw new StudioError('bad-input', `${path.basename(target)} is no file`);
      if (stats.size > LARGEST_PROJECT)
        throw new StudioError('too-large', `${path.basename(target)} has ${stats.size} bytes`);
      const project = await readProject(await readFile(target));
      for (const bytes of project.blobs.values()) await this.#store.write(bytes);
      if (project.results.length > 0) await this.#options.onResults?.(project.results);
      this.#seen.set(target, signature(stats));
      for (const trouble of project.troubles)
        this.#options.onNotice?.({ level: 'warning', message: `${path.basename(target)}: ${trouble}` });
      return project;
    } catch (error) {
      const typed = StudioError.from(error, `opening ${path.basename(target)}`);
      if (typed.code !== 'bad-input') throw typed;
      const backups = await this.backups(target);
      throw new StudioError('bad-input', `${path.basename(target)}: ${typed.message}`, {
        kept: 'the file is unchanged',
        remedy:
          backups.length > 0 ? `open the last good copy: ${backups.at(-1)}` : (typed.remedy ?? 'choose another file'),
        cause: error,
      });
    }
  }

  /** Replaces the file by the document as it is now; what was there before becomes a backup. */
  async write(document: KeptDocument, target: string): Promise<void> {
    const results = (await this.#options.chosenResults?.(document.toOpen())) ?? [];
    const { bytes, missing } = await writeProject({
      document: document.document,
      undo: document.undo,
      redo: document.redo,
      results,
      readBlob: (hash) => this.#store.read(hash),
    });
    const temporary = temporaryName(target);
    try {
      const before = await stat(target).catch(() => undefined);
      await makeFolder(path.dirname(target));
      await writeAndSync(temporary, bytes, before ? before.mode & 0o777 : 0o666);
      if (before) await this.#backUp(target, signature(before));
      await renameOver(temporary, target);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      const typed = StudioError.from(error, `saving ${path.basename(target)}`);
      throw new StudioError(typed.code, typed.message, {
        kept: 'the file is as it was, and the document stays autosaved',
        remedy: typed.remedy ?? 'save it in another folder',
        cause: error,
      });
    }
    this.#seen.set(target, signature(await stat(target)));
    if (missing.length > 0)
      this.#options.onNotice?.({
        level: 'warning',
        message: `${missing.length} picture(s) of ${path.basename(target)} could not be read and are not in the file`,
        kept: 'everything else was saved',
      });
  }

  async list(): Promise<CallOutput<'project.list'>> {
    const names = await readdir(this.#folder).catch(() => []);
    const found = await Promise.all(
      names
        .filter((name) => name.endsWith(PROJECT_EXTENSION) && !name.startsWith('.'))
        .map(async (name) => {
          const file = path.join(this.#folder, name);
          const stats = await stat(file).catch(() => undefined);
          if (!stats?.isFile()) return undefined;
          return {
            path: file,
            name: path.basename(name, PROJECT_EXTENSION),
            modifiedAt: stats.mtimeMs,
            bytes: stats.size,
          };
        }),
    );
    return found.filter((file) => file !== undefined).toSorted((a, b) => b.modifiedAt - a.modifiedAt);
  }

  /** Earlier versions of a project file, the newest last. */
  async backups(target: string): Promise<string[]> {
    const folder = this.#backupFolder(target);
    const names = await readdir(folder).catch(() => []);
    return names.toSorted((a, b) => Number.parseInt(a) - Number.parseInt(b)).map((name) => path.join(folder, name));
  }

  async #backUp(target: string, now: string): Promise<void> {
    const seen = this.#seen.get(target);
    try {
      const copy = await keepBackup(target, this.#backupFolder(target), BACKUPS_KEPT);
      if (seen !== now && copy !== undefined)
        this.#options.onNotice?.({
          level: 'warning',
          message:
            seen === undefined
              ? `${path.basename(target)} was there already and is replaced`
              : `${path.basename(target)} was changed by another program since it was opened`,
          kept: `that version was kept as ${copy}`,
        });
    } catch (error) {
      // No room for a copy of the old version is no reason to refuse the new one, unless it is somebody else's work.
      if (seen !== now) throw error;
      this.#options.onNotice?.({
        level: 'warning',
        message: `no backup of ${path.basename(target)} could be made: ${StudioError.from(error).message}`,
      });
    }
  }

  /** Backups lie with the studio, not beside the file; the hash keeps files of one name apart. */
  #backupFolder(target: string): string {
    const key = createHash('sha256').update(target).digest('hex').slice(0, 12);
    const name = safeFileName(path.basename(target, PROJECT_EXTENSION)).slice(0, 40);
    return path.join(this.#options.folder, 'backups', `${name}-${key}`);
  }
}

const lockName = (target: string): string => path.join(path.dirname(target), `.~${path.basename(target)}.lock`);

const signature = (stats: { size: number; mtimeMs: number; ino: number }): string =>
  `${stats.ino}/${stats.size}/${stats.mtimeMs}`;
