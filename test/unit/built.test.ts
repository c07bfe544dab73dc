// What `npm run build` makes, run as it will be run: the bundled main process (over a fake Electron in a process of
// its own), its library worker and its engine process, which really makes a picture.
import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallName, CallOutput } from '#shared/api/calls.ts';
import type { Reply } from '#shared/api/wire.ts';
import { isAlive } from './processes.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
// Inside the repository, so that the bundles find their packages.
let out: string;
let data: string | undefined;
let child: ChildProcess;
let nextId = 1;
const engines: number[] = [];
const events: { name: string; payload: { job?: { id: string; state: string }; result?: { id: string } } }[] = [];
const waiting = new Map<number, (answer: unknown) => void>();
const exited = { code: undefined as number | null | undefined };

const ask = <T>(message: object): Promise<T> =>
  new Promise((resolve) => {
    const id = nextId;
    nextId += 1;
    waiting.set(id, resolve as (answer: unknown) => void);
    child.send({ id, ...message });
  });
async function call<N extends CallName>(name: N, input: object): Promise<CallOutput<N>> {
  const reply = await ask<Reply>({ call: { name, input } });
  if (!reply.ok) throw new Error(`${name}: ${reply.error.code}: ${reply.error.message}`);
  return reply.output as CallOutput<N>;
}

beforeAll(async () => {
  out = mkdtempSync(path.join(ROOT, 'out-test-'));
  const builder = path.join(ROOT, 'node_modules/electron-vite/bin/electron-vite.js');
  const built = spawn(process.execPath, [builder, 'build', '--logLevel', 'warn'], {
    cwd: ROOT,
    env: { ...process.env, SPATEXT_OUT: out, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let words = '';
  built.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()));
  const code = await new Promise((resolve) => built.on('exit', resolve));
  if (code !== 0) throw new Error(`the build failed: ${words}`);

  data = mkdtempSync(path.join(ROOT, 'out-test-data-'));
  child = fork(path.join(out, 'main/index.js'), [`--data=${data}`], {
    execArgv: ['--import', path.join(import.meta.dirname, 'fake-electron/register.mjs')],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.on('exit', (status) => (exited.code = status));
  const window = new Promise<void>((resolve) => {
    child.on('message', (message: Record<string, never>) => {
      if ('answer' in message) waiting.get(message['id'] ?? 0)?.(message['answer']);
      else if ('event' in message) events.push({ name: message['event'] ?? '', payload: message['payload'] ?? {} });
      else if ('engine' in message) engines.push(message['engine'] ?? 0);
      else if ('window' in message) resolve();
    });
  });
  await window;
}, 120_000);

afterAll(() => {
  if (exited.code === undefined) child?.kill('SIGKILL');
  for (const folder of [out, data].filter((one) => one !== undefined)) rmSync(folder, { recursive: true, force: true });
});

describe('the built studio', () => {
  it('has a preload script for a sandbox: one file that loads nothing but electron', () => {
    expect(readdirSync(path.join(out, 'preload'))).toEqual(['index.cjs']);
    const text = readFileSync(path.join(out, 'preload/index.cjs'), 'utf8');
    const required = [...text.matchAll(/require\((['"`])([^'"`]+)\1\)/g)].map((match) => match[2]);
    expect(new Set(required)).toEqual(new Set(['electron']));
  });

  it('serves its page from the bundle, with a nonce', async () => {
    const { status, body } = await ask<{ status: number; body: Uint8Array }>({ get: 'spatext://app/' });
    const html = Buffer.from(body).toString('utf8');
    expect(status).toBe(200);
    expect(html).toMatch(/<script type="module"[^>]* nonce="(?!SPATEXT_NONCE)[^"]{16,}"/);
    const script = /src="\.\/(assets\/[^"]+)"/.exec(html)?.[1] ?? '';
    expect((await ask<{ status: number }>({ get: `spatext://app/${script}` })).status).toBe(200);
    for (const file of readdirSync(path.join(out, 'renderer/assets')))
      expect(statSync(path.join(out, 'renderer/assets', file)).size).toBeGreaterThan(0);
  });

  it('makes a picture in its engine process and keeps it in its library', async () => {
    const document = await call('document.current', {});
    const records = document.records.map((record) =>
      record.type === 'scene'
        ? { ...record, width: 256, height: 256, upscale: 1 as const, sampler: { ...record.sampler, steps: 2 } }
        : record,
    );
    const { job } = await call('generate.start', { records });
    await expect
      .poll(
        () =>
          events.find(
            ({ name, payload }) => name === 'job.changed' && payload.job?.id === job && payload.job.state === 'done',
          ),
        {
          timeout: 90_000,
        },
      )
      .toBeDefined();
    await expect.poll(() => events.some(({ name }) => name === 'result.added'), { timeout: 5000 }).toBe(true);
    const { results, total } = await call('results.list', {});
    expect(total).toBe(1);
    const blob = await ask<{ status: number; body: Uint8Array }>({ get: `spatext://app/blob/${results[0]?.picture}` });
    expect(blob.status).toBe(200);
    expect(Buffer.from(blob.body).subarray(1, 4).toString('latin1')).toBe('PNG');
    // Its formats are bundled too.
    const made = await call('export.create', { records, format: 'psd', result: results[0]?.id ?? null });
    expect(made.fileName).toMatch(/\.psd$/);
    expect(made.bytes).toBeGreaterThan(10_000);
  }, 120_000);

  it('goes on with another engine process when one is killed', async () => {
    process.kill(engines.at(-1) ?? 0, 'SIGKILL');
    await expect
      .poll(() =>
        events.some(
          ({ name, payload }) => name === 'notice' && JSON.stringify(payload).includes('the engine process stopped'),
        ),
      )
      .toBe(true);
    expect((await call('packs.list', {})).packs.length).toBeGreaterThan(0);
    expect(engines.length).toBe(2);
  }, 60_000);

  it('ends in order when its last window is closed, its engine too', async () => {
    child.send({ close: true });
    await expect.poll(() => exited.code, { timeout: 10_000 }).toBe(0);
    await expect.poll(() => engines.filter((pid) => isAlive(pid))).toEqual([]);
  }, 20_000);
});
