import type { HistoryMark, OpenDocument } from '#shared/api/calls.ts';
import { sceneOf, segmentsOf, toDocument, toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { RecordsDiff } from '#shared/document/diff.ts';
import { SCENE_VERSION } from '#shared/document/migrations.ts';
import { shareSteps } from '#shared/document/sharing.ts';
import { StudioError } from '#shared/errors.ts';
import { undoableBlobs } from './blobs-in-use.ts';
import type { FileLock } from './lock.ts';
import { applyChange, marksToKeep } from './undo.ts';
import type { Undoable } from './undo.ts';
import type { JournalEntry, LoadedCopy, UndoKind, WorkingCopy, WorkingState } from './working-copy.ts';

/** Changes reach the disk at most this long after they were made; a power cut costs no more than that. */
const SYNC_MS = 250;
/** After a failed write the whole document is tried again this often. */
const RETRY_MS = 1000;

export interface KeptOptions {
  readonly onSaved: (sequence: number) => void;
  /** Writing failed (once for each stretch of trouble), or works again (undefined). */
  readonly onTrouble: (error: StudioError | undefined) => void;
  /** A stamp that only grows, whatever the clock does. */
  readonly stamp: () => number;
}

export interface ChangeInput {
  readonly sequence: number;
  readonly diff: RecordsDiff;
  readonly undo: UndoKind;
  readonly label: string;
}

/** The document that a loaded working copy stands for, its journal applied. */
export function replay(loaded: LoadedCopy): { state: Undoable; revision: number; modified: number; cut: boolean } {
  const start = toDocument(loaded.state.records);
  let state: Undoable = { document: start, ...shareSteps(start, loaded.state.undo, loaded.state.redo) };
  let { revision, modified } = loaded.state;
  for (const entry of loaded.entries) {
    try {
      state = applyChange(state, entry);
    } catch {
      return { state, revision, modified, cut: true };
    }
    revision = entry.revision;
    modified = entry.at;
  }
  return { state, revision, modified, cut: false };
}

/** One open document: in memory at once, in the journal before `apply` answers, on disk within SYNC_MS. */
export class KeptDocument {
  readonly id: string;
  window: string;
  file: { path: string; name: string } | null;
  fileLock: FileLock | undefined;
  opened: number;
  modified: number;
  #state: Undoable;
  #revision: number;
  #saved: number | null;
  #sequence = 0;
  #pending: JournalEntry[] = [];
  #working: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #troubled = false;
  #closed = false;
  readonly #copy: WorkingCopy;
  readonly #lock: FileLock;
  readonly #options: KeptOptions;

  constructor(
    start: Pick<WorkingState, 'id' | 'window' | 'file' | 'opened' | 'modified' | 'revision' | 'saved'>,
    state: Undoable,
    copy: WorkingCopy,
    lock: FileLock,
    options: KeptOptions,
  ) {
    this.id = start.id;
    this.window = start.window;
    this.file = start.file;
    this.opened = start.opened;
    this.modified = start.modified;
    this.#revision = start.revision;
    this.#saved = start.saved;
    this.#state = state;
    this.#copy = copy;
    this.#lock = lock;
    this.#options = options;
  }

  get document(): StudioDocument {
    return this.#state.document;
  }
  get undo(): readonly HistoryMark[] {
    return this.#state.undo;
  }
  get redo(): readonly HistoryMark[] {
    return this.#state.redo;
  }
  get revision(): number {
    return this.#revision;
  }
  get sequence(): number {
    return this.#sequence;
  }
  /** Whether there are changes that no project file holds. */
  get dirty(): boolean {
    return isDirty(this.#revision, this.#saved);
  }
  get title(): string {
    return titleOf(this.file, this.document);
  }

  toOpen(): OpenDocument {
    return {
      id: this.id,
      records: toRecords(this.document),
      undo: [...this.undo],
      redo: [...this.redo],
      file: this.file,
      dirty: this.dirty,
    };
  }

  blobs(): Set<string> {
    return undoableBlobs(this.#state);
  }

  /**
   * Applies a change, in the order of the calls. The answer comes when the change is in the journal; should that
   * fail (disk full), it is kept in memory, the artist is told, and writing is tried again until it works.
   * @throws StudioError bad-input if the change does not fit
   */
  async apply(change: ChangeInput): Promise<void> {
    if (this.#closed) throw new StudioError('not-found', 'this document is no longer open');
    this.#state = applyChange(this.#state, change);
    this.#revision += 1;
    this.#sequence = change.sequence;
    this.modified = this.#options.stamp();
    const { diff, undo, label } = change;
    this.#pending.push({ revision: this.#revision, at: this.modified, undo, label, diff });
    await this.#write();
  }

  /** The document of revision `revision` is in a project file now. */
  markSaved(file: { path: string; name: string }, revision: number): void {
    this.file = file;
    this.#saved = revision;
  }

  /** Writes the whole document. @throws StudioError if it cannot be written */
  async persist(): Promise<void> {
    await this.#enqueue(async () => {
      await this.#snapshot();
      this.#options.onSaved(this.#sequence);
    });
  }

  /** Stops, with everything on disk. The working folder stays; whoever removes it does so after this. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    try {
      await this.persist();
    } finally {
      await this.#copy.close();
      await this.fileLock?.release();
      await this.#lock.release();
    }
  }

  async #write(): Promise<void> {
    await this.#enqueue(async () => {
      if (this.#pending.length === 0) return;
      try {
        if (this.#copy.needsSnapshot) await this.#snapshot();
        else await this.#copy.append(this.#pending.splice(0));
        this.#trouble(undefined);
      } catch (error) {
        this.#trouble(StudioError.from(error));
      }
    });
    this.#schedule();
  }

  async #snapshot(): Promise<void> {
    const last = this.#revision;
    await this.#copy.snapshot({
      format: 'spatext-working',
      version: 1,
      scene: SCENE_VERSION,
      id: this.id,
      revision: this.#revision,
      saved: this.#saved,
      file: this.file,
      window: this.window,
      opened: this.opened,
      modified: this.modified,
      records: toRecords(this.document),
      undo: marksToKeep(this.undo),
      redo: marksToKeep(this.redo),
    });
    this.#pending = this.#pending.filter((entry) => entry.revision > last);
  }

  #schedule(): void {
    if (this.#timer || this.#closed) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        void this.#sync();
      },
      this.#troubled ? RETRY_MS : SYNC_MS,
    ).unref();
  }

  async #sync(): Promise<void> {
    await this.#enqueue(async () => {
      const sequence = this.#sequence;
      const waiting = this.#pending.length > 0;
      try {
        if (this.#troubled || waiting) await this.#snapshot();
        else await this.#copy.sync();
        this.#trouble(undefined);
        this.#options.onSaved(sequence);
      } catch (error) {
        this.#trouble(StudioError.from(error));
      }
    });
    // Trouble ends with a snapshot that works, however long the disk stays full.
    if (this.#troubled) this.#schedule();
  }

  #trouble(error: StudioError | undefined): void {
    const before = this.#troubled;
    this.#troubled = error !== undefined;
    if (before !== this.#troubled) this.#options.onTrouble(error);
  }

  /** One write at a time, in order. */
  async #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#working.then(work);
    this.#working = done.catch(() => undefined);
    await done;
  }
}

export const isDirty = (revision: number, saved: number | null): boolean =>
  saved === null ? revision > 0 : revision !== saved;

/** @param otherwise for a scene without a file, title and text */
export function titleOf(file: { name: string } | null, document: StudioDocument, otherwise = 'Untitled'): string {
  const scene = sceneOf(document);
  return file?.name || scene.title || scene.text.slice(0, 80) || otherwise;
}

export const segmentCount = (document: StudioDocument): number => segmentsOf(document).length;
