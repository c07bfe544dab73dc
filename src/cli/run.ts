// Where the command line begins: parses the arguments, runs the command, turns errors into words and exit codes.
import { reportError } from './cli-errors.ts';
import { createProgram } from './program.ts';

try {
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = reportError(error);
}
