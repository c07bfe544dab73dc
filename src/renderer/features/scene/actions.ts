import { MOST_BESIDE } from '#shared/api/calls.ts';
import type { Imported } from '#shared/api/calls.ts';
import { createScene } from '#shared/document/create.ts';
import { sceneOf, segmentsOf, toDocument } from '#shared/document/document.ts';
import { valuesOf } from '#shared/document/model-values.ts';
import type { DocumentRecord, SceneRecord } from '#shared/document/records.ts';
import { showDocument } from '../../app/boot.ts';
import { lossWords } from '../../app/host-words/host-words.ts';
import { translate } from '../../app/i18n/texts.ts';
import type { Studio } from '../../app/studio.ts';
import { packOf } from '../generate/requests.ts';
import { freshKey, withItsSeed, withRecords } from '../../store/recipes.ts';
import type { ImportSource } from '../../store/view-store.ts';

/**
 * A scene with nothing in it yet, its sampler and dials as the default model recommends them. Right after the start the
 * host may still be looking for models: it is asked, and without an answer the scene is as the schema has it.
 */
async function emptyScene(studio: Studio): Promise<SceneRecord> {
  const { session, api } = studio;
  if (session.getState().packs.length === 0)
    await api.call('packs.list', {}).then(
      ({ packs, defaultPack }) => session.setState({ packs, defaultPack }),
      () => undefined,
    );
  const { packs, defaultPack } = session.getState();
  const scene = createScene();
  const model = packOf(scene, packs, defaultPack);
  return model ? { ...scene, ...valuesOf(scene, model.defaults) } : scene;
}

/** Opens a new document on the host; the last one is safe in its journal. */
export async function newScene(studio: Studio, records?: DocumentRecord[]): Promise<void> {
  const opened = records ?? [await emptyScene(studio)];
  await studio.document.flush();
  showDocument(studio, await studio.api.call('document.new', { records: opened }));
  studio.view.openDialog(null);
}

/** Opens a project of the studio; any other file is imported. */
export async function openProject(studio: Studio, path: string): Promise<void> {
  await studio.document.flush();
  if (!/\.spatext$/i.test(path)) {
    await importFrom(studio, { kind: 'path', path, beside: [] }, (picture) => addReference(studio, picture));
    return;
  }
  showDocument(studio, await studio.api.call('project.open', { path }));
  studio.view.openDialog(null);
}

/** A named project (a file opened from outside), else the native dialog where there is one, else the studio's own list. */
export async function chooseProject(studio: Studio, path?: string): Promise<void> {
  if (path !== undefined) {
    await openProject(studio, path);
    return;
  }
  if (!studio.session.getState().info?.dialogs) {
    studio.view.openDialog({ name: 'open' });
    return;
  }
  const chosen = await studio.api.call('dialog.open', { for: 'project' });
  if (chosen.path !== null) await openProject(studio, chosen.path);
}

/** Saves where the document was saved before; asks for a name the first time. */
export async function save(studio: Studio): Promise<void> {
  const { file } = studio.document.getState();
  if (!file) await saveAs(studio);
  else await saveTo(studio, { path: file.path });
}

export async function saveAs(studio: Studio): Promise<void> {
  if (!studio.session.getState().info?.dialogs) {
    studio.view.openDialog({ name: 'save-as' });
    return;
  }
  const { path } = await studio.api.call('dialog.save', { suggestedName: `${suggestedName(studio)}.spatext` });
  if (path !== null) await saveTo(studio, { path });
}

export async function saveTo(studio: Studio, to: { path: string } | { name: string }): Promise<void> {
  const { id } = studio.document.getState();
  if (!id) return;
  await studio.document.flush();
  const { file } = await studio.api.call('project.save', { id, ...to });
  studio.document.markSaved(file, false);
  studio.session.notify({ level: 'info', message: translate('scene.savedAs', { name: file.name }) });
}

/** A file name for the scene: its title, else its text, without what file systems refuse. */
export function suggestedName(studio: Studio): string {
  const scene = sceneOf(studio.document.getState().document);
  const words = (scene.title || scene.text).replaceAll(/[^\p{L}\p{N} _-]+/gu, ' ').replaceAll(/\s+/g, ' ');
  return words.trim().slice(0, 60) || translate('scene.untitled');
}

type AsPicture = (picture: Extract<Imported, { kind: 'image' }>) => void | Promise<void>;

/**
 * Files dropped, pasted or chosen: a scene opens, segments are added, a picture becomes what `asPicture` makes of it.
 * Annotations and tables of colours take the pictures that came with them.
 */
export async function importFiles(
  studio: Studio,
  files: readonly File[],
  asPicture: (picture: Extract<Imported, { kind: 'image' }>, file: File) => void | Promise<void>,
): Promise<void> {
  const isJson = (file: File): boolean => /\.json$/i.test(file.name);
  const pictures = files.filter((file) => !isJson(file));
  const taken = new Set<string>();
  // JSON first: what it takes of the others is no picture of its own any more.
  for (const file of files.filter(isJson)) {
    const beside = pictures.filter((one) => !taken.has(one.name)).slice(0, MOST_BESIDE);
    const names = await importFrom(studio, { kind: 'file', file, beside }, (picture) => asPicture(picture, file));
    for (const name of names) taken.add(name);
  }
  for (const file of pictures)
    if (!taken.has(file.name))
      await importFrom(studio, { kind: 'file', file, beside: [] }, (picture) => asPicture(picture, file));
}

