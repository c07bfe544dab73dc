import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Settings } from '#shared/api/settings.ts';
import { Log } from './log.ts';
import { SettingsStore } from './settings-store.ts';

let folder: string;
let file: string;
const log = new Log(null);
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'spatext-settings-'));
  file = path.join(folder, 'settings.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('SettingsStore', () => {
  it('starts with the defaults', () => {
    expect(new SettingsStore(file, log).get()).toEqual(Settings.parse({}));
  });

  it('keeps a change over a restart, and the other settings with it', async () => {
    const store = new SettingsStore(file, log);
    await store.set({ theme: 'dark', threads: 3 });
    await store.set({ language: 'de' });
    expect(new SettingsStore(file, log).get()).toMatchObject({ theme: 'dark', threads: 3, language: 'de' });
  });

  it('does not take an explicit undefined for a value', async () => {
    const store = new SettingsStore(file, log);
    await store.set({ theme: 'dark' });
    expect((await store.set({ theme: undefined, live: true })).theme).toBe('dark');
  });

  it('writes many changes at once so that the last one stands', async () => {
    const store = new SettingsStore(file, log);
    await Promise.all(Array.from({ length: 30 }, (_, threads) => store.set({ threads })));
    expect(new SettingsStore(file, log).get().threads).toBe(29);
    expect(readdirSync(folder)).toEqual(['settings.json']);
  });

  it('puts a broken file aside and says so', () => {
    writeFileSync(file, '{"theme": "pink"');
    expect(new SettingsStore(file, log).get().theme).toBe('system');
    expect(readFileSync(`${file}.broken`, 'utf8')).toContain('pink');
    expect(existsSync(file)).toBe(false);
    expect(log.recent().at(-1)).toMatchObject({ level: 'warning' });
  });

  it('lets a window drop recent files, not add any', async () => {
    const store = new SettingsStore(file, log);
    await store.addRecent({ path: '/a.spatext', name: 'a' });
    await store.addRecent({ path: '/b.spatext', name: 'b' });
    const evil = { path: '/etc/passwd', name: 'x', openedAt: 1 };
    expect((await store.set({ recent: [evil, ...store.get().recent] })).recent.map((one) => one.path)).toEqual([
      '/b.spatext',
      '/a.spatext',
    ]);
    expect((await store.set({ recent: [{ ...evil, path: '/a.spatext' }] })).recent).toMatchObject([{ name: 'a' }]);
    expect((await store.set({ recent: [] })).recent).toEqual([]);
  });

  it('lists a file once, the latest first, and not too many', async () => {
    const store = new SettingsStore(file, log);
    for (let index = 0; index < 15; index += 1) await store.addRecent({ path: `/${index}`, name: `${index}` });
    await store.addRecent({ path: '/7', name: 'seven' });
    const { recent } = store.get();
    expect(recent.length).toBe(12);
    expect(recent[0]).toMatchObject({ path: '/7', name: 'seven' });
    expect(recent.filter((one) => one.path === '/7').length).toBe(1);
  });

  it('holds for this run even if the disk refuses, and rejects with the reason', async () => {
    const blocked = path.join(folder, 'file');
    writeFileSync(blocked, '');
    const store = new SettingsStore(path.join(blocked, 'settings.json'), log);
    await expect(store.set({ theme: 'light' })).rejects.toMatchObject({ name: 'StudioError' });
    expect(store.get().theme).toBe('light');
  });
});
