import { Check, ChevronsUpDown } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import type { ReactNode } from 'react';

export interface Choice<T extends string> {
  readonly value: T;
  readonly label: string;
  /** A second line. */
  readonly hint?: string | undefined;
  readonly disabled?: boolean | undefined;
}

/**
 * One of several. A menu of radio items rather than Radix's Select, which injects style elements that the content
 * security policy refuses.
 */
export function Select<T extends string>({
  label,
  value,
  choices,
  onChange,
  look = 'field',
  prefix,
}: {
  readonly label: string;
  readonly value: T;
  readonly choices: readonly Choice<T>[];
  readonly onChange: (value: T) => void;
  readonly look?: 'field' | 'card' | 'quiet';
  /** A caption inside the field. */
  readonly prefix?: ReactNode;
}) {
  const chosen = choices.find((choice) => choice.value === value);
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className={`select select-${look}`} aria-label={`${label}: ${chosen?.label ?? value}`}>
        {prefix ? <small className="select-prefix">{prefix}</small> : null}
        <span className="select-value ellipsis">{chosen?.label ?? value}</span>
        <ChevronsUpDown className="select-arrow" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu select-menu scroll" align="start" sideOffset={4} collisionPadding={8}>
          <DropdownMenu.RadioGroup value={value} onValueChange={(next) => onChange(next as T)}>
            {choices.map((choice) => (
              <DropdownMenu.RadioItem
                key={choice.value}
                value={choice.value}
                className="menu-item"
                disabled={choice.disabled ?? false}
                textValue={choice.label}
              >
                <span className="menu-icon">
                  <DropdownMenu.ItemIndicator>
                    <Check />
                  </DropdownMenu.ItemIndicator>
                </span>
                <span className="menu-label">
                  {choice.label}
                  {choice.hint ? <small className="menu-hint">{choice.hint}</small> : null}
                </span>
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
