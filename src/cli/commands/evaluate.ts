import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { openBlobStore } from '#engine/blobs/blob-store.ts';
import { openHashLedger } from '#engine/packs/hash-ledger.ts';
import { modelsFolder } from '#engine/packs/models-folder.ts';
import { PackCatalogue } from '#engine/packs/catalogue.ts';
import type { OpenPack } from '#engine/packs/open-pack.ts';
import { packReaders } from '#engine/pipelines/makers.ts';
import { packEncoder } from '#evaluate/encoder.ts';
import { evaluate } from '#evaluate/evaluate.ts';
import type { Evaluation } from '#evaluate/evaluate.ts';
import { pictureFiles, readPicture, readResultFolder } from '#evaluate/folder.ts';
import type { FolderOptions, FolderReading } from '#evaluate/folder.ts';
import { openScorer } from '#evaluate/scorer.ts';
import { edgeSegmenter, labelFolderSegmenter } from '#evaluate/segmenter.ts';
import type { Segmenter } from '#evaluate/segmenter.ts';
import { evaluationTable } from '#evaluate/table.ts';
import { dataFolders, defaultDataFolder } from '#host/folders.ts';
import { importFile } from '#project/formats/import.ts';
import { toDocument } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import { claimOutputFolder } from '../output-folder.ts';
import { wholeNumber } from '../parse-options.ts';
import { readSceneFrom } from '../read-input.ts';

interface EvaluateOptions {
  scenes?: string;
  truth?: string;
  reference?: string;
  judge?: string;
  pack?: string;
  vocabulary?: string;
  segmenter?: string;
  out?: string;
  threads: number;
  json?: boolean;
  quiet?: boolean;
}

export function registerEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description(
      "The paper's metrics over folders of results: global and local distance, the judge's top-1 and top-5, local IoU, " +
        'Fréchet and kernel distance, each with its 95 % interval, split by number and size of segments, between an ' +
        'upper and a lower bound.',
    )
    .argument('<folders...>', 'folders with pictures and their scenes (as spatext generate writes them)')
    .option('--scenes <folder>', 'where the scenes lie, if not in or beside the pictures')
    .option('--truth <folder>', 'true pictures of the same scenes: the upper bound')
    .option('--reference <folder>', 'pictures of the kind that should be made: Fréchet and kernel distance')
    .option('--judge <folder>', 'an independent judge (a folder with scorer.json); else the pack judges itself')
    .option('--pack <id or folder>', 'the pack whose encoders judge; default: the default pack')
    .option('--vocabulary <file>', 'names a segment could be mistaken for: a JSON list, or a vocabulary.json')
    .option('--segmenter <what>', 'for the local IoU: "judge", "edges", or a folder of label maps', segmenterChoice)
    .option('--out <folder>', 'writes evaluation.json (with every row) and table.md')
    .option('--threads <n>', 'processor threads; 0: all', wholeNumber(0, 256), 0)
    .option('--json', 'print one JSON document instead of tables')
    .option('--quiet', 'no progress')
    .action(async (folders: string[], options: EvaluateOptions) => {
      const evaluation = await run(folders, options);
      const table = evaluationTable(evaluation);
      if (options.out) {
        const folder = await claimOutputFolder(options.out);
        try {
          await folder.write('evaluation.json', bytesOf(`${JSON.stringify(evaluation, null, 1)}\n`));
          await folder.write('table.md', bytesOf(table));
        } finally {
          await folder.release();
        }
      }
      process.stdout.write(options.json ? `${JSON.stringify(withoutRows(evaluation), null, 2)}\n` : table);
    });
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function segmenterChoice(text: string): string {
  if (!text.trim()) throw new InvalidArgumentError('expected "judge", "edges" or a folder.');
  return text;
}

/** The printed document leaves the rows to evaluation.json. */
const withoutRows = (evaluation: Evaluation): unknown => ({
  ...evaluation,
  sets: evaluation.sets.map(({ rows: _, ...set }) => set),
});

