import type { Log } from '#host/log.ts';
import { isOurPage } from './sender.ts';

interface Cancellable {
  preventDefault(): void;
}

/** The part of Electron's WebContents that is guarded. */
export interface GuardedContents {
  on(event: 'will-navigate' | 'will-redirect', listener: (event: Cancellable, url: string) => void): unknown;
  on(event: 'will-frame-navigate', listener: (event: Cancellable & { url: string }) => void): unknown;
  on(event: 'will-attach-webview', listener: (event: Cancellable) => void): unknown;
  setWindowOpenHandler(handler: (details: { url: string }) => { action: 'deny' }): void;
}

/**
 * Keeps a window on our page: no navigation, redirect, frame, webview or second window leads anywhere else.
 * @param openExternal asked for links that want a window of their own; it has the allow-list
 */
export function guardContents(contents: GuardedContents, log: Log, openExternal: (url: string) => void): void {
  const refuse = (event: Cancellable, what: string, url: string): void => {
    event.preventDefault();
    log.warning(`window: refused ${what} ${url.slice(0, 200)}`);
  };
  const stay = (event: Cancellable, url: string): void => {
    if (!isOurPage(url)) refuse(event, 'to go to', url);
  };
  contents.on('will-navigate', stay);
  contents.on('will-redirect', stay);
  contents.on('will-frame-navigate', (event) => stay(event, event.url));
  contents.on('will-attach-webview', (event) => refuse(event, 'a webview', ''));
  contents.setWindowOpenHandler(({ url }) => {
    openExternal(url);
    return { action: 'deny' };
  });
}

/** The part of Electron's Session that is guarded. */
export interface GuardedSession {
  setPermissionRequestHandler(
    handler: (
      contents: unknown,
      permission: string,
      answer: (granted: boolean) => void,
      details: { requestingUrl: string },
    ) => void,
  ): void;
  setPermissionCheckHandler(handler: (contents: unknown, permission: string, origin: string) => boolean): void;
  setDevicePermissionHandler(handler: () => boolean): void;
  webRequest: {
    onBeforeRequest(
      listener: (details: { url: string }, answer: (response: { cancel: boolean }) => void) => void,
    ): void;
  };
}

/** Copying a picture or a text is the one thing that the page needs to be allowed. */
const PERMISSIONS: ReadonlySet<string> = new Set(['clipboard-sanitized-write']);
/** Where a page of ours loads from. Nothing of it lies on the network, and nothing goes there. */
const SCHEMES: ReadonlySet<string> = new Set(['spatext:', 'blob:', 'data:', 'devtools:', 'chrome-extension:']);

/** Denies every permission but copying, every device, and every request that would leave the machine. */
export function guardSession(session: GuardedSession, log: Log): void {
  session.setPermissionRequestHandler((_contents, permission, answer, details) => {
    const granted = PERMISSIONS.has(permission) && isOurPage(details.requestingUrl);
    if (!granted) log.warning(`window: refused the permission ${permission}`);
    answer(granted);
  });
  session.setPermissionCheckHandler(
    (_contents, permission, origin) => PERMISSIONS.has(permission) && isOurPage(origin),
  );
  session.setDevicePermissionHandler(() => false);
  session.webRequest.onBeforeRequest(({ url }, answer) => {
    const cancel = !SCHEMES.has(url.slice(0, url.indexOf(':') + 1));
    if (cancel) log.warning(`window: refused to load ${url.slice(0, 200)}`);
    answer({ cancel });
  });
}
