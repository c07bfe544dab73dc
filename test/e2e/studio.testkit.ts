// A real studio for end-to-end tests: the loopback server as `npm start` runs it, with a data folder of its own,
// and a real browser in front of it.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

const CHROMIUM = process.env['SPATEXT_CHROMIUM'] ?? '/usr/bin/chromium';
export const hasBrowser = existsSync(CHROMIUM);

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--font-render-hinting=none'] });

/** A running host. */
export interface Host {
  readonly dataFolder: string;
  readonly pid: number;
  /** An address with a token, good once. */
  address(): string;
  /** Ends it as Ctrl+C does. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  log(): string;
}

export const newDataFolder = (): Promise<string> => mkdtemp(path.join(os.tmpdir(), 'spatext-e2e-'));
export const dropFolder = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });

/** @param env besides this process's own */
export async function startHost(dataFolder: string, env: NodeJS.ProcessEnv = {}): Promise<Host> {
  const child = spawn(
    process.execPath,
    ['scripts/start.ts', '--web', '--no-open', '--port', '0', '--data', dataFolder],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    },
  );
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  // Also called before tests, where the runner's own polling is not to be had.
  const deadline = performance.now() + 120_000;
  while (!/http:\/\/\S+token=/.test(log)) {
    if (performance.now() > deadline || child.exitCode !== null) throw new Error(`the studio did not start: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    dataFolder,
    pid: child.pid ?? 0,
    address: () => /http:\/\/\S+token=\S+/.exec(log)?.[0] ?? '',
    stop: () => end(child, 'SIGINT', ended),
    kill: () => end(child, 'SIGKILL', ended),
    log: () => log,
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals, ended: Promise<void>): Promise<void> {
  child.kill(signal);
  await ended;
}

/** The engine processes of a host (Linux: children of its process). */
export async function engineProcesses(host: Host): Promise<number[]> {
  const children = await readFile(`/proc/${host.pid}/task/${host.pid}/children`, 'utf8').catch(() => '');
  const pids: number[] = [];
  for (const pid of children.trim().split(' ').filter(Boolean)) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('engine-process')) pids.push(Number(pid));
  }
  return pids;
}

export const filesBelow = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);

const COOKIES = new WeakMap<Host, Awaited<ReturnType<BrowserContext['cookies']>>>();

/** The studio's page as an artist uses it. */
export class StudioPage {
  readonly page: Page;
  /** What the page complained about: errors fail a test at its end. */
  readonly complaints: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
  }

  static async open(context: BrowserContext, host: Host): Promise<StudioPage> {
    const studio = new StudioPage(await context.newPage());
    // The printed address is good once: later visitors come with the first one's cookie.
    const known = COOKIES.get(host);
    if (known) await context.addCookies(known);
    await studio.page.goto(known ? new URL('/', host.address()).href : host.address());
    COOKIES.set(host, await context.cookies());
    await studio.ready();
    return studio;
  }

  async ready(): Promise<void> {
    await this.page.getByRole('button', { name: /^Generate/ }).waitFor({ timeout: 60_000 });
    await this.segments().waitFor({ timeout: 30_000 });
  }

  segments(): Locator {
    return this.page.getByRole('grid', { name: /^Segments/ });
  }
  segmentRows(): Locator {
    return this.segments().getByRole('row');
  }
  tool(name: string): Locator {
    return this.page.getByRole('toolbar', { name: 'Tools' }).getByRole('button', { name });
  }
  canvas(): Locator {
    return this.page.getByRole('application', { name: 'Canvas' });
  }
  results(): Locator {
    return this.page.getByRole('region', { name: 'Results' });
  }

  /** Drags over the canvas along points given as fractions of its box. */
  async drag(points: readonly (readonly [number, number])[]): Promise<void> {
    const box = await this.canvas().boundingBox();
    if (!box) throw new Error('the canvas is not on the page');
    const at = ([x, y]: readonly [number, number]) => [box.x + x * box.width, box.y + y * box.height] as const;
    const [first, ...rest] = points;
    if (!first) return;
    await this.page.mouse.move(...at(first));
    await this.page.mouse.down();
    for (const point of rest) await this.page.mouse.move(...at(point), { steps: 6 });
    await this.page.mouse.up();
  }

  /** Drops a file on the window as a browser gives it: its name and bytes, not its place. */
  async dropFile(name: string, content: Buffer): Promise<void> {
    await this.page.evaluate(
      ([file, base64]) => {
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.codePointAt(0) ?? 0)], file));
        document.body.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: data }));
      },
      [name, content.toString('base64')] as const,
    );
  }

  /** Sets the sampler's steps. @returns what they were */
  async setSteps(steps: number): Promise<number> {
    await this.page.getByRole('button', { name: /^Sampler/ }).click();
    const field = this.page.getByRole('spinbutton', { name: 'Steps', exact: true });
    const before = Number(await field.inputValue());
    await field.fill(String(steps));
    await field.press('Enter');
    await this.page.keyboard.press('Escape');
    await field.waitFor({ state: 'hidden' });
    return before;
  }

  /** Waits until the host has every edit. */
  async kept(): Promise<void> {
    await this.page.locator('.topbar-saved[data-state="saved"]').waitFor({ timeout: 30_000 });
  }

  /** Presses Ctrl+Enter and waits until the strip shows one more picture. */
  async generate(timeout = 120_000): Promise<void> {
    const before = await this.resultCount();
    await this.page.keyboard.press('Control+Enter');
    await expect.poll(() => this.resultCount(), { timeout, message: 'one more result' }).toBeGreaterThan(before);
  }

  resultCount(): Promise<number> {
    return this.results().locator('img').count();
  }
}
