import { randomBytes } from 'node:crypto';
import { realpath, rm } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '#engine/blobs/make-folder.ts';
import type { OpenDocument } from '#shared/api/calls.ts';
import { DocumentId } from '#shared/api/calls.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { shareSteps } from '#shared/document/sharing.ts';
import { StudioError } from '#shared/errors.ts';
import { openBlobStore } from '#engine/blobs/blob-store.ts';
import type { BlobStore } from '#engine/blobs/blob-store.ts';
import { undoableBlobs } from './blobs-in-use.ts';
import { KeptDocument, replay, titleOf } from './kept-document.ts';
import { acquireLock, isLocked } from './lock.ts';
import type { FileLock } from './lock.ts';
import { describeCopy, lockOf, lyingCopies } from './lying-copies.ts';
import type { LyingCopy } from './lying-copies.ts';
import type { DocumentKeeper, KeeperOptions } from './project-api.ts';
import { PROJECT_EXTENSION, ProjectFiles } from './project-files.ts';
import { WorkingCopy, loadWorkingCopy } from './working-copy.ts';

/** Working folders of documents that are in a project file as they are: kept for their place as "open last". */
const CLEAN_COPIES_KEPT = 5;

/**
 * Opens the folder of working documents.
 * @throws StudioError storage, disk-full if the folder cannot be written
 */
export async function openKeeper(options: KeeperOptions): Promise<DocumentKeeper> {
  const keeper = new Keeper(options);
  await keeper.start();
  return keeper;
}

