import type { CallName } from './calls.ts';
import type { EventName } from './events.ts';
import type { Reply } from './wire.ts';

/** What the preload script puts on a window as `spatext`: the names of the two maps and nothing else. */
export interface ElectronBridge {
  readonly platform: string;
  /** Refuses names that are not in CALLS. Answers with a Reply: a thrown error would lose its type on the way. */
  call(name: CallName, input: unknown): Promise<Reply>;
  /** Refuses names that are not in EVENTS. The answer stops listening. */
  on(name: EventName, listener: (payload: unknown) => void): () => void;
}

/** The two IPC channels. */
export const CHANNELS = { call: 'spatext:call', event: 'spatext:event' } as const;
