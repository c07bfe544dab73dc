import { expect, test } from 'vitest';
import { ALL_COMMANDS } from '../app/command-list/all.ts';
import { en } from '../app/i18n/en.ts';
import { parseShortcut } from '../app/shortcuts.ts';
import { canvasCommands } from './canvas-commands.ts';
import type { Stage } from './stage.ts';

// nothing of the stage is touched before a command runs
const commands = [...ALL_COMMANDS, ...canvasCommands({} as Stage)];

test('no two commands share an id or a shortcut', () => {
  const ids = commands.map(({ id }) => id);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  const owners = new Map<string, string[]>();
  for (const { id, shortcuts = [] } of commands)
    for (const text of shortcuts) {
      const { mod, shift, alt, key } = parseShortcut(text);
      const name = [mod && 'mod', shift && 'shift', alt && 'alt', key].filter(Boolean).join('+');
      owners.set(name, [...(owners.get(name) ?? []), id]);
    }
  expect([...owners].filter(([, ids_]) => ids_.length > 1)).toEqual([]);
});

test('each command of the canvas has its words', () => {
  for (const { label } of canvasCommands({} as Stage)) expect(en, label).toHaveProperty([label]);
});
