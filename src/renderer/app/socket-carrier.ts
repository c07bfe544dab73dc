import type { EventName } from '#shared/api/events.ts';
import { decodeFrame, encodeFrame } from '#shared/api/frames.ts';
import { HostMessage, refusal } from '#shared/api/wire.ts';
import type { Reply } from '#shared/api/wire.ts';
import { StudioError } from '#shared/errors.ts';
import type { Carrier } from './api-client.ts';

/** The part of a WebSocket that is used; tests bring Node's. */
export interface Socket {
  binaryType: string;
  readonly readyState: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close' | 'error', listener: () => void): void;
}

export interface SocketOptions {
  /** ws://.../api */
  readonly url: string;
  readonly open: (url: string) => Socket;
  /** Keeps the window's name over a reload (sessionStorage). */
  readonly storage: Pick<Storage, 'getItem' | 'setItem'>;
  /** First wait before connecting again, in milliseconds; doubles up to `retryMost`. */
  readonly retryFirst?: number;
  readonly retryMost?: number;
  /** How long a call waits for a line before it is refused. */
  readonly patience?: number;
}

interface Pending {
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly settle: (reply: Reply) => void;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** WebSocket.OPEN; a line may be closing without the event having come yet. */
const OPEN = 1;
const WINDOW_KEY = 'spatext.window';
export type LineState = 'open' | 'closed';

/**
 * The WebSocket to the host. When the line breaks it is opened again by itself; events missed meanwhile are sent
 * again by the host. Calls that were on their way are refused (nobody knows whether they were carried out), calls
 * made meanwhile wait for the line, but not for long.
 */
export class SocketCarrier implements Carrier {
  readonly #options: SocketOptions;
  #socket: Socket | undefined;
  #ready = false;
  #ended = false;
  #nextId = 1;
  #wait: number;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #run: string | undefined;
  #sequence = 0;
  readonly #onTheirWay = new Map<number, Pending>();
  readonly #waiting = new Map<number, Pending>();
  readonly #events = new Map<string, (payload: unknown) => void>();
  readonly #states = new Set<(state: LineState) => void>();

  constructor(options: SocketOptions) {
    this.#options = options;
    this.#wait = options.retryFirst ?? 150;
    this.#connect();
  }

  call(name: string, input: unknown): Promise<Reply> {
    return new Promise((resolve) => {
      const id = this.#nextId;
      this.#nextId += 1;
      let frame: Uint8Array<ArrayBuffer>;
      try {
        frame = encodeFrame({ type: 'call', id, name, input });
      } catch (error) {
        resolve(refusal(error));
        return;
      }
      const pending: Pending = { frame, settle: resolve, timer: undefined };
      if (this.#ended) resolve(refusal(lost()));
      else if (this.#ready && this.#socket?.readyState === OPEN) this.#send(id, pending);
      else {
        this.#waiting.set(id, pending);
        pending.timer = setTimeout(() => {
          this.#waiting.delete(id);
          resolve(refusal(lost()));
        }, this.#options.patience ?? 10_000);
      }
    });
  }

  on(name: EventName, listener: (payload: unknown) => void): void {
    this.#events.set(name, listener);
  }

  /** Calls the listener at once and whenever the line breaks or is there again. */
  onState(listener: (state: LineState) => void): () => void {
    this.#states.add(listener);
    listener(this.#ready ? 'open' : 'closed');
    return () => this.#states.delete(listener);
  }

  /** Tries to connect now if the line is broken (the machine woke up, the tab is looked at again). */
  hurry(): void {
    if (this.#ended || this.#socket) return;
    clearTimeout(this.#retry);
    this.#connect();
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#retry);
    this.#socket?.close();
    this.#lose();
    for (const pending of this.#waiting.values()) this.#settle(pending, refusal(lost()));
    this.#waiting.clear();
  }

  #connect(): void {
    const url = new URL(this.#options.url);
    const window = this.#options.storage.getItem(WINDOW_KEY);
    if (window !== null) url.searchParams.set('window', window);
    if (this.#run !== undefined) {
      url.searchParams.set('run', this.#run);
      url.searchParams.set('after', String(this.#sequence));
    }
    let socket: Socket;
    try {
      socket = this.#options.open(url.href);
    } catch {
      this.#connectLater();
      return;
    }
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }) => {
      if (this.#socket === socket) this.#receive(data);
    });
    socket.addEventListener('close', () => {
      if (this.#socket !== socket) return;
      this.#lose();
      if (!this.#ended) this.#connectLater();
    });
    // "close" follows and does the work; without a listener some runtimes throw.
    socket.addEventListener('error', () => undefined);
  }

  #connectLater(): void {
    this.#retry = setTimeout(() => this.#connect(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, this.#options.retryMost ?? 3000);
  }

  #lose(): void {
    this.#socket = undefined;
    for (const pending of this.#onTheirWay.values()) this.#settle(pending, refusal(lost()));
    this.#onTheirWay.clear();
    if (!this.#ready) return;
    this.#ready = false;
    for (const listener of this.#states) listener('closed');
  }

  #receive(data: unknown): void {
    let message: HostMessage;
    try {
      if (!(data instanceof ArrayBuffer)) throw new StudioError('bad-input', 'a text message');
      message = HostMessage.parse(decodeFrame(new Uint8Array(data)));
    } catch (error) {
      reportError(error);
      return;
    }
    switch (message.type) {
      case 'welcome':
        this.#options.storage.setItem(WINDOW_KEY, message.window);
        if (this.#run !== message.run || message.lost) this.#sequence = message.sequence;
        this.#run = message.run;
        this.#wait = this.#options.retryFirst ?? 150;
        this.#ready = true;
        for (const [id, pending] of this.#waiting) {
          clearTimeout(pending.timer);
          this.#send(id, pending);
        }
        this.#waiting.clear();
        for (const listener of this.#states) listener('open');
        break;
      case 'reply': {
        const pending = this.#onTheirWay.get(message.id);
        this.#onTheirWay.delete(message.id);
        if (pending) this.#settle(pending, message.reply);
        break;
      }
      case 'event':
        this.#sequence = Math.max(this.#sequence, message.sequence);
        this.#events.get(message.name)?.(message.payload);
        break;
    }
  }

  #send(id: number, pending: Pending): void {
    this.#onTheirWay.set(id, pending);
    this.#socket?.send(pending.frame);
  }

  #settle(pending: Pending, reply: Reply): void {
    clearTimeout(pending.timer);
    pending.settle(reply);
  }
}

const lost = (): StudioError =>
  new StudioError('refused', 'the connection to the studio was lost', {
    kept: 'the scene in this window',
    remedy: 'wait until it is there again; if it stays away, start the studio again',
  });
