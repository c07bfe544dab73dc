import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { cosineSimilarity } from '#engine/tensor/index.ts';
import type { SlotContent } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import { openEngineSession } from '../engine-session.ts';
import type { EngineSession } from '../engine-session.ts';
import { readBytes } from '../read-input.ts';

export function registerEmbed(program: Command): void {
  program
    .command('embed')
    .description('The CLIP image embedding that a text (through the prior) or a picture stands for, as JSON.')
    .argument('<what>', 'a text, or the path of a picture')
    .option('--pack <id>', 'model pack')
    .action(async (what: string, options: { pack?: string }) => {
      const session = await openEngineSession();
      try {
        const { values, space } = await embed(session, what, options.pack);
        process.stdout.write(`${JSON.stringify({ input: what, space, embedding: [...values] })}\n`);
      } finally {
        await session.close();
      }
    });
  program
    .command('similar')
    .description('Which of several texts or pictures is nearest to one, by the cosine of their embeddings.')
    .argument('<what>', 'a text, or the path of a picture')
    .requiredOption('--among <items...>', 'texts or paths to compare with')
    .option('--pack <id>', 'model pack')
    .option('--json', 'as JSON')
    .action(async (what: string, options: { among: string[]; pack?: string; json?: boolean }) => {
      const session = await openEngineSession();
      try {
        const own = await embed(session, what, options.pack);
        const rows: { item: string; cosine: number }[] = [];
        for (const item of options.among)
          rows.push({ item, cosine: cosineSimilarity(own.values, (await embed(session, item, options.pack)).values) });
        rows.sort((a, b) => b.cosine - a.cosine);
        if (options.json) process.stdout.write(`${JSON.stringify({ input: what, similar: rows }, null, 2)}\n`);
        else for (const { item, cosine } of rows) process.stdout.write(`${cosine.toFixed(4)}  ${item}\n`);
      } finally {
        await session.close();
      }
    });
}

async function embed(session: EngineSession, what: string, pack: string | undefined) {
  if (what.trim() === '') throw new StudioError('bad-use', 'an empty text has no embedding');
  const content: SlotContent = existsSync(what)
    ? { kind: 'image', blob: await session.blobs.write(await readBytes(what)), box: null, mask: null }
    : { kind: 'text', text: what, reading: 0 };
  return session.engine.embed(pack ?? null, content);
}
