import { parentPort, workerData } from 'node:worker_threads';
import { StudioError } from '#shared/errors.ts';
import { databaseError, demandCheck, isDamage } from './database.ts';
import type { LibraryMessage, LibraryRequest, LibraryStart } from './protocol.ts';
import { LibraryStore } from './store.ts';

/** The thread that owns the library's database. One request after another, in the order they came. */
if (!parentPort) throw new Error('the library runs in a worker thread');
const port = parentPort;
const start = workerData as LibraryStart;
const post = (message: LibraryMessage): void => port.postMessage(message);

function open(): LibraryStore | undefined {
  try {
    const store = new LibraryStore(start, (notice) => post({ type: 'notice', notice }));
    post({ type: 'opened' });
    return store;
  } catch (error) {
    post({ type: 'refused', report: StudioError.from(error).toReport() });
    return undefined;
  }
}

const store = open();
if (store) {
  port.on('message', (request: LibraryRequest) => {
    try {
      const method = store[request.method] as (...values: unknown[]) => unknown;
      const value = method.apply(store, [...request.values]);
      post({ type: 'answer', id: request.id, value });
    } catch (error) {
      // A damaged page shows only when it is read: the next start then checks everything.
      if (isDamage(error) && !start.readOnly) demandCheck(start.folder);
      post({ type: 'failed', id: request.id, report: databaseError(error, 'the library').toReport() });
    }
    if (request.method === 'close') port.close();
  });
  // After the first requests, which the artist waits for, and in portions between those that come meanwhile.
  const warm = (): void => {
    try {
      if (store.warm()) setTimeout(warm, 5).unref();
    } catch {
      // Closed meanwhile; or whoever searches gets the reason.
    }
  };
  setTimeout(warm, 500).unref();
}
