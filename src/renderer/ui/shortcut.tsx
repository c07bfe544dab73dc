import { shortcutParts } from '../app/shortcuts.ts';

/** Keys as the platform writes them. */
export function Shortcut({ keys }: { readonly keys: string }) {
  return (
    <kbd className="kbd">
      {shortcutParts(keys).map((part, index) => (
        <span key={index}>{part}</span>
      ))}
    </kbd>
  );
}
