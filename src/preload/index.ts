import { contextBridge, ipcRenderer, webUtils } from 'electron';
import { CALL_NAMES, EVENT_NAMES } from '#shared/api/names.ts';
import { CHANNELS } from '#shared/api/electron-bridge.ts';
import type { ElectronBridge } from '#shared/api/electron-bridge.ts';

const listeners = new Map<string, Set<(payload: unknown) => void>>();

// One listener for all events; the window never sees Electron's event object, which leads back to ipcRenderer.
ipcRenderer.on(CHANNELS.event, (_event, name: string, payload: unknown) => {
  for (const listener of listeners.get(name) ?? []) listener(payload);
});

const bridge: ElectronBridge = {
  platform: process.platform,
  call(name, input) {
    if (!CALL_NAMES.has(name)) return Promise.reject(new TypeError('the studio has no call of that name'));
    return ipcRenderer.invoke(CHANNELS.call, name, input);
  },
  async pathOf(file) {
    const path = webUtils.getPathForFile(file);
    if (path === '') return null;
    await ipcRenderer.invoke(CHANNELS.dropped, path);
    return path;
  },
  on(name, listener) {
    if (!EVENT_NAMES.has(name)) throw new TypeError('the studio has no event of that name');
    const all = listeners.get(name) ?? new Set();
    listeners.set(name, all);
    all.add(listener);
    return () => {
      all.delete(listener);
    };
  },
};

contextBridge.exposeInMainWorld('spatext', bridge);
