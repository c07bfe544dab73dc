// A client that means harm: refused, logged, and the server lives on for the good one.
import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { WebSocket } from 'ws';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PNG, openTestStudio } from '#host/studio.testkit.ts';
import type { TestStudio } from '#host/studio.testkit.ts';
import { FRAME_LIMITS, decodeFrame, encodeFrame } from '#shared/api/frames.ts';
import type { HostMessage } from '#shared/api/wire.ts';
import { CONNECTION_LIMITS } from './connection.ts';
import { openWebServer } from './server.ts';
import type { WebServer } from './server.ts';

let test: TestStudio;
let server: WebServer;
let cookie: string;
let stale = 0;
const host = (): string => `127.0.0.1:${server.port}`;

/** fetch sets Host and Origin itself; http.request says what it is told. */
function request(
  target: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<{ status: number; headers: http.IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = http.request(
      {
        host: '127.0.0.1',
        port: server.port,
        path: target,
        method: options.method ?? 'GET',
        headers: options.headers ?? {},
      },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      },
    );
    sent.on('error', reject);
    sent.end(options.body);
  });
}

const enter = async (): Promise<string> => {
  const url = new URL(server.address());
  const answer = await request(url.pathname + url.search, { headers: { host: host() } });
  return answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
};

type Knock = { status: number } | { socket: WebSocket };
const knock = (headers: Record<string, string>, target = '/api'): Promise<Knock> =>
  new Promise((resolve) => {
    const socket = new WebSocket(`ws://${host()}${target}`, { headers });
    socket.on('open', () => resolve({ socket }));
    socket.on('unexpected-response', (_request, response) => resolve({ status: response.statusCode ?? 0 }));
    socket.on('error', () => undefined);
  });

async function enterSocket(): Promise<{ socket: WebSocket; messages: HostMessage[]; closed: Promise<number> }> {
  const socket = new WebSocket(`ws://${host()}/api`, { headers: { cookie, origin: `http://${host()}` } });
  const messages: HostMessage[] = [];
  socket.on('message', (data: Buffer) => messages.push(decodeFrame(data) as HostMessage));
  socket.on('error', () => undefined);
  const closed = new Promise<number>((resolve) => socket.on('close', (code) => resolve(code)));
  await new Promise((resolve, reject) => {
    socket.once('message', resolve);
    socket.once('close', reject);
  });
  return { socket, messages, closed };
}

/** A good client gets its answer. */
async function serverLives(): Promise<void> {
  const { socket, messages } = await enterSocket();
  socket.send(encodeFrame({ type: 'call', id: 99, name: 'settings.get', input: {} }));
  await new Promise((resolve) => socket.once('message', resolve));
  expect(messages.at(-1)).toMatchObject({ type: 'reply', id: 99, reply: { ok: true } });
  socket.terminate();
}

const logged = (text: string): boolean =>
  test.studio.parts.log.recent().some(({ level, message }) => level === 'warning' && message.includes(text));

beforeEach(async () => {
  test = openTestStudio();
  stale = 0;
  const rendererFolder = path.join(test.folder, 'renderer');
  mkdirSync(path.join(rendererFolder, 'assets'), { recursive: true });
  writeFileSync(path.join(rendererFolder, 'index.html'), '<!doctype html><script nonce="SPATEXT_NONCE"></script>');
  writeFileSync(path.join(rendererFolder, 'assets', 'a.js'), 'x');
  writeFileSync(path.join(test.folder, 'secret'), 'secret');
  server = await openWebServer({
    studio: test.studio,
    rendererFolder,
    key: new Uint8Array(32).fill(7),
    port: 0,
    onStaleToken: () => (stale += 1),
  });
  cookie = await enter();
});
afterEach(async () => {
  await serverLives();
  await server.close();
  await test[Symbol.asyncDispose]();
});

