import type { StudioHandlers } from '#shared/api/studio-api.ts';
import type { Reply } from '#shared/api/wire.ts';
import { StudioError } from '#shared/errors.ts';
import { dispatch } from './dispatch.ts';
import { appHandlers } from './handlers/app.ts';
import { documentHandlers } from './handlers/documents.ts';
import { fileHandlers } from './handlers/files.ts';
import { historyHandlers } from './handlers/history.ts';
import { JobDesk } from './job-desk.ts';
import type { StudioParts } from './parts.ts';
import { ResultStore } from './result-store.ts';
import { SessionBlobs } from './session-blobs.ts';

/** A deleted result can be taken back this long; then its picture and rows are gone. */
export const TRASH_MS = 24 * 60 * 60 * 1000;
/** The budget is looked at after this many new results. */
const PURGE_EVERY = 20;

/** The studio behind its API: implemented once, carried by any transport. */
export class Studio {
  readonly parts: StudioParts;
  readonly handlers: StudioHandlers;
  readonly #desk: JobDesk;
  readonly #results: ResultStore;
  readonly #drafts: SessionBlobs;
  #stored = 0;
  #closing: Promise<void> | undefined;

  constructor(parts: StudioParts) {
    this.parts = parts;
    const { hub, log, engine } = parts;
    this.#results = new ResultStore(parts.library, (error) => {
      const why = StudioError.from(error);
      log.error(`the history cannot be opened: ${why.message}`);
      parts.notices.post({
        level: 'warning',
        message: `the history cannot be opened: ${why.message}`,
        kept: 'drawing and generating work; results are kept until the studio is closed',
        remedy: why.remedy,
      });
    });
    this.#drafts = new SessionBlobs(this.#results.library(), log);
    this.#desk = new JobDesk(parts, this.#results, this.#drafts);
    this.#desk.onStored = () => {
      this.#stored += 1;
      if (this.#stored % PURGE_EVERY === 0) void this.purge();
    };
    parts.keeper.then(
      (keeper) => {
        keeper.onSaved((saved) => hub.emit('document.saved', saved));
        keeper.onTrouble((trouble) => hub.emit('document.trouble', trouble));
      },
      (error: unknown) => log.error(`scenes cannot be kept: ${StudioError.from(error).message}`),
    );
    this.handlers = {
      ...appHandlers(parts, this.#desk, () => void this.purge()),
      ...documentHandlers(parts),
      ...fileHandlers(parts, this.#results, this.#drafts),
      ...historyHandlers(parts, this.#results, () => this.#picturesInUse()),
      'generate.cost': async (request) => ({ cost: await this.#desk.cost(request) }),
      'generate.start': (request, { windowId }) => this.#desk.start(request, windowId),
      'generate.cancel': ({ job, hard }) => {
        engine.cancel(job, hard);
        return {};
      },
      'queue.list': () => this.#desk.list(),
      'queue.pause': ({ paused }) => {
        engine.pause(paused);
        return {};
      },
      'queue.move': ({ job, to }) => {
        engine.move(job, to);
        return {};
      },
    };
  }

  /** Runs a call that a transport received; never rejects. */
  call(name: unknown, input: unknown, windowId: string): Promise<Reply> {
    return dispatch(this.handlers, this.parts.log, name, input, { windowId });
  }

  /** A menu entry or a file from outside, for one window. */
  command(window: string, name: string, argument?: string): void {
    this.parts.hub.emit('command', argument === undefined ? { name } : { name, argument }, window);
  }

  /** The window will not come back by itself (closed, not reloading). */
  windowGone(windowId: string): void {
    this.#desk.windowGone(windowId);
    this.parts.keeper
      .then((keeper) => keeper.closeWindow(windowId))
      .catch((error: unknown) => this.parts.log.error(`closing ${windowId}: ${StudioError.from(error).message}`));
  }

  /** Deletes for good what was deleted long enough ago, and what the budget has no room for. */
  async purge(olderThanMs: number = TRASH_MS): Promise<void> {
    try {
      const library = await this.#results.library();
      const { removed, bytes } = await library.purge({
        olderThanMs,
        budget: this.parts.settings.get().historyBudget,
        keep: await this.#picturesInUse(),
      });
      if (removed.length === 0) return;
      this.parts.log.info(`history: ${removed.length} results deleted for good, ${bytes} bytes freed`);
      this.parts.hub.emit('results.removed', { ids: removed });
    } catch (error) {
      this.parts.log.warning(`history: clearing up failed: ${StudioError.from(error).message}`);
    }
  }

  /** A scene may point at a picture whose result is deleted, a window may show a draft. */
  async #picturesInUse(): Promise<string[]> {
    return [...(await (await this.parts.keeper).blobsInUse()), ...this.#drafts.hashes];
  }

  /** Writes everything that is still in memory; trouble is logged. */
  async flush(): Promise<void> {
    const done = await Promise.allSettled([
      this.parts.keeper.then((keeper) => keeper.flush()),
      this.parts.settings.flush(),
      this.#results.settle(),
      this.#drafts.flush(),
    ]);
    for (const one of done)
      if (one.status === 'rejected') this.parts.log.error(`saving: ${StudioError.from(one.reason).message}`);
  }

  /** Saves what is in memory, ends the engine and closes the files. Safe to call more than once. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.flush();
    await this.parts.engine.close().catch((error: unknown) => this.parts.log.error(`engine: ${String(error)}`));
    this.#desk.close();
    await Promise.allSettled([this.#results.close(), this.parts.keeper.then((keeper) => keeper.close())]);
  }
}
