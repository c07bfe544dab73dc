import type { Command } from './commands.ts';
import { matchesShortcut, onMac, parseShortcut } from './shortcuts.ts';
import type { KeyPress } from './shortcuts.ts';
import type { Studio } from './studio.ts';

/** Whether keys typed there are text. */
export function takesText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement) return true;
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'range', 'button'].includes(target.type);
}

/** The command a key press asks for. Keys that a focused control needs itself (Enter on a button) stay with it. */
export function commandFor(
  press: KeyPress,
  commands: readonly Command[],
  where: { readonly text: boolean; readonly control: boolean },
  mac: boolean,
): Command | undefined {
  return commands.find((command) =>
    command.shortcuts?.some((text) => {
      const shortcut = parseShortcut(text);
      if (where.text && !command.inText) return false;
      const bare = !shortcut.mod && !shortcut.alt;
      if (where.control && bare && /^(enter|space|arrow.*|home|end)$/.test(shortcut.key)) return false;
      return matchesShortcut(press, shortcut, mac);
    }),
  );
}

/** One listener for all shortcuts. While a dialog is open only those that work in text do. @returns the end of it */
export function followKeyboard(studio: Studio, target: Window = window): () => void {
  const mac = onMac();
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return;
    const inDialog = studio.view.getState().dialog !== null;
    const control =
      event.target instanceof HTMLElement &&
      event.target.closest('button, a, input, select, textarea, [role="slider"], [role="menuitem"]') !== null;
    const where = { text: takesText(event.target) || inDialog, control };
    const command = commandFor(event, studio.commands.list(), where, mac);
    if (!command || (event.repeat && command.group !== 'tool' && command.group !== 'view' && command.id !== 'edit.undo' && command.id !== 'edit.redo')) return; // prettier-ignore
    if (studio.commands.run(command.id)) event.preventDefault();
  };
  target.addEventListener('keydown', onKeyDown);
  return () => target.removeEventListener('keydown', onKeyDown);
}
