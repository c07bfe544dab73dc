import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import path from 'node:path';
import { hashOf } from '#engine/blobs/blob-store.ts';
import { filesNear } from '#project/beside.ts';
import { importFile } from '#project/formats/import.ts';
import { carryScene } from '#project/formats/scene-carrier.ts';
import { writeProject } from '#project/formats/project-file.ts';
import type { ImportedNow } from '#project/project-api.ts';
import { createScene } from '#shared/document/create.ts';
import { sceneOf, segmentName, segmentsOf, toDocument } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { LIMITS } from '#shared/document/limits.ts';
import { StudioError } from '#shared/errors.ts';
import { claimOutputFolder } from '../output-folder.ts';
import { readBytes } from '../read-input.ts';

interface ImportOptions {
  out: string;
  text?: string;
  labels?: string;
  image?: string;
  json?: boolean;
}

export function registerImport(program: Command): void {
  program
    .command('import')
    .description('Make a scene of another file: label maps, masks, pictures, SVG, PSD, OpenRaster, arrays, COCO.')
    .argument('<file>', 'the file')
    .requiredOption('--out <scene>', 'the scene to write: .json, or .spatext for a project', (file) => {
      if (!/\.(json|spatext)$/i.test(file))
        throw new InvalidArgumentError('expected a name that ends in .json or .spatext.');
      return file;
    })
    .option('--text <text>', 'the global text', (text) => {
      if (text.length > LIMITS.text) throw new InvalidArgumentError(`expected at most ${LIMITS.text} characters.`);
      return text;
    })
    .option('--labels <table>', 'for a coloured label map: JSON of {"#rrggbb": "local text"}')
    .option('--image <name>', 'for COCO annotations: which image, by id or file name')
    .option('--json', 'print what was made as JSON')
    .action(runImport);
}

async function runImport(file: string, options: ImportOptions): Promise<void> {
  const blobs = new Map<string, Uint8Array>();
  const writeBlob = (bytes: Uint8Array): Promise<string> => {
    const hash = hashOf(bytes);
    blobs.set(hash, bytes);
    return Promise.resolve(hash);
  };
  const readBlob = (hash: string): Promise<Uint8Array> => {
    const bytes = blobs.get(hash);
    return bytes ? Promise.resolve(bytes) : Promise.reject(new Error(`no picture ${hash}`));
  };
  if (path.resolve(file) === path.resolve(options.out))
    throw new StudioError('bad-use', 'the scene would replace the file it is made of', { kept: 'nothing was written' });
  const labels = options.labels === undefined ? undefined : await readTable(options.labels);
  const imported = await importFile({
    name: path.basename(file),
    bytes: await readBytes(file),
    ...(labels && { labels }),
    ...(options.image !== undefined && { image: options.image }),
    pictures: 'mask',
    writeBlob,
    beside: filesNear(file, readBytes),
  });
  const document = withText(asDocument(imported), options.text);
  const losses = imported.kind === 'image' ? ['the picture lies on the canvas to draw after'] : imported.losses;
  const bytes = /\.spatext$/i.test(options.out)
    ? (await writeProject({ document, undo: [], redo: [], results: [], readBlob })).bytes
    : Buffer.from((await carryScene(document, readBlob)).text);
  const target = path.resolve(options.out);
  const folder = await claimOutputFolder(path.dirname(target));
  try {
    await folder.write(path.basename(target), bytes);
  } finally {
    await folder.release();
  }
  const { width, height, text } = sceneOf(document);
  const segments = segmentsOf(document).map((segment) => ({ id: segment.id, name: segmentName(document, segment) }));
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ file: target, width, height, text, segments, losses }, null, 2)}\n`);
    return;
  }
  process.stdout.write(`${target}\n`);
  for (const loss of losses) process.stderr.write(`spatext: note: ${loss}\n`);
}

async function readTable(file: string): Promise<Record<string, string>> {
  const text = Buffer.from(await readBytes(file)).toString('utf8');
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Error('expected an object');
    return json as Record<string, string>; // its colours and texts are checked by the importer
  } catch (error) {
    throw new StudioError(
      'bad-input',
      `${path.basename(file)}: not a table of colours (${error instanceof Error ? error.message : ''})`,
      {
        remedy: 'write {"#rrggbb": "local text", ...}',
        cause: error,
      },
    );
  }
}

function asDocument(imported: ImportedNow): StudioDocument {
  if (imported.kind !== 'image') return toDocument(imported.records);
  const { blob, width, height } = imported;
  const scale = Math.min(1, LIMITS.canvasSide / Math.max(width, height));
  const side = (value: number): number => Math.max(LIMITS.canvasSideMin, Math.round(value * scale));
  return toDocument([
    createScene({ width: side(width), height: side(height) }),
    {
      id: 'reference:picture',
      type: 'reference',
      blob,
      transform: [scale, 0, 0, scale, 0, 0],
      width,
      height,
      opacity: 0.6,
      visible: true,
    },
  ]);
}

function withText(document: StudioDocument, text: string | undefined): StudioDocument {
  if (text === undefined) return document;
  return { ...document, 'scene:main': { ...sceneOf(document), text } };
}
