import { describeForeignFile } from '#engine/checkpoints/foreign.ts';
import type { StudioHandlers } from '#shared/api/studio-api.ts';
import { checkExternal } from '../external-links.ts';
import { downloadsFolder, findFile } from '../file-finder.ts';
import type { JobDesk } from '../job-desk.ts';
import type { StudioParts } from '../parts.ts';

/** Calls about the studio itself: its settings, devices, packs and log. */
export function appHandlers(parts: StudioParts, desk: JobDesk, onBudget: () => void) {
  const { shell, settings, engine, hub, log, grants } = parts;
  return {
    'app.info': () => ({
      version: parts.version,
      shell: shell.kind,
      platform: process.platform,
      locale: shell.locale,
      dialogs: shell.dialogs !== null,
    }),
    'app.openExternal': async ({ url }) => {
      await shell.openExternal(checkExternal(url));
      return {};
    },
    'settings.get': () => settings.get(),
    'settings.set': async (patch) => {
      const before = settings.get();
      const now = await settings.set(patch);
      const { device, threads, restMinutes } = now;
      if (before.restMinutes !== restMinutes) engine.configure({ device, threads, restMinutes });
      if (before.device !== device || before.threads !== threads) {
        engine.configure({ device, threads, restMinutes });
        log.info(`device ${now.device}, threads ${now.threads || 'as many as there are cores'}`);
        void desk.announceDevice(now.device);
      }
      if (now.historyBudget < before.historyBudget) onBudget();
      if (before.defaultPack !== now.defaultPack) hub.emit('packs.changed', {});
      hub.emit('settings.changed', { settings: now });
      return now;
    },
    'packs.list': async () => {
      const { packs, defaultPack, open } = await engine.packs();
      const chosen = settings.get().defaultPack;
      return { packs, defaultPack: packs.some((pack) => pack.id === chosen) && chosen ? chosen : defaultPack, open };
    },
    'packs.add': async ({ path }) => {
      const added = await engine.addPack(grants.checkRead(path));
      log.info(`pack ${added.id} added from ${path}`);
      hub.emit('packs.changed', {});
      return added;
    },
    'packs.look': ({ path }) => engine.lookAt(grants.checkRead(path)),
    'packs.find': async ({ name, bytes, head }) => {
      // A pickle or a text file is told by its beginning, wherever it lies.
      const foreign = describeForeignFile(head.subarray(0, 4096), name);
      if (foreign) throw foreign;
      const folders = [...(await engine.modelFolders()), downloadsFolder()];
      const found = await findFile(folders, { name, bytes, head });
      return { path: found };
    },
    'packs.rest': async () => {
      await engine.rest();
      return {};
    },
    'packs.remove': async ({ id }) => {
      await engine.removePack(id);
      log.info(`pack ${id} removed`);
      if (settings.get().defaultPack === id)
        hub.emit('settings.changed', { settings: await settings.set({ defaultPack: null }) });
      hub.emit('packs.changed', {});
      return {};
    },
    'devices.list': ({ probe }) => engine.devices(probe),
    'log.recent': () => log.recent(),
  } satisfies Partial<StudioHandlers>;
}
