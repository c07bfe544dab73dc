import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openTestStudio } from '#host/studio.testkit.ts';
import type { TestStudio } from '#host/studio.testkit.ts';
import { FakeWindow } from './electron.testkit.ts';
import { WindowStates } from './window-state.ts';
import { Windows } from './windows.ts';

let test: TestStudio;
let states: WindowStates;
let made: FakeWindow[];
let windows: Windows;
let answer: 'reload' | 'wait' | 'close';
let asked: string[];
const external: string[] = [];

const open = (): Windows =>
  new Windows({
    studio: test.studio,
    states,
    preload: '/out/preload/index.cjs',
    icon: undefined,
    create: (options) => {
      const window = new FakeWindow(options);
      made.push(window);
      return window.asWindow;
    },
    areas: () => [{ x: 0, y: 0, width: 1920, height: 1040 }],
    dark: () => true,
    openExternal: (url) => external.push(url),
    askAboutTrouble: async (_window, trouble) => {
      asked.push(trouble);
      return answer;
    },
  });

beforeEach(() => {
  test = openTestStudio();
  states = new WindowStates(path.join(test.folder, 'windows.json'), test.studio.parts.log);
  made = [];
  asked = [];
  answer = 'reload';
  windows = open();
});
afterEach(() => test[Symbol.asyncDispose]());

const commandsHeard = (): [string | null, unknown][] => {
  const heard: [string | null, unknown][] = [];
  test.studio.parts.hub.on(({ name, window, payload }) => {
    if (name === 'command') heard.push([window, payload]);
  });
  return heard;
};

describe('a window', () => {
  it('is sandboxed in every way there is, and shows our page when it is ready', () => {
    windows.restore();
    const [window] = made;
    expect(window?.options.webPreferences).toMatchObject({
      preload: '/out/preload/index.cjs',
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
    });
    expect(window?.loaded).toBe('spatext://app/');
    expect(window?.shown).toBe(false);
    window?.emit('ready-to-show');
    expect(window?.shown).toBe(true);
  });

  it('opens where it was, as large as it was', async () => {
    windows.restore();
    const [first] = made;
    first!.bounds = { x: 40, y: 50, width: 1200, height: 800 };
    for (let pixel = 0; pixel < 50; pixel += 1) first!.emit('move');
    first!.maximized = true;
    first!.emit('maximize');
    expect(states.get('window-1')).toBeUndefined();
    await vi.waitFor(() => expect(states.get('window-1')).toBeDefined());
    await states.flush();
    states = new WindowStates(path.join(test.folder, 'windows.json'), test.studio.parts.log);
    windows = open();
    windows.restore();
    expect(made[1]?.options).toMatchObject({ x: 40, y: 50, width: 1200, height: 800 });
    expect(made[1]?.maximized).toBe(false);
    made[1]?.emit('ready-to-show');
    expect(made[1]?.maximized).toBe(true);
  });

  it('does not remember where it hides while minimized', () => {
    windows.restore();
    made[0]!.minimized = true;
    made[0]!.bounds = { x: -32_000, y: -32_000, width: 160, height: 28 };
    made[0]!.emit('close');
    expect(states.get('window-1')).toBeUndefined();
  });

  it('comes back at the next start with its neighbours; one that was closed does not', async () => {
    windows.restore();
    windows.open();
    windows.open();
    made[1]?.close();
    await states.flush();
    const again = new WindowStates(path.join(test.folder, 'windows.json'), test.studio.parts.log);
    expect(again.lastOpen).toEqual(['window-1', 'window-3']);
    // The last one stays in the list: closing it is how most people end the studio.
    made[0]?.close();
    made[2]?.close();
    await states.flush();
    expect(states.lastOpen).toEqual(['window-3']);
    expect(windows.count).toBe(0);
  });

  it('comes back with all its neighbours when the studio was ended, not they', async () => {
    windows.restore();
    windows.open();
    windows.markEnding();
    for (const window of made) window.close();
    await states.flush();
    expect(states.lastOpen).toEqual(['window-1', 'window-2']);
  });

  it('gets the lowest free name, and is found by its contents', () => {
    windows.restore();
    windows.open();
    made[0]?.close();
    windows.open();
    expect(windows.idOf(made[2]!.webContents.id)).toBe('window-1');
    expect(windows.idOf(made[0]!.webContents.id)).toBeUndefined();
    expect(windows.idOf(-1)).toBeUndefined();
    expect(windows.open('window-2')).toBe(made[1]?.asWindow);
  });

  it('that is gone gives its document back to the host', async () => {
    windows.restore();
    made[0]?.close();
    await vi.waitFor(() => expect(test.keeper.closedWindows).toEqual(['window-1']));
  });

  it('shows in the taskbar how far a job is', () => {
    windows.restore();
    windows.showProgress(0.25);
    expect(made[0]?.progress).toBe(0.25);
    windows.showProgress(null);
    expect(made[0]?.progress).toBe(-1);
  });

  it('hears events until its page has crashed', () => {
    windows.restore();
    windows.open();
    made[0]!.webContents.crashed = true;
    expect([...windows.targets()].map(({ windowId }) => windowId)).toEqual(['window-2']);
    for (const target of windows.targets()) target.send('channel', 'name', { a: 1 });
    expect(made[1]?.webContents.sent).toEqual([['channel', 'name', { a: 1 }]]);
  });
});

