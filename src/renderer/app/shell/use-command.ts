import { useSyncExternalStore } from 'react';
import type { MenuAction, MenuEntry } from '../../ui/menu.tsx';
import type { Command } from '../commands.ts';
import { useT } from '../i18n/texts.ts';
import type { Translate } from '../i18n/texts.ts';
import { useStudio } from '../studio.ts';
import type { Studio } from '../studio.ts';

/** A command with its state, for a button; follows the stores. */
export function useCommand(id: string) {
  const studio = useStudio();
  const t = useT();
  const command = studio.commands.get(id);
  if (!command) throw new Error(`no command ${id}`);
  const state = useSyncExternalStore(
    (listener) => {
      const stops = [studio.document, studio.view, studio.session].map((store) => store.subscribe(listener));
      return () => {
        for (const stop of stops) stop();
      };
    },
    () => `${studio.commands.enabled(id)}|${command.checked?.(studio) ?? ''}`,
  );
  const [enabled, checked] = state.split('|');
  return {
    label: t(command.label),
    shortcut: command.shortcuts?.[0],
    enabled: enabled === 'true',
    checked: checked === '' ? undefined : checked === 'true',
    run: () => void studio.commands.run(id),
  };
}

function menuAction(studio: Studio, command: Command, t: Translate): MenuAction {
  return {
    id: command.id,
    label: t(command.label),
    shortcut: command.shortcuts?.[0],
    disabled: !studio.commands.enabled(command.id),
    checked: command.checked?.(studio),
    danger: command.id.endsWith('.delete'),
    run: () => void studio.commands.run(command.id),
  };
}

/** Menu entries for commands; `-` is a separator. */
export function commandEntries(studio: Studio, ids: readonly string[], t: Translate): MenuEntry[] {
  return ids.flatMap((id, index): MenuEntry[] => {
    if (id === '-') return [{ kind: 'separator', id: `separator-${index}` }];
    const command = studio.commands.get(id);
    return command ? [menuAction(studio, command, t)] : [];
  });
}
