import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import type { ReactNode } from 'react';
import { useT } from '../app/i18n/texts.ts';
import { IconButton } from './button.tsx';

interface DialogProps {
  readonly title: string;
  readonly description?: string | undefined;
  readonly size?: 's' | 'm' | 'l' | 'xl' | 'full';
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Buttons at the lower right. */
  readonly footer?: ReactNode;
  /** Beside the title. */
  readonly tools?: ReactNode;
  /** The title is read out but not shown. */
  readonly bare?: boolean;
}

/**
 * A modal dialog. The backdrop is our own element: Radix's overlay locks scrolling through an injected style element,
 * which the content security policy refuses.
 */
export function Dialog({ title, description, size = 'm', onClose, children, footer, tools, bare }: DialogProps) {
  const t = useT();
  return (
    <Radix.Root open onOpenChange={(open) => (open ? undefined : onClose())}>
      <Radix.Portal>
        <div className="scrim" />
        <Radix.Content
          className={`dialog dialog-${size}`}
          {...(description ? {} : { 'aria-describedby': undefined })}
          onInteractOutside={(event) => {
            // A notice that was dismissed by this very click hangs in the page no more.
            if ((event.target as HTMLElement).closest('.toasts, .toast')) event.preventDefault();
          }}
          onOpenAutoFocus={(event) => {
            // Radix would focus the first tabbable, which is the close button: its tooltip would open and swallow
            // the first Escape. A field that asks for it gets the focus, else the dialog itself.
            const content = event.currentTarget as HTMLElement;
            event.preventDefault();
            (content.querySelector<HTMLElement>('[data-autofocus]') ?? content).focus();
          }}
        >
          {bare ? (
            <Radix.Title className="sr-only">{title}</Radix.Title>
          ) : (
            <header className="dialog-head">
              <div className="dialog-words">
                <Radix.Title className="dialog-title">{title}</Radix.Title>
                {description ? <Radix.Description className="dialog-sub">{description}</Radix.Description> : null}
              </div>
              {tools}
              <IconButton label={t('ui.close')} icon={<X />} onClick={onClose} />
            </header>
          )}
          {children}
          {footer ? <footer className="dialog-foot">{footer}</footer> : null}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
