import { Component } from 'react';
import type { ReactNode } from 'react';
import { Button } from '../../ui/button.tsx';
import { translate } from '../i18n/texts.ts';
import type { Studio } from '../studio.ts';

interface Props {
  readonly studio: Studio;
  readonly children: ReactNode;
}

/** When the interface itself breaks: the work is with the host, and one click draws everything anew. */
export class ErrorScreen extends Component<Props, { readonly error: Error | null }> {
  override state: { readonly error: Error | null } = { error: null };

  static getDerivedStateFromError(error: unknown): { readonly error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override componentDidCatch(): void {
    void this.props.studio.document.flush();
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div className="crash" role="alert">
        <h1>{translate('crash.title')}</h1>
        <p>{translate('crash.kept')}</p>
        <pre>{error.message}</pre>
        <div>
          <Button look="accent" onClick={() => location.reload()}>
            {translate('crash.reload')}
          </Button>
        </div>
      </div>
    );
  }
}
