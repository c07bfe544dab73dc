import { CALLS } from './calls.ts';
import { EVENTS } from './events.ts';

/** The names of all calls and events, for code that checks names without parsing. */
export const CALL_NAMES: ReadonlySet<string> = new Set(Object.keys(CALLS));
export const EVENT_NAMES: ReadonlySet<string> = new Set(Object.keys(EVENTS));
