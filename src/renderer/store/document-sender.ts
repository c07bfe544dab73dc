import type { DocumentId } from '#shared/api/calls.ts';
import type { StudioApi } from '#shared/api/studio-api.ts';
import type { RecordsDiff } from '#shared/document/diff.ts';
import { squashDiffs } from '#shared/document/diff.ts';
import { StudioError } from '#shared/errors.ts';

/** One change on its way to the host; `undo` says what it means to the host's copy of the undo stack. */
export interface OutgoingChange {
  readonly diff: RecordsDiff;
  readonly undo: 'mark' | 'extend' | 'undo' | 'redo' | 'none';
  readonly label: string;
}

export type SyncState = 'saved' | 'saving' | 'offline';

export interface SenderOptions {
  /** Longest time a change waits before it is sent, in milliseconds. */
  readonly throttleMs?: number;
  /** First wait before a failed change is sent again; doubles up to 5 s. */
  readonly retryMs?: number;
  /**
   * Asks the host to open the document again: a host that was started anew does not have it open yet.
   * @returns whether it is open now and holds what was sent so far
   */
  reopen(): Promise<boolean>;
  onSync(state: SyncState): void;
  /** The host will not take this change, whatever we do: its copy and ours have parted. */
  onRefused(error: StudioError): void;
}

/** Refusals that sending again cannot cure. */
const FINAL: ReadonlySet<StudioError['code']> = new Set(['bad-use', 'bad-input', 'not-found', 'too-large', 'internal']);

/**
 * Sends changes to the host in order, one at a time, at most one call every `throttleMs`.
 * A change keeps its sequence number until the host has answered, so a repeated send after a lost
 * connection can be told from a new change.
 */
export class DocumentSender {
  #id: DocumentId | null = null;
  #queue: OutgoingChange[] = [];
  #inFlight: { change: OutgoingChange; sequence: number } | null = null;
  #sequence = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #run: Promise<void> | null = null;
  #epoch = 0;
  readonly #api: StudioApi;
  readonly #options: SenderOptions;

  constructor(api: StudioApi, options: SenderOptions) {
    this.#api = api;
    this.#options = options;
  }

  /** Starts anew for another document; what was queued for the last one is dropped (flush first). */
  start(id: DocumentId): void {
    this.#stopTimer();
    this.#epoch += 1;
    this.#id = id;
    this.#queue = [];
    this.#inFlight = null;
    this.#run = null;
    // Grows across reloads of the page, so that the host never takes a new change for a repeated one.
    this.#sequence = Math.max(this.#sequence + 1, Date.now());
    this.#options.onSync('saved');
  }

  /** Queues a change; neighbours of one gesture travel as one. */
  push(change: OutgoingChange): void {
    const last = this.#queue.at(-1);
    if (last && change.undo === 'extend' && (last.undo === 'mark' || last.undo === 'extend'))
      this.#queue[this.#queue.length - 1] = { ...last, diff: squashDiffs(last.diff, change.diff) };
    else this.#queue.push(change);
    this.#options.onSync('saving');
    if (!this.#timer && !this.#run)
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#start();
      }, this.#options.throttleMs ?? 350);
  }

  /** Sends what waits without delay. Resolves when the host has everything, or the document was replaced. */
  async flush(): Promise<void> {
    this.#stopTimer();
    this.#start();
    while (this.#run) await this.#run;
  }

  get pending(): number {
    return this.#queue.length + (this.#inFlight ? 1 : 0);
  }

  #stopTimer(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #start(): void {
    if (this.#run || this.pending === 0) return;
    const epoch = this.#epoch;
    this.#run = this.#drain(epoch).finally(() => {
      if (epoch === this.#epoch) this.#run = null;
    });
  }

  async #drain(epoch: number): Promise<void> {
    let wait = this.#options.retryMs ?? 250;
    let reopened = false;
    while (epoch === this.#epoch && this.#id) {
      const change: OutgoingChange | undefined = this.#inFlight?.change ?? this.#queue.shift();
      if (!change) {
        this.#options.onSync('saved');
        return;
      }
      this.#inFlight ??= { change, sequence: (this.#sequence += 1) };
      try {
        await this.#api.call('document.apply', { id: this.#id, sequence: this.#inFlight.sequence, ...change });
        if (epoch !== this.#epoch) return;
        this.#inFlight = null;
        reopened = false;
        wait = this.#options.retryMs ?? 250;
        this.#options.onSync(this.#queue.length > 0 ? 'saving' : 'saved');
      } catch (thrown) {
        if (epoch !== this.#epoch) return;
        const error = StudioError.from(thrown);
        if (error.code === 'not-found' && !reopened) {
          reopened = true;
          const open = await this.#options.reopen().catch(() => false);
          if (epoch !== this.#epoch) return;
          if (open) continue;
        }
        if (FINAL.has(error.code)) {
          this.#inFlight = null;
          this.#queue = [];
          this.#options.onRefused(error);
          return;
        }
        this.#options.onSync('offline');
        await new Promise((resolve) => setTimeout(resolve, wait));
        wait = Math.min(wait * 2, 5000);
      }
    }
  }
}
