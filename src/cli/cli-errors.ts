import { CommanderError } from 'commander';
import { StudioError } from '#shared/errors.ts';
import type { ErrorCode } from '#shared/errors.ts';

/** Exit codes of `spatext`; also printed by `spatext --help`. */
export const EXIT: Readonly<Record<ErrorCode, number>> = {
  'bad-use': 2,
  'bad-input': 3,
  'newer-version': 3,
  'too-large': 3,
  'not-found': 3,
  unsupported: 3,
  refused: 3,
  model: 4,
  memory: 4,
  crashed: 4,
  'disk-full': 5,
  storage: 5,
  busy: 5,
  cancelled: 130,
  internal: 1,
};

export const EXIT_HELP = `
Exit codes:
  0    good
  2    bad use: an option or argument that cannot be
  3    bad input: a file or value that does not hold what it should
  4    model trouble: a pack, a network, memory
  5    storage trouble: a full disk, a folder that cannot be written, in use by another run
  130  cancelled (Ctrl+C)`;

/** Says what went wrong in one or two lines on stderr and gives the exit code. */
export function reportError(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  const error = StudioError.from(thrown);
  const more = [error.kept && `Kept: ${error.kept}.`, error.remedy && `What to do: ${error.remedy}.`]
    .filter(Boolean)
    .join(' ');
  process.stderr.write(`spatext: ${error.message}\n${more ? `         ${more}\n` : ''}`);
  if (error.code === 'internal' && process.env['SPATEXT_DEBUG'] && error.cause instanceof Error)
    process.stderr.write(`${error.cause.stack}\n`);
  return EXIT[error.code];
}
