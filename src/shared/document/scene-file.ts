import { z } from 'zod';
import { StudioError, describeZodError } from '../errors.ts';
import { DocumentRecords, toDocument, toRecords } from './document.ts';
import type { StudioDocument } from './document.ts';
import { BlobHash } from './geometry.ts';
import { LIMITS } from './limits.ts';
import { SCENE_VERSION, migrateScene } from './migrations.ts';

/** A scene as JSON: what scripts write, `spatext generate` reads and a project file holds. */
export const SceneFile = z.object({
  format: z.literal('spatext-scene'),
  version: z.literal(SCENE_VERSION),
  records: DocumentRecords,
  /** Pictures the records point at, in base64, by their SHA-256; a project file keeps them beside instead. */
  blobs: z.record(BlobHash, z.base64()).optional(),
});
export type SceneFile = z.infer<typeof SceneFile>;

export interface ReadScene {
  readonly document: StudioDocument;
  readonly blobs: Readonly<Record<string, string>>;
}

/**
 * Reads a scene from JSON text, of this version or an older one.
 * @throws StudioError bad-input, newer-version or too-large, naming the place
 */
export function readScene(text: string): ReadScene {
  if (text.length > LIMITS.sceneFileBytes)
    throw new StudioError('too-large', `the scene has ${text.length} characters, at most ${LIMITS.sceneFileBytes}`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new StudioError(
      'bad-input',
      `not a scene: the file is not JSON (${error instanceof Error ? error.message : String(error)})`,
      {
        remedy: 'choose a scene (.json), a project (.spatext) or a picture made by the studio',
        cause: error,
      },
    );
  }
  const head = z.object({ format: z.literal('spatext-scene'), version: z.number().int().min(1) }).safeParse(json);
  if (!head.success)
    throw new StudioError('bad-input', 'not a scene: "format" is not "spatext-scene", or there is no "version"', {
      remedy: 'choose a scene (.json), a project (.spatext) or a picture made by the studio',
    });
  if (head.data.version > SCENE_VERSION)
    throw new StudioError(
      'newer-version',
      `the scene has version ${head.data.version}; this release reads up to ${SCENE_VERSION}`,
      { kept: 'the file is unchanged', remedy: 'open it with a newer release' },
    );
  const file = migrateScene(json, head.data.version);
  const parsed = SceneFile.safeParse(file);
  if (!parsed.success)
    throw new StudioError('bad-input', `not a good scene: ${describeZodError(withRecordNames(parsed.error, file))}`, {
      cause: parsed.error,
      remedy: 'correct the file in that place, or open an earlier copy',
    });
  return { document: toDocument(parsed.data.records), blobs: parsed.data.blobs ?? {} };
}

/** Names records by their ids where the parser only knows their place in the list. */
function withRecordNames(error: z.ZodError, file: unknown): z.ZodError {
  const records = (file as { records?: unknown }).records;
  const nameOf = (index: number): string => {
    const record: unknown = Array.isArray(records) ? records[index] : undefined;
    const id = typeof record === 'object' && record !== null && 'id' in record ? record.id : undefined;
    return typeof id === 'string' && /^[a-z]+:[\w-]{1,64}$/.test(id) ? id : `record ${index + 1}`;
  };
  return new z.ZodError(
    error.issues.map((issue) => {
      const [list, index, ...rest] = issue.path;
      return list === 'records' && typeof index === 'number' ? { ...issue, path: [nameOf(index), ...rest] } : issue;
    }),
  );
}

/** The scene as JSON text; equal documents give equal texts. */
export function writeScene(document: StudioDocument, blobs?: Readonly<Record<string, string>>): string {
  const file: SceneFile = { format: 'spatext-scene', version: SCENE_VERSION, records: toRecords(document) };
  if (blobs && Object.keys(blobs).length > 0) file.blobs = { ...blobs };
  return `${JSON.stringify(file, null, 1)}\n`;
}
