// The same suite against both transports: whatever carries a call, it comes out as it went in, and what is not in the
// map, does not parse or comes from elsewhere is refused with a typed error.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { WebSocket } from 'ws';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SessionStrip } from '#host/session-strip.ts';
import { PNG, fakeShell, finished, openTestStudio, sampleResult } from '#host/studio.testkit.ts';
import type { TestStudio } from '#host/studio.testkit.ts';
import { CALLS } from '#shared/api/calls.ts';
import type { CallName } from '#shared/api/calls.ts';
import { CHANNELS } from '#shared/api/electron-bridge.ts';
import type { AnyEvent } from '#shared/api/events.ts';
import { EVENTS } from '#shared/api/events.ts';
import type { StudioApi } from '#shared/api/studio-api.ts';
import type { Reply } from '#shared/api/wire.ts';
import { StudioError } from '#shared/errors.ts';
import { openWebServer } from '#web/server.ts';
import { serveIpc } from '../../src/main/ipc.ts';
import type { IpcMain } from '../../src/main/ipc.ts';
import { PAGE } from '../../src/main/sender.ts';
import { createApi } from '../../src/renderer/app/api-client.ts';
import type { Carrier } from '../../src/renderer/app/api-client.ts';
import { SocketCarrier } from '../../src/renderer/app/socket-carrier.ts';
import type { Socket } from '../../src/renderer/app/socket-carrier.ts';
import { BAD_INPUTS, goodInputs } from './api-samples.ts';

interface Line {
  readonly api: StudioApi;
  /** A call past the client's types. */
  raw(name: unknown, input: unknown): Promise<unknown>;
  /** The same call from a sender that must not be believed. */
  stranger(name: string, input: unknown): Promise<unknown>;
  close(): Promise<void>;
}

const names = Object.keys(CALLS) as CallName[];

async function webLine(test: TestStudio): Promise<Line> {
  const server = await openWebServer({
    studio: test.studio,
    rendererFolder: test.folder,
    key: new Uint8Array(32).fill(1),
    port: 0,
  });
  const base = `http://127.0.0.1:${server.port}`;
  const entry = await fetch(server.address(), { redirect: 'manual' });
  const cookie = entry.headers.get('set-cookie')?.split(';')[0] ?? '';
  const storage = new Map<string, string>();
  const carrier = new SocketCarrier({
    url: `${base.replace('http', 'ws')}/api`,
    open: (url) => new WebSocket(url, { headers: { cookie, origin: base } }) as unknown as Socket,
    storage: { getItem: (key) => storage.get(key) ?? null, setItem: (key, value) => void storage.set(key, value) },
  });
  return {
    api: createApi(carrier),
    raw: (name, input) => carrier.call(name as string, input),
    stranger: () =>
      new Promise((resolve) => {
        const socket = new WebSocket(`${base.replace('http', 'ws')}/api`, {
          headers: { cookie, origin: 'http://evil.example' },
        });
        socket.on('open', () => resolve({ ok: true }));
        socket.on('unexpected-response', (_request, response) =>
          resolve({ ok: false, error: { code: response.statusCode === 403 ? 'refused' : 'internal', message: '' } }),
        );
        socket.on('error', () => undefined);
      }),
    async close() {
      carrier.end();
      await server.close();
    },
  };
}

/** Electron's IPC but for the processes: values cross by structured clone, as they do there. */
async function electronLine(test: TestStudio): Promise<Line> {
  type Handler = Parameters<IpcMain['handle']>[1];
  const handlers = new Map<string, Handler>();
  const heard = new Map<string, (payload: unknown) => void>();
  const stop = serveIpc({
    ipcMain: {
      handle: (channel, handler) => void handlers.set(channel, handler),
      removeHandler: (c) => void handlers.delete(c),
    },
    studio: test.studio,
    windowOf: (id) => (id === 1 ? 'window-1' : undefined),
    targets: () => [
      { windowId: 'window-1', send: (_channel, name, payload) => heard.get(name)?.(structuredClone(payload)) },
    ],
  });
  const invoke = (
    frame: { url: string; parent: unknown },
    id: number,
    name: unknown,
    input: unknown,
  ): Promise<Reply> => {
    const handler = handlers.get(CHANNELS.call);
    if (!handler) throw new Error('no handler');
    return handler({ sender: { id }, senderFrame: frame }, name, structuredClone(input)).then((reply) =>
      structuredClone(reply),
    );
  };
  const ours = { url: PAGE, parent: null };
  const carrier: Carrier = {
    call: (name, input) => invoke(ours, 1, name, input),
    on: (name, listener) => void heard.set(name, listener),
  };
  return {
    api: createApi(carrier),
    raw: (name, input) => invoke(ours, 1, name, input),
    stranger: (name, input) => invoke({ url: 'https://evil.example/', parent: null }, 1, name, input),
    close: async () => stop(),
  };
}

