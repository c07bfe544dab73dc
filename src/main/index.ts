// Electron's main process: the composition root of the desktop studio.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  BrowserWindow,
  Menu,
  app,
  dialog,
  ipcMain,
  nativeTheme,
  protocol,
  screen,
  session,
  shell as systemShell,
  utilityProcess,
} from 'electron';
import { checkExternal } from '#host/external-links.ts';
import { dataFolders, defaultDataFolder } from '#host/folders.ts';
import { openHost } from '#host/host.ts';
import type { Shell } from '#host/shell.ts';
import type { Studio } from '#host/studio.ts';
import type { EventPayload } from '#shared/api/events.ts';
import { nativeDialogs } from './dialogs.ts';
import { utilityEngine } from './engine-port.ts';
import { guardSession } from './guards.ts';
import { serveIpc } from './ipc.ts';
import { isProject, readCommandLine } from './launch.ts';
import { menuTexts } from './menu-texts.ts';
import { menuTemplate } from './menu.ts';
import { SCHEME_PRIVILEGES, pageProtocol } from './page-protocol.ts';
import { SCHEME } from './sender.ts';
import { askAboutTrouble } from './trouble.ts';
import { WindowStates } from './window-state.ts';
import { Windows } from './windows.ts';

const here = import.meta.dirname;
/** Beside app.asar when packaged, else the repository. */
const base = app.isPackaged ? process.resourcesPath : path.join(here, '../..');
const launch = readCommandLine(process.argv, process.cwd());
const dataFolder = launch.dataFolder ?? defaultDataFolder();

app.setName('SpaText Studio');
// Windows groups the taskbar by it; the installer writes the same one.
app.setAppUserModelId('org.spatext.studio');
app.setPath('userData', path.join(dataFolder, 'electron'));
protocol.registerSchemesAsPrivileged([SCHEME_PRIVILEGES]);

/** Files that the system asks to open before there is a window. */
const early: string[] = [...launch.files];
let openFile = (file: string): void => {
  early.push(file);
};
app.on('open-file', (event, file) => {
  event.preventDefault();
  if (isProject(file)) openFile(file);
});

if (app.requestSingleInstanceLock()) {
  void app.whenReady().then(start);
} else app.quit();