/**
 * Imports one file. Where one of several annotated images has to be chosen, the artist is asked.
 * @param image the one that was chosen
 * @returns the names of the files beside it that are part of it
 */
export async function importFrom(
  studio: Studio,
  source: ImportSource,
  asPicture: AsPicture,
  image?: string,
): Promise<readonly string[]> {
  const beside = await Promise.all(
    source.beside.map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })),
  );
  const more = { ...(beside.length > 0 ? { beside } : {}), ...(image === undefined ? {} : { image }) };
  const imported =
    source.kind === 'path'
      ? await studio.api.call('import.path', { path: source.path, ...more })
      : await studio.api.call('import.file', {
          name: source.file.name || 'clipboard.png',
          bytes: new Uint8Array(await source.file.arrayBuffer()),
          ...more,
        });
  if (imported.kind === 'annotations') {
    studio.view.openDialog({ name: 'annotations', source, found: imported });
    return source.beside.map((file) => file.name);
  }
  await takeImported(studio, imported, asPicture);
  return imported.kind === 'scene' ? (imported.taken ?? []) : [];
}

async function takeImported(
  studio: Studio,
  imported: Exclude<Imported, { kind: 'annotations' }>,
  asPicture: AsPicture,
): Promise<void> {
  if (imported.kind === 'image') {
    await asPicture(imported);
    return;
  }
  if (imported.kind === 'scene')
    await newScene(studio, madePicture(imported) ? withItsSeed(imported.records) : imported.records);
  else addImportedSegments(studio, imported.records);
  if (imported.losses.length > 0)
    studio.session.notify({
      level: 'warning',
      message: translate('scene.importLosses', { losses: imported.losses.map(lossWords).join('; ') }),
    });
}

/** Whether the scene is as it was when the picture that came with it was made. */
const madePicture = ({ records, seed }: Extract<Imported, { kind: 'scene' }>): boolean =>
  seed !== undefined && records.some((record) => record.type === 'scene' && record.seed === seed);

/** Segments of another document, on top of this one's, under ids of their own. */
export function addImportedSegments(studio: Studio, records: readonly DocumentRecord[]): void {
  const names = new Map(records.map((record) => [record.id as string, `${record.type}:${freshKey()}`]));
  const rename = (id: string): string => names.get(id) ?? id;
  const base = segmentsOf(studio.document.getState().document).at(-1)?.order ?? 0;
  const fresh = records
    .filter((record) => record.type !== 'scene')
    .map((record) => {
      const copy = { ...record, id: rename(record.id) } as DocumentRecord;
      if (copy.type === 'segment') {
        const group = copy.group === null ? null : (rename(copy.group) as typeof copy.group);
        return { ...copy, slot: rename(copy.slot) as typeof copy.slot, group, order: base + 1 + copy.order };
      }
      if (copy.type === 'slot' && copy.content.kind === 'mix') {
        const { a, b } = copy.content;
        return { ...copy, content: { ...copy.content, a: rename(a) as typeof a, b: rename(b) as typeof b } };
      }
      return copy;
    });
  studio.document.edit('edit.import', (document) => withRecords(document, fresh));
  studio.view.select(fresh.flatMap((record) => (record.type === 'segment' ? [record.id] : [])));
}

/** How strongly a result is seen that lies over a picture which has just been added. */
const SEEN_THROUGH = 0.4;

/**
 * A picture to draw after, laid over the canvas so that all of it is seen; a result on top of it becomes transparent,
 * or nothing would seem to have happened.
 */
export function addReference(studio: Studio, picture: { blob: string; width: number; height: number }): void {
  studio.document.edit('edit.reference', (document) => {
    const scene = sceneOf(document);
    const scale = Math.min(scene.width / picture.width, scene.height / picture.height);
    const x = (scene.width - picture.width * scale) / 2;
    const y = (scene.height - picture.height * scale) / 2;
    return withRecords(document, [
      {
        id: `reference:${freshKey()}`,
        type: 'reference',
        blob: picture.blob,
        transform: [scale, 0, 0, scale, x, y],
        width: picture.width,
        height: picture.height,
        opacity: 0.6,
        visible: true,
      },
    ]);
  });
  const { shown, resultOpacity } = studio.view.getState();
  if (shown.kind === 'none' || resultOpacity <= SEEN_THROUGH) return;
  studio.view.setState({ resultOpacity: SEEN_THROUGH });
  studio.session.notify({ level: 'info', message: translate('canvas.reference.below') });
}

/** Checks records that come from elsewhere (library items) before they are used. */
export const asDocument = (records: readonly DocumentRecord[]): readonly DocumentRecord[] =>
  Object.values(toDocument([createScene(), ...records])).filter((record) => record.type !== 'scene');
