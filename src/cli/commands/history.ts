import type { Command } from 'commander';
import { dataFolders, defaultDataFolder } from '#host/folders.ts';
import { openLibrary } from '#library/library.ts';
import type { Library } from '#library/library-api.ts';
import { ResultId } from '#shared/api/generation.ts';
import type { ResultSummary } from '#shared/api/generation.ts';
import { segmentName, segmentsOf, toDocument } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import { wholeNumber } from '../parse-options.ts';

interface ListOptions {
  limit: number;
  starred?: boolean;
  pack?: string;
  board?: string;
  tag?: string;
  minSide?: number;
  json?: boolean;
}

export function registerHistory(program: Command): void {
  const history = program
    .command('history')
    .description('Look into the history of results, also while the studio runs.');
  const listing = (command: Command): Command =>
    command
      .option('--limit <n>', 'how many', wholeNumber(1, 200), 20)
      .option('--starred', 'starred ones only')
      .option('--pack <id>', 'made with this pack')
      .option('--board <name>', 'on this board')
      .option('--tag <tag>', 'with this tag')
      .option('--min-side <px>', 'whose longer side has at least this many pixels', wholeNumber(1, 100_000))
      .option('--json', 'as JSON');
  listing(history.command('list').description('The latest results, the newest first.')).action((options: ListOptions) =>
    runList('', options),
  );
  listing(
    history
      .command('search')
      .description('Results whose texts, notes or tags hold all the words; "in quotes" for a phrase.')
      .argument('<words...>', 'what to search for'),
  ).action((words: string[], options: ListOptions) => runList(words.join(' '), options));
  history
    .command('show')
    .description('One result: texts, settings, where it comes from, what was changed.')
    .argument('<id>', 'result id')
    .option('--json', 'as JSON')
    .action((id: string, options: { json?: boolean }) => runShow(id, options));
}

/** The library for looking, or undefined if nothing was ever made. */
async function lookInto(): Promise<Library | undefined> {
  const folders = dataFolders(defaultDataFolder());
  try {
    return await openLibrary({ folder: folders.library, blobFolder: folders.blobs, readOnly: true });
  } catch (error) {
    if (StudioError.from(error).code === 'not-found') return undefined;
    throw error;
  }
}

async function runList(search: string, options: ListOptions): Promise<void> {
  const library = await lookInto();
  try {
    const { limit, starred, pack, board, tag, minSide } = options;
    const filters = { starred, pack, board, tag, minSide };
    const { results, total } = library
      ? await library.list({ search, deleted: false, limit, ...filters })
      : { results: [], total: 0 };
    if (options.json) process.stdout.write(`${JSON.stringify({ results, total }, null, 2)}\n`);
    else {
      for (const result of results) process.stdout.write(`${line(result)}\n`);
      if (total > results.length) process.stdout.write(`(${results.length} of ${total})\n`);
      const asked = search !== '' || Object.values(filters).some((filter) => filter !== undefined);
      if (total === 0) process.stdout.write(asked ? 'nothing found\n' : 'no results yet\n');
    }
  } finally {
    await library?.close();
  }
}

const line = (result: ResultSummary): string =>
  [
    result.id,
    new Date(result.createdAt).toISOString().slice(0, 16).replace('T', ' '),
    `${result.width}x${result.height}`,
    `seed ${result.seed}`,
    `${result.starred ? '* ' : ''}${result.title}`,
  ].join('  ');

async function runShow(given: string, options: { json?: boolean }): Promise<void> {
  const id = ResultId.safeParse(given.startsWith('result-') ? given : `result-${given}`);
  if (!id.success)
    throw new StudioError('bad-use', `${given} is no result id`, { remedy: 'see `spatext history list`' });
  const library = await lookInto();
  try {
    if (!library) throw new StudioError('not-found', `${id.data} is not in the history: there are no results yet`);
    const result = await library.get(id.data);
    const { ancestors, descendants } = await library.family(id.data);
    const [parent] = result.parents;
    const changes =
      parent !== undefined && ancestors.some((ancestor) => ancestor.id === parent)
        ? await library.changes(parent, id.data)
        : [];
    const family = { ancestors: ancestors.map((one) => one.id), descendants: descendants.map((one) => one.id) };
    if (options.json) {
      process.stdout.write(`${JSON.stringify({ ...result, ...family, changes }, null, 2)}\n`);
      return;
    }
    const document = toDocument(result.records);
    const scene = result.records.find((record) => record.type === 'scene');
    const lines = [
      `${result.id}  ${new Date(result.createdAt).toISOString()}  ${result.width}x${result.height}`,
      `text      ${scene?.text ?? ''}`,
      ...segmentsOf(document).map((segment) => `segment   ${segmentName(document, segment)}`),
      `seed      ${result.seed}`,
      `pack      ${result.pack.name}`,
      `sampler   ${scene?.sampler.name}, ${scene?.sampler.steps} steps`,
      `dials     global ${scene?.guidance.globalScale}, local ${scene?.guidance.localScale} (${scene?.guidance.mode})`,
      ...(result.note ? [`note      ${result.note}`] : []),
      ...(result.tags.length > 0 ? [`tags      ${result.tags.join(', ')}`] : []),
      ...(result.boards.length > 0 ? [`boards    ${result.boards.join(', ')}`] : []),
      ...family.ancestors.map((one) => `from      ${one}`),
      ...family.descendants.map((one) => `gave      ${one}`),
      ...changes.map((change) => `changed   ${change}`),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    await library?.close();
  }
}
