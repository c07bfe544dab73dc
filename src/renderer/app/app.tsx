import { Tooltip } from 'radix-ui';
import { Dialogs } from './shell/dialogs.tsx';
import { ErrorScreen } from './shell/error-screen.tsx';
import { Shell } from './shell/shell.tsx';
import { Toasts } from './shell/toasts.tsx';
import { StudioContext } from './studio.ts';
import type { Studio } from './studio.ts';

/** The window. */
export function App({ studio }: { readonly studio: Studio }) {
  return (
    <StudioContext value={studio}>
      <Tooltip.Provider delayDuration={450} skipDelayDuration={150}>
        <ErrorScreen studio={studio}>
          <Shell />
          <Dialogs />
          <Toasts />
        </ErrorScreen>
      </Tooltip.Provider>
    </StudioContext>
  );
}
