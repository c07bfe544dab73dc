import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { StudioError } from '#shared/errors.ts';
import { codeOf } from './files.ts';

const Holder = z.object({
  pid: z.number().int().positive(),
  /** When the process started, where the system tells: a later process with the same number is another one. */
  started: z.string(),
  host: z.string(),
  token: z.string(),
});
type Holder = z.infer<typeof Holder>;

export interface FileLock {
  readonly path: string;
  /** False once another process has taken the lock away (this one was asleep, or the file was deleted). */
  stillHeld(): Promise<boolean>;
  release(): Promise<void>;
}

/** The holder refreshes the lock's time; a lock of another machine that is older than this is abandoned. */
const HEARTBEAT_MS = 20_000;
const ABANDONED_MS = 120_000;

/**
 * Takes the lock file or says who holds it. A lock whose process is gone (same machine), or whose heartbeat has
 * stopped (another machine), is taken over.
 * @throws StudioError busy if a living process holds it; storage, disk-full if it cannot be written
 */
export async function acquireLock(file: string, what: string): Promise<FileLock> {
  const mine: Holder = {
    pid: process.pid,
    started: startOf(process.pid) ?? '',
    host: hostname(),
    token: randomBytes(8).toString('hex'),
  };
  for (let attempt = 0; attempt < 5; attempt += 1) {
    if (await createLock(file, mine)) return heldLock(file, mine);
    const holder = await readHolder(file);
    if (holder === undefined) continue; // released between the two looks
    if (await isAlive(file, holder))
      throw new StudioError('busy', `${what} is open in another window or program (process ${lookFor(holder)})`, {
        kept: 'nothing was changed',
        remedy: 'go on in the other window, close it there first, or save under another name',
      });
    await removeStale(file, holder);
  }
  throw new StudioError('busy', `${what} is being opened by several programs at once`, { remedy: 'try again' });
}

/** Whether a living process holds the lock; false if there is no lock. */
export async function isLocked(file: string): Promise<boolean> {
  const holder = await readHolder(file);
  return holder !== undefined && (await isAlive(file, holder));
}

const lookFor = (holder: Holder | 'unreadable'): string =>
  holder === 'unreadable' ? 'unknown' : `${holder.pid} on ${holder.host}`;

/** Creates the lock with its content in one step (link), so that no one ever reads half a lock. */
async function createLock(file: string, mine: Holder): Promise<boolean> {
  const draft = `${file}.${mine.token}`;
  try {
    await writeFile(draft, JSON.stringify(mine), { flag: 'wx', mode: 0o600 });
    try {
      await link(draft, file);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      // File systems without hard links (exFAT, some network shares): exclusive creation does it, less finely.
      await writeFile(file, JSON.stringify(mine), { flag: 'wx', mode: 0o600 });
      return true;
    }
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw StudioError.from(error, 'marking the file as open');
  } finally {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

async function readHolder(file: string): Promise<Holder | 'unreadable' | undefined> {
  try {
    const parsed = Holder.safeParse(JSON.parse(await readFile(file, 'utf8')));
    return parsed.success ? parsed.data : 'unreadable';
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? undefined : 'unreadable';
  }
}

async function isAlive(file: string, holder: Holder | 'unreadable'): Promise<boolean> {
  if (holder !== 'unreadable' && holder.host === hostname()) {
    try {
      process.kill(holder.pid, 0);
    } catch (error) {
      if (codeOf(error) === 'ESRCH') return false;
    }
    const started = startOf(holder.pid);
    return started === undefined || holder.started === '' || started === holder.started;
  }
  try {
    // A time in the future (clocks differ, or this one jumped back) counts as fresh: better refuse than overwrite.
    return Date.now() - (await stat(file)).mtimeMs < ABANDONED_MS;
  } catch {
    return false;
  }
}

/** Moves the stale lock away; if it was replaced by a living one in the meantime, puts that one back. */
async function removeStale(file: string, stale: Holder | 'unreadable'): Promise<void> {
  const aside = `${file}.stale.${randomBytes(4).toString('hex')}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw StudioError.from(error, 'removing the mark of a program that is gone');
  }
  const moved = await readHolder(aside);
  const same = stale === 'unreadable' || moved === 'unreadable' || moved?.token === stale.token;
  if (!same) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

function heldLock(file: string, mine: Holder): FileLock {
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  heartbeat.unref();
  const stillHeld = async (): Promise<boolean> => {
    const holder = await readHolder(file);
    return holder !== undefined && holder !== 'unreadable' && holder.token === mine.token;
  };
  return {
    path: file,
    stillHeld,
    async release() {
      clearInterval(heartbeat);
      if (await stillHeld()) await rm(file, { force: true }).catch(() => undefined);
    },
  };
}

/** A process's start time in clock ticks since boot (Linux); undefined where the system does not tell this way. */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold anything; field 22 is the start time.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
