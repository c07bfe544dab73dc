// The small parts of the main process: command line, window places, menu, dialogs, protocol, engine port.
import { EventEmitter } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { MenuItemConstructorOptions } from 'electron';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBlobStore } from '#engine/blobs/blob-store.ts';
import { Log } from '#host/log.ts';
import { PNG } from '#host/studio.testkit.ts';
import { nativeDialogs } from './dialogs.ts';
import { FakeWindow } from './electron.testkit.ts';
import { utilityEngine } from './engine-port.ts';
import type { UtilityChild } from './engine-port.ts';
import { readCommandLine } from './launch.ts';
import { MENU_TEXTS, menuTexts } from './menu-texts.ts';
import { menuTemplate } from './menu.ts';
import { pageProtocol } from './page-protocol.ts';
import { askAboutTrouble } from './trouble.ts';
import { placeWindow } from './window-state.ts';

describe('the command line', () => {
  it('names projects and the data folder, among switches of others', () => {
    expect(
      readCommandLine(
        ['electron', '.', '--inspect=1', 'a.spatext', '/x/B.SPATEXT', '--data=d', 'note.txt'],
        '/home/ann',
      ),
    ).toEqual({ files: ['/home/ann/a.spatext', '/x/B.SPATEXT'], dataFolder: '/home/ann/d' });
    expect(readCommandLine(['studio'], '/')).toEqual({ files: [], dataFolder: null });
  });
});

describe('the place of a window', () => {
  const main = { x: 0, y: 0, width: 1920, height: 1040 };
  const second = { x: 1920, y: -200, width: 2560, height: 1400 };
  const at = (x: number, y: number, width = 1200, height = 800) => ({
    bounds: { x, y, width, height },
    maximized: false,
    fullScreen: false,
  });

  it('is the middle of the main screen at first', () => {
    expect(placeWindow(undefined, [main, second]).bounds).toEqual({ x: 240, y: 70, width: 1440, height: 900 });
    expect(placeWindow(undefined, [{ x: 0, y: 0, width: 1280, height: 720 }]).bounds).toEqual({
      x: 0,
      y: 0,
      width: 1280,
      height: 720,
    });
  });

  it.each([
    ['where it was', at(100, 100), true],
    ['on the second screen', at(2500, -150), true],
    ['half off a side', at(-1000, 100), true],
    ['all off a side', at(-1190, 100), false],
    ['on a screen that is gone', at(6000, 100), false],
    ['above the top, where no hand reaches its title', at(100, -300), false],
    ['below the bottom', at(100, 1030), false],
  ])('%s', (_what, remembered, kept) => {
    const { bounds } = placeWindow(remembered, [main, second]);
    expect(bounds.x === remembered.bounds.x && bounds.y === remembered.bounds.y).toBe(kept);
  });

  it('is never too small to work in', () => {
    expect(placeWindow(at(10, 10, 50, 50), [main]).bounds).toEqual({ x: 10, y: 10, width: 960, height: 600 });
  });

  it('stands without any screen', () => {
    expect(placeWindow(undefined, []).bounds.width).toBeGreaterThan(900);
  });
});