async function run(folders: readonly string[], options: EvaluateOptions): Promise<Evaluation> {
  const work = await mkdtemp(path.join(os.tmpdir(), 'spatext-'));
  try {
    const reading = folderOptions(work, options.scenes);
    const sets: { name: string; samples: FolderReading['samples'] }[] = [];
    for (const folder of folders)
      sets.push({ name: nameOf(folder, folders), samples: await readFolder(folder, reading) });
    const truth = options.truth ? await readFolder(options.truth, reading) : [];
    const reference = options.reference
      ? (await pictureFiles(options.reference)).map((file) => () => readPicture(file))
      : [];
    if (options.reference && reference.length < 2)
      throw new StudioError(
        'bad-input',
        `${options.reference} holds ${reference.length} pictures, at least two are needed`,
      );

    const settings = { providers: ['cpu'], threads: options.threads || os.availableParallelism() };
    const scorer = options.judge ? await openScorer(options.judge, settings) : null;
    const pack = scorer ? null : await findPack(options.pack);
    const encoder = scorer?.encoder ?? (pack && packEncoder(pack, settings));
    if (!encoder) throw new StudioError('internal', 'no judge');
    try {
      return await evaluate({
        sets,
        truth,
        reference,
        encoder,
        segmenter: chooseSegmenter(options.segmenter, scorer?.segmenter ?? null),
        vocabulary: await vocabulary(options.vocabulary, pack, scorer?.classes ?? []),
        progress: (done, total) => options.quiet || showProgress(done, total),
      });
    } finally {
      await encoder.release();
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** How a folder of results is read on the command line: scenes inside pictures by the importers of the studio. */
export function folderOptions(work: string, scenes: string | undefined): FolderOptions {
  const blobs = openBlobStore(work);
  return {
    scenes,
    blobs,
    readSceneFile: (file) => readSceneFrom(file, blobs),
    async sceneInside(bytes, name) {
      const imported = await importFile({ name, bytes, writeBlob: (blob) => blobs.write(blob) });
      return imported.kind === 'scene' ? toDocument(imported.records) : null;
    },
  };
}

async function readFolder(folder: string, options: FolderOptions): Promise<FolderReading['samples']> {
  const { samples, skipped } = await readResultFolder(folder, options);
  for (const { file, why } of skipped) process.stderr.write(`spatext: left out ${path.basename(file)}: ${why}\n`);
  return samples;
}

/** Folders by their last part; by their whole path where that is not enough to tell them apart. */
export function nameOf(folder: string, all: readonly string[]): string {
  const short = path.basename(path.resolve(folder));
  return all.filter((other) => path.basename(path.resolve(other)) === short).length > 1 ? folder : short;
}

async function findPack(wanted: string | undefined): Promise<OpenPack> {
  const data = dataFolders(defaultDataFolder()).engine;
  const readers = packReaders(openHashLedger(path.join(data, 'pack-hashes.json')));
  const { opened } = await openWanted(wanted, data, readers);
  if (opened.kind !== 'pixel')
    throw new StudioError('unsupported', 'this pack has no encoders that could judge', {
      remedy: 'name another with --pack, or a judge with --judge',
    });
  return opened.pack;
}

async function openWanted(wanted: string | undefined, data: string, readers: ReturnType<typeof packReaders>) {
  if (wanted?.includes(path.sep)) {
    for (const reader of readers)
      if (await reader.claims(path.resolve(wanted))) return reader.open(path.resolve(wanted));
    throw new StudioError('not-found', `${wanted} is no model pack`);
  }
  return new PackCatalogue(modelsFolder(), path.join(data, 'packs.json'), readers).get(wanted ?? null);
}

function chooseSegmenter(choice: string | undefined, judges: Segmenter | null): Segmenter | null {
  if (choice === undefined) return judges;
  if (choice === 'edges') return edgeSegmenter;
  if (choice !== 'judge') return labelFolderSegmenter(choice);
  if (judges) return judges;
  throw new StudioError('bad-use', 'the judge has no segmenter', {
    remedy: 'name a judge that has one with --judge, or take --segmenter edges',
  });
}

const VocabularyFile = z.union([
  z.array(z.string()),
  z
    .object({ concepts: z.array(z.object({ label: z.string() })) })
    .transform(({ concepts }) => concepts.map(({ label }) => label)),
]);

/** Names from a file, else the judge's classes, else what the pack says its weights have seen. */
async function vocabulary(
  file: string | undefined,
  pack: OpenPack | null,
  classes: readonly string[],
): Promise<readonly string[]> {
  const place = file ?? (pack ? path.join(pack.folder, 'vocabulary.json') : undefined);
  if (place === undefined || (classes.length > 0 && !file)) return classes;
  try {
    return VocabularyFile.parse(JSON.parse(await readFile(place, 'utf8')));
  } catch (error) {
    if (!file) return classes; // a pack need not tell
    throw StudioError.from(error, `the vocabulary ${file}`);
  }
}

function showProgress(done: number, total: number): void {
  if (process.stderr.isTTY)
    process.stderr.write(`\r\x1b[K${done < total ? `looking at ${done} of ${total} pictures` : ''}`);
  else if (done === total) process.stderr.write(`looked at ${total} pictures\n`);
}
