import { Command } from 'commander';
import { createRequire } from 'node:module';
import { EXIT_HELP } from './cli-errors.ts';
import { registerEmbed } from './commands/embed.ts';
import { registerEvaluate } from './commands/evaluate.ts';
import { registerExport } from './commands/export.ts';
import { registerGenerate } from './commands/generate.ts';
import { registerHistory } from './commands/history.ts';
import { registerImport } from './commands/import.ts';
import { registerInspect } from './commands/inspect.ts';
import { registerPacks } from './commands/packs.ts';
import { registerMap } from './commands/st.ts';
import { registerStudy } from './commands/study.ts';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

/** The whole command line; commands are added one file each. */
export function createProgram(): Command {
  const program = new Command('spatext')
    .description(
      'SpaText Studio without a window: generate pictures from scenes with segments, look into files and packs.',
    )
    .version(version)
    .showHelpAfterError('(spatext COMMAND --help shows what a command takes)')
    .addHelpText('after', EXIT_HELP);
  registerGenerate(program);
  registerInspect(program);
  registerPacks(program);
  registerMap(program);
  registerEmbed(program);
  registerExport(program);
  registerImport(program);
  registerHistory(program);
  registerEvaluate(program);
  registerStudy(program);
  const throwInstead = (command: Command): void => {
    command.exitOverride();
    command.commands.forEach(throwInstead);
  };
  throwInstead(program);
  return program;
}
