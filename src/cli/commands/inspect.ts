import type { Command } from 'commander';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { decodePicture } from '#engine/image/picture.ts';
import { openHashLedger } from '#engine/packs/hash-ledger.ts';
import { packReaders } from '#engine/pipelines/makers.ts';
import { sceneOf, segmentName, segmentsOf, slotOf } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import { openBlobStore } from '#engine/blobs/blob-store.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import { readBytes, readSceneFrom } from '../read-input.ts';

export function registerInspect(program: Command): void {
  program
    .command('inspect')
    .description('What is in a scene, a project, a picture or a pack.')
    .argument('<file>', 'a file, or the folder of a pack')
    .option('--json', 'as JSON')
    .action(async (file: string, options: { json?: boolean }) => {
      const found = await inspect(file);
      if (options.json) process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
      else print(found, '');
    });
}

type Finding = Record<string, unknown>;

async function inspect(file: string): Promise<Finding> {
  const absolute = path.resolve(file);
  for (const reader of packReaders(openHashLedger()))
    if (await reader.claims(absolute)) return { what: 'model pack', ...(await reader.open(absolute)).summary };
  const info = await stat(absolute).catch(() => undefined);
  if (info?.isDirectory())
    throw new StudioError('bad-input', `${file} is a folder without pack.json`, {
      remedy: 'name a file, or the folder of a pack',
    });
  const work = await mkdtemp(path.join(os.tmpdir(), 'spatext-'));
  try {
    const bytes = await readBytes(file);
    try {
      const document = await readSceneFrom(file, openBlobStore(work));
      return { what: 'scene', bytes: bytes.length, ...describeScene(document) };
    } catch (error) {
      // A picture without a scene inside is still a picture.
      const picture = await decodePicture(bytes, 4).catch(() => undefined);
      if (!picture) throw error;
      return { what: 'picture without a scene', bytes: bytes.length, width: picture.width, height: picture.height };
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function describeScene(document: StudioDocument): Finding {
  const scene = sceneOf(document);
  return {
    title: scene.title,
    canvas: `${scene.width} x ${scene.height}`,
    text: scene.text,
    ...(scene.negativeText ? { negativeText: scene.negativeText } : {}),
    guidance: scene.guidance,
    sampler: scene.sampler,
    seed: scene.seed,
    pack: scene.pack ?? 'default',
    segments: segmentsOf(document).map((segment) => ({
      id: segment.id,
      name: segmentName(document, segment),
      slot: slotOf(document, segment.slot).content.kind,
      shapes: segment.shapes.map((shape) => shape.kind),
      weight: segment.weight,
      visible: segment.visible,
    })),
  };
}

function print(value: unknown, indent: string): void {
  for (const [key, item] of Object.entries(value as Finding)) {
    if (Array.isArray(item) && item.some((entry) => typeof entry === 'object')) {
      process.stdout.write(`${indent}${key}:\n`);
      for (const entry of item) {
        process.stdout.write(`${indent}  -\n`);
        print(entry, `${indent}    `);
      }
    } else if (typeof item === 'object' && item !== null && !Array.isArray(item)) {
      process.stdout.write(`${indent}${key}:\n`);
      print(item, `${indent}  `);
    } else process.stdout.write(`${indent}${key}: ${Array.isArray(item) ? item.join(', ') : String(item)}\n`);
  }
}
