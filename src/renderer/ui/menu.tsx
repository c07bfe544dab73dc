import { Check, ChevronRight } from 'lucide-react';
import { ContextMenu, DropdownMenu } from 'radix-ui';
import type { ReactElement, ReactNode } from 'react';
import { Shortcut } from './shortcut.tsx';

export interface MenuAction {
  readonly kind?: 'item';
  readonly id: string;
  readonly label: string;
  readonly icon?: ReactNode;
  readonly shortcut?: string | undefined;
  readonly checked?: boolean | undefined;
  readonly disabled?: boolean | undefined;
  readonly danger?: boolean | undefined;
  run(): void;
}
export interface MenuSub {
  readonly kind: 'sub';
  readonly id: string;
  readonly label: string;
  readonly icon?: ReactNode;
  readonly items: readonly MenuEntry[];
}
export type MenuEntry =
  | MenuAction
  | MenuSub
  | { readonly kind: 'separator'; readonly id: string }
  | { readonly kind: 'heading'; readonly id: string; readonly label: string };

type Kit = typeof DropdownMenu | typeof ContextMenu;

function Entries({ kit, entries }: { readonly kit: Kit; readonly entries: readonly MenuEntry[] }) {
  // Both kits have the same parts; one type is enough.
  const M = kit as typeof DropdownMenu;
  return entries.map((entry) => {
    switch (entry.kind) {
      case 'separator':
        return <M.Separator key={entry.id} className="menu-sep" />;
      case 'heading':
        return (
          <M.Label key={entry.id} className="menu-heading">
            {entry.label}
          </M.Label>
        );
      case 'sub':
        return (
          <M.Sub key={entry.id}>
            <M.SubTrigger className="menu-item">
              <span className="menu-icon">{entry.icon}</span>
              <span className="menu-label">{entry.label}</span>
              <ChevronRight className="menu-more" />
            </M.SubTrigger>
            <M.Portal>
              <M.SubContent className="menu" collisionPadding={8}>
                <Entries kit={kit} entries={entry.items} />
              </M.SubContent>
            </M.Portal>
          </M.Sub>
        );
      case 'item':
      case undefined:
        return (
          <M.Item
            key={entry.id}
            className={`menu-item ${entry.danger ? 'menu-danger' : ''}`}
            disabled={entry.disabled ?? false}
            {...(entry.checked === undefined ? {} : { role: 'menuitemcheckbox', 'aria-checked': entry.checked })}
            onSelect={() => entry.run()}
          >
            <span className="menu-icon">{entry.checked ? <Check /> : entry.icon}</span>
            <span className="menu-label">{entry.label}</span>
            {entry.shortcut ? <Shortcut keys={entry.shortcut} /> : null}
          </M.Item>
        );
    }
  });
}

/** A menu below its trigger. Not modal: a modal one would inject a style element to lock scrolling. */
export function Menu({
  trigger,
  entries,
  align = 'start',
  side = 'bottom',
}: {
  readonly trigger: ReactElement;
  readonly entries: readonly MenuEntry[];
  readonly align?: 'start' | 'center' | 'end';
  readonly side?: 'top' | 'bottom';
}) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" align={align} side={side} sideOffset={4} collisionPadding={8}>
          <Entries kit={DropdownMenu} entries={entries} />
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** A menu at the pointer, on right click or the menu key. */
export function RightClick({
  children,
  entries,
  onOpen,
}: {
  readonly children: ReactElement;
  readonly entries: () => readonly MenuEntry[];
  /** Before the entries are made: the place to select what was clicked. */
  readonly onOpen?: () => void;
}) {
  return (
    <ContextMenu.Root modal={false} onOpenChange={(open) => open && onOpen?.()}>
      <ContextMenu.Trigger asChild>{children}</ContextMenu.Trigger>
      <ContextMenu.Portal>
        <ContextMenu.Content className="menu" collisionPadding={8}>
          <LazyEntries entries={entries} />
        </ContextMenu.Content>
      </ContextMenu.Portal>
    </ContextMenu.Root>
  );
}

/** Entries are made when the menu opens: enabled and checked are then right. */
const LazyEntries = ({ entries }: { readonly entries: () => readonly MenuEntry[] }) => (
  <Entries kit={ContextMenu} entries={entries()} />
);