describe('the door', () => {
  it('is on this machine only', async () => {
    const { port } = server;
    // The same port on another address of this machine (127.0.0.2) is not ours.
    const taken = await new Promise<boolean>((resolve) => {
      const socket = net.connect({ host: '127.0.0.2', port }, () => resolve(true));
      socket.on('error', () => resolve(false));
    });
    expect(taken).toBe(false);
  });

  it('exchanges a token once, for a cookie that scripts and other sites cannot use', async () => {
    const url = new URL(server.address());
    const first = await request(url.pathname + url.search, { headers: { host: host() } });
    expect(first.status).toBe(303);
    expect(first.headers.location).toBe('/');
    const set = first.headers['set-cookie']?.[0] ?? '';
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/']) expect(set).toContain(part);
    const again = await request(url.pathname + url.search, { headers: { host: host() } });
    expect(again.status).toBe(403);
    expect(again.body).toContain('new address');
    expect(again.headers['set-cookie']).toBeUndefined();
    expect(stale).toBe(1);
    // Who is in already is not sent away for an old address.
    const mine = await request(url.pathname + url.search, { headers: { host: host(), cookie } });
    expect(mine.status).toBe(303);
  });

  it.each([
    ['nothing', {}],
    ['a made-up cookie', { cookie: 'spatext-1=1.2.3' }],
    ['an empty cookie', { cookie: 'x' }],
  ])('stays shut for %s: page, files, blobs, socket', async (_what, headers: Record<string, string>) => {
    const hash = await test.studio.parts.blobs.write(PNG);
    for (const target of ['/', '/index.html', '/assets/a.js', `/blob/${hash}`, '/?token=guess', '/nothing']) {
      const { status, body } = await request(target, { headers: { host: host(), ...headers } });
      expect([target, status]).toEqual([target, 403]);
      expect(body).not.toContain('<script');
    }
    expect(await knock({ origin: `http://${host()}`, ...headers })).toEqual({ status: 403 });
    expect(logged('refused')).toBe(true);
  });

  it('refuses forged, foreign and expired cookies', async () => {
    const [name, value] = cookie.split('=') as [string, string];
    const [until, random, sign] = value.split('.') as [string, string, string];
    const other = await openWebServer({
      studio: test.studio,
      rendererFolder: test.folder,
      key: new Uint8Array(32).fill(8),
      port: 0,
    });
    await other.close();
    for (const forged of [
      `${Number(until) + 1}.${random}.${sign}`,
      `${until}.${random}.${sign.slice(0, -1)}${sign.endsWith('A') ? 'B' : 'A'}`,
      `${until}.${random}.`,
      'x'.repeat(5000),
    ])
      expect((await request('/', { headers: { host: host(), cookie: `${name}=${forged}` } })).status).toBe(403);
    expect((await request('/', { headers: { host: host(), cookie } })).status).toBe(200);
  });

  it('slows strangers down, not the artist', async () => {
    const statuses = new Set<number>();
    for (let round = 0; round < 100; round += 1)
      statuses.add((await request('/', { headers: { host: host() } })).status);
    expect(statuses).toEqual(new Set([403, 429]));
    expect((await request('/', { headers: { host: host(), cookie } })).status).toBe(200);
  });
});

describe('other names and other sites', () => {
  it.each(['evil.example', `evil.example:80`, '127.0.0.1', '127.0.0.1:1', '[::1]:4780', '0.0.0.0:4780'])(
    'a request for the host %s is refused (DNS rebinding)',
    async (name) => {
      expect((await request('/', { headers: { host: name, cookie } })).status).toBe(403);
      expect(await knock({ host: name, origin: `http://${name}`, cookie })).toEqual({ status: 403 });
      expect(logged('host')).toBe(true);
    },
  );

  it.each(['http://evil.example', 'null', 'http://127.0.0.1', 'https://localhost', 'http://127.0.0.1:1', 'file://'])(
    'a socket from the origin %s is refused, cookie or not',
    async (origin) => {
      expect(await knock({ origin, cookie })).toEqual({ status: 403 });
      expect(logged('origin')).toBe(true);
    },
  );

  it('a socket that says no origin is refused', async () => {
    expect(await knock({ cookie })).toEqual({ status: 403 });
  });

  it('a request that another site started is refused, but a link may lead to the page', async () => {
    const base = { host: host(), cookie };
    for (const site of ['cross-site', 'same-site'])
      expect((await request('/assets/a.js', { headers: { ...base, 'sec-fetch-site': site } })).status).toBe(403);
    expect((await request('/assets/a.js', { headers: { ...base, origin: 'http://evil.example' } })).status).toBe(403);
    const link = { ...base, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect((await request('/', { headers: link })).status).toBe(200);
    expect((await request('/', { headers: { ...link, 'sec-fetch-mode': 'no-cors' } })).status).toBe(403);
  });

  it('the answer allows no other site anything', async () => {
    for (const target of ['/', '/assets/a.js', '/nothing']) {
      const { headers } = await request(target, { headers: { host: host(), cookie } });
      expect(headers['access-control-allow-origin']).toBeUndefined();
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'cross-origin-resource-policy': 'same-origin',
        'cross-origin-opener-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
      });
      expect(headers['content-security-policy']).toContain("default-src 'none'");
    }
  });
});

