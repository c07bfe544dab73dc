import type { Library } from '#library/library-api.ts';
import type { Log } from './log.ts';
import { StudioError } from '#shared/errors.ts';

/** Notes are handed on together: a grid brings sixty-four pictures in a row. */
const WAIT_MS = 500;

/**
 * Pictures that nothing points at yet: drafts of live and grid jobs, exports, imports. They stay for this session;
 * the library is told to let them go at a later session's purge, unless a result, an item or a document uses them
 * by then. It is told at once, so that a crash leaves nothing behind.
 */
export class SessionBlobs {
  readonly #library: Promise<Library>;
  readonly #log: Log;
  readonly #all = new Set<string>();
  #waiting: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #telling: Promise<void> = Promise.resolve();

  /** @param library settles in any case */
  constructor(library: Promise<Library>, log: Log) {
    this.#library = library;
    this.#log = log;
  }

  note(hash: string): void {
    if (this.#all.has(hash)) return;
    this.#all.add(hash);
    this.#waiting.push(hash);
    this.#timer ??= setTimeout(() => void this.flush(), WAIT_MS).unref();
  }

  /** Every one of this session: not to be purged while windows may show it. */
  get hashes(): Iterable<string> {
    return this.#all;
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const hashes = this.#waiting.splice(0);
    if (hashes.length > 0)
      this.#telling = this.#telling
        .then(async () => (await this.#library).letGo(hashes))
        .catch((error: unknown) => this.#log.warning(`drafts: ${StudioError.from(error).message}`));
    return this.#telling;
  }
}
