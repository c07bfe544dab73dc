import { CALLS } from '#shared/api/calls.ts';
import type { CallName, CallOutput } from '#shared/api/calls.ts';
import { EVENTS } from '#shared/api/events.ts';
import type { EventName, EventPayload } from '#shared/api/events.ts';
import type { StudioApi } from '#shared/api/studio-api.ts';
import { Reply, unwrapReply } from '#shared/api/wire.ts';
import { StudioError } from '#shared/errors.ts';

/** Something that carries calls and events as unchecked values. */
export interface Carrier {
  call(name: CallName, input: unknown): Promise<unknown>;
  /** Called once per event name, when somebody first listens for it. */
  on(name: EventName, listener: (payload: unknown) => void): void;
}

/** The studio's API over a carrier: what comes from the host is checked against the maps here. */
export function createApi(carrier: Carrier): StudioApi {
  const listeners = new Map<EventName, Set<(payload: never) => void>>();

  const listenersOf = (name: EventName): Set<(payload: never) => void> => {
    const known = listeners.get(name);
    if (known) return known;
    const fresh = new Set<(payload: never) => void>();
    listeners.set(name, fresh);
    carrier.on(name, (raw) => {
      const parsed = EVENTS[name].safeParse(raw);
      if (!parsed.success) {
        reportError(StudioError.from(parsed.error, `the event ${name}`));
        return;
      }
      // A listener that throws must not keep the others from hearing.
      for (const listener of fresh)
        try {
          listener(parsed.data as never);
        } catch (error) {
          reportError(error);
        }
    });
    return fresh;
  };

  return {
    async call<N extends CallName>(name: N, input: unknown): Promise<CallOutput<N>> {
      const output = unwrapReply(Reply.parse(await carrier.call(name, input)));
      const parsed = CALLS[name].output.safeParse(output);
      if (!parsed.success) throw new StudioError('internal', StudioError.from(parsed.error, name).message);
      return parsed.data as CallOutput<N>;
    },
    on<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): () => void {
      const all = listenersOf(name);
      // Its own function, so that one listener given twice is heard twice and stopped one at a time.
      const own = (payload: never): void => listener(payload);
      all.add(own);
      return () => all.delete(own);
    },
  };
}
