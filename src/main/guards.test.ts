import { beforeEach, describe, expect, it } from 'vitest';
import { Log } from '#host/log.ts';
import { FakeContents } from './electron.testkit.ts';
import { guardContents, guardSession } from './guards.ts';
import type { GuardedSession } from './guards.ts';
import { isOurPage, isTrustedSender } from './sender.ts';

const LOOKALIKES = [
  'https://app/',
  'http://127.0.0.1:4780/',
  'spatext://app.evil.example/',
  'spatext://evil/',
  'spatext://app@evil/',
  'spatext://user@app/',
  'spatext:app',
  'spatext-evil://app/',
  'file:///etc/passwd',
  'data:text/html,<script>1</script>',
  'javascript:alert(1)',
  'about:blank',
  'blob:spatext://app/1',
  '',
];

let log: Log;
beforeEach(() => {
  log = new Log(null);
});

describe('who is ours', () => {
  it.each(['spatext://app/', 'spatext://app/index.html?x=1#y', 'spatext://app'])('%s is', (url) => {
    expect(isOurPage(url)).toBe(true);
  });
  it.each(LOOKALIKES)('%j is not', (url) => {
    expect(isOurPage(url)).toBe(false);
    expect(isTrustedSender({ senderFrame: { url, parent: null } })).toBe(false);
  });
  it('only the top frame may speak', () => {
    expect(isTrustedSender({ senderFrame: { url: 'spatext://app/', parent: null } })).toBe(true);
    expect(isTrustedSender({ senderFrame: { url: 'spatext://app/', parent: {} } })).toBe(false);
    expect(isTrustedSender({ senderFrame: null })).toBe(false);
  });
});

describe('a guarded window', () => {
  const navigate = (contents: FakeContents, event: string, url: string): boolean => {
    let prevented = false;
    const details = { preventDefault: () => (prevented = true), url };
    contents.emit(event, details, url);
    return !prevented;
  };

  it.each(['will-navigate', 'will-redirect', 'will-frame-navigate'])('%s leads nowhere but to our page', (event) => {
    const contents = new FakeContents();
    guardContents(contents, log, () => undefined);
    expect(navigate(contents, event, 'spatext://app/')).toBe(true);
    for (const url of LOOKALIKES) expect([url, navigate(contents, event, url)]).toEqual([url, false]);
    expect(log.recent().length).toBe(LOOKALIKES.length);
  });

  it('takes in no webview and opens no window; a link is handed on', () => {
    const contents = new FakeContents();
    const asked: string[] = [];
    guardContents(contents, log, (url) => asked.push(url));
    expect(navigate(contents, 'will-attach-webview', 'spatext://app/')).toBe(false);
    expect(contents.openHandler?.({ url: 'https://arxiv.org/abs/2211.14305' })).toEqual({ action: 'deny' });
    expect(asked).toEqual(['https://arxiv.org/abs/2211.14305']);
  });
});

describe('a guarded session', () => {
  type Handlers = {
    ask: Parameters<GuardedSession['setPermissionRequestHandler']>[0];
    check: Parameters<GuardedSession['setPermissionCheckHandler']>[0];
    device: () => boolean;
    load: Parameters<GuardedSession['webRequest']['onBeforeRequest']>[0];
  };
  const guarded = (): Handlers => {
    const handlers: Partial<Handlers> = {};
    guardSession(
      {
        setPermissionRequestHandler: (handler) => (handlers.ask = handler),
        setPermissionCheckHandler: (handler) => (handlers.check = handler),
        setDevicePermissionHandler: (handler) => (handlers.device = handler),
        webRequest: { onBeforeRequest: (listener) => (handlers.load = listener) },
      },
      log,
    );
    return handlers as Handlers;
  };

  it.each([
    'media',
    'geolocation',
    'notifications',
    'openExternal',
    'clipboard-read',
    'fullscreen',
    'usb',
    'fileSystem',
  ])('denies %s, asked for or looked up', (permission) => {
    const { ask, check } = guarded();
    let granted: boolean | undefined;
    ask({}, permission, (answer) => (granted = answer), { requestingUrl: 'spatext://app/' });
    expect(granted).toBe(false);
    expect(check(null, permission, 'spatext://app/')).toBe(false);
  });

  it('allows copying to our page alone', () => {
    const { ask, check, device } = guarded();
    for (const [url, wanted] of [
      ['spatext://app/', true],
      ['https://evil.example/', false],
    ] as const) {
      let granted: boolean | undefined;
      ask({}, 'clipboard-sanitized-write', (answer) => (granted = answer), { requestingUrl: url });
      expect(granted).toBe(wanted);
      expect(check(null, 'clipboard-sanitized-write', url)).toBe(wanted);
    }
    expect(device()).toBe(false);
  });

  it.each([
    ['spatext://app/assets/a.js', false],
    ['blob:spatext://app/123', false],
    ['data:image/png;base64,AA', false],
    ['https://telemetry.example/', true],
    ['http://127.0.0.1:80/', true],
    ['ws://127.0.0.1:80/', true],
    ['file:///etc/passwd', true],
    ['ftp://x/', true],
  ])('loading %s: cancelled is %s', (url, wanted) => {
    let cancelled: boolean | undefined;
    guarded().load({ url }, ({ cancel }) => (cancelled = cancel));
    expect(cancelled).toBe(wanted);
  });
});
