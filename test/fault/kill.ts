import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import Sqlite from 'better-sqlite3';
import { openBlobStore } from '#engine/blobs/blob-store.ts';
import { openLibrary } from '#library/library.ts';
import { openKeeper } from '#project/keeper.ts';
import { beach } from '#project/keeper.testkit.ts';
import { sceneOf, toDocument } from '#shared/document/document.ts';
import { seeded } from './mutations.ts';

export interface Killed {
  readonly edits: number;
  readonly saves: number;
  readonly results: number;
}

/** What the victim confirmed, over all rounds. */
export interface Promises {
  edit: number;
  save: number;
  readonly results: Map<string, string>;
}

/** The victim's window. Whoever looks afterwards has to ask as this one: a clean document comes back to its own. */
export const WINDOW = 'window';

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Lets a process work on the folder, kills it with SIGKILL at a random moment, and opens everything it left.
 * @returns what went wrong, in words; empty if all promises were kept
 */
export async function killOnce(root: string, seed: number, promises: Promises): Promise<string[]> {
  const random = seeded(seed);
  const child = spawn(
    process.execPath,
    [path.join(import.meta.dirname, 'victim.ts'), root, String(promises.edit), WINDOW],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let text = '';
  let heard = (): void => undefined;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    heard();
  });
  const gone = once(child, 'close');
  /** Until the victim has said so, or is gone. */
  const said = async (pattern: RegExp): Promise<void> => {
    const words = new Promise<void>((resolve) => {
      heard = () => (pattern.test(text) ? resolve() : undefined);
      heard();
    });
    await Promise.race([words, gone]);
  };
  const death = random();
  // Some die before they are ready: while opening, recovering, migrating.
  if (death < 0.15) await pause(50 + random() * 900);
  else await said(/^ready/m);
  // Some right after a save: the document is clean then, nothing is offered, and the window gets it back by itself.
  if (death >= 0.75) await said(/^save .*\n(?!(?:.*\n)*edit)/m);
  else if (death >= 0.15) await pause(random() ** 2 * 700);
  child.kill('SIGKILL');
  await gone;
  // A line without its end was being printed: no promise yet.
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    const [kind, value = '', picture = ''] = line.split(' ');
    if (kind === 'edit') promises.edit = Number(value);
    if (kind === 'save') promises.save = Number(value);
    if (kind === 'result') promises.results.set(value, picture);
    if (kind === 'removed') promises.results.delete(value);
  }
  return inspect(root, promises);
}

async function inspect(root: string, promises: Promises): Promise<string[]> {
  const wrong: string[] = [];
  const blobs = openBlobStore(path.join(root, 'blobs'));
  const keeper = await openKeeper({
    folder: path.join(root, 'documents'),
    blobFolder: blobs.folder,
    onNotice: (notice) => {
      if (notice.level !== 'info' && !/cut off|could not be read/.test(notice.message)) wrong.push(notice.message);
    },
  });
  const [unsaved] = await keeper.recoverable();
  const found = unsaved ? await keeper.recover(WINDOW, unsaved.id) : await keeper.current(WINDOW, () => beach('0'));
  const text = Number(sceneOf(toDocument(found.records)).text);
  if (!(text >= promises.edit)) wrong.push(`edit ${promises.edit} was confirmed, ${text} was recovered`);
  // What was being written when the process died may be there as well; from now on it counts.
  promises.edit = text;
  if (promises.edit >= 5 && found.undo.length === 0) wrong.push('no undo steps');
  if (promises.save > 0) {
    await keeper.closeWindow(WINDOW);
    try {
      const saved = await keeper.open('file', path.join(root, 'work.spatext'));
      const savedText = Number(sceneOf(toDocument(saved.records)).text);
      if (!(savedText >= promises.save)) wrong.push(`save ${promises.save} was confirmed, the file holds ${savedText}`);
    } catch (error) {
      wrong.push(`the project file does not open: ${String(error)}`);
    }
    await keeper.closeWindow('file');
  }
  await keeper.close();

  const library = await openLibrary({
    folder: path.join(root, 'library'),
    blobFolder: blobs.folder,
    onNotice: (notice) => wrong.push(notice.message),
  });
  for (const [id, picture] of promises.results) {
    const result = await library.get(`result-${id}`).catch(() => undefined);
    if (!result) wrong.push(`result ${id} was confirmed and is gone`);
    else if (result.picture !== picture || !blobs.has(picture)) wrong.push(`the picture of result ${id} is gone`);
  }
  const near = await library.similar('test', Float32Array.from([1, 1, 2]), 5);
  if (promises.results.size > 0 && near.length === 0) wrong.push('the embeddings are gone');
  await library.close();
  const database = new Sqlite(path.join(root, 'library', 'library.sqlite'), { readonly: true });
  const verdict = database.pragma('integrity_check', { simple: true });
  if (verdict !== 'ok') wrong.push(`the database: ${String(verdict)}`);
  if (database.pragma('foreign_key_check', { simple: true }) !== undefined) wrong.push('a row without its owner');
  database.close();
  return wrong;
}
