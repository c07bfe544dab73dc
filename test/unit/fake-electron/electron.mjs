// As much of Electron as the studio's main process uses, in plain Node: one window without a page, which the test
// plays over this process's IPC. Utility processes are Node processes.
import { fork } from 'node:child_process';
import { EventEmitter } from 'node:events';

const tell = (message) => process.send?.(message);

export const app = Object.assign(new EventEmitter(), {
  isPackaged: false,
  name: 'SpaText Studio',
  setName: () => undefined,
  setAppUserModelId: () => undefined,
  addRecentDocument: () => undefined,
  setPath: () => undefined,
  getLocale: () => 'en-GB',
  getVersion: () => '9.9.9',
  requestSingleInstanceLock: () => true,
  whenReady: () => Promise.resolve(),
  setAboutPanelOptions: () => undefined,
  exit: (code) => process.exit(code),
  quit: () => {
    let stopped = false;
    app.emit('will-quit', { preventDefault: () => (stopped = true) });
    if (!stopped) process.exit(0);
  },
});

let nextId = 1;
const windows = [];
export class BrowserWindow extends EventEmitter {
  webContents = Object.assign(new EventEmitter(), {
    id: nextId++,
    send: (_channel, name, payload) => tell({ event: name, payload }),
    isDestroyed: () => false,
    isCrashed: () => false,
    reload: () => undefined,
    setWindowOpenHandler: () => undefined,
  });
  constructor(options) {
    super();
    this.bounds = { x: options.x, y: options.y, width: options.width, height: options.height };
    windows.push(this);
    tell({ window: options.webPreferences });
  }
  static getFocusedWindow = () => null;
  loadURL = () => Promise.resolve();
  show() {}
  setProgressBar() {}
  focus() {}
  isDestroyed = () => false;
  isMinimized = () => false;
  isMaximized = () => false;
  isFullScreen = () => false;
  getNormalBounds() {
    return this.bounds;
  }
}

const handlers = new Map();
export const ipcMain = { handle: (channel, handler) => handlers.set(channel, handler), removeHandler: () => undefined };
const protocols = new Map();
export const protocol = {
  registerSchemesAsPrivileged: () => undefined,
  handle: (scheme, handler) => protocols.set(scheme, handler),
};

process.on('message', async ({ id, call, get, close }) => {
  if (close) {
    for (const window of windows) {
      window.emit('close');
      window.emit('closed');
    }
    app.emit('window-all-closed');
  } else if (get) {
    const response = await protocols.get('spatext')(new Request(get));
    tell({ id, answer: { status: response.status, body: Buffer.from(await response.arrayBuffer()) } });
  } else {
    const event = { sender: windows[0].webContents, senderFrame: { url: 'spatext://app/', parent: null } };
    tell({ id, answer: await handlers.get('spatext:call')(event, call.name, call.input) });
  }
});

export const utilityProcess = {
  fork: (entry) => {
    const child = fork(entry, {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: ['--import', new URL('./utility.mjs', import.meta.url).href],
    });
    tell({ engine: child.pid });
    return Object.assign(child, { postMessage: (message) => child.send(message, () => undefined) });
  },
};

export const Menu = { buildFromTemplate: (template) => template, setApplicationMenu: () => undefined };
export const dialog = { showErrorBox: (title, text) => tell({ error: `${title}: ${text}` }) };
export const nativeTheme = { shouldUseDarkColors: false, themeSource: 'system' };
const display = { id: 1, workArea: { x: 0, y: 0, width: 1920, height: 1040 } };
export const screen = { getPrimaryDisplay: () => display, getAllDisplays: () => [display] };
export const session = {
  defaultSession: {
    setPermissionRequestHandler: () => undefined,
    setPermissionCheckHandler: () => undefined,
    setDevicePermissionHandler: () => undefined,
    webRequest: { onBeforeRequest: () => undefined },
  },
};
export const shell = { openExternal: () => Promise.resolve() };
