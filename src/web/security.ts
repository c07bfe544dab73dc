import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { StudioError } from '#shared/errors.ts';

/**
 * The Host header must name this server: a page of another name that resolves to 127.0.0.1 (DNS rebinding)
 * has its own name there.
 */
export function checkHost(request: IncomingMessage, port: number): string {
  const host = request.headers.host ?? '';
  if (host === `127.0.0.1:${port}` || host === `localhost:${port}`) return host;
  throw new StudioError('refused', `a request for the host ${JSON.stringify(host.slice(0, 100))}`);
}

/**
 * Who started the request. A WebSocket always says its origin, and it must be ours; other requests say it only
 * sometimes, browsers add Sec-Fetch-Site. `arriving`: the page itself, to which any link may lead.
 */
export function checkOrigin(request: IncomingMessage, host: string, kind: 'socket' | 'resource' | 'arriving'): void {
  const { origin } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (kind === 'socket' && origin === undefined) throw new StudioError('refused', 'a WebSocket without an origin');
  if (origin !== undefined && origin !== `http://${host}`)
    throw new StudioError('refused', `a request from the origin ${JSON.stringify(origin.slice(0, 100))}`);
  const arrived = kind === 'arriving' && request.headers['sec-fetch-mode'] === 'navigate';
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !arrived)
    throw new StudioError('refused', `a ${String(site).slice(0, 20)} request`);
}

/** Equality that takes as long for a near miss as for a wild guess. */
function sameSecret(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * Entry: a token that is good once is exchanged for a cookie. The cookie is signed with a key that outlives the
 * run (a restarted studio goes on in the tabs that are open) and ends after thirty days.
 */
export class Doorkeeper {
  readonly #key: Buffer;
  readonly #tokens = new Set<string>();

  /** @param key at least 32 random bytes */
  constructor(key: Uint8Array) {
    if (key.byteLength < 32) throw new StudioError('internal', 'a key of fewer than 32 bytes');
    this.#key = Buffer.from(key);
  }

  /** A new token, 192 bits; at most a few wait at a time. */
  issue(): string {
    const token = randomBytes(24).toString('base64url');
    this.#tokens.add(token);
    if (this.#tokens.size > 16)
      for (const oldest of this.#tokens) {
        this.#tokens.delete(oldest);
        break;
      }
    return token;
  }

  /** Takes the token out of use. */
  redeem(given: string): boolean {
    let found: string | undefined;
    for (const token of this.#tokens) if (sameSecret(given, token)) found = token;
    if (found !== undefined) this.#tokens.delete(found);
    return found !== undefined;
  }

  /** Value of the session cookie. */
  stamp(now = Date.now()): string {
    const body = `${Math.floor(now / 1000) + COOKIE_SECONDS}.${randomBytes(12).toString('base64url')}`;
    return `${body}.${this.#sign(body)}`;
  }

  admits(value: string | undefined, now = Date.now()): boolean {
    if (value === undefined || value.length > 200) return false;
    const cut = value.lastIndexOf('.');
    if (cut < 0) return false;
    const body = value.slice(0, cut);
    if (!sameSecret(value.slice(cut + 1), this.#sign(body))) return false;
    return Number(body.split('.')[0]) * 1000 > now;
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#key).update(body).digest('base64url');
  }
}

export const COOKIE_SECONDS = 30 * 24 * 60 * 60;

/** Cookies are shared by all ports of a host, so the port is in the name. */
export const cookieName = (port: number): string => `spatext-${port}`;

export function cookieOf(request: IncomingMessage, name: string): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const cut = part.indexOf('=');
    if (cut > 0 && part.slice(0, cut).trim() === name) return part.slice(cut + 1).trim();
  }
  return undefined;
}
