import type { TextKey } from './i18n/texts.ts';
import type { Studio } from './studio.ts';

/** Where menus, the palette and the cheat sheet list a command. */
export const COMMAND_GROUPS = ['scene', 'edit', 'segment', 'tool', 'view', 'generate', 'results', 'app'] as const;
export type CommandGroup = (typeof COMMAND_GROUPS)[number];

/** Everything the artist can do, by name. Menus, palette, keyboard and cheat sheet all derive from these. */
export interface Command {
  /** `area.verb`, stable: hosts send it in `command` events. */
  readonly id: string;
  readonly label: TextKey;
  readonly group: CommandGroup;
  /** As in `Mod+Shift+Z`; Mod is Cmd on a Mac and Ctrl elsewhere. The first one is shown, all work. */
  readonly shortcuts?: readonly string[];
  /** Works while a text field has the focus too. */
  readonly inText?: boolean;
  /** Not offered in the palette (fine steps by arrow key and the like); still in the cheat sheet. */
  readonly hidden?: boolean;
  enabled?(studio: Studio): boolean;
  /** For switches: whether it is on. */
  checked?(studio: Studio): boolean;
  run(studio: Studio, argument?: string): void | Promise<void>;
}

export interface CommandRegistry {
  /** Adds commands; the answer takes them away again. @throws Error on an id already taken */
  add(commands: readonly Command[]): () => void;
  list(): readonly Command[];
  get(id: string): Command | undefined;
  enabled(id: string): boolean;
  /** Runs a command if it is enabled; its failure becomes a notice. @returns whether it ran */
  run(id: string, argument?: string): boolean;
}

export function createCommandRegistry(studio: () => Studio): CommandRegistry {
  const commands = new Map<string, Command>();
  const registry: CommandRegistry = {
    add: (added) => {
      for (const command of added) {
        if (commands.has(command.id)) throw new Error(`two commands with the id ${command.id}`);
        commands.set(command.id, command);
      }
      return () => {
        for (const command of added) commands.delete(command.id);
      };
    },
    list: () => [...commands.values()],
    get: (id) => commands.get(id),
    enabled: (id) => {
      const command = commands.get(id);
      return command !== undefined && (command.enabled?.(studio()) ?? true);
    },
    run: (id, argument) => {
      const command = commands.get(id);
      if (!command || !(command.enabled?.(studio()) ?? true)) return false;
      studio().attempt(() => command.run(studio(), argument));
      return true;
    },
  };
  return registry;
}
