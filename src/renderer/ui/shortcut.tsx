import { useT } from '../app/i18n/texts.ts';
import type { TextKey } from '../app/i18n/texts.ts';
import { shortcutParts } from '../app/shortcuts.ts';

/** Keys that are written differently on keyboards of other countries. */
const NAMES: Readonly<Record<string, TextKey>> = {
  Ctrl: 'key.ctrl',
  Shift: 'key.shift',
  Del: 'key.delete',
  Space: 'key.space',
};

/** Keys as the platform and the language write them. */
export function Shortcut({ keys }: { readonly keys: string }) {
  const t = useT();
  return (
    <kbd className="kbd">
      {shortcutParts(keys).map((part, index) => {
        const name = NAMES[part];
        return <span key={index}>{name ? t(name) : part}</span>;
      })}
    </kbd>
  );
}
