import { z } from 'zod';

/**
 * Every refusal the studio can utter. A code is stable (scripts and tests match on it),
 * the sentences are for people.
 */
export const ErrorCode = z.enum([
  'bad-use', // the caller's arguments
  'bad-input', // a file or value that does not hold what it should
  'newer-version', // written by a later release
  'too-large', // beyond a limit that protects the machine
  'not-found',
  'unsupported', // known, but nothing here can do it
  'model', // a pack or a network cannot be used
  'memory',
  'disk-full',
  'storage', // any other trouble with files or the database
  'busy', // somebody else holds it
  'cancelled',
  'crashed', // the engine process died under the job
  'refused', // security: sender, origin, token, rate
  'internal',
]);
export type ErrorCode = z.infer<typeof ErrorCode>;

/** An error as it crosses a process boundary. */
export const ErrorReport = z.object({
  code: ErrorCode,
  /** What happened, with the place (file, field, segment). */
  message: z.string(),
  /** What was kept, if anything was at stake. */
  kept: z.string().optional(),
  /** What to do now. */
  remedy: z.string().optional(),
  /** Values for interface texts in other languages. */
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
});
export type ErrorReport = z.infer<typeof ErrorReport>;

/** A typed error: says what happened, what was kept and what to do. */
export class StudioError extends Error {
  readonly code: ErrorCode;
  readonly kept: string | undefined;
  readonly remedy: string | undefined;
  readonly details: ErrorReport['details'];

  constructor(
    code: ErrorCode,
    message: string,
    more: {
      kept?: string | undefined;
      remedy?: string | undefined;
      cause?: unknown;
      details?: ErrorReport['details'];
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'StudioError';
    this.code = code;
    this.kept = more.kept;
    this.remedy = more.remedy;
    this.details = more.details;
  }

  toReport(): ErrorReport {
    const report: ErrorReport = { code: this.code, message: this.message };
    if (this.kept !== undefined) report.kept = this.kept;
    if (this.remedy !== undefined) report.remedy = this.remedy;
    if (this.details !== undefined) report.details = this.details;
    return report;
  }

  static fromReport(report: ErrorReport): StudioError {
    return new StudioError(report.code, report.message, report);
  }

  /** Any thrown value as a StudioError; system errors keep their meaning (full disk, missing file). */
  static from(thrown: unknown, doing?: string): StudioError {
    if (thrown instanceof StudioError) return thrown;
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    const prefix = doing ? `${doing}: ` : '';
    const system = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
    if (system === 'ENOSPC' || system === 'EDQUOT')
      return new StudioError('disk-full', `${prefix}the disk is full`, {
        remedy: 'free some space and try again',
        cause: thrown,
      });
    if (system === 'ENOENT') return new StudioError('not-found', `${prefix}no such file (${text})`, { cause: thrown });
    if (system === 'EACCES' || system === 'EPERM' || system === 'EROFS')
      return new StudioError('storage', `${prefix}writing or reading is not allowed here (${text})`, {
        remedy: 'choose another folder',
        cause: thrown,
      });
    if (thrown instanceof Error && thrown.name === 'AbortError')
      return new StudioError('cancelled', `${prefix}cancelled`, { cause: thrown });
    if (thrown instanceof z.ZodError)
      return new StudioError('bad-input', `${prefix}${describeZodError(thrown)}`, { cause: thrown });
    return new StudioError('internal', `${prefix}${text}`, { cause: thrown });
  }
}

/** One sentence for a failed parse: where, what. At most three places are named. */
export function describeZodError(error: z.ZodError): string {
  const places = error.issues.slice(0, 3).map((issue) => {
    const where = issue.path.map(String).join('.');
    return where ? `${where}: ${issue.message}` : issue.message;
  });
  const rest = error.issues.length - places.length;
  return places.join('; ') + (rest > 0 ? ` (and ${rest} more)` : '');
}

/** Marks a switch as exhaustive: reaching it is a programming error. */
export function missingCase(value: never): never {
  throw new StudioError('internal', `no case for ${JSON.stringify(value)}`);
}
