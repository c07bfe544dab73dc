import { chooseProject, save, saveAs } from '../../features/scene/actions.ts';
import type { Command } from '../commands.ts';

export const SCENE_COMMANDS: readonly Command[] = [
  {
    id: 'scene.new',
    label: 'command.scene.new',
    group: 'scene',
    // Ctrl+N belongs to the browser where the studio runs in one; Alt+N works everywhere.
    shortcuts: ['Alt+N', 'Mod+N'],
    inText: true,
    run: (studio) => studio.view.openDialog({ name: 'new-scene' }),
  },
  {
    id: 'scene.open',
    label: 'command.scene.open',
    group: 'scene',
    shortcuts: ['Mod+O'],
    inText: true,
    run: (studio, path) => chooseProject(studio, path),
  },
  {
    id: 'scene.save',
    label: 'command.scene.save',
    group: 'scene',
    shortcuts: ['Mod+S'],
    inText: true,
    run: save,
  },
  {
    id: 'scene.saveAs',
    label: 'command.scene.saveAs',
    group: 'scene',
    shortcuts: ['Mod+Shift+S'],
    inText: true,
    run: saveAs,
  },
  {
    id: 'scene.export',
    label: 'command.scene.export',
    group: 'scene',
    shortcuts: ['Mod+E'],
    inText: true,
    run: (studio) => studio.view.openDialog({ name: 'export' }),
  },
  {
    id: 'scene.recover',
    label: 'command.scene.recover',
    group: 'scene',
    run: (studio) => studio.view.openDialog({ name: 'recover' }),
  },
];
