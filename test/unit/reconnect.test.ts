// The window's end of the WebSocket against a real server: lines break, servers restart, tabs are duplicated.
import { WebSocket } from 'ws';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestStudio, sampleRecords } from '#host/studio.testkit.ts';
import type { TestStudio } from '#host/studio.testkit.ts';
import type { StudioApi } from '#shared/api/studio-api.ts';
import { openWebServer } from '#web/server.ts';
import type { WebServer } from '#web/server.ts';
import { createApi } from '../../src/renderer/app/api-client.ts';
import { SocketCarrier } from '../../src/renderer/app/socket-carrier.ts';
import type { Socket } from '../../src/renderer/app/socket-carrier.ts';

let test: TestStudio;
let server: WebServer;
let cookie: string;
const windows: Window[] = [];

interface Window {
  readonly api: StudioApi;
  readonly carrier: SocketCarrier;
  readonly storage: Map<string, string>;
  /** The latest socket, to be cut as a lost line is. */
  readonly cut: () => void;
  readonly states: string[];
}

const serve = (port = 0): Promise<WebServer> =>
  openWebServer({ studio: test.studio, rendererFolder: test.folder, key: new Uint8Array(32).fill(3), port });

function openWindow(storage = new Map<string, string>(), patience = 2000): Window {
  const sockets: WebSocket[] = [];
  const base = `http://127.0.0.1:${server.port}`;
  const carrier = new SocketCarrier({
    url: `${base.replace('http', 'ws')}/api`,
    open: (url) => {
      const socket = new WebSocket(url, { headers: { cookie, origin: base } });
      sockets.push(socket);
      return socket as unknown as Socket;
    },
    storage: { getItem: (key) => storage.get(key) ?? null, setItem: (key, value) => void storage.set(key, value) },
    retryFirst: 20,
    retryMost: 100,
    patience,
  });
  const states: string[] = [];
  carrier.onState((state) => states.push(state));
  const window = { api: createApi(carrier), carrier, storage, cut: () => sockets.at(-1)?.terminate(), states };
  windows.push(window);
  return window;
}

const nameOf = (window: Window): string | undefined => window.storage.get('spatext.window');

beforeEach(async () => {
  test = openTestStudio();
  server = await serve();
  const entry = await fetch(server.address(), { redirect: 'manual' });
  cookie = entry.headers.get('set-cookie')?.split(';')[0] ?? '';
});
afterEach(async () => {
  for (const { carrier } of windows.splice(0)) carrier.end();
  await server.close();
  await test[Symbol.asyncDispose]();
});

describe('a window whose line breaks', () => {
  it('comes back by itself under the same name and hears what it missed, once', async () => {
    const window = openWindow();
    const heard: string[] = [];
    window.api.on('notice', ({ message }) => heard.push(message));
    await window.api.call('document.current', {});
    test.studio.parts.notices.post({ level: 'info', message: 'one' });
    await expect.poll(() => heard).toEqual(['one']);
    const name = nameOf(window);
    window.cut();
    await expect.poll(() => window.states).toContain('closed');
    test.studio.parts.notices.post({ level: 'info', message: 'two' });
    await expect.poll(() => heard).toEqual(['one', 'two']);
    expect(nameOf(window)).toBe(name);
    expect(window.states).toEqual(['closed', 'open', 'closed', 'open']);
  });

  it('refuses the calls that were on their way and holds those made meanwhile', async () => {
    const window = openWindow();
    await window.api.call('queue.list', {});
    const handlers = test.studio.handlers as unknown as Record<string, () => unknown>;
    handlers['boards.list'] = () => new Promise(() => undefined);
    const lost = window.api.call('boards.list', {});
    await window.api.call('queue.list', {});
    window.cut();
    await expect(lost).rejects.toMatchObject({
      name: 'StudioError',
      code: 'refused',
      kept: expect.any(String) as string,
      remedy: expect.any(String) as string,
    });
    expect(await window.api.call('queue.list', {})).toEqual({ jobs: [], paused: false });
  });

  it('gives up waiting after a while', async () => {
    const window = openWindow(new Map(), 80);
    await window.api.call('queue.list', {});
    await server.close();
    await expect(window.api.call('queue.list', {})).rejects.toMatchObject({ code: 'refused' });
    server = await serve();
  });

  it('goes on with a server that was started anew, on the strength of its old cookie', async () => {
    const window = openWindow();
    const { id } = await window.api.call('document.new', { records: sampleRecords() });
    const { port } = server;
    await server.close();
    server = await serve(port);
    expect(await window.api.call('document.current', {})).toMatchObject({ id });
  });

  it('is told of an ended connection at once when it ends it itself', async () => {
    const window = openWindow();
    await window.api.call('queue.list', {});
    window.carrier.end();
    await expect(window.api.call('queue.list', {})).rejects.toMatchObject({ code: 'refused' });
  });
});

describe('names of windows', () => {
  it('bring the document back after a reload, and after the browser was closed', async () => {
    const first = openWindow();
    const { id } = await first.api.call('document.new', { records: sampleRecords() });
    first.carrier.end();
    const reloaded = openWindow(first.storage);
    expect(await reloaded.api.call('document.current', {})).toMatchObject({ id });
    reloaded.carrier.end();
    await expect
      .poll(async () => {
        const fresh = openWindow(new Map());
        const document = await fresh.api.call('document.current', {});
        fresh.carrier.end();
        return document.id;
      })
      .toBe(id);
  });

  it('are two for a duplicated tab, which shows the name of its twin', async () => {
    const first = openWindow();
    await first.api.call('queue.list', {});
    const twin = openWindow(new Map(first.storage));
    await twin.api.call('queue.list', {});
    expect(nameOf(first)).toBe('window-1');
    expect(nameOf(twin)).toBe('window-2');
    const heard: string[] = [];
    for (const [label, window] of [
      ['first', first],
      ['twin', twin],
    ] as const)
      window.api.on('command', ({ name }) => heard.push(`${label} ${name}`));
    await Promise.all([first.api.call('queue.list', {}), twin.api.call('queue.list', {})]);
    test.studio.command('window-2', 'x');
    await twin.api.call('queue.list', {});
    await first.api.call('queue.list', {});
    expect(heard).toEqual(['twin x']);
  });

  it('are not taken from outside as they are', async () => {
    const window = openWindow(new Map([['spatext.window', '../../etc']]));
    await window.api.call('queue.list', {});
    expect(nameOf(window)).toBe('window-1');
  });
});
