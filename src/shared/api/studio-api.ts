import type { CallArguments, CallInput, CallName, CallOutput } from './calls.ts';
import type { EventName, EventPayload } from './events.ts';

/** The studio as a window sees it, whatever carries the calls. */
export interface StudioApi {
  /** @throws StudioError, with the code and words of the host's refusal */
  call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>>;
  /** Listens; the answer stops listening. */
  on<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): () => void;
}

/** The studio as a host implements it: one handler for each call, inputs already parsed. */
export type StudioHandlers = {
  readonly [N in CallName]: (input: CallArguments<N>, caller: Caller) => Promise<CallOutput<N>> | CallOutput<N>;
};

/** Who asks: one window or browser tab. */
export interface Caller {
  readonly windowId: string;
}

export type Notice = EventPayload<'notice'>;
