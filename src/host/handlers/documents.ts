import { sceneOf, toDocument, toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { untouchedParts, valuesOf } from '#shared/document/model-values.ts';
import type { OpenDocument } from '#shared/api/calls.ts';
import type { StudioHandlers } from '#shared/api/studio-api.ts';
import { StudioError } from '#shared/errors.ts';
import type { StudioParts } from '../parts.ts';

/** Calls about scenes: the window's document, projects on disk, recovery, dialogs and examples. */
export function documentHandlers(parts: StudioParts) {
  const { keeper, examples, settings, grants, hub, shell, engine } = parts;

  const remember = async (file: { path: string; name: string } | null): Promise<void> => {
    if (!file) return;
    grants.grantWrite(file.path);
    // A list of recent files that cannot be written must not make the save fail that has just worked.
    try {
      hub.emit('settings.changed', { settings: await settings.addRecent(file) });
    } catch (error) {
      parts.log.warning(`recent files: ${StudioError.from(error).message}`);
    }
  };
  const remembered = async (open: OpenDocument): Promise<OpenDocument> => {
    await remember(open.file);
    return open;
  };
  /** The interface's language. @param window that of the window's system; the host's own may be another one */
  const language = (window?: 'en' | 'de'): 'en' | 'de' => {
    const { language: chosen } = settings.get();
    if (chosen !== 'system') return chosen;
    return window ?? (shell.locale.toLowerCase().startsWith('de') ? 'de' : 'en');
  };
  /**
   * Examples were set up for the studio's own models. Where another one is the default, their sampler and dials are
   * that one's. Nobody waits for the list of models who has not chosen one.
   */
  const toDefaultModel = async (): Promise<(document: StudioDocument) => StudioDocument> => {
    const { defaultPack } = settings.get();
    if (defaultPack === null) return (document) => document;
    const { packs } = await engine.packs().catch((error: unknown) => {
      parts.log.warning(`examples stay as they were set up: ${StudioError.from(error).message}`);
      return { packs: [] };
    });
    const model = packs.find(({ id, problem }) => id === defaultPack && problem === null);
    if (!model) return (document) => document;
    const own = packs.filter(({ source }) => source === 'embedded').map(({ defaults }) => defaults);
    return (document) => {
      const scene = sceneOf(document);
      return { ...document, [scene.id]: { ...scene, ...valuesOf(scene, model.defaults, untouchedParts(scene, own)) } };
    };
  };
  const dialogs = (): NonNullable<StudioParts['shell']['dialogs']> => {
    if (shell.dialogs) return shell.dialogs;
    throw new StudioError('unsupported', 'the browser has no dialogs for files on this machine', {
      remedy: 'drop the file on the canvas, or save to the projects folder',
    });
  };

  return {
    'examples.list': async (input) => {
      const [listed, fitted] = await Promise.all([examples.list(input.language ?? language()), toDefaultModel()]);
      return listed.map((one) => ({ ...one, records: toRecords(fitted(toDocument(one.records))) }));
    },
    'document.current': async (input, { windowId }) => {
      const [example, fitted] = await Promise.all([examples.first(language(input.language)), toDefaultModel()]);
      const first = fitted(example);
      const open = await (await keeper).current(windowId, () => first);
      // It has its document, and has listened since before it asked for it.
      parts.notices.greet(windowId);
      return open;
    },
    'document.new': async ({ records }, { windowId }) => (await keeper).create(windowId, toDocument(records)),
    'document.apply': async (change) => (await keeper).apply(change),
    'project.save': async (input) => {
      const path = input.path === undefined ? undefined : grants.checkWrite(input.path);
      const saved = await (await keeper).save({ ...input, path });
      await remember(saved.file);
      return saved;
    },
    'project.open': async ({ path }, { windowId }) => {
      const recent = settings.get().recent.some((file) => file.path === path);
      return remembered(await (await keeper).open(windowId, recent ? path : grants.checkRead(path)));
    },
    'project.list': async () => (await keeper).list(),
    'project.recoverable': async () => (await keeper).recoverable(),
    'project.recover': async ({ id }, { windowId }) => (await keeper).recover(windowId, id),
    'project.discard': async ({ id }) => {
      await (await keeper).discard(id);
      return {};
    },
    'dialog.open': async (input, { windowId }) => {
      const path = await dialogs().open(windowId, input.for);
      if (path !== null) grants.grantRead(path);
      return { path };
    },
    'dialog.save': async ({ suggestedName }, { windowId }) => {
      const path = await dialogs().save(windowId, suggestedName);
      if (path !== null) grants.grantWrite(path);
      return { path };
    },
  } satisfies Partial<StudioHandlers>;
}
