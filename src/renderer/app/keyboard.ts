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

const isInside = (target: EventTarget | null, selector: string): boolean =>
  target instanceof HTMLElement && target.closest(selector) !== null;

/** A text field whose text is the document's: its undo is the studio's, not the browser's. */
export const isDocumentText = (target: EventTarget | null): boolean => isInside(target, '[data-document-text]');

/** Where a key press happened, as far as shortcuts care. */
export interface KeyPlace {
  /** A text field, or a dialog: only commands that say so work there. */
  readonly text: boolean;
  /** A text field of the document: undo and redo work there too. */
  readonly documentText: boolean;
  /** A control that needs Enter, Space and arrows itself. */
  readonly control: boolean;
}

/** The command a key press asks for. */
export function commandFor(
  press: KeyPress,
  commands: readonly Command[],
  where: KeyPlace,
  mac: boolean,
): Command | undefined {
  return commands.find((command) => {
    const undoes = command.id === 'edit.undo' || command.id === 'edit.redo';
    if (where.text && !command.inText && !(undoes && where.documentText)) return false;
    return command.shortcuts?.some((text) => {
      const shortcut = parseShortcut(text);
      const bare = !shortcut.mod && !shortcut.alt;
      if (where.control && bare && /^(enter|space|arrow.*|home|end)$/.test(shortcut.key)) return false;
      return matchesShortcut(press, shortcut, mac);
    });
  });
}

/** Commands that a held key repeats. */
const repeats = (command: Command): boolean =>
  command.group === 'tool' || command.group === 'view' || command.group === 'edit';

export interface Keyboard {
  /** Runs what was asked for last while the document was still on its way, if anything was. */
  runEarly(): void;
  stop(): void;
}

/** One listener for all shortcuts. While a dialog is open only those that work in text do. */
export function followKeyboard(studio: Studio, target: Window = window): Keyboard {
  const mac = onMac();
  let early: string | undefined;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return;
    const inDialog = studio.view.getState().dialog !== null;
    const where: KeyPlace = {
      // Letters typed in a menu find its entries; popovers and dialogs are places of their own too.
      text: takesText(event.target) || inDialog || isInside(event.target, '[role="menu"], [role="dialog"]'),
      documentText: isDocumentText(event.target) && !inDialog,
      control: isInside(event.target, 'button, a, input, select, textarea, [role="slider"]'),
    };
    const command = commandFor(event, studio.commands.list(), where, mac);
    if (!command) return;
    // Also when the command is not possible just now: the browser must not do something of its own instead
    // (its undo would change a text field behind the document's back).
    event.preventDefault();
    if (event.repeat && !repeats(command)) return;
    const ran = studio.commands.run(command.id);
    // A page is there a moment before its document; who is fast has asked all the same.
    if (!ran && studio.document.getState().id === null) early = command.id;
  };
  target.addEventListener('keydown', onKeyDown);
  return {
    runEarly() {
      if (early !== undefined) studio.commands.run(early);
      early = undefined;
    },
    stop: () => target.removeEventListener('keydown', onKeyDown),
  };
}
