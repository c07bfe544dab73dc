import type { Command } from 'commander';
import path from 'node:path';
import { openHashLedger } from '#engine/packs/hash-ledger.ts';
import { openPack } from '#engine/packs/open-pack.ts';
import { packReaders } from '#engine/pipelines/makers.ts';
import { StudioError } from '#shared/errors.ts';
import type { PackSummary } from '#shared/api/packs.ts';
import { openEngineSession } from '../engine-session.ts';

export function registerPacks(program: Command): void {
  const packs = program.command('packs').description('The model packs this studio knows.');
  packs
    .command('list')
    .description('List the packs.')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const session = await openEngineSession();
      try {
        const { packs: known, defaultPack } = await session.engine.packs();
        if (options.json) process.stdout.write(`${JSON.stringify({ packs: known, defaultPack }, null, 2)}\n`);
        else
          for (const pack of known) process.stdout.write(`${pack.id === defaultPack ? '*' : ' '} ${describe(pack)}\n`);
      } finally {
        await session.close();
      }
    });
  packs
    .command('check')
    .description('Check a pack: sizes and hashes of its networks, and whether what it says of itself fits together.')
    .argument('<path>', "the pack's folder or checkpoint")
    .option('--json', 'as JSON')
    .action(async (target: string, options: { json?: boolean }) => {
      // No ledger: a check computes every hash.
      const ledger = openHashLedger();
      const absolute = path.resolve(target);
      for (const reader of packReaders(ledger))
        if (await reader.claims(absolute)) {
          const { summary } = await reader.open(absolute);
          if (summary.problem) throw new StudioError('model', `${summary.name}: ${summary.problem}`);
          process.stdout.write(options.json ? `${JSON.stringify(summary, null, 2)}\n` : `good: ${describe(summary)}\n`);
          return;
        }
      await openPack(absolute, ledger);
      throw new StudioError('internal', `${target} opened, but no reader claims it`);
    });
  packs
    .command('add')
    .description('Add a pack by its path; it is not copied.')
    .argument('<path>', "the pack's folder or checkpoint")
    .action(async (target: string) => {
      const session = await openEngineSession();
      try {
        process.stdout.write(`added: ${describe(await session.engine.addPack(path.resolve(target)))}\n`);
      } finally {
        await session.close();
      }
    });
  packs
    .command('remove')
    .description('Forget a pack that was added; its files stay.')
    .argument('<id>', 'its id (spatext packs list)')
    .action(async (id: string) => {
      const session = await openEngineSession();
      try {
        await session.engine.removePack(id);
      } finally {
        await session.close();
      }
    });
}

function describe(pack: PackSummary): string {
  const size = `${(pack.bytes / 1e6).toFixed(0)} MB`;
  if (pack.problem) return `${pack.id}: CANNOT BE USED: ${pack.problem}`;
  return `${pack.id}  ${pack.name}  (${pack.kind}, ${pack.outputSize.width} x ${pack.outputSize.height}, ${size}, ${pack.licence || 'licence unknown'})`;
}