describe.each([
  ['WebSocket', webLine],
  ['Electron IPC', electronLine],
] as const)('the API over %s', (_name, open) => {
  let test: TestStudio;
  let line: Line;
  let inputs: ReturnType<typeof goodInputs>;

  beforeEach(async () => {
    const library = new SessionStrip();
    await library.add(finished(sampleResult('result-1', 1)));
    await library.add(finished(sampleResult('result-2', 2)));
    const shell = fakeShell({ dialogs: { open: () => Promise.resolve(null), save: () => Promise.resolve(null) } });
    test = openTestStudio({ shell, library: Promise.resolve(library) });
    line = await open(test);
    const { grants, blobs } = test.studio.parts;
    const file = path.join(test.folder, 'picture.png');
    const project = path.join(test.folder, 'projects', 'scene.spatext');
    writeFileSync(file, PNG);
    mkdirSync(path.dirname(project), { recursive: true });
    grants.grantRead(file);
    inputs = goodInputs({ blob: await blobs.write(PNG), file, project });
    await line.api.call('document.new', { records: inputs['document.new'].records });
    const item = await line.api.call('library.add', inputs['library.add']);
    inputs = { ...inputs, 'library.remove': { id: item.id } };
  });
  afterEach(async () => {
    await line.close();
    await test[Symbol.asyncDispose]();
  });

  it.each(names)('%s takes a good input and its answer is of the map', async (name) => {
    // createApi parses the answer by the map: a wrong shape rejects here.
    const answer = await line.api.call(name, inputs[name] as never);
    expect(CALLS[name].output.safeParse(answer).success).toBe(true);
  });

  it.each(names)('%s refuses a malformed input', async (name) => {
    const reply = (await line.raw(name, BAD_INPUTS[name])) as Reply;
    expect(reply).toMatchObject({ ok: false, error: { code: 'bad-input' } });
    if (!reply.ok) expect(reply.error.message).toContain(name);
  });

  it.each(names)('%s is refused to a stranger', async (name) => {
    expect(await line.stranger(name, inputs[name])).toMatchObject({ ok: false, error: { code: 'refused' } });
  });

  it.each(['', 'app', 'app.quit', 'toString', '__proto__', 'constructor', 'hasOwnProperty'])(
    'refuses the unknown call %j',
    async (name) => {
      expect(await line.raw(name, {})).toMatchObject({ ok: false, error: { code: 'bad-use' } });
      expect(test.studio.parts.log.recent().some((entry) => entry.message.includes('unknown call'))).toBe(true);
    },
  );

  it('gives errors of handlers with their code, remedy and what was kept', async () => {
    const handlers = test.studio.handlers as unknown as Record<string, () => Promise<never>>;
    handlers['queue.list'] = () =>
      Promise.reject(new StudioError('memory', 'full', { kept: 'the scene', remedy: 'smaller', details: { mb: 3 } }));
    await expect(line.api.call('queue.list', {})).rejects.toMatchObject({
      name: 'StudioError',
      code: 'memory',
      message: 'full',
      kept: 'the scene',
      remedy: 'smaller',
      details: { mb: 3 },
    });
  });

  it('turns an answer of the wrong shape into an error', async () => {
    const handlers = test.studio.handlers as unknown as Record<string, () => unknown>;
    handlers['settings.get'] = () => ({ theme: 'pink' });
    await expect(line.api.call('settings.get', {})).rejects.toMatchObject({ code: 'internal' });
  });

  it('carries bytes both ways as they are', async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7) & 0xff);
    const got: Uint8Array[] = [];
    const heard = new Promise<void>((resolve) => {
      line.api.on('job.preview', ({ png }) => {
        got.push(png);
        resolve();
      });
    });
    await line.api.call('queue.list', {});
    test.engine.emit({ type: 'preview', job: 'job-1', image: 0, step: 3, png: bytes });
    await heard;
    expect(Buffer.from(got[0]!).equals(Buffer.from(bytes))).toBe(true);
    const put = await line.api.call('import.file', { name: 'x.bin', bytes });
    expect(put.kind).toBe('image');
    if (put.kind === 'image')
      expect(Buffer.from(await test.studio.parts.blobs.read(put.blob)).equals(Buffer.from(bytes))).toBe(true);
  });

  it('carries every event of the map', async () => {
    const summary = await new SessionStrip().add(finished(sampleResult('result-9')));
    const samples: { [N in AnyEvent['name']]: Extract<AnyEvent, { name: N }>['payload'] } = {
      'queue.changed': { jobs: [], paused: true },
      'job.changed': {
        job: {
          id: 'job-1',
          state: 'done',
          purpose: { kind: 'generate' },
          title: '',
          createdAt: 1,
          progress: null,
          error: null,
          results: [],
        },
      },
      'job.preview': { job: 'job-1', image: 0, step: 1, png: new Uint8Array([1, 2]) },
      'job.picture': { job: 'job-1', index: 0, picture: 'a'.repeat(64), point: [1, 2] },
      'result.added': { result: summary },
      'result.changed': { result: summary },
      'results.removed': { ids: ['result-1'] },
      'document.saved': { id: 'doc-1', sequence: 1, dirty: false },
      'document.trouble': { id: 'doc-1', stuck: true },
      'settings.changed': { settings: test.studio.parts.settings.get() },
      'packs.changed': {},
      'device.changed': { device: { id: 'cpu', name: 'x', available: true, message: '' } },
      notice: { level: 'info', message: 'hello' },
      command: { name: 'scene.open', argument: '/x' },
    };
    const heard = new Map<string, unknown>();
    const all = new Promise<void>((resolve) => {
      for (const name of Object.keys(EVENTS) as AnyEvent['name'][])
        line.api.on(name, (payload) => {
          heard.set(name, payload);
          if (heard.size === Object.keys(EVENTS).length) resolve();
        });
    });
    await line.api.call('queue.list', {});
    for (const [name, payload] of Object.entries(samples))
      test.studio.parts.hub.emit(name as 'notice', payload as never);
    await all;
    expect(Object.fromEntries(heard)).toEqual(samples);
  });

  it('keeps events of another window from this one', async () => {
    const heard: string[] = [];
    line.api.on('command', ({ name }) => heard.push(name));
    await line.api.call('queue.list', {});
    test.studio.command('window-2', 'not.ours');
    test.studio.command('window-1', 'ours');
    await line.api.call('queue.list', {});
    expect(heard).toEqual(['ours']);
  });
});
