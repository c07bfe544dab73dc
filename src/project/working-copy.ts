import { open, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { makeFolder } from '#engine/blobs/make-folder.ts';
import { z } from 'zod';
import { StudioError } from '#shared/errors.ts';
import { DocumentId, HistoryMark } from '#shared/api/calls.ts';
import { RecordsDiff } from '#shared/document/diff.ts';
import { DocumentRecords } from '#shared/document/document.ts';
import { SCENE_VERSION, migrateScene } from '#shared/document/migrations.ts';
import { codeOf, readIfThere, renameOver, syncFolder, temporaryName, writeAndSync } from './files.ts';

/** How one change is recorded for undo; see CALLS['document.apply']. */
export const UndoKind = z.enum(['mark', 'extend', 'undo', 'redo', 'none']);
export type UndoKind = z.infer<typeof UndoKind>;

/** One line of the journal. `revision` counts a document's changes from its birth, without gaps. */
export const JournalEntry = z.object({
  revision: z.number().int().min(1),
  at: z.number(),
  undo: UndoKind,
  label: z.string().max(200),
  diff: RecordsDiff,
});
export type JournalEntry = z.infer<typeof JournalEntry>;

/** A document as it lies in its working folder, whole. */
export const WorkingState = z.object({
  format: z.literal('spatext-working'),
  version: z.literal(1),
  scene: z.literal(SCENE_VERSION),
  id: DocumentId,
  revision: z.number().int().min(0),
  /** The revision that the artist saved last; null: never saved. */
  saved: z.number().int().min(0).nullable(),
  file: z.object({ path: z.string(), name: z.string() }).nullable(),
  /** The window that had it open, and a stamp that only grows: which document was open last. */
  window: z.string().max(200),
  opened: z.number(),
  modified: z.number(),
  records: DocumentRecords,
  undo: z.array(HistoryMark),
  redo: z.array(HistoryMark),
});
export type WorkingState = z.infer<typeof WorkingState>;

const SNAPSHOT = 'snapshot.json';
const SNAPSHOT_BEFORE = 'snapshot.before.json';
const JOURNAL = 'journal.jsonl';
const JOURNAL_BEFORE = 'journal.before.jsonl';

/** A journal line: checksum, space, JSON. A line cut off by a crash does not pass its checksum. */
export function encodeEntry(entry: JournalEntry): string {
  const json = JSON.stringify(entry);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

/** The entries up to the first line that is not whole. */
export function decodeJournal(text: string): { entries: JournalEntry[]; whole: boolean } {
  const entries: JournalEntry[] = [];
  const lines = text.split('\n');
  const rest = lines.pop() ?? '';
  for (const line of lines) {
    const json = line.slice(9);
    if (line[8] !== ' ' || crc32(json).toString(16).padStart(8, '0') !== line.slice(0, 8))
      return { entries, whole: false };
    let parsed: z.ZodSafeParseResult<JournalEntry>;
    try {
      parsed = JournalEntry.safeParse(JSON.parse(json));
    } catch {
      return { entries, whole: false };
    }
    if (!parsed.success) return { entries, whole: false };
    entries.push(parsed.data);
  }
  return { entries, whole: rest === '' };
}

export interface LoadedCopy {
  readonly state: WorkingState;
  /** Entries after the snapshot, to be applied in order. */
  readonly entries: readonly JournalEntry[];
  /** What could not be read, in words; empty if everything was whole. */
  readonly troubles: readonly string[];
}

/**
 * Reads a working folder: the snapshot (or the one before it, should it be damaged) and the journal lines after it.
 * @throws StudioError not-found if there is no snapshot; bad-input if none can be read; newer-version
 */
export async function loadWorkingCopy(folder: string): Promise<LoadedCopy> {
  const troubles: string[] = [];
  let state: WorkingState | undefined;
  let found = false;
  for (const name of [SNAPSHOT, SNAPSHOT_BEFORE]) {
    const bytes = await readIfThere(path.join(folder, name));
    if (!bytes) continue;
    found = true;
    try {
      state = parseState(bytes.toString('utf8'));
      break;
    } catch (error) {
      if (error instanceof StudioError && error.code === 'newer-version') throw error;
      troubles.push(`${name} is damaged`);
    }
  }
  if (!state)
    throw found
      ? new StudioError('bad-input', `the autosaved document in ${path.basename(folder)} is damaged`, {
          kept: 'its files are left where they are',
        })
      : new StudioError('not-found', `no autosaved document in ${path.basename(folder)}`);
  const entries: JournalEntry[] = [];
  let revision = state.revision;
  for (const name of [JOURNAL_BEFORE, JOURNAL]) {
    const bytes = await readIfThere(path.join(folder, name));
    if (!bytes) continue;
    const journal = decodeJournal(bytes.toString('utf8'));
    if (!journal.whole) troubles.push(`the end of ${name} was cut off`);
    for (const entry of journal.entries) {
      if (entry.revision <= revision) continue; // already in the snapshot
      if (entry.revision !== revision + 1) {
        troubles.push(`${name} lacks change ${revision + 1}`);
        break;
      }
      entries.push(entry);
      revision = entry.revision;
    }
  }
  return { state, entries, troubles };
}

function parseState(text: string): WorkingState {
  const json: unknown = JSON.parse(text);
  const head = z
    .object({ format: z.literal('spatext-working'), version: z.number().int(), scene: z.number().int() })
    .parse(json);
  if (head.version > 1 || head.scene > SCENE_VERSION)
    throw new StudioError('newer-version', 'the autosaved document was written by a newer release', {
      kept: 'its files are left where they are',
      remedy: 'open it with the newer release',
    });
  if (head.scene === SCENE_VERSION) return WorkingState.parse(json);
  // Undo steps are made of records of the old shape; only the document itself is brought up to date.
  const old = z.looseObject({ records: z.unknown() }).parse(json);
  const scene = z
    .looseObject({ records: z.unknown() })
    .parse(migrateScene({ format: 'spatext-scene', version: head.scene, records: old.records }, head.scene));
  return WorkingState.parse({ ...old, scene: SCENE_VERSION, records: scene.records, undo: [], redo: [] });
}

/** The files of one open document: a snapshot and the changes since. Calls must not overlap (the keeper queues them). */
export class WorkingCopy {
  readonly folder: string;
  #journal: FileHandle | undefined;
  #inode = 0n;
  /** After a failed or half-written line nothing more may be appended: the next write is a whole snapshot. */
  #broken = true;
  #lines = 0;
  #bytes = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Whether appending is possible; if not, `snapshot` must come first. */
  get needsSnapshot(): boolean {
    return this.#broken || this.#lines >= 512 || this.#bytes >= 8 * 1024 * 1024;
  }

  /** Appends lines; they survive the end of this process at once, and the machine's after `sync`. */
  async append(entries: readonly JournalEntry[]): Promise<void> {
    if (!this.#journal) throw new StudioError('internal', 'the journal is not open');
    const text = Buffer.from(entries.map(encodeEntry).join(''));
    try {
      let written = 0;
      while (written < text.length)
        written += (await this.#journal.write(text, written, text.length - written)).bytesWritten;
    } catch (error) {
      this.#broken = true;
      throw StudioError.from(error, 'keeping the last change');
    }
    this.#lines += entries.length;
    this.#bytes += text.length;
  }

  /** fsync; notices a folder that was deleted or replaced underneath. */
  async sync(): Promise<void> {
    if (!this.#journal) return;
    try {
      await this.#journal.datasync();
      const there = await stat(path.join(this.folder, JOURNAL), { bigint: true });
      if (there.ino !== this.#inode) throw new StudioError('storage', 'the journal was replaced by another file');
    } catch (error) {
      this.#broken = true;
      throw StudioError.from(error, 'keeping the last changes');
    }
  }

  /**
   * Writes the whole document and starts a new journal. Crash-safe at each step: the snapshot and journal before
   * this one stay until the next call.
   */
  async snapshot(state: WorkingState): Promise<void> {
    const at = (name: string): string => path.join(this.folder, name);
    const temporary = temporaryName(at(SNAPSHOT));
    this.#broken = true;
    try {
      await makeFolder(this.folder);
      await writeAndSync(temporary, JSON.stringify(state));
      await rename(at(SNAPSHOT), at(SNAPSHOT_BEFORE)).catch(ignoreMissing);
      await renameOver(temporary, at(SNAPSHOT));
      await this.#journal?.close();
      this.#journal = undefined;
      await rename(at(JOURNAL), at(JOURNAL_BEFORE)).catch(ignoreMissing);
      this.#journal = await open(at(JOURNAL), 'a', 0o600);
      this.#inode = (await this.#journal.stat({ bigint: true })).ino;
      await syncFolder(this.folder);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw StudioError.from(error, 'keeping the document');
    }
    this.#lines = 0;
    this.#bytes = 0;
    this.#broken = false;
  }

  async close(): Promise<void> {
    await this.#journal?.close().catch(() => undefined);
    this.#journal = undefined;
    this.#broken = true;
  }
}

function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}
