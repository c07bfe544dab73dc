import { z } from 'zod';
import type { ElectronBridge } from '#shared/api/electron-bridge.ts';
import type { StudioApi } from '#shared/api/studio-api.ts';
import { createApi } from './api-client.ts';
import type { Connection } from './connection.ts';
import { SocketCarrier } from './socket-carrier.ts';
import type { Socket } from './socket-carrier.ts';

declare global {
  interface Window {
    /** Put there by the preload script; missing in a browser. */
    readonly spatext?: ElectronBridge;
  }
}

// The page's policy forbids eval, and zod would report a violation by trying. This module is loaded before anything
// is parsed.
z.config({ jitless: true });

/** The nonce that lets this page's own code add style elements; empty where the page has no policy (tests). */
export const cspNonce: string = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
// Libraries that add style elements by themselves (scroll locks of dialogs) look for it there.
if (cspNonce) Object.assign(globalThis, { __webpack_nonce__: cspNonce });

/** Connects this window to its host: the Electron bridge where there is one, else the WebSocket of this address. */
export async function connect(): Promise<Connection> {
  const bridge = window.spatext;
  return bridge ? electronConnection(bridge) : socketConnection();
}

const blobUrl = (hash: string): string => new URL(`blob/${hash}`, document.baseURI).href;

function electronConnection(bridge: ElectronBridge): Connection {
  return {
    api: createApi(bridge),
    blobUrl,
    onState(listener) {
      listener('open');
      return () => undefined;
    },
  };
}

function socketConnection(): Connection {
  const url = new URL('api', document.baseURI);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const carrier = new SocketCarrier({
    url: url.href,
    open: (address) => new WebSocket(address) as Socket,
    storage: sessionStorage,
  });
  window.addEventListener('online', () => carrier.hurry());
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') carrier.hurry();
  });
  return { api: asBrowser(createApi(carrier)), blobUrl, onState: (listener) => carrier.onState(listener) };
}

/**
 * What the browser knows better than the host: the artist's language, and how a link is opened (the host only says
 * whether it may be).
 */
function asBrowser(api: StudioApi): StudioApi {
  return {
    on: (name, listener) => api.on(name, listener),
    async call(name, input) {
      const output = await api.call(name, input);
      if (name === 'app.info') return Object.assign(output, { locale: navigator.language });
      if (name === 'app.openExternal' && 'url' in input)
        window.open(String(input.url), '_blank', 'noopener,noreferrer');
      return output;
    },
  };
}
