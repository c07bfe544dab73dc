import { Worker } from 'node:worker_threads';
import { StudioError } from '#shared/errors.ts';
import type { Library, LibraryOptions } from './library-api.ts';
import type { LibraryMessage, LibraryMethod, LibraryRequest, LibraryStart } from './protocol.ts';

/** A thread that was asked to end and has not after this long is cut off. */
const END_WITHIN_MS = 10_000;

type Settle = { resolve(value: unknown): void; reject(error: StudioError): void };

/**
 * Opens the library behind its worker.
 * @throws StudioError newer-version, busy (another process writes to it), storage, disk-full; not-found if
 *   `readOnly` and there is none
 */
export async function openLibrary(options: LibraryOptions): Promise<Library> {
  const start: LibraryStart = {
    folder: options.folder,
    blobFolder: options.blobFolder,
    readOnly: options.readOnly ?? false,
  };
  const worker = new Worker(options.workerUrl ?? new URL('./worker.ts', import.meta.url), { workerData: start });
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const waiting = new Map<number, Settle>();
  let next = 1;
  let ended: StudioError | undefined;

  const end = (error: StudioError): void => {
    ended ??= error;
    for (const settle of waiting.values()) settle.reject(ended);
    waiting.clear();
  };

  await new Promise<void>((resolve, reject) => {
    worker.on('message', (message: LibraryMessage) => {
      switch (message.type) {
        case 'opened':
          return resolve();
        case 'refused':
          return reject(StudioError.fromReport(message.report));
        case 'notice':
          return options.onNotice?.(message.notice);
        case 'answer':
          waiting.get(message.id)?.resolve(message.value);
          return void waiting.delete(message.id);
        case 'failed':
          waiting.get(message.id)?.reject(StudioError.fromReport(message.report));
          return void waiting.delete(message.id);
      }
    });
    worker.on('error', (error) => {
      const typed = new StudioError('crashed', `the library stopped: ${error.message}`, {
        kept: 'everything it had confirmed is on disk',
        remedy: 'start the studio again',
        cause: error,
      });
      reject(typed);
      end(typed);
    });
    void exited.then(() => {
      const typed = new StudioError('crashed', 'the library is closed');
      reject(typed);
      end(typed);
    });
  });

  const ask = <T>(method: LibraryMethod, ...values: unknown[]): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (ended) return reject(ended);
      const request: LibraryRequest = { id: next, method, values };
      waiting.set(next, { resolve: resolve as Settle['resolve'], reject });
      next += 1;
      worker.postMessage(request);
    });

  return {
    add: (finished) => ask('add', finished),
    list: (query) => ask('list', query),
    get: (id) => ask('get', id),
    update: (change) => ask('update', change),
    remove: (ids) => ask('remove', ids),
    restore: (ids) => ask('restore', ids),
    purge: ({ keep, ...rest }) => ask('purge', { ...rest, keep: keep === undefined ? undefined : [...keep] }),
    erase: (ids, keep) => ask('erase', ids, keep === undefined ? undefined : [...keep]),
    letGo: (hashes) => ask('letGo', hashes),
    changes: (from, to) => ask('changes', from, to),
    family: (id) => ask('family', id),
    usage: () => ask('usage'),
    boards: () => ask('boards'),
    items: (search) => ask('items', search),
    addItem: (item) => ask('addItem', item),
    removeItem: (id) => ask('removeItem', id),
    similar: (space, embedding, limit) => ask('similar', space, embedding, limit),
    async close() {
      if (ended) return;
      try {
        await ask('close');
      } finally {
        // The thread has closed its database and ends by itself. Cutting it off in the middle of that (terminate)
        // is left for one that hangs: it tears the native module's state down while the thread may still be using it.
        const hangs = setTimeout(() => void worker.terminate(), END_WITHIN_MS);
        await exited;
        clearTimeout(hangs);
      }
    },
  };
}
