import { CALLS } from '#shared/api/calls.ts';
import type { CallName } from '#shared/api/calls.ts';
import type { Caller, StudioHandlers } from '#shared/api/studio-api.ts';
import { refusal } from '#shared/api/wire.ts';
import type { Reply } from '#shared/api/wire.ts';
import { StudioError } from '#shared/errors.ts';
import type { Log } from './log.ts';

export const isCallName = (name: unknown): name is CallName => typeof name === 'string' && Object.hasOwn(CALLS, name);

/**
 * Runs one call of a window, whatever carried it: the name must be of the map, the input must parse, and so must
 * what the handler gives back. Never rejects: every refusal is a typed reply.
 */
export async function dispatch(
  handlers: StudioHandlers,
  log: Log,
  name: unknown,
  input: unknown,
  caller: Caller,
): Promise<Reply> {
  if (!isCallName(name)) {
    log.warning(`${caller.windowId}: unknown call ${JSON.stringify(name)?.slice(0, 120)}`);
    return refusal(new StudioError('bad-use', 'the studio has no call of that name'));
  }
  const call = CALLS[name];
  const parsed = call.input.safeParse(input);
  if (!parsed.success) {
    const error = StudioError.from(parsed.error, name);
    log.warning(`${caller.windowId}: ${error.message}`);
    return refusal(error);
  }
  try {
    // The handler's input type follows from its name, which TypeScript cannot see through the union.
    const handler = handlers[name] as (input: unknown, caller: Caller) => unknown;
    const output = call.output.safeParse(await handler(parsed.data, caller));
    if (output.success) return { ok: true, output: output.data };
    throw new StudioError('internal', `${name} gave an answer of the wrong shape`, { cause: output.error });
  } catch (thrown) {
    const error = StudioError.from(thrown, thrown instanceof StudioError ? undefined : name);
    if (error.code === 'internal') log.error(`${name}: ${describe(thrown)}`);
    return refusal(error);
  }
}

function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause instanceof Error ? `: ${thrown.cause.message}` : '';
  return `${thrown.stack ?? thrown.message}${cause}`;
}
