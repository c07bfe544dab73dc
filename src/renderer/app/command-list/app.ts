import type { Command } from '../commands.ts';

export const APP_COMMANDS: readonly Command[] = [
  {
    id: 'app.palette',
    label: 'command.app.palette',
    group: 'app',
    shortcuts: ['Mod+K'],
    inText: true,
    hidden: true,
    run: (studio) => studio.view.openDialog({ name: 'palette' }),
  },
  {
    id: 'app.cheatSheet',
    label: 'command.app.cheatSheet',
    group: 'app',
    shortcuts: ['?', 'F1'],
    run: (studio) => studio.view.openDialog({ name: 'cheat-sheet' }),
  },
  {
    id: 'app.settings',
    label: 'command.app.settings',
    group: 'app',
    shortcuts: ['Mod+,'],
    inText: true,
    run: (studio) => studio.view.openDialog({ name: 'settings' }),
  },
  {
    id: 'app.models',
    label: 'command.app.models',
    group: 'app',
    shortcuts: ['Alt+M'],
    run: (studio) => studio.view.openDialog({ name: 'settings', page: 'models' }),
  },
  {
    id: 'app.theme',
    label: 'command.app.theme',
    group: 'app',
    run: async (studio) => {
      const dark = document.documentElement.dataset.theme !== 'light';
      await studio.api.call('settings.set', { theme: dark ? 'light' : 'dark' });
    },
  },
];
