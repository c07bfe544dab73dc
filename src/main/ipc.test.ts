import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeShell, openTestStudio } from '#host/studio.testkit.ts';
import type { TestStudio } from '#host/studio.testkit.ts';
import { CHANNELS } from '#shared/api/electron-bridge.ts';
import { serveIpc } from './ipc.ts';
import type { IpcMain } from './ipc.ts';
import { PAGE } from './sender.ts';

type Handler = Parameters<IpcMain['handle']>[1];
let studio: TestStudio;
let stop: () => void;
const handlers = new Map<string, Handler>();

beforeEach(() => {
  const shell = fakeShell({ dialogs: { open: () => Promise.resolve(null), save: () => Promise.resolve(null) } });
  studio = openTestStudio({ shell });
  stop = serveIpc({
    ipcMain: {
      handle: (channel, handler) => void handlers.set(channel, handler),
      removeHandler: (channel) => void handlers.delete(channel),
    },
    studio: studio.studio,
    windowOf: (id) => (id === 1 ? 'window-1' : undefined),
    targets: () => [],
  });
});
afterEach(async () => {
  stop();
  await studio[Symbol.asyncDispose]();
});

const dropped = (file: unknown, { url = PAGE, id = 1 } = {}) =>
  handlers.get(CHANNELS.dropped)?.({ sender: { id }, senderFrame: { url, parent: null } }, file);
const look = (file: string) => studio.studio.call('packs.look', { path: file }, 'window-1');

test('a dropped file may be read from then on, no other one', async () => {
  expect(await look('/models/ink.safetensors')).toMatchObject({ ok: false, error: { code: 'refused' } });
  expect(await dropped('/models/ink.safetensors')).toMatchObject({ ok: true });
  expect(await look('/models/ink.safetensors')).toMatchObject({ ok: true, output: { kind: 'lora' } });
  expect(await look('/models/other.safetensors')).toMatchObject({ ok: false, error: { code: 'refused' } });
});

test('strangers grant nothing, and nothing but a path is granted', async () => {
  expect(await dropped('/etc/passwd', { url: 'https://evil.example/' })).toMatchObject({ error: { code: 'refused' } });
  expect(await dropped('/etc/passwd', { id: 2 })).toMatchObject({ error: { code: 'refused' } });
  expect(await dropped({ path: '/etc/passwd' })).toMatchObject({ error: { code: 'bad-input' } });
  expect(await look('/etc/passwd')).toMatchObject({ ok: false, error: { code: 'refused' } });
  stop();
  expect(handlers.size).toBe(0);
});