class Keeper implements DocumentKeeper {
  readonly #options: KeeperOptions;
  readonly #folder: string;
  readonly #store: BlobStore;
  readonly #files: ProjectFiles;
  readonly #open = new Map<string, KeptDocument>();
  readonly #listeners = new Set<(saved: { id: string; sequence: number; dirty: boolean }) => void>();
  readonly #troubled = new Set<(trouble: { id: string; stuck: boolean }) => void>();
  #lastStamp = 0;
  /** Opening and closing happen one at a time: two windows asking at once must not get one document twice. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#folder = path.join(options.folder, 'open');
    this.#store = openBlobStore(options.blobFolder);
    this.#files = new ProjectFiles(options, this.#store);
  }

  async start(): Promise<void> {
    try {
      await makeFolder(this.#folder);
      await this.#files.start();
    } catch (error) {
      const { code, message } = StudioError.from(error, `preparing the folder for documents (${this.#options.folder})`);
      // Making folders where nothing may be written ends in "no such file" on some systems.
      throw new StudioError(code === 'not-found' ? 'storage' : code, message, {
        remedy: 'choose another data folder, or free some space',
        cause: error,
      });
    }
    const lying = await this.#lying();
    for (const { loaded } of lying) this.#lastStamp = Math.max(this.#lastStamp, loaded?.state.opened ?? 0);
    // What a project file holds, or what was never touched, needs no working copy; the last few stay for `current`.
    const clean = lying.filter((copy) => !copy.dirty && copy.problem === undefined);
    for (const copy of clean.slice(CLEAN_COPIES_KEPT)) await rm(copy.folder, { recursive: true, force: true });
  }

  current(windowId: string, fallback: () => StudioDocument): Promise<OpenDocument> {
    return this.#inTurn(async () => {
      const mine = this.#ofWindow(windowId);
      if (mine) return mine.toOpen();
      // After a crash the artist chooses (recoverable, recover); what was closed in order simply comes back.
      const closed = (await this.#lying()).filter((copy) => copy.loaded && !(copy.crashed && copy.dirty));
      const last =
        closed.find((copy) => copy.loaded?.state.window === windowId) ??
        (this.#open.size === 0 ? closed[0] : undefined);
      if (last) {
        try {
          return await this.#reopen(windowId, last);
        } catch (error) {
          if (StudioError.from(error).code !== 'busy') this.#notice(StudioError.from(error));
        }
      }
      return (await this.#create(windowId, fallback())).toOpen();
    });
  }

  create(windowId: string, document: StudioDocument): Promise<OpenDocument> {
    return this.#inTurn(async () => {
      await this.#leave(windowId);
      return (await this.#create(windowId, document)).toOpen();
    });
  }

  async apply(change: Parameters<DocumentKeeper['apply']>[0]): Promise<{ sequence: number }> {
    await this.#document(change.id).apply(change);
    return { sequence: change.sequence };
  }

  save(input: Parameters<DocumentKeeper['save']>[0]): ReturnType<DocumentKeeper['save']> {
    return this.#inTurn(async () => {
      const document = this.#document(input.id);
      const target = await this.#files.target(document, input);
      const taken = this.#ofFile(target);
      if (taken && taken !== document) throw openElsewhere(target);
      const lock = document.file?.path === target ? document.fileLock : await this.#files.lock(target);
      const { revision } = document;
      try {
        await this.#files.write(document, target);
      } catch (error) {
        if (lock !== document.fileLock) await lock?.release();
        throw error;
      }
      if (lock !== document.fileLock) await document.fileLock?.release();
      document.fileLock = lock;
      document.markSaved({ path: target, name: path.basename(target, PROJECT_EXTENSION) }, revision);
      await document.persist().catch((error: unknown) => this.#notice(StudioError.from(error)));
      return { file: { path: target, name: path.basename(target, PROJECT_EXTENSION) } };
    });
  }

  open(windowId: string, file: string): Promise<OpenDocument> {
    return this.#inTurn(async () => {
      const target = await realpath(file).catch((error: unknown) => {
        throw StudioError.from(error, `opening ${path.basename(file)}`);
      });
      const taken = this.#ofFile(target);
      if (taken?.window === windowId) return taken.toOpen();
      if (taken) throw openElsewhere(target);
      const lock = await this.#files.lock(target);
      try {
        const project = await this.#files.read(target);
        await this.#leave(windowId);
        const document = await this.#create(windowId, project.document, {
          ...shareSteps(project.document, project.undo, project.redo),
          file: { path: target, name: path.basename(target, PROJECT_EXTENSION) },
        });
        document.fileLock = lock;
        return document.toOpen();
      } catch (error) {
        await lock?.release();
        throw error;
      }
    });
  }

  list(): ReturnType<DocumentKeeper['list']> {
    return this.#files.list();
  }

  async recoverable(): ReturnType<DocumentKeeper['recoverable']> {
    const found = (await this.#lying()).filter((copy) => copy.dirty || copy.problem !== undefined);
    return Promise.all(found.map(describeCopy));
  }

  recover(windowId: string, id: string): Promise<OpenDocument> {
    return this.#inTurn(async () => {
      const known = this.#open.get(id);
      if (known?.window === windowId) return known.toOpen();
      if (known) throw new StudioError('busy', 'this document is open in another window');
      const copy = (await this.#lying()).find((lying) => lying.id === id);
      if (!copy) throw new StudioError('not-found', 'this unsaved document is no longer there');
      if (!copy.loaded) throw new StudioError('bad-input', copy.problem ?? 'the autosave cannot be read');
      await this.#leave(windowId);
      return this.#reopen(windowId, copy);
    });
  }

  discard(id: string): Promise<void> {
    return this.#inTurn(async () => {
      // The id becomes a path: only ids of our own making may.
      if (!DocumentId.safeParse(id).success) throw new StudioError('bad-input', 'no document has such an id');
      const folder = path.join(this.#folder, id);
      if (this.#open.has(id) || (await isLocked(lockOf(folder))))
        throw new StudioError('busy', 'this document is open; it cannot be discarded now');
      await rm(folder, { recursive: true, force: true });
    });
  }

  closeWindow(windowId: string): Promise<void> {
    return this.#inTurn(async () => {
      const document = this.#ofWindow(windowId);
      if (!document) return;
      this.#open.delete(document.id);
      await document.close();
    });
  }

  async blobsInUse(): Promise<Set<string>> {
    const hashes = new Set<string>();
    for (const document of this.#open.values()) for (const hash of document.blobs()) hashes.add(hash);
    for (const { loaded } of await this.#lying()) {
      if (!loaded) continue;
      for (const hash of undoableBlobs(replay(loaded).state)) hashes.add(hash);
    }
    return hashes;
  }

  onSaved(listener: (saved: { id: string; sequence: number; dirty: boolean }) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells when a document cannot be kept on disk, and when it can again. */
  onTrouble(listener: (trouble: { id: string; stuck: boolean }) => void): () => void {
    this.#troubled.add(listener);
    return () => this.#troubled.delete(listener);
  }

  async flush(): Promise<void> {
    await Promise.all([...this.#open.values()].map((document) => document.persist()));
  }

  close(): Promise<void> {
    return this.#inTurn(async () => {
      const documents = [...this.#open.values()];
      this.#open.clear();
      const results = await Promise.allSettled(documents.map((document) => document.close()));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed) throw StudioError.from(failed.reason, 'closing the documents');
    });
  }

