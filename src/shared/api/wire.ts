import { z } from 'zod';
import { ErrorReport, StudioError } from '../errors.ts';

/** What comes back for a call, on every transport: thrown errors lose their type on the way, reports do not. */
export const Reply = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), output: z.unknown() }),
  z.object({ ok: z.literal(false), error: ErrorReport }),
]);
export type Reply = z.infer<typeof Reply>;

/** A window's name: the host gives it, the window shows it again after a reload to get its document back. */
export const WindowId = z.string().regex(/^window-[A-Za-z0-9_-]{1,40}$/);
export type WindowId = z.infer<typeof WindowId>;

/** WebSocket, window to host: one frame each (frames.ts). */
export const WindowMessage = z.object({
  type: z.literal('call'),
  id: z.number().int().min(0),
  name: z.string().max(100),
  input: z.unknown(),
});
export type WindowMessage = z.infer<typeof WindowMessage>;

/** WebSocket, host to window. */
export const HostMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('welcome'),
    window: WindowId,
    /** Another number after a restart of the host: sequences begin anew. */
    run: z.string().max(60),
    sequence: z.number().int(),
    /** Events missed since `after` could not be sent again: the window reads everything anew. */
    lost: z.boolean(),
  }),
  z.object({ type: z.literal('reply'), id: z.number().int(), reply: Reply }),
  z.object({ type: z.literal('event'), sequence: z.number().int(), name: z.string(), payload: z.unknown() }),
]);
export type HostMessage = z.infer<typeof HostMessage>;

/** The output of a reply. @throws StudioError as the host said it */
export function unwrapReply(reply: Reply): unknown {
  if (!reply.ok) throw StudioError.fromReport(reply.error);
  return reply.output;
}

export const refusal = (error: unknown): Reply => ({ ok: false, error: StudioError.from(error).toReport() });
