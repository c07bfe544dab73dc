/** A shortcut taken apart: `Mod+Shift+Z`. Mod is Cmd on a Mac and Ctrl elsewhere. */
export interface ParsedShortcut {
  readonly mod: boolean;
  readonly shift: boolean;
  readonly alt: boolean;
  /** Lower case, as in KeyboardEvent.key; `space` for the space bar. */
  readonly key: string;
}

export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

export const onMac = (): boolean =>
  typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform ?? '');

export function parseShortcut(text: string): ParsedShortcut {
  // The plus key itself is written `Plus`.
  const parts = text.split('+').map((part) => part.toLowerCase());
  const key = parts.at(-1) ?? '';
  return {
    mod: parts.includes('mod'),
    shift: parts.includes('shift'),
    alt: parts.includes('alt'),
    key: key === 'plus' ? '+' : key,
  };
}

/** Whether a key press is a shortcut. Shift is ignored for keys that are only reached with it on some layouts (`?`). */
export function matchesShortcut(press: KeyPress, shortcut: ParsedShortcut, mac: boolean): boolean {
  const key = press.key === ' ' ? 'space' : press.key.toLowerCase();
  if (key !== shortcut.key) return false;
  const mod = mac ? press.metaKey : press.ctrlKey;
  const other = mac ? press.ctrlKey : press.metaKey;
  if (mod !== shortcut.mod || other || press.altKey !== shortcut.alt) return false;
  const symbol = /^[^a-z0-9]$/.test(shortcut.key);
  return symbol || press.shiftKey === shortcut.shift;
}

const MAC_SYMBOLS: Readonly<Record<string, string>> = { mod: '⌘', shift: '⇧', alt: '⌥' };
const KEY_NAMES: Readonly<Record<string, string>> = {
  enter: '↵',
  escape: 'Esc',
  delete: 'Del',
  backspace: '⌫',
  arrowup: '↑',
  arrowdown: '↓',
  arrowleft: '←',
  arrowright: '→',
  plus: '+',
  space: 'Space',
};

/** A shortcut in the pieces it is shown in. */
export function shortcutParts(text: string, mac = onMac()): string[] {
  return text.split('+').map((part) => {
    const low = part.toLowerCase();
    if (mac && MAC_SYMBOLS[low]) return MAC_SYMBOLS[low];
    if (low === 'mod') return 'Ctrl';
    return KEY_NAMES[low] ?? (part.length === 1 ? part.toUpperCase() : part);
  });
}
