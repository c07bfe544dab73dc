import { stat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Result } from '#shared/api/generation.ts';
import { FRAME_LIMITS } from '#shared/api/frames.ts';
import type { StudioHandlers } from '#shared/api/studio-api.ts';
import { toDocument } from '#shared/document/document.ts';
import { LIMITS } from '#shared/document/limits.ts';
import { StudioError } from '#shared/errors.ts';
import { filesGiven, filesNear, firstOf } from '#project/beside.ts';
import { writeWhole } from '../atomic-file.ts';
import { sniffImage } from '../image-size.ts';
import { mapFilling } from '../map-filling.ts';
import type { StudioParts } from '../parts.ts';
import type { ResultStore } from '../result-store.ts';
import type { SessionBlobs } from '../session-blobs.ts';

/** Calls about bytes: blobs, exports, imports. */
export function fileHandlers(parts: StudioParts, results: ResultStore, drafts: SessionBlobs) {
  const { blobs, grants } = parts;
  /** Stores bytes that nothing points at yet. */
  const writeBlob = async (bytes: Uint8Array): Promise<string> => {
    const hash = await blobs.write(bytes);
    drafts.note(hash);
    return hash;
  };

  return {
    'blobs.put': async ({ bytes }) => {
      const head = sniffImage(bytes);
      if (!head)
        throw new StudioError('bad-input', 'that is no picture the studio knows', {
          remedy: 'use a PNG, JPEG or WebP file',
        });
      if (head.width > LIMITS.canvasSide || head.height > LIMITS.canvasSide)
        throw new StudioError(
          'too-large',
          `the picture has ${head.width} x ${head.height} pixels; a side may have at most ${LIMITS.canvasSide}`,
          { remedy: 'make it smaller first' },
        );
      return { hash: await writeBlob(bytes), type: head.type, width: head.width, height: head.height };
    },
    'blobs.saveAs': async ({ hash, path: given, legend }) => {
      const target = grants.checkWrite(given);
      await writeWhole(target, await blobs.read(hash));
      // The name follows from the one that was chosen; a window can place nothing elsewhere with it.
      if (legend !== undefined) await writeWhole(`${target}.json`, await blobs.read(legend));
      return {};
    },
    'export.create': async (input) => {
      const fetch = async (id: string): Promise<Result> => Result.parse(await results.get(id));
      const formats = await parts.formats();
      const document = toDocument(input.records);
      const filling = input.format === 'npy' ? await mapFilling(parts.engine, document) : undefined;
      const made = await formats.exportScene({
        document,
        filling,
        format: input.format,
        result: input.result === null ? null : await fetch(input.result),
        results: await Promise.all(input.results.map(fetch)),
        quality: input.quality,
        readBlob: (hash) => blobs.read(hash),
      });
      const { bytes, fileName, type, losses, beside } = made;
      const legend = beside?.[0] ? await writeBlob(beside[0].bytes) : null;
      return { blob: await writeBlob(bytes), fileName, type, bytes: bytes.byteLength, losses, legend };
    },
    'import.file': async ({ name, bytes, labels, beside, image }) =>
      (await parts.formats()).importFile({
        name: path.basename(name),
        bytes,
        labels,
        beside: filesGiven(beside ?? []),
        image,
        ask: true,
        writeBlob,
      }),
    'import.path': async ({ path: given, beside, image }) => {
      const file = grants.checkRead(given);
      const bytes = await readBounded(file);
      return (await parts.formats()).importFile({
        name: path.basename(file),
        bytes,
        beside: firstOf(filesGiven(beside ?? []), filesNear(file, readBounded)),
        image,
        ask: true,
        writeBlob,
      });
    },
  } satisfies Partial<StudioHandlers>;
}

/** The bytes of a regular file of a size that an import may have. */
async function readBounded(file: string): Promise<Uint8Array> {
  try {
    const about = await stat(file);
    if (!about.isFile()) throw new StudioError('bad-input', `${path.basename(file)} is not a file`);
    if (about.size > FRAME_LIMITS.bytes)
      throw new StudioError(
        'too-large',
        `${path.basename(file)} has ${about.size} bytes, at most ${FRAME_LIMITS.bytes}`,
      );
    return await readFile(file);
  } catch (error) {
    throw StudioError.from(error, `opening ${path.basename(file)}`);
  }
}