function start(): void {
  // Windows exist only after the host, which needs to know them for its dialogs.
  let windows: Windows | undefined;
  const shell: Shell = {
    kind: 'electron',
    locale: app.getLocale(),
    dialogs: nativeDialogs(dialog, (id) => windows?.byId(id), process.platform),
    openExternal: (url) => systemShell.openExternal(url),
  };
  const studio = openHost({
    version: app.getVersion(),
    shell,
    dataFolder,
    resourcesFolder: path.join(base, 'resources'),
    modelsFolder: path.join(base, 'models'),
    libraryWorker: pathToFileURL(path.join(here, 'library-worker.js')),
    startEngine: () =>
      utilityEngine(() =>
        utilityProcess.fork(path.join(here, 'engine-process.js'), [], {
          serviceName: 'SpaText engine',
          stdio: ['ignore', 'ignore', 'pipe'],
        }),
      ),
  });
  const { log, settings, hub, grants } = studio.parts;

  process.on('uncaughtException', (error) => void endAfterBug(studio, error));
  process.on('unhandledRejection', (error) => log.error(`unhandled rejection: ${String(error)}`));
  app.on('child-process-gone', (_event, { type, reason, name }) =>
    log.error(`a process of the studio ended: ${name ?? type} (${reason})`),
  );

  guardSession(session.defaultSession, log);
  protocol.handle(
    SCHEME,
    pageProtocol({ rendererFolder: path.join(here, '../renderer'), blobs: studio.parts.blobs }, log),
  );

  const states = new WindowStates(path.join(dataFolder, 'windows.json'), log);
  const opened = new Windows({
    studio,
    states,
    preload: path.join(here, '../preload/index.cjs'),
    icon: process.platform === 'linux' ? path.join(base, 'resources/icons/512x512.png') : undefined,
    create: (options) => new BrowserWindow(options),
    areas: () => {
      const main = screen.getPrimaryDisplay();
      const others = screen.getAllDisplays().filter((display) => display.id !== main.id);
      return [main, ...others].map((display) => display.workArea);
    },
    dark: () => nativeTheme.shouldUseDarkColors,
    openExternal: (url) => openLink(studio, url),
    askAboutTrouble: (window, trouble) => askAboutTrouble(dialog, window, trouble),
  });
  windows = opened;
  serveIpc({
    ipcMain,
    studio,
    windowOf: (id) => opened.idOf(id),
    targets: () => opened.targets(),
    onReady: (id) => opened.markReady(id),
  });

  const command = (name: string, argument?: string): void => {
    const window = opened.front(BrowserWindow.getFocusedWindow()) ?? opened.open();
    opened.command(window, name, argument);
  };
  openFile = (file) => {
    grants.grantWrite(file);
    command('scene.open', file);
    const window = opened.front(BrowserWindow.getFocusedWindow());
    if (window?.isMinimized()) window.restore();
    window?.focus();
  };

  const showMenu = (): void => {
    nativeTheme.themeSource = themeSource(settings.get().theme);
    const template = menuTemplate({
      platform: process.platform,
      appName: app.name,
      texts: menuTexts(settings.get().language, app.getLocale()),
      recent: settings.get().recent,
      developer: !app.isPackaged,
      command,
      newWindow: () => opened.open(),
      clearRecent: () =>
        void settings.set({ recent: [] }).then((now) => hub.emit('settings.changed', { settings: now })),
      showLog: () => systemShell.showItemInFolder(dataFolders(dataFolder).log),
      showData: () => void systemShell.openPath(dataFolder),
    });
    Menu.setApplicationMenu(Menu.buildFromTemplate(template));
  };
  hub.on((event) => {
    if (event.name === 'settings.changed') {
      showMenu();
      const [latest] = settings.get().recent;
      // The system keeps a list of its own (dock, taskbar, file manager).
      if (latest) app.addRecentDocument(latest.path);
    } else if (event.name === 'job.changed') {
      const { job } = event.payload as EventPayload<'job.changed'>;
      const { passesDone = 0, passesTotal = 0 } = job.progress ?? {};
      opened.showProgress(job.state === 'running' && passesTotal > 0 ? passesDone / passesTotal : null);
    }
  });
  app.setAboutPanelOptions({
    applicationName: 'SpaText Studio',
    applicationVersion: app.getVersion(),
    copyright: 'MIT licence',
    website: 'https://arxiv.org/abs/2211.14305',
  });
  showMenu();

  app.on('second-instance', (_event, argv, folder) => {
    const { files } = readCommandLine(argv, folder);
    for (const file of files) openFile(file);
    const window = opened.front(BrowserWindow.getFocusedWindow()) ?? opened.open();
    if (window.isMinimized()) window.restore();
    window.focus();
  });
  app.on('activate', () => {
    if (opened.count === 0) opened.open();
  });
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  app.on('before-quit', () => opened.markEnding());
  let saved = false;
  app.on('will-quit', (event) => {
    if (saved) return;
    // Windows are closed by now; the host still writes what they sent.
    event.preventDefault();
    void Promise.allSettled([studio.close(), states.flush()]).then(() => {
      saved = true;
      app.quit();
    });
  });

  opened.restore();
  for (const file of early.splice(0)) openFile(file);
  void studio.purge();
}

const themeSource = (theme: 'system' | 'dark' | 'light' | 'high-contrast'): 'system' | 'dark' | 'light' =>
  theme === 'high-contrast' ? 'dark' : theme;

function openLink(studio: Studio, url: string): void {
  try {
    void systemShell.openExternal(checkExternal(url));
  } catch (error) {
    studio.parts.log.warning(`window: ${String(error)}`);
  }
}

/** A bug in this process: what can be saved is saved, then the artist hears it and the studio ends. */
async function endAfterBug(studio: Studio, error: Error): Promise<void> {
  studio.parts.log.error(`bug in the main process: ${error.stack ?? error.message}`);
  await Promise.race([studio.flush(), new Promise((resolve) => setTimeout(resolve, 3000))]);
  dialog.showErrorBox(
    'SpaText Studio has to close',
    `${error.message}\n\nYour scenes and pictures are saved. Start the studio again to go on.`,
  );
  app.exit(1);
}
