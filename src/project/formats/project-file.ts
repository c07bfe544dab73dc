import { z } from 'zod';
import { HistoryMark } from '#shared/api/calls.ts';
import { Result } from '#shared/api/generation.ts';
import { blobsOf, sceneOf } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { BlobHash } from '#shared/document/geometry.ts';
import { LIMITS } from '#shared/document/limits.ts';
import { readScene, writeScene } from '#shared/document/scene-file.ts';
import { StudioError } from '#shared/errors.ts';
import { hashOf } from '#engine/blobs/blob-store.ts';
import { documentBlobs, markBlobs } from '../blobs-in-use.ts';
import { marksToKeep } from '../undo.ts';
import { makeZip, openZip } from './zip.ts';
import type { ZipArchive, ZipPart } from './zip.ts';

/** The version that this release writes. Raise it with a reader of the old one and a fixture of it. */
export const PROJECT_VERSION = 1;
export const PROJECT_MIMETYPE = 'application/vnd.spatext.project+zip';

/** project.json: what else is in the container. */
export const ProjectManifest = z.object({
  format: z.literal('spatext-project'),
  version: z.literal(PROJECT_VERSION),
  title: z.string().max(200),
  /** The blobs in blobs/, with what they hold. */
  blobs: z.array(z.object({ hash: BlobHash, bytes: z.number().int().min(0) })).max(4096),
});
export type ProjectManifest = z.infer<typeof ProjectManifest>;

/** history.json: undo that survives a restart and a move to another machine. */
export const ProjectHistory = z.object({
  undo: z.array(HistoryMark).max(1000),
  redo: z.array(HistoryMark).max(1000),
});
/** results.json: the results the artist chose to keep with the scene. */
export const ProjectResults = z.array(Result).max(256);

/** Everything a project file holds. */
export interface Project {
  readonly document: StudioDocument;
  readonly undo: readonly HistoryMark[];
  readonly redo: readonly HistoryMark[];
  readonly results: readonly Result[];
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

const JSON_LIMIT = LIMITS.sceneFileBytes;
const BLOB_LIMIT = 256 * 1024 * 1024;

/**
 * A project as a `.spatext` container (docs/format.md). Blobs that cannot be read are left out and named in
 * `missing`: a scene without one picture is worth more than no file.
 */
export async function writeProject(project: {
  readonly document: StudioDocument;
  readonly undo: readonly HistoryMark[];
  readonly redo: readonly HistoryMark[];
  readonly results: readonly Result[];
  readonly readBlob: (hash: string) => Promise<Uint8Array>;
}): Promise<{ bytes: Uint8Array; missing: string[] }> {
  const undo = marksToKeep(project.undo);
  const redo = marksToKeep(project.redo);
  const wanted = new Set<string>([
    ...blobsOf(project.document),
    ...markBlobs(undo),
    ...markBlobs(redo),
    ...project.results.flatMap((result) => [result.picture, ...documentBlobs(result.records)]),
  ]);
  const blobs: ZipPart[] = [];
  const missing: string[] = [];
  for (const hash of [...wanted].toSorted()) {
    try {
      // Pictures are compressed already; deflating them again would only cost the artist's time.
      blobs.push({ name: `blobs/${hash}`, bytes: await project.readBlob(hash), stored: true });
    } catch {
      missing.push(hash);
    }
  }
  const manifest: ProjectManifest = {
    format: 'spatext-project',
    version: PROJECT_VERSION,
    title: sceneOf(project.document).title,
    blobs: blobs.map((part) => ({ hash: part.name.slice(6), bytes: part.bytes.length })),
  };
  const json = (name: string, value: unknown): ZipPart => ({ name, bytes: Buffer.from(JSON.stringify(value)) });
  return {
    bytes: makeZip([
      { name: 'mimetype', bytes: Buffer.from(PROJECT_MIMETYPE), stored: true },
      json('project.json', manifest),
      { name: 'scene.json', bytes: Buffer.from(writeScene(project.document)) },
      json('history.json', { undo, redo }),
      json('results.json', project.results),
      ...blobs,
    ]),
    missing,
  };
}

/**
 * Reads a `.spatext` container, hostile or damaged as it may be. Undo steps or results that cannot be read are
 * dropped with a word in `troubles`: the scene is what must not be lost.
 * @throws StudioError bad-input, newer-version, too-large
 */
export async function readProject(bytes: Uint8Array): Promise<Project & { readonly troubles: string[] }> {
  const zip = await openZip(bytes);
  const manifest = readManifest(zip);
  const troubles: string[] = [];
  const { document } = readScene(zip.text('scene.json', JSON_LIMIT));
  const optional = <T>(name: string, schema: z.ZodType<T>, fallback: T, what: string): T => {
    if (!zip.has(name)) return fallback;
    try {
      return schema.parse(JSON.parse(zip.text(name, JSON_LIMIT)));
    } catch (error) {
      troubles.push(`${what} could not be read (${StudioError.from(error).message})`);
      return fallback;
    }
  };
  const history = optional('history.json', ProjectHistory, { undo: [], redo: [] }, 'the undo steps');
  const results = optional('results.json', ProjectResults, [], 'the results');
  const blobs = new Map<string, Uint8Array>();
  for (const { hash } of manifest.blobs) {
    try {
      const blob = zip.read(`blobs/${hash}`, BLOB_LIMIT);
      if (hashOf(blob) !== hash) throw new StudioError('bad-input', 'its bytes are not those of its name');
      blobs.set(hash, blob);
    } catch (error) {
      troubles.push(`the picture ${hash.slice(0, 12)} could not be read (${StudioError.from(error).message})`);
    }
  }
  return { document, undo: history.undo, redo: history.redo, results, blobs, troubles };
}

function readManifest(zip: ZipArchive): ProjectManifest {
  if (!zip.has('project.json'))
    throw new StudioError('bad-input', 'not a project: the file has no project.json', {
      remedy: 'choose a file saved by the studio (.spatext)',
    });
  let json: unknown;
  try {
    json = JSON.parse(zip.text('project.json', JSON_LIMIT));
  } catch (error) {
    if (error instanceof StudioError) throw error;
    throw new StudioError('bad-input', 'not a project: project.json is not JSON', { cause: error });
  }
  const head = z.object({ format: z.literal('spatext-project'), version: z.number().int().min(1) }).safeParse(json);
  if (!head.success) throw new StudioError('bad-input', 'not a project: project.json says something else');
  if (head.data.version > PROJECT_VERSION)
    throw new StudioError(
      'newer-version',
      `the project has version ${head.data.version}; this release reads up to ${PROJECT_VERSION}`,
      { kept: 'the file is unchanged', remedy: 'open it with a newer release' },
    );
  const manifest = ProjectManifest.safeParse(json);
  if (!manifest.success) throw StudioError.from(manifest.error, 'project.json');
  return manifest.data;
}