  async #create(
    windowId: string,
    document: StudioDocument,
    more: Partial<Pick<OpenDocument, 'undo' | 'redo' | 'file'>> = {},
  ): Promise<KeptDocument> {
    const id = `doc-${randomBytes(9).toString('base64url')}`;
    const folder = path.join(this.#folder, id);
    await makeFolder(folder).catch((error: unknown) => {
      throw StudioError.from(error, 'making room for a document');
    });
    const lock = await acquireLock(lockOf(folder), 'the document');
    const opened = this.#stamp();
    const file = more.file ?? null;
    const start = { id, window: windowId, file, opened, modified: opened, revision: 0, saved: file ? 0 : null };
    return this.#keep(start, { document, undo: more.undo ?? [], redo: more.redo ?? [] }, folder, lock);
  }

  async #reopen(windowId: string, copy: LyingCopy): Promise<OpenDocument> {
    if (!copy.loaded) throw new StudioError('internal', 'nothing to reopen');
    const lock = await acquireLock(lockOf(copy.folder), 'the document');
    // Read again under the lock: another process may have had it open since the look around.
    const loaded = await loadWorkingCopy(copy.folder);
    const { state, revision, modified, cut } = replay(loaded);
    if (cut || loaded.troubles.length > 0)
      this.#options.onNotice?.({
        level: 'warning',
        message: `a part of the autosave of ${titleOf(loaded.state.file, state.document)} could not be read`,
        kept: 'everything up to that point was recovered',
      });
    const start = { ...loaded.state, window: windowId, opened: this.#stamp(), modified, revision };
    const document = await this.#keep(start, state, copy.folder, lock);
    if (document.file) await this.#takeFile(document);
    return document.toOpen();
  }

  /** A reopened document takes its project file again, if nobody else has it. */
  async #takeFile(document: KeptDocument): Promise<void> {
    if (!document.file) return;
    try {
      const taken = [...this.#open.values()].some(
        (other) => other !== document && other.file?.path === document.file?.path,
      );
      if (taken) throw openElsewhere(document.file.path);
      document.fileLock = await this.#files.lock(document.file.path);
    } catch (error) {
      document.file = null;
      this.#notice(StudioError.from(error), 'this copy is kept; save it under another name');
    }
  }

  async #keep(
    start: ConstructorParameters<typeof KeptDocument>[0],
    state: ConstructorParameters<typeof KeptDocument>[1],
    folder: string,
    lock: FileLock,
  ): Promise<KeptDocument> {
    const document: KeptDocument = new KeptDocument(start, state, new WorkingCopy(folder), lock, {
      stamp: () => this.#stamp(),
      onSaved: (sequence) => {
        for (const listener of this.#listeners) listener({ id: document.id, sequence, dirty: document.dirty });
      },
      onTrouble: (error) => {
        for (const listener of this.#troubled) listener({ id: document.id, stuck: error !== undefined });
        if (error) this.#notice(error, 'your changes are kept in memory, and saving is tried again every second');
        else this.#options.onNotice?.({ level: 'info', message: 'autosaving works again' });
      },
    });
    try {
      await document.persist();
    } catch (error) {
      await lock.release();
      throw error;
    }
    this.#open.set(document.id, document);
    return document;
  }

  /** A window turns to another document: unsaved work stays in its folder, the rest is in the project file. */
  async #leave(windowId: string): Promise<void> {
    const document = this.#ofWindow(windowId);
    if (!document) return;
    this.#open.delete(document.id);
    await document.close();
    if (!document.dirty) await rm(path.join(this.#folder, document.id), { recursive: true, force: true });
  }

  #lying(): Promise<LyingCopy[]> {
    return lyingCopies(this.#folder, (id) => this.#open.has(id));
  }

  #document(id: string): KeptDocument {
    const document = this.#open.get(id);
    if (!document)
      throw new StudioError('not-found', 'this document is no longer open', {
        kept: 'its last state is among the recoverable documents',
        remedy: 'load the window again',
      });
    return document;
  }

  #ofWindow(windowId: string): KeptDocument | undefined {
    return [...this.#open.values()].find((document) => document.window === windowId);
  }

  #ofFile(target: string): KeptDocument | undefined {
    return [...this.#open.values()].find((document) => document.file?.path === target);
  }

  #notice(error: StudioError, kept = error.kept): void {
    this.#options.onNotice?.({
      level: 'error',
      message: error.message,
      ...(kept === undefined ? {} : { kept }),
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    });
  }

  #stamp(): number {
    this.#lastStamp = Math.max(Date.now(), this.#lastStamp + 1);
    return this.#lastStamp;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

const openElsewhere = (target: string): StudioError =>
  new StudioError('busy', `${path.basename(target)} is open in another window`, {
    kept: 'nothing was changed',
    remedy: 'go on in the other window, or save under another name',
  });
