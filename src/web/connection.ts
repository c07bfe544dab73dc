import type { WebSocket } from 'ws';
import { decodeFrame, encodeFrame } from '#shared/api/frames.ts';
import { WindowMessage, refusal } from '#shared/api/wire.ts';
import type { HostMessage } from '#shared/api/wire.ts';
import { StudioError } from '#shared/errors.ts';
import type { HostEvent } from '#host/event-hub.ts';
import type { Studio } from '#host/studio.ts';
import { RateLimit } from './rate-limit.ts';

export const CONNECTION_LIMITS = {
  /** Calls: far above what drawing makes (one change per frame), far below what floods the host. */
  callsPerSecond: 200,
  callsBurst: 600,
  bytesPerSecond: 64 * 1024 * 1024,
  bytesBurst: 256 * 1024 * 1024,
  inFlight: 128,
  /** Refusals in a row after which the connection is closed. */
  patience: 200,
  /** Bytes waiting for a slow window: above, previews are left out; far above, the window must come back. */
  slowBytes: 4 * 1024 * 1024,
  stuckBytes: 128 * 1024 * 1024,
} as const;

/** Closing codes of our own (4000-4999 are free for applications). */
export const CLOSE = { flooding: 4008, malformed: 4002, slow: 4009, goingAway: 1001 } as const;

/** One window's WebSocket: calls in, replies and events out. */
export class Connection {
  readonly window: string;
  readonly #studio: Studio;
  readonly #socket: WebSocket;
  readonly #calls = new RateLimit(CONNECTION_LIMITS.callsPerSecond, CONNECTION_LIMITS.callsBurst);
  readonly #bytes = new RateLimit(CONNECTION_LIMITS.bytesPerSecond, CONNECTION_LIMITS.bytesBurst);
  readonly #stop: () => void;
  #inFlight = 0;
  #refused = 0;
  #closing = false;

  /** @param seen the last event the window knows of this run, or null if it is new here */
  constructor(studio: Studio, socket: WebSocket, window: string, seen: number | null) {
    this.window = window;
    this.#studio = studio;
    this.#socket = socket;
    const { hub } = studio.parts;
    const missed = seen === null ? [] : hub.since(seen, window);
    this.#send({ type: 'welcome', window, run: hub.run, sequence: hub.sequence, lost: missed === null });
    for (const event of missed ?? []) this.#sendEvent(event);
    this.#stop = hub.on((event) => {
      if (event.window === null || event.window === window) this.#sendEvent(event);
    });
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#receive(data, isBinary));
    socket.on('close', () => this.#stop());
    // ws reports a broken or oversized message here and closes by itself; without a listener it would throw.
    socket.on('error', (error) => studio.parts.log.warning(`${window}: connection refused: ${error.message}`));
  }

  close(code: number, why: string): void {
    this.#closing = true;
    this.#socket.close(code, why);
  }

  /** Whether the window still answers, asked for at most `ms`. */
  alive(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (answer: boolean) => (): void => {
        clearTimeout(timer);
        resolve(answer);
      };
      const timer = setTimeout(finish(false), ms);
      this.#socket.once('pong', finish(true));
      this.#socket.once('close', finish(false));
      this.#socket.ping();
    });
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #receive(data: Buffer, isBinary: boolean): void {
    // What was on the way when we hung up.
    if (this.#closing) return;
    let message: WindowMessage;
    try {
      if (!isBinary) throw new StudioError('bad-input', 'a text message; the studio speaks in frames');
      message = WindowMessage.parse(decodeFrame(data));
    } catch (error) {
      // Without a readable id there is nothing to answer to.
      this.#note(StudioError.from(error), CLOSE.malformed);
      return;
    }
    // A window that asks but does not read would fill the memory with answers.
    const unread = this.#socket.bufferedAmount > CONNECTION_LIMITS.stuckBytes;
    const fits = this.#bytes.take(data.byteLength);
    if (!this.#calls.take() || !fits || this.#inFlight >= CONNECTION_LIMITS.inFlight || unread) {
      const error = new StudioError('refused', 'too many calls at once', { remedy: 'wait a moment and try again' });
      this.#note(error, CLOSE.flooding);
      this.#send({ type: 'reply', id: message.id, reply: refusal(error) });
      return;
    }
    this.#inFlight += 1;
    void this.#studio.call(message.name, message.input, this.window).then((reply) => {
      this.#inFlight -= 1;
      if (reply.ok) this.#refused = 0;
      this.#send({ type: 'reply', id: message.id, reply });
    });
  }

  /** Counts refusals in a row; every power of two is logged, so that a flood does not fill the log. */
  #note(error: StudioError, code: number): void {
    this.#refused += 1;
    if ((this.#refused & (this.#refused - 1)) === 0)
      this.#studio.parts.log.warning(`${this.window}: refused (${this.#refused} in a row): ${error.message}`);
    if (this.#refused >= CONNECTION_LIMITS.patience) {
      this.#studio.parts.log.warning(`${this.window}: closed after ${this.#refused} refusals`);
      this.close(code, 'refused too often');
    }
  }

  #sendEvent(event: HostEvent): void {
    const waiting = this.#socket.bufferedAmount;
    if (event.name === 'job.preview' && waiting > CONNECTION_LIMITS.slowBytes) return;
    if (waiting > CONNECTION_LIMITS.stuckBytes) {
      this.#studio.parts.log.warning(`${this.window}: closed, ${waiting} bytes were waiting for it`);
      this.close(CLOSE.slow, 'too slow');
      return;
    }
    this.#send({ type: 'event', sequence: event.sequence, name: event.name, payload: event.payload });
  }

  #send(message: HostMessage): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    let frame: Uint8Array;
    try {
      frame = encodeFrame(message);
    } catch (error) {
      this.#studio.parts.log.error(`${this.window}: ${StudioError.from(error).message}`);
      if (message.type === 'reply' && message.reply.ok)
        this.#send({ type: 'reply', id: message.id, reply: refusal(error) });
      return;
    }
    this.#socket.send(frame, { binary: true });
  }
}