describe('the menu', () => {
  const heard: unknown[][] = [];
  const template = (platform: NodeJS.Platform, developer = false): MenuItemConstructorOptions[] =>
    menuTemplate({
      platform,
      appName: 'SpaText Studio',
      texts: MENU_TEXTS.en,
      recent: [{ path: '/a/beach.spatext', name: 'beach', openedAt: 1 }],
      developer,
      command: (...command) => heard.push(command),
      newWindow: () => heard.push(['new window']),
      clearRecent: () => heard.push(['clear']),
      showLog: () => undefined,
      showData: () => undefined,
    });
  const flat = (items: MenuItemConstructorOptions[]): MenuItemConstructorOptions[] =>
    items.flatMap((item) => [item, ...(Array.isArray(item.submenu) ? flat(item.submenu) : [])]);
  const roles = (platform: NodeJS.Platform, developer = false): unknown[] =>
    flat(template(platform, developer)).flatMap(({ role }) => role ?? []);

  it('has the roles that each system expects', () => {
    const mac = roles('darwin');
    for (const role of [
      'about',
      'services',
      'hide',
      'hideOthers',
      'unhide',
      'quit',
      'close',
      'windowMenu',
      'help',
      'copy',
    ])
      expect(mac).toContain(role);
    expect(template('darwin')[0]?.label).toBe('SpaText Studio');
    for (const platform of ['linux', 'win32'] as const) {
      expect(roles(platform)).toContain('quit');
      expect(roles(platform)).not.toContain('services');
      expect(template(platform)[0]?.label).toBe('File');
    }
  });

  it('gives developers their tools, artists not', () => {
    expect(roles('linux')).not.toContain('toggleDevTools');
    expect(roles('linux', true)).toContain('toggleDevTools');
  });

  it('runs commands by their names and opens recent files', () => {
    const items = flat(template('linux'));
    heard.length = 0;
    const click = (label: string): void => {
      const item = items.find((one) => one.label === label && one.click);
      (item?.click as (() => void) | undefined)?.();
    };
    for (const label of ['Save', 'Undo', 'Variations', 'beach', 'New window', 'Clear menu']) click(label);
    expect(heard).toEqual([
      ['scene.save'],
      ['edit.undo'],
      ['generate.variations'],
      ['scene.open', '/a/beach.spatext'],
      ['new window'],
      ['clear'],
    ]);
  });

  it('leaves the keys to the window where it would act twice', () => {
    for (const platform of ['linux', 'win32', 'darwin'] as const)
      for (const item of flat(template(platform)))
        if (item.id?.includes('.') && item.id !== 'window.new' && item.accelerator)
          expect(item.registerAccelerator).toBe(platform === 'darwin');
  });

  it('has no accelerator twice', () => {
    const keys = flat(template('linux')).flatMap(({ accelerator }) => (accelerator ? [String(accelerator)] : []));
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('speaks the language of the settings, else of the system', () => {
    expect(menuTexts('de', 'en-GB').save).toBe('Sichern');
    expect(menuTexts('system', 'de-AT').save).toBe('Sichern');
    expect(menuTexts('system', 'fr').save).toBe('Save');
    expect(Object.keys(MENU_TEXTS.de)).toEqual(Object.keys(MENU_TEXTS.en));
  });
});

describe('dialogs', () => {
  const window = new FakeWindow({}).asWindow;
  const asked: unknown[] = [];
  const dialogs = (answer: string | null, platform: NodeJS.Platform = 'linux') =>
    nativeDialogs(
      {
        showOpenDialog: async (_window, options) => {
          asked.push(options);
          return { canceled: answer === null, filePaths: answer === null ? [] : [answer] };
        },
        showSaveDialog: async (_window, options) => {
          asked.push(options);
          return { canceled: answer === null, ...(answer === null ? {} : { filePath: answer }) };
        },
      },
      (id) => (id === 'window-1' ? window : undefined),
      platform,
    );

  it('answer with the path, or null when cancelled or without a window', async () => {
    expect(await dialogs('/a.spatext').open('window-1', 'project')).toBe('/a.spatext');
    expect(await dialogs(null).open('window-1', 'import')).toBeNull();
    expect(await dialogs('/a').open('window-9', 'import')).toBeNull();
    expect(await dialogs('/a.png').save('window-1', 'a.png')).toBe('/a.png');
    expect(await dialogs(null).save('window-1', 'a.png')).toBeNull();
  });

  it('take the folder of a pack for its description', async () => {
    expect(await dialogs('/models/x/pack.json').open('window-1', 'pack')).toBe('/models/x');
    expect(await dialogs('/models/x/model_index.json').open('window-1', 'pack')).toBe('/models/x');
    expect(await dialogs('/models/sd.safetensors').open('window-1', 'pack')).toBe('/models/sd.safetensors');
    await dialogs('/models/x', 'darwin').open('window-1', 'pack');
    expect(asked.at(-1)).toMatchObject({ properties: ['openFile', 'openDirectory'] });
  });

  it('suggest a name, not a place', async () => {
    await dialogs('/a').save('window-1', '../../home/ann/.bashrc');
    expect(asked.at(-1)).toMatchObject({ defaultPath: '.bashrc' });
    await dialogs('/a').save('window-1', 'beach.psd');
    expect(asked.at(-1)).toMatchObject({ defaultPath: 'beach.psd', filters: [{ extensions: ['psd'] }] });
  });

  it('about trouble offer what makes sense', async () => {
    const labels: string[][] = [];
    const box = (response: number) => ({
      showMessageBox: async (_window: unknown, options: { buttons?: string[] }) => {
        labels.push(options.buttons ?? []);
        return { response };
      },
    });
    expect(await askAboutTrouble(box(0), window, 'unresponsive')).toBe('wait');
    expect(await askAboutTrouble(box(1), window, 'unresponsive')).toBe('reload');
    expect(await askAboutTrouble(box(1), window, 'gone')).toBe('close');
    expect(labels.map((one) => one.length)).toEqual([3, 3, 2]);
  });
});

describe('the page protocol', () => {
  let folder: string;
  const log = new Log(null);
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'spatext-page-'));
    mkdirSync(path.join(folder, 'renderer', 'assets'), { recursive: true });
    writeFileSync(path.join(folder, 'renderer', 'index.html'), '<meta property="csp-nonce" nonce="SPATEXT_NONCE">');
    writeFileSync(path.join(folder, 'renderer', 'assets', 'a.js'), 'let a');
    writeFileSync(path.join(folder, 'secret'), 'secret');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const get = (address: string, init?: RequestInit): Promise<Response> =>
    pageProtocol(
      { rendererFolder: path.join(folder, 'renderer'), blobs: openBlobStore(path.join(folder, 'blobs')) },
      log,
    )(new Request(address, init));

  it('serves the page with a policy of its own', async () => {
    const response = await get('spatext://app/');
    const html = await response.text();
    const nonce = /nonce="([^"]+)"/.exec(html)?.[1] ?? '-';
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain(`'nonce-${nonce}'`);
    expect(policy).not.toContain('ws:');
    expect(policy).not.toContain('unsafe-inline');
  });

  it('serves files and blobs', async () => {
    const script = await get('spatext://app/assets/a.js');
    expect([script.status, await script.text()]).toEqual([200, 'let a']);
    const hash = await openBlobStore(path.join(folder, 'blobs')).write(PNG);
    const blob = await get(`spatext://app/blob/${hash}`);
    expect(Buffer.from(await blob.arrayBuffer()).equals(Buffer.from(PNG))).toBe(true);
    expect(blob.headers.get('content-type')).toBe('image/png');
    const head = await get(`spatext://app/blob/${hash}`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it.each([
    ['spatext://app/..%2f..%2fsecret', 403],
    ['spatext://app/%2e%2e%5csecret', 403],
    ['spatext://app/nothing.js', 404],
    ['spatext://evil/', 403],
    ['https://app/', 403],
    ['spatext://app/blob/..%2f..%2fsecret', 404],
  ])('%s: %i', async (address, status) => {
    const response = await get(address);
    expect(response.status).toBe(status);
    expect(await response.text()).not.toBe('secret');
  });

  it('takes nothing', async () => {
    expect((await get('spatext://app/', { method: 'POST', body: 'x' })).status).toBe(405);
  });
});

describe('the engine as a utility process', () => {
  class FakeChild extends EventEmitter {
    pid: number | undefined = 4711;
    readonly posted: unknown[] = [];
    readonly stderr = new EventEmitter();
    politely = 0;
    postMessage(message: unknown): void {
      this.posted.push(message);
    }
    kill(): boolean {
      this.politely += 1;
      return true;
    }
  }
  const start = () => {
    const child = new FakeChild();
    const signalled: number[] = [];
    const port = utilityEngine(
      () => child as unknown as UtilityChild,
      (pid) => signalled.push(pid),
    );
    return { child, port, signalled };
  };

  it('carries messages both ways', () => {
    const { child, port } = start();
    const heard: unknown[] = [];
    port.onMessage((message) => heard.push(message));
    port.send({ type: 'cancel', job: 'job-1' });
    child.emit('message', { type: 'ready' });
    expect(child.posted).toEqual([{ type: 'cancel', job: 'job-1' }]);
    expect(heard).toEqual([{ type: 'ready' }]);
  });

  it('says once why it ended, with its last words, and sends no more', () => {
    const { child, port } = start();
    const reasons: string[] = [];
    port.onExit((reason) => reasons.push(reason));
    child.stderr.emit('data', Buffer.from('loading\nError: no memory left\n'));
    child.emit('exit', 134);
    child.emit('exit', 134);
    port.send({ type: 'cancel', job: 'job-1' });
    expect(reasons).toEqual(['ended with code 134 (Error: no memory left)']);
    expect(child.posted).toEqual([]);
  });

  it('names a fatal error of the machine below', () => {
    const { child, port } = start();
    const reasons: string[] = [];
    port.onExit((reason) => reasons.push(reason));
    child.emit('error', 'FatalError', 'v8::Heap');
    child.emit('exit', 5);
    expect(reasons[0]).toContain('FatalError at v8::Heap');
  });

  it('is ended at once, not asked; before it has an id, asked', () => {
    const { child, port, signalled } = start();
    port.kill();
    expect(signalled).toEqual([4711]);
    child.pid = undefined;
    port.kill();
    expect(child.politely).toBe(1);
  });
});
