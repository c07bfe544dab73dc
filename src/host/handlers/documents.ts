import { toDocument } from '#shared/document/document.ts';
import type { OpenDocument } from '#shared/api/calls.ts';
import type { StudioHandlers } from '#shared/api/studio-api.ts';
import { StudioError } from '#shared/errors.ts';
import type { StudioParts } from '../parts.ts';

/** Calls about scenes: the window's document, projects on disk, recovery, dialogs and examples. */
export function documentHandlers(parts: StudioParts) {
  const { keeper, examples, settings, grants, hub, shell } = parts;

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
  /** The interface's language, as far as the host can tell. */
  const language = (): 'en' | 'de' => {
    const { language: chosen } = settings.get();
    return chosen === 'system' ? (shell.locale.toLowerCase().startsWith('de') ? 'de' : 'en') : chosen;
  };
  const dialogs = (): NonNullable<StudioParts['shell']['dialogs']> => {
    if (shell.dialogs) return shell.dialogs;
    throw new StudioError('unsupported', 'the browser has no dialogs for files on this machine', {
      remedy: 'drop the file on the canvas, or save to the projects folder',
    });
  };

  return {
    'examples.list': (input) => examples.list(input.language ?? language()),
    'document.current': async (_, { windowId }) => {
      const first = await examples.first(language());
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
