import type { HistoryMark } from '#shared/api/calls.ts';
import type { Result } from '#shared/api/generation.ts';
import { toDocument, toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import type { ImportInput } from '../project-api.ts';
import { importFile } from './import.ts';
import { RESULT_KEYWORD } from './picture-export.ts';
import { decodePicture } from './pixels.ts';
import { isPng, readTexts } from './png.ts';
import { readProject } from './project-file.ts';
import { readCarriedResult } from './scene-carrier.ts';
import { sniff } from './sniff.ts';
import { openZip } from './zip.ts';

/** What a file gives to an export: its scene, and its picture or results where it has any. */
export interface Exportable {
  readonly document: StudioDocument;
  readonly result: Result | null;
  readonly results: readonly Result[];
  readonly undo: readonly HistoryMark[];
  readonly redo: readonly HistoryMark[];
}

/**
 * Opens a file to be written in another format. A project gives its undo steps and results as well, a picture made by
 * the studio itself as the result of its scene.
 * @throws StudioError bad-input if there is no scene inside, and as importFile
 */
export async function openExportable(input: ImportInput): Promise<Exportable> {
  if (sniff(input.bytes, input.name) === 'zip' && (await openZip(input.bytes)).has('project.json')) {
    const project = await readProject(input.bytes);
    for (const blob of project.blobs.values()) await input.writeBlob(blob);
    return { ...project, result: project.results[0] ?? null };
  }
  const imported = await importFile({ ...input, ask: false });
  if (imported.kind === 'image')
    throw new StudioError('bad-input', `${input.name}: a picture without a scene inside`, {
      remedy: 'make a scene of it with `spatext import`',
    });
  const document = toDocument(imported.records);
  const result = isPng(input.bytes) && input.labels === undefined ? await resultOf(input, document) : null;
  return { document, result, results: [], undo: [], redo: [] };
}

/** The picture itself as the result of its scene; null if it only shows what was drawn. */
async function resultOf(input: ImportInput, document: StudioDocument): Promise<Result | null> {
  const carried = readCarriedResult(readTexts(input.bytes).get(RESULT_KEYWORD));
  if (!carried) return null;
  const { width, height } = await decodePicture(input.bytes, 3);
  return {
    ...carried,
    job: 'job-imported',
    kind: 'imported',
    picture: await input.writeBlob(input.bytes),
    width,
    height,
    parents: [],
    records: toRecords(document),
    purpose: { kind: 'generate' },
    passes: 0,
    timings: {},
    scores: [],
    globalScore: null,
    warnings: [],
  };
}
