import { randomBytes } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WebSocketServer } from 'ws';
import { assetAt } from '#host/assets.ts';
import type { Asset, AssetOptions } from '#host/assets.ts';
import { writeWhole } from '#host/atomic-file.ts';
import { RESOURCE_POLICY, SECURITY_HEADERS } from '#host/content-policy.ts';
import type { Studio } from '#host/studio.ts';
import { FRAME_LIMITS } from '#shared/api/frames.ts';
import { WindowId } from '#shared/api/wire.ts';
import { StudioError } from '#shared/errors.ts';
import { CLOSE, Connection } from './connection.ts';
import { RateLimit } from './rate-limit.ts';
import { Doorkeeper, checkHost, checkOrigin, cookieName, cookieOf, COOKIE_SECONDS } from './security.ts';

export interface WebServerOptions {
  readonly studio: Studio;
  /** The built interface. */
  readonly rendererFolder: string;
  /** Signs the cookies; see readKey. */
  readonly key: Uint8Array;
  /** 0: any free one. */
  readonly port: number;
  /** Told when somebody comes with a token that was used before, at most every ten seconds. */
  readonly onStaleToken?: () => void;
}

export interface WebServer {
  readonly port: number;
  /** An address with a new token, good once. */
  address(): string;
  close(): Promise<void>;
}

const STATUS: Partial<Record<StudioError['code'], number>> = {
  refused: 403,
  'not-found': 404,
  'bad-input': 400,
  'bad-use': 405,
  'too-large': 413,
  busy: 429,
};
const BARE_HEADERS = { ...SECURITY_HEADERS, 'Content-Security-Policy': RESOURCE_POLICY };
/** How long a window that reloads may take until its drafts are given up. */
const RELOAD_MS = 15_000;
const MAX_WINDOWS = 32;

/**
 * The key that signs cookies, kept in a file that only its owner can read, so that open tabs outlive a restart.
 * A file that is missing or damaged is replaced: the tabs then need a new address.
 */
export async function readKey(file: string): Promise<Uint8Array> {
  try {
    const key = readFileSync(file);
    if (key.byteLength === 32) return key;
  } catch {
    // Made below.
  }
  const key = randomBytes(32);
  await writeWhole(file, key, 0o600);
  return key;
}

/**
 * Serves the studio to browsers of this machine.
 * @throws StudioError busy (the port is taken), storage
 */
