import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import path from 'node:path';
import { hashOf } from '#engine/blobs/blob-store.ts';
import type { BlobStore } from '#engine/blobs/blob-store.ts';
import type { ExportInput, MapFilling } from '#project/project-api.ts';
import { mapFilling } from '#host/map-filling.ts';
import { exportScene } from '#project/formats/export.ts';
import { openExportable } from '#project/formats/exportable.ts';
import { ExportFormat } from '#shared/api/calls.ts';
import { sceneOf } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import { claimOutputFolder } from '../output-folder.ts';
import { decimal } from '../parse-options.ts';
import { readBytes } from '../read-input.ts';

interface ExportOptions {
  to: ExportInput['format'];
  out: string;
  pack?: string;
  quality: number;
  json?: boolean;
}

export function registerExport(program: Command): void {
  program
    .command('export')
    .description('Write a scene in another format; what the format cannot carry is said on stderr.')
    .argument('<file>', 'a scene (.json), a project (.spatext), a picture made by the studio, or any file it reads')
    .addOption(new Option('--to <format>', 'format').choices(ExportFormat.options).makeOptionMandatory())
    .requiredOption('--out <folder>', 'where the file goes, named after the scene file', (folder) => {
      if (folder.trim() === '') throw new InvalidArgumentError('expected a folder.');
      return folder;
    })
    .option('--pack <id>', 'npy: the model pack that fills the slots (spatext packs list)')
    .option('--quality <q>', 'jpg, webp: 1 to 100', decimal(1, 100), 92)
    .option('--json', 'print what was written as JSON')
    .action(runExport);
}

async function runExport(file: string, options: ExportOptions): Promise<void> {
  const blobs = new MemoryBlobs();
  const opened = await openExportable({
    name: path.basename(file),
    bytes: await readBytes(file),
    writeBlob: (bytes) => blobs.write(bytes),
  });
  const input: ExportInput = {
    ...opened,
    format: options.to,
    quality: options.quality,
    readBlob: (hash) => blobs.read(hash),
  };
  const made =
    options.to === 'npy'
      ? await withFilling(opened.document, blobs, options.pack, (filling) => exportScene({ ...input, filling }))
      : await exportScene(input);
  const base = path.basename(file).replace(/(\.spatext)?\.[A-Za-z0-9]+$/, '') || 'scene';
  const suffix = options.to === 'sheet' ? '.sheet.png' : `.${options.to}`;
  const target = path.resolve(options.out, base + suffix);
  if (target === path.resolve(file))
    throw new StudioError('bad-use', `the export would replace ${file} itself`, {
      kept: 'nothing was written',
      remedy: 'name another folder with --out',
    });
  const folder = await claimOutputFolder(path.dirname(target));
  const beside: string[] = [];
  try {
    await folder.write(path.basename(target), made.bytes);
    for (const part of made.beside ?? []) {
      // The legend of an array is named after it, whatever the scene's title.
      const name = `${base}.npy.json`;
      await folder.write(name, part.bytes);
      beside.push(path.join(path.dirname(target), name));
    }
  } finally {
    await folder.release();
  }
  if (options.json) {
    const { type, losses } = made;
    process.stdout.write(
      `${JSON.stringify({ file: target, type, bytes: made.bytes.length, beside, losses }, null, 2)}\n`,
    );
    return;
  }
  process.stdout.write([target, ...beside].map((written) => `${written}\n`).join(''));
  for (const loss of made.losses) process.stderr.write(`spatext: note: ${loss}\n`);
}

/** Lends the pack's map size and embeddings; without any pack the array falls back to segment numbers. */
async function withFilling<T>(
  document: ExportInput['document'],
  blobs: MemoryBlobs,
  wanted: string | undefined,
  use: (filling: MapFilling | undefined) => Promise<T>,
): Promise<T> {
  // Loaded for arrays alone: no other format needs a model.
  const { openEngineSession } = await import('../engine-session.ts');
  const session = await openEngineSession();
  try {
    if (wanted !== undefined && !(await session.engine.packs()).packs.some(({ id }) => id === wanted))
      throw new StudioError('not-found', `there is no model pack ${wanted}`, { remedy: 'see `spatext packs list`' });
    for (const bytes of blobs.all.values()) await session.blobs.write(bytes);
    const scene = { ...sceneOf(document), ...(wanted !== undefined && { pack: wanted }) };
    return await use(await mapFilling(session.engine, { ...document, 'scene:main': scene }));
  } finally {
    await session.close();
  }
}

/** The pictures of one file, in memory: an export leaves nothing behind but its file. */
class MemoryBlobs implements Pick<BlobStore, 'read' | 'write'> {
  readonly all = new Map<string, Uint8Array>();

  read(hash: string): Promise<Uint8Array> {
    const bytes = this.all.get(hash);
    if (bytes) return Promise.resolve(bytes);
    return Promise.reject(new StudioError('not-found', `the file does not hold the picture ${hash.slice(0, 12)}`));
  }

  write(bytes: Uint8Array): Promise<string> {
    const hash = hashOf(bytes);
    this.all.set(hash, bytes);
    return Promise.resolve(hash);
  }
}