describe('bad requests', () => {
  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('%s is refused', async (method) => {
    expect((await request('/', { method, headers: { host: host(), cookie } })).status).toBe(405);
  });

  it.each(['/../secret', '/%2e%2e/secret', '/assets/..%2f..%2f..%2fsecret', '/..%5csecret', '/%00', '/%ff'])(
    '%s leads out of no folder',
    async (target) => {
      const { status, body } = await request(target, { headers: { host: host(), cookie } });
      expect([400, 403, 404]).toContain(status);
      expect(body).not.toBe('secret');
    },
  );

  it.each([
    ['noise', Buffer.from([0, 1, 2, 3, 255, 254, 10, 13, 10])],
    ['another protocol', 'EHLO example\r\n\r\n'],
    ['a header that never ends', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(40_000)}`],
    ['two lengths', 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['an address that is none', 'GET http://[::/ HTTP/1.1\r\nHost: x\r\n\r\n'],
  ])('%s on the line is answered by closing it', async (_what, bytes) => {
    const answer = await new Promise<string>((resolve) => {
      const socket = net.connect({ host: '127.0.0.1', port: server.port }, () => socket.write(bytes));
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('close', () => resolve(text));
      socket.on('error', () => undefined);
      socket.setTimeout(3000, () => socket.destroy());
    });
    expect(answer).not.toContain('HTTP/1.1 200');
  });

  it('a client that leaves in the middle is no refusal', async () => {
    const large = path.join(test.folder, 'renderer', 'assets', 'large.js');
    writeFileSync(large, Buffer.alloc(20_000_000, 32));
    const before = test.studio.parts.log.recent().length;
    for (let round = 0; round < 5; round += 1)
      await new Promise<void>((resolve) => {
        const sent = http.request({
          host: '127.0.0.1',
          port: server.port,
          path: '/assets/large.js',
          headers: { host: host(), cookie },
        });
        sent.on('response', (response) => {
          response.once('data', () => sent.destroy());
          response.on('error', () => undefined);
          response.on('close', resolve);
        });
        sent.on('error', () => undefined);
        sent.end();
      });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(test.studio.parts.log.recent().slice(before)).toEqual([]);
  });

  it('an upgrade to anywhere else is refused', async () => {
    expect(await knock({ origin: `http://${host()}`, cookie }, '/other')).toEqual({ status: 404 });
  });
});

describe('a window that was let in and misbehaves', () => {
  it('may send noise, but not for ever', async () => {
    const { socket, closed } = await enterSocket();
    for (let index = 0; index < CONNECTION_LIMITS.patience; index += 1) socket.send(Buffer.from([index & 0xff, 1, 2]));
    expect(await closed).toBe(4002);
    expect(logged('malformed')).toBe(true);
  });

  it('is not understood when it sends text', async () => {
    const { socket, messages } = await enterSocket();
    socket.send('{"type":"call","id":1,"name":"settings.get","input":{}}');
    socket.send(encodeFrame({ type: 'call', id: 2, name: 'settings.get', input: {} }));
    await new Promise((resolve) => socket.once('message', resolve));
    expect(messages.filter((message) => message.type === 'reply')).toMatchObject([{ id: 2 }]);
    socket.terminate();
  });

  it('gets typed refusals for wrong shapes, names and values', async () => {
    const { socket, messages } = await enterSocket();
    const sent = [
      { type: 'call', id: 1, name: '__proto__', input: {} },
      { type: 'call', id: 2, name: 'results.get', input: { id: { $gt: '' } } },
      { type: 'call', id: 3, name: 'blobs.put', input: { bytes: new Uint8Array([1, 2, 3]) } },
      { type: 'call', id: 4, name: 'import.path', input: { path: '../../etc/passwd' } },
      { type: 'call', id: 5, name: 'blobs.saveAs', input: { hash: '0'.repeat(64), path: '/etc/cron.d/x' } },
      { type: 'call', id: 6, name: 'app.openExternal', input: { url: 'javascript:alert(1)' } },
    ];
    for (const message of [{ type: 'shutdown' }, { type: 'call', id: -1 }, null, ...sent])
      socket.send(encodeFrame(message));
    await expect.poll(() => messages.filter(({ type }) => type === 'reply').length).toBe(sent.length);
    const codes = messages.flatMap((message) =>
      message.type === 'reply' ? [[message.id, message.reply.ok ? 'taken' : message.reply.error.code]] : [],
    );
    expect(Object.fromEntries(codes)).toEqual({
      1: 'bad-use',
      2: 'bad-input',
      3: 'bad-input',
      4: 'bad-input',
      5: 'refused',
      6: 'refused',
    });
    socket.terminate();
  });

  it('is cut off when a message is too large', async () => {
    const { socket, closed } = await enterSocket();
    socket.send(Buffer.alloc(FRAME_LIMITS.bytes + 1));
    expect(await closed).toBe(1009);
    expect(logged('connection refused')).toBe(true);
  });

  it('is refused calls when it floods, and cut off when it goes on', async () => {
    const { socket, messages, closed } = await enterSocket();
    const call = encodeFrame({ type: 'call', id: 7, name: 'queue.list', input: {} });
    for (let index = 0; index < 5000; index += 1) socket.send(call);
    expect(await closed).toBe(4008);
    const refused = messages.filter((message) => message.type === 'reply' && !message.reply.ok);
    expect(refused[0]).toMatchObject({ reply: { error: { code: 'refused', remedy: expect.any(String) as string } } });
    expect(logged('too many calls')).toBe(true);
    // A flood is logged in a few lines, not in one for each call.
    expect(test.studio.parts.log.recent().length).toBeLessThan(60);
  });

  it('cannot open windows without end', async () => {
    const open = await Promise.all(Array.from({ length: 40 }, () => knock({ origin: `http://${host()}`, cookie })));
    expect(open.filter((one) => 'status' in one && one.status === 429).length).toBeGreaterThanOrEqual(7);
    for (const one of open) if ('socket' in one) one.socket.terminate();
    await expect
      .poll(async () => {
        const again = await knock({ origin: `http://${host()}`, cookie });
        if ('socket' in again) again.socket.terminate();
        return 'socket' in again;
      })
      .toBe(true);
  });
});
