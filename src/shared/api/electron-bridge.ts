import type { CallName } from './calls.ts';
import type { EventName } from './events.ts';
import type { Reply } from './wire.ts';

/** What the preload script puts on a window as `spatext`: the names of the two maps, and the path of a dropped file. */
export interface ElectronBridge {
  readonly platform: string;
  /** Refuses names that are not in CALLS. Answers with a Reply: a thrown error would lose its type on the way. */
  call(name: CallName, input: unknown): Promise<Reply>;
  /**
   * Where a file lies that the artist dropped on the window or chose in it; the host may then read it. Null for a
   * file that is none on disk: a page cannot name one.
   */
  pathOf(file: File): Promise<string | null>;
  /** Refuses names that are not in EVENTS. The answer stops listening. */
  on(name: EventName, listener: (payload: unknown) => void): () => void;
}

/** The IPC channels: calls, events, and paths of dropped files, which the preload script alone can tell. */
export const CHANNELS = { call: 'spatext:call', event: 'spatext:event', dropped: 'spatext:dropped' } as const;
