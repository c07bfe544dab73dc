// The desktop studio's composition root over a fake Electron, with the real host and documents: it starts, answers a
// window, opens files from outside, and ends with everything saved. From sources the bundled workers are not there,
// so that this also shows the studio living on without history and engine; test/e2e/built.test.ts has them all.
import type { EventEmitter } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Reply } from '#shared/api/wire.ts';
import type { FakeWindow } from '../../src/main/electron.testkit.ts';
import { PAGE } from '../../src/main/sender.ts';

type Answer = (event: unknown, ...args: unknown[]) => Promise<Reply>;
const fake = vi.hoisted(() => ({
  windows: [] as FakeWindow[],
  menu: [] as { label?: string; submenu?: unknown }[],
  handlers: new Map<string, Answer>(),
  protocols: new Map<string, (request: Request) => Promise<Response>>(),
  privileged: [] as unknown[],
  external: [] as string[],
  paths: {} as Record<string, string>,
  quits: 0,
  themes: [] as string[],
  app: undefined as unknown as EventEmitter,
}));

vi.mock('electron', async () => {
  const { EventEmitter: Emitter } = await import('node:events');
  const { FakeWindow: Window } = await import('../../src/main/electron.testkit.ts');
  const app = Object.assign(new Emitter(), {
    isPackaged: false,
    name: 'SpaText Studio',
    setName: () => undefined,
    setAppUserModelId: () => undefined,
    addRecentDocument: () => undefined,
    setPath: (name: string, place: string) => (fake.paths[name] = place),
    getLocale: () => 'de-DE',
    getVersion: () => '9.9.9',
    requestSingleInstanceLock: () => true,
    whenReady: () => Promise.resolve(),
    setAboutPanelOptions: () => undefined,
    exit: () => undefined,
    quit: () => {
      fake.quits += 1;
      let stopped = false;
      app.emit('will-quit', { preventDefault: () => (stopped = true) });
      if (!stopped) app.emit('gone');
    },
  });
  fake.app = app;
  class BrowserWindow extends Window {
    constructor(options: ConstructorParameters<typeof Window>[0]) {
      super(options);
      fake.windows.push(this);
    }
    static getFocusedWindow(): null {
      return null;
    }
    focus(): void {}
    restore(): void {}
  }
  return {
    app,
    BrowserWindow,
    Menu: {
      buildFromTemplate: (template: never[]) => template,
      setApplicationMenu: (template: never[]) => (fake.menu = template),
    },
    dialog: {},
    ipcMain: {
      handle: (channel: string, handler: Answer) => fake.handlers.set(channel, handler),
      removeHandler: () => undefined,
    },
    nativeTheme: {
      shouldUseDarkColors: true,
      set themeSource(theme: string) {
        fake.themes.push(theme);
      },
    },
    protocol: {
      registerSchemesAsPrivileged: (schemes: unknown[]) => fake.privileged.push(...schemes),
      handle: (scheme: string, handler: (request: Request) => Promise<Response>) => fake.protocols.set(scheme, handler),
    },
    screen: {
      getPrimaryDisplay: () => ({ id: 1, workArea: { x: 0, y: 0, width: 1920, height: 1040 } }),
      getAllDisplays: () => [{ id: 1, workArea: { x: 0, y: 0, width: 1920, height: 1040 } }],
    },
    session: {
      defaultSession: {
        setPermissionRequestHandler: () => undefined,
        setPermissionCheckHandler: () => undefined,
        setDevicePermissionHandler: () => undefined,
        webRequest: { onBeforeRequest: () => undefined },
      },
    },
    shell: { openExternal: async (url: string) => void fake.external.push(url) },
    utilityProcess: {
      fork: () => {
        throw new Error('no engine in this test');
      },
    },
  };
});

let folder: string;
const argv = process.argv;

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'spatext-main-'));
  mkdirSync(folder, { recursive: true });
  process.argv = ['electron', '.', `--data=${folder}`, path.join(folder, 'early.spatext')];
  await import('../../src/main/index.ts');
  await vi.waitFor(() => expect(fake.windows.length).toBe(1));
});
afterAll(() => {
  process.argv = argv;
  process.removeAllListeners('uncaughtException');
  process.removeAllListeners('unhandledRejection');
  rmSync(folder, { recursive: true, force: true });
});

