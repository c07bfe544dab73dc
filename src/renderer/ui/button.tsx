import { Tooltip } from 'radix-ui';
import type { ComponentProps, ReactNode } from 'react';
import { Shortcut } from './shortcut.tsx';

type ButtonProps = ComponentProps<'button'> & {
  readonly look?: 'plain' | 'solid' | 'accent' | 'danger';
  readonly size?: 'm' | 's';
};

/** A button with words. */
export function Button({ look = 'solid', size = 'm', className = '', type = 'button', ...props }: ButtonProps) {
  return <button type={type} className={`btn btn-${look} btn-${size} ${className}`} {...props} />;
}

type IconButtonProps = Omit<ComponentProps<'button'>, 'children'> & {
  /** Accessible name and tooltip. */
  readonly label: string;
  readonly shortcut?: string | undefined;
  readonly icon: ReactNode;
  readonly pressed?: boolean | undefined;
  readonly size?: 'm' | 's' | undefined;
  readonly side?: 'top' | 'right' | 'bottom' | 'left' | undefined;
};

/** A button with a picture; its name is read out and shown as a tooltip. */
export function IconButton({
  label,
  shortcut,
  icon,
  pressed,
  size = 'm',
  side = 'bottom',
  className = '',
  ...props
}: IconButtonProps) {
  return (
    <Tip label={label} shortcut={shortcut} side={side}>
      <button
        type="button"
        className={`icon-btn icon-btn-${size} ${className}`}
        aria-label={label}
        {...(pressed === undefined ? {} : { 'aria-pressed': pressed })}
        {...props}
      >
        {icon}
      </button>
    </Tip>
  );
}

/** A tooltip for whatever it wraps (one element that takes a ref). */
export function Tip({
  label,
  shortcut,
  side = 'bottom',
  children,
}: {
  readonly label: ReactNode;
  readonly shortcut?: string | undefined;
  readonly side?: 'top' | 'right' | 'bottom' | 'left' | undefined;
  readonly children: ReactNode;
}) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content className="tip" side={side} sideOffset={6} collisionPadding={8}>
          {label}
          {shortcut ? <Shortcut keys={shortcut} /> : null}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
