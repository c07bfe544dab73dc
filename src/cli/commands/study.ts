import type { Command } from 'commander';
import { mkdtemp, mkdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { z } from 'zod';
import { readResultFolder } from '#evaluate/folder.ts';
import { makeStudy } from '#evaluate/study/make.ts';
import { Study, StudyAnswers } from '#evaluate/study/study.ts';
import { tallyStudy, tallyTable } from '#evaluate/study/tally.ts';
import { StudioError, describeZodError } from '#shared/errors.ts';
import { claimOutputFolder } from '../output-folder.ts';
import { wholeNumber } from '../parse-options.ts';
import { folderOptions, nameOf } from './evaluate.ts';

export function registerStudy(program: Command): void {
  const study = program.command('study').description('A user study in pairs: which of two methods people prefer.');
  study
    .command('make')
    .description('Make the page for the raters (index.html with its pictures) and study.json, which stays with you.')
    .argument('<first>', 'folder of results of one method')
    .argument('<second>', 'folder of results of the other, from the same scenes and seeds')
    .requiredOption('--out <folder>', 'where the study goes')
    .option('--scenes <folder>', 'where the scenes lie, if not in or beside the pictures')
    .option('--seed <n>', 'draws sides and order', wholeNumber(0, 0xffff_ffff), 7)
    .action(async (first: string, second: string, options: { out: string; scenes?: string; seed: number }) => {
      const work = await mkdtemp(path.join(os.tmpdir(), 'spatext-'));
      try {
        const reading = folderOptions(work, options.scenes);
        const [a, b] = [await readResultFolder(first, reading), await readResultFolder(second, reading)];
        // Only now: a command that is refused leaves no folder behind.
        const folder = await claimOutputFolder(options.out);
        try {
          await mkdir(path.join(options.out, 'page', 'pictures'), { recursive: true });
          const made = await makeStudy({
            methods: [nameOf(first, [first, second]), nameOf(second, [first, second])],
            first: a.samples,
            second: b.samples,
            seed: options.seed,
            write: (name, bytes) => writeInto(options.out, name, bytes),
          });
          await folder.write('study.json', new TextEncoder().encode(`${JSON.stringify(made, null, 1)}\n`));
          process.stdout.write(
            `${path.join(options.out, 'page')}: ${made.pairs.length} comparisons; give this folder to the raters\n` +
              `${path.join(options.out, 'study.json')}: keep it; spatext study tally needs it\n`,
          );
        } finally {
          await folder.release();
        }
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    });
  study
    .command('tally')
    .description(
      'Count the raters’ answers: preferences with 95 % intervals, sign test, how consistent each rater was.',
    )
    .argument('<study>', 'study.json')
    .argument('<answers...>', 'the files that the raters saved')
    .option('--json', 'as JSON')
    .action(async (file: string, answers: string[], options: { json?: boolean }) => {
      const known = await readJson(file, Study);
      const sheets: StudyAnswers[] = [];
      for (const one of answers) sheets.push(await readJson(one, StudyAnswers));
      const tally = tallyStudy(known, sheets);
      process.stdout.write(options.json ? `${JSON.stringify(tally, null, 2)}\n` : tallyTable(tally));
    });
}

/** The page's files lie in a folder of their own, so that study.json is not handed out by mistake. */
async function writeInto(out: string, name: string, bytes: Uint8Array): Promise<void> {
  const target = await claimOutputFolder(path.join(out, 'page', path.dirname(name)));
  try {
    await target.write(path.basename(name), bytes);
  } finally {
    await target.release();
  }
}

async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw StudioError.from(error, `reading ${file}`);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new StudioError('bad-input', `${file} is not JSON`, { cause: error });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new StudioError('bad-input', `${file}: ${describeZodError(parsed.error)}`);
  return parsed.data;
}
