import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { DocumentId } from '#shared/api/calls.ts';
import type { CallOutput } from '#shared/api/calls.ts';
import { segmentName, segmentsOf } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import { codeOf } from './files.ts';
import { isDirty, replay, segmentCount, titleOf } from './kept-document.ts';
import { isLocked } from './lock.ts';
import { loadWorkingCopy } from './working-copy.ts';
import type { LoadedCopy } from './working-copy.ts';

/** So many segments are named in place of a title. */
const NAMED = 3;

/** What lies in one working folder that no living process holds. */
export interface LyingCopy {
  readonly id: string;
  readonly folder: string;
  /** Its process ended without closing it. */
  readonly crashed: boolean;
  /** undefined: it cannot be read, see `problem`. */
  readonly loaded: LoadedCopy | undefined;
  readonly problem: string | undefined;
  /** Holds changes that are in no project file. */
  readonly dirty: boolean;
}

export const lockOf = (folder: string): string => path.join(folder, 'lock');

/** The working folders that no living process holds, the one open last first. */
export async function lyingCopies(folder: string, isOpen: (id: string) => boolean): Promise<LyingCopy[]> {
  const names = (await readdir(folder)).filter((name) => DocumentId.safeParse(name).success && !isOpen(name));
  const copies = await Promise.all(names.map((name) => look(path.join(folder, name))));
  const opened = (copy: LyingCopy): number => copy.loaded?.state.opened ?? 0;
  return copies.filter((copy) => copy !== undefined).toSorted((a, b) => opened(b) - opened(a));
}

async function look(folder: string): Promise<LyingCopy | undefined> {
  const lock = lockOf(folder);
  if (await isLocked(lock)) return undefined;
  const id = path.basename(folder);
  const crashed = await isThere(lock);
  try {
    const loaded = await loadWorkingCopy(folder);
    const dirty = isDirty(replay(loaded).revision, loaded.state.saved);
    return { id, folder, crashed, loaded, problem: undefined, dirty };
  } catch (error) {
    const { code, message } = StudioError.from(error);
    // A folder without a snapshot: its process ended before the first one, so there was nothing in it yet.
    if (code === 'not-found') return undefined;
    return { id, folder, crashed, loaded: undefined, problem: message, dirty: true };
  }
}

const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

/** What the artist is shown of unsaved work. */
export async function describeCopy(copy: LyingCopy): Promise<CallOutput<'project.recoverable'>[number]> {
  if (!copy.loaded) {
    const modifiedAt = await stat(copy.folder).then(
      (stats) => stats.mtimeMs,
      () => 0,
    );
    const title = 'An autosave that cannot be read';
    return { id: copy.id, title, modifiedAt, segments: 0, reason: copy.problem ?? '', crashed: true };
  }
  const { state, modified } = replay(copy.loaded);
  return {
    id: copy.id,
    title: titleOf(copy.loaded.state.file, state.document, segmentNames(state.document)),
    modifiedAt: modified,
    segments: segmentCount(state.document),
    reason: await reasonFor(copy.crashed, copy.loaded.state.file, modified),
    crashed: copy.crashed,
  };
}

/** The first segments by name: two scenes that nobody gave a title or text are told apart by them. */
function segmentNames(document: StudioDocument): string {
  const names = segmentsOf(document).flatMap((segment) => segmentName(document, segment) || []);
  return names.length > NAMED ? `${names.slice(0, NAMED).join(', ')}, …` : names.join(', ');
}

async function reasonFor(crashed: boolean, file: { path: string } | null, modified: number): Promise<string> {
  const how = crashed
    ? 'the studio ended without closing it'
    : 'it was closed with changes that are in no project file';
  if (!file) return how;
  const newer = await stat(file.path).then((stats) => stats.mtimeMs > modified, codeOf);
  if (newer === 'ENOENT') return `${how}; its file ${file.path} is gone`;
  return newer === true ? `${how}; ${file.path} was changed since by another program` : how;
}