export async function openWebServer(options: WebServerOptions): Promise<WebServer> {
  const { studio } = options;
  const { log } = studio.parts;
  const door = new Doorkeeper(options.key);
  const windows = new Map<string, Connection>();
  const farewells = new Map<string, NodeJS.Timeout>();
  // Strangers (no cookie) get a slow lane, so that guessing and knocking stay cheap for the host.
  const strangers = new RateLimit(20, 60);
  const staleNotices = new RateLimit(0.1, 1);
  const refusals = new RateLimit(2, 30);
  let port = options.port;

  const logRefusal = (what: string, error: StudioError): void => {
    if (refusals.take()) log.warning(`web: refused ${what}: ${error.message}`);
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const host = checkHost(request, port);
    const url = new URL(request.url ?? '/', `http://${host}`);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new StudioError('bad-use', `a ${String(request.method).slice(0, 10)} request`);
    const isPage = url.pathname === '/';
    checkOrigin(request, host, isPage ? 'arriving' : 'resource');
    const known = door.admits(cookieOf(request, cookieName(port)));
    if (!known && !strangers.take()) throw new StudioError('busy', 'too many requests');
    const token = url.searchParams.get('token');
    if (isPage && token !== null) {
      if (!door.redeem(token.slice(0, 100)) && !known) {
        if (staleNotices.take()) options.onStaleToken?.();
        throw new StudioError('refused', 'this address was used before, or is of an earlier start', {
          remedy: 'look for the new address in the terminal',
        });
      }
      response.writeHead(303, {
        ...BARE_HEADERS,
        Location: '/',
        'Cache-Control': 'no-store',
        'Set-Cookie': `${cookieName(port)}=${door.stamp()}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${COOKIE_SECONDS}`,
      });
      response.end();
      return;
    }
    if (!known) throw new StudioError('refused', 'no session', { remedy: 'open the address that the terminal shows' });
    const assets: AssetOptions = {
      rendererFolder: options.rendererFolder,
      blobs: studio.parts.blobs,
      connect: [`ws://${host}`],
    };
    await send(await assetAt(url, assets, request.headers['if-none-match']), request, response);
  };

  const refuse = (response: ServerResponse, request: IncomingMessage, thrown: unknown): void => {
    // Nobody waits for the answer any more: a page that was closed while it loaded.
    if (response.destroyed || request.socket.destroyed) return;
    const error = StudioError.from(thrown);
    const status = STATUS[error.code] ?? 500;
    if (status !== 404) logRefusal(`${request.method} ${pathOnly(request.url)}`, error);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.writeHead(status, {
      ...BARE_HEADERS,
      'Content-Type': 'text/plain; charset=utf-8',
      'Cache-Control': 'no-store',
    });
    response.end(`SpaText Studio: ${error.message}${error.remedy ? `\n${error.remedy}` : ''}\n`);
  };

  const server = createServer({ maxHeaderSize: 16 * 1024, requestTimeout: 30_000, headersTimeout: 10_000 });
  server.maxConnections = 256;
  server.on('request', (request, response) => {
    handle(request, response).catch((error: unknown) => refuse(response, request, error));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return;
    logRefusal('a request', StudioError.from(error));
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });

  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: FRAME_LIMITS.bytes,
    // Pictures are compressed already, and a compressed message can grow a thousandfold.
    perMessageDeflate: false,
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    try {
      const host = checkHost(request, port);
      const url = new URL(request.url ?? '/', `http://${host}`);
      if (url.pathname !== '/api') throw new StudioError('not-found', 'there is no such socket');
      checkOrigin(request, host, 'socket');
      if (!door.admits(cookieOf(request, cookieName(port)))) throw new StudioError('refused', 'no session');
      if (windows.size >= MAX_WINDOWS) throw new StudioError('busy', `${windows.size} windows are open`);
      sockets.handleUpgrade(request, socket, head, (upgraded) => {
        // Until the window has its name nothing listens: hold back what it may already have sent.
        upgraded.pause();
        void nameWindow(windows, url.searchParams.get('window')).then((name) => {
          upgraded.resume();
          const seen =
            url.searchParams.get('run') === studio.parts.hub.run ? Number(url.searchParams.get('after')) : Number.NaN;
          const connection = new Connection(studio, upgraded, name, Number.isSafeInteger(seen) ? seen : null);
          windows.set(name, connection);
          clearTimeout(farewells.get(name));
          upgraded.on('close', () => {
            if (windows.get(name) !== connection) return;
            windows.delete(name);
            farewells.set(
              name,
              setTimeout(() => {
                farewells.delete(name);
                studio.windowGone(name);
              }, RELOAD_MS).unref(),
            );
          });
        });
      });
    } catch (thrown) {
      const error = StudioError.from(thrown);
      logRefusal('a WebSocket', error);
      socket.end(`HTTP/1.1 ${STATUS[error.code] ?? 400} Refused\r\nConnection: close\r\n\r\n`);
    }
  });

  port = await listen(server, port);
  return {
    port,
    address: () => `http://127.0.0.1:${port}/?token=${door.issue()}`,
    async close() {
      for (const timer of farewells.values()) clearTimeout(timer);
      for (const connection of windows.values()) connection.close(CLOSE.goingAway, 'the studio was closed');
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const patience = setTimeout(() => {
        for (const connection of windows.values()) connection.terminate();
        server.closeAllConnections();
      }, 1000);
      server.closeIdleConnections();
      await closed;
      clearTimeout(patience);
    },
  };
}

/**
 * The name under which a connection runs: the one it asks for if nobody else answers to it (a duplicated tab asks
 * for its twin's), else the lowest free one, so that the first tab after a restart finds the first tab's document.
 */
async function nameWindow(windows: Map<string, Connection>, asked: string | null): Promise<string> {
  if (asked !== null && WindowId.safeParse(asked).success) {
    const holder = windows.get(asked);
    if (!holder) return asked;
    if (!(await holder.alive(300)) && windows.get(asked) === holder) {
      windows.delete(asked);
      holder.terminate();
      return asked;
    }
    if (!windows.has(asked)) return asked;
  }
  for (let number = 1; ; number += 1) {
    const name = `window-${number}`;
    if (!windows.has(name)) return name;
  }
}

async function send(asset: Asset, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, headers, body } = asset;
  const length = body === null ? 0 : body instanceof Uint8Array ? body.byteLength : body.size;
  response.writeHead(status, status === 304 ? headers : { ...headers, 'Content-Length': length });
  if (request.method === 'HEAD' || body === null) response.end();
  else if (body instanceof Uint8Array) response.end(body);
  else await pipeline(createReadStream(body.file), response);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new StudioError('busy', `port ${port} is taken by another program`, {
              remedy: 'choose another one with --port, or close the other studio',
            })
          : StudioError.from(error, 'opening the server'),
      );
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/** Tokens must not end in the log. */
const pathOnly = (url: string | undefined): string => (url ?? '').split('?')[0]?.slice(0, 100) ?? '';

export const keyFile = (dataFolder: string): string => path.join(dataFolder, 'web-key');
