import { randomBytes } from 'node:crypto';
import type { EventName, EventPayload } from '#shared/api/events.ts';

/** An event on its way to one window, or to all of them (window null). */
export interface HostEvent {
  /** Rises by one with each event of this run. */
  readonly sequence: number;
  readonly name: EventName;
  readonly payload: unknown;
  readonly window: string | null;
}

/** Pictures on the way are worthless once the next one is there; they are not kept for a window that comes back. */
const VOLATILE: ReadonlySet<EventName> = new Set(['job.preview']);
const KEPT = 512;

/** Tells every transport what happened, and remembers enough for a window that was away for a moment. */
export class EventHub {
  /** Names this run of the host, so that a window knows whether its sequence number means anything. */
  readonly run = randomBytes(9).toString('base64url');
  #sequence = 0;
  /** Every event up to this one was forgotten (volatile ones are forgotten on purpose). */
  #forgottenUpTo = 0;
  readonly #kept: HostEvent[] = [];
  readonly #listeners = new Set<(event: HostEvent) => void>();

  get sequence(): number {
    return this.#sequence;
  }

  emit<N extends EventName>(name: N, payload: EventPayload<N>, window: string | null = null): void {
    this.#sequence += 1;
    const event: HostEvent = { sequence: this.#sequence, name, payload, window };
    if (!VOLATILE.has(name)) {
      this.#kept.push(event);
      if (this.#kept.length > KEPT) this.#forgottenUpTo = this.#kept.shift()?.sequence ?? 0;
    }
    for (const listener of this.#listeners) listener(event);
  }

  on(listener: (event: HostEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What `window` missed after `sequence`; null if it is too long ago to tell. */
  since(sequence: number, window: string): HostEvent[] | null {
    if (sequence < this.#forgottenUpTo || sequence > this.#sequence) return null;
    return this.#kept.filter(
      (event) => event.sequence > sequence && (event.window === null || event.window === window),
    );
  }
}
