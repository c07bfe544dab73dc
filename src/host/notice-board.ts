import type { Notice } from '#shared/api/studio-api.ts';
import type { EventHub } from './event-hub.ts';

/** Notices for all windows. What happens before there is one (a history that cannot be opened) waits for the first. */
export class NoticeBoard {
  readonly #hub: EventHub;
  #waiting: Notice[] | null = [];

  constructor(hub: EventHub) {
    this.#hub = hub;
  }

  post(notice: Notice): void {
    if (this.#waiting) this.#waiting.push(notice);
    else this.#hub.emit('notice', notice);
  }

  /** A window listens now. */
  greet(window: string): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const notice of waiting) this.#hub.emit('notice', notice, window);
  }
}
