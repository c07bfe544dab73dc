import { expect, it } from 'vitest';
import type { MenuItemConstructorOptions } from 'electron';
import { MENU_TEXTS } from '../../src/main/menu-texts.ts';
import { menuTemplate } from '../../src/main/menu.ts';
import { ALL_COMMANDS } from '../../src/renderer/app/command-list/all.ts';

const flat = (items: MenuItemConstructorOptions[]): MenuItemConstructorOptions[] =>
  items.flatMap((item) => [item, ...(Array.isArray(item.submenu) ? flat(item.submenu) : [])]);

const items = flat(
  menuTemplate({
    platform: 'linux',
    appName: 'SpaText Studio',
    texts: MENU_TEXTS.en,
    recent: [],
    developer: false,
    command: () => undefined,
    newWindow: () => undefined,
    clearRecent: () => undefined,
    showLog: () => undefined,
    showData: () => undefined,
  }),
).filter(({ id }) => id?.includes('.') && id !== 'window.new');

const commands = new Map(ALL_COMMANDS.map((command) => [command.id, command]));

it('every menu entry names a command of the window', () => {
  expect(items.length).toBeGreaterThan(25);
  expect(items.filter(({ id }) => !commands.has(id ?? '')).map(({ id }) => id)).toEqual([]);
});

it('every shortcut that a menu shows is one that the window hears', () => {
  const spelled = (text: string): string => text.replace('CmdOrCtrl', 'Mod').replace('Ctrl', 'Mod');
  const wrong = items
    .filter(({ accelerator }) => accelerator !== undefined)
    .filter(({ id, accelerator }) => !commands.get(id ?? '')?.shortcuts?.includes(spelled(String(accelerator))))
    .map(({ id, accelerator }) => `${id}: ${String(accelerator)}`);
  expect(wrong).toEqual([]);
});