const call = async (name: string, input: unknown, url = PAGE): Promise<Reply> => {
  const window = fake.windows[0];
  if (!window) throw new Error('no window');
  const handler = fake.handlers.get('spatext:call');
  if (!handler) throw new Error('no handler');
  return handler({ sender: { id: window.webContents.id }, senderFrame: { url, parent: null } }, name, input);
};
const sent = (name: string): unknown[] =>
  fake.windows[0]?.webContents.sent.filter((message) => message[1] === name).map((message) => message[2]) ?? [];

describe('the main process', () => {
  it('keeps Chromium’s own things inside the data folder', () => {
    expect(fake.paths['userData']).toBe(path.join(folder, 'electron'));
    expect(fake.privileged).toMatchObject([{ scheme: 'spatext', privileges: { standard: true, secure: true } }]);
  });

  it('shows our page, which its protocol serves', async () => {
    expect(fake.windows[0]?.loaded).toBe(PAGE);
    const response = await fake.protocols.get('spatext')?.(new Request('spatext://app/../package.json'));
    expect([403, 404]).toContain(response?.status);
  });

  it('answers its window and nobody else', async () => {
    expect(await call('app.info', {})).toMatchObject({
      ok: true,
      output: { version: '9.9.9', shell: 'electron', locale: 'de-DE', dialogs: true },
    });
    expect(await call('app.info', {}, 'https://evil.example/')).toMatchObject({
      ok: false,
      error: { code: 'refused' },
    });
  });

  it('opens the first example, then the file that was asked for on the command line', async () => {
    expect(sent('command')).toEqual([]);
    const reply = await call('document.current', {});
    expect(reply).toMatchObject({ ok: true, output: { dirty: false } });
    await vi.waitFor(() =>
      expect(sent('command')).toEqual([{ name: 'scene.open', argument: path.join(folder, 'early.spatext') }]),
    );
    // It may be read (and is not there); another one may not.
    expect(await call('project.open', { path: path.join(folder, 'early.spatext') })).toMatchObject({
      ok: false,
      error: { code: 'not-found' },
    });
    expect(await call('project.open', { path: path.join(folder, 'other.spatext') })).toMatchObject({
      ok: false,
      error: { code: 'refused' },
    });
  });

  it('takes files from a second start and from the system', async () => {
    writeFileSync(path.join(folder, 'second.spatext'), 'x');
    fake.app.emit('second-instance', {}, ['electron', 'second.spatext', '--data=/elsewhere'], folder);
    fake.app.emit('open-file', { preventDefault: () => undefined }, path.join(folder, 'third.spatext'));
    fake.app.emit('open-file', { preventDefault: () => undefined }, path.join(folder, 'virus.exe'));
    await vi.waitFor(() => expect(sent('command').length).toBe(3));
    expect(sent('command').slice(1)).toEqual(
      ['second', 'third'].map((name) => ({ name: 'scene.open', argument: path.join(folder, `${name}.spatext`) })),
    );
  });

  it('speaks the language of the system until the artist chooses, and follows the theme', async () => {
    expect(fake.menu[0]?.label).toBe('Datei');
    await call('settings.set', { language: 'en', theme: 'high-contrast' });
    expect(fake.menu[0]?.label).toBe('File');
    expect(fake.themes).toEqual(['system', 'dark']);
  });

  it('hands links of the list to the browser, no others', async () => {
    expect(await call('app.openExternal', { url: 'https://arxiv.org/abs/2211.14305' })).toMatchObject({ ok: true });
    expect(await call('app.openExternal', { url: 'file:///etc/passwd' })).toMatchObject({ ok: false });
    expect(fake.external).toEqual(['https://arxiv.org/abs/2211.14305']);
  });

  it('says that history and engine are not there, and lives on', async () => {
    await vi.waitFor(() => expect(sent('notice')).toMatchObject([{ level: 'warning' }]));
    expect(await call('results.list', {})).toMatchObject({ ok: true, output: { total: 0 } });
    expect(await call('packs.list', {})).toMatchObject({ ok: false, error: { message: expect.any(String) as string } });
    expect(await call('queue.list', {})).toMatchObject({ ok: true });
  });

  it('ends with everything on disk when the last window is closed', async () => {
    const gone = new Promise((resolve) => fake.app.once('gone', resolve));
    fake.windows[0]?.close();
    fake.app.emit('window-all-closed');
    await gone;
    expect(fake.quits).toBe(2);
    expect(JSON.parse(readFileSync(path.join(folder, 'windows.json'), 'utf8'))).toMatchObject({ open: ['window-1'] });
    expect(readdirSync(path.join(folder, 'documents', 'open')).length).toBe(1);
    expect(JSON.parse(readFileSync(path.join(folder, 'settings.json'), 'utf8'))).toMatchObject({ language: 'en' });
  });
});