describe('commands', () => {
  it('wait until the page has its document, and again after it was loaded anew', () => {
    const heard = commandsHeard();
    windows.restore();
    const window = made[0]!;
    windows.command(window.asWindow, 'scene.open', '/a.spatext');
    expect(heard).toEqual([]);
    windows.markReady('window-1');
    expect(heard).toEqual([['window-1', { name: 'scene.open', argument: '/a.spatext' }]]);
    windows.command(window.asWindow, 'edit.undo');
    expect(heard.at(-1)).toEqual(['window-1', { name: 'edit.undo' }]);
    window.webContents.emit('did-start-loading');
    windows.command(window.asWindow, 'view.fit');
    expect(heard.length).toBe(2);
    windows.markReady('window-1');
    windows.markReady('window-1');
    expect(heard.length).toBe(3);
  });

  it('go to the window in front', () => {
    windows.restore();
    windows.open();
    expect(windows.front(made[0]!.asWindow)).toBe(made[0]?.asWindow);
    expect(windows.front(null)).toBe(made[1]?.asWindow);
  });
});

describe('crashes', () => {
  const die = (window: FakeWindow, reason = 'crashed'): void => {
    window.webContents.crashed = true;
    window.webContents.emit('render-process-gone', {}, { reason, exitCode: 5 });
  };

  it('bring the page back, and ask when that does not help', async () => {
    windows.restore();
    const window = made[0]!;
    for (let time = 0; time < 3; time += 1) die(window);
    expect(window.webContents.reloads).toBe(3);
    expect(asked).toEqual([]);
    die(window, 'oom');
    await vi.waitFor(() => expect(window.webContents.reloads).toBe(4));
    expect(asked).toEqual(['gone']);
    expect(test.studio.parts.log.recent().filter(({ level }) => level === 'error').length).toBe(4);
  });

  it('close the window when the artist says so', async () => {
    answer = 'close';
    windows.restore();
    for (let time = 0; time < 4; time += 1) die(made[0]!);
    await vi.waitFor(() => expect(windows.count).toBe(0));
  });

  it('are none when the page ends in order', () => {
    windows.restore();
    die(made[0]!, 'clean-exit');
    expect(made[0]?.webContents.reloads).toBe(0);
  });

  it('a page that does not answer is waited for or loaded anew, as the artist likes', async () => {
    windows.restore();
    answer = 'wait';
    made[0]?.emit('unresponsive');
    await vi.waitFor(() => expect(asked).toEqual(['unresponsive']));
    expect(made[0]?.webContents.reloads).toBe(0);
    answer = 'reload';
    made[0]?.emit('unresponsive');
    await vi.waitFor(() => expect(made[0]?.webContents.reloads).toBe(1));
  });
});
