/**
 * What a long session takes: 500 strokes drawn with the mouse and 100 results made, in the real studio, through the
 * loopback host with the real engine.
 *   node bench/browser/memory.ts [--strokes 500] [--results 100]
 * Memory is noted at the start, after the strokes and after the results:
 * - heapMB: the page's own objects, after a collection.
 * - pageMB, hostMB, engineMB: resident memory of the page's process, of the host's and of the engine's (Linux), as they
 *   are; a collector that has had no reason to run has not run. Of the page's, `pageOwnMB` is what no file lies behind.
 * Results are made with few steps: what a picture takes afterwards does not depend on how long it was worked on.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { buildRenderer } from '../../scripts/build-renderer.ts';
import { record } from '../record.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const { values: options } = parseArgs({
  options: {
    strokes: { type: 'string', default: '500' },
    results: { type: 'string', default: '100' },
    chromium: { type: 'string', default: process.env['SPATEXT_CHROMIUM'] ?? '/usr/bin/chromium' },
  },
});
const strokes = Number(options.strokes);
const results = Number(options.results);
/** A new segment is begun after this many strokes. */
const EACH = 50;
/** Pictures of one job. */
const BATCH = 10;

const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;

/** @param field of /proc/PID/status, in kB there; 0 where there is no such file */
function statusOf(pid: number, field: 'VmRSS' | 'RssAnon'): number {
  try {
    const kilobytes = new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return megabytes(Number(kilobytes ?? 0) * 1024);
  } catch {
    return 0;
  }
}

function engineOf(host: number): number {
  try {
    const children = readFileSync(`/proc/${host}/task/${host}/children`, 'utf8').trim().split(' ');
    return Number(children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('engine-process')) ?? 0);
  } catch {
    return 0;
  }
}

async function memory(browser: Browser, page: CDPSession, host: number) {
  await page.send('HeapProfiler.collectGarbage');
  const { metrics } = await page.send('Performance.getMetrics');
  const metric = (name: string): number => metrics.find((one) => one.name === name)?.value ?? 0;
  const all = await browser.newBrowserCDPSession();
  const { processInfo } = (await all.send('SystemInfo.getProcessInfo')) as {
    processInfo: { type: string; id: number; cpuTime: number }[];
  };
  await all.detach();
  // The busiest page process is the studio's: the browser keeps an idle spare one.
  const renderer = processInfo.filter(({ type }) => type === 'renderer').toSorted((a, b) => b.cpuTime - a.cpuTime)[0];
  return {
    heapMB: megabytes(metric('JSHeapUsedSize')),
    nodes: metric('Nodes'),
    pageMB: statusOf(renderer?.id ?? 0, 'VmRSS'),
    pageOwnMB: statusOf(renderer?.id ?? 0, 'RssAnon'),
    hostMB: statusOf(host, 'VmRSS'),
    engineMB: statusOf(engineOf(host), 'VmRSS'),
  };
}

/** Strokes that wander over the middle of the canvas, the same ones each time. */
async function draw(page: Page): Promise<void> {
  let state = 7;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const box = await page.getByRole('application', { name: 'Canvas' }).boundingBox();
  if (!box) throw new Error('no canvas');
  const side = Math.min(box.width, box.height) * 0.7;
  const [left, top] = [box.x + (box.width - side) / 2, box.y + (box.height - side) / 2];
  for (let stroke = 0; stroke < strokes; stroke += 1) {
    if (stroke % EACH === 0) {
      // nothing selected: the next stroke begins a segment
      await page.keyboard.press('Escape');
      await page.keyboard.press('Escape');
      await page.keyboard.press('b');
    }
    let [x, y, angle] = [left + random() * side, top + random() * side, random() * 6.28];
    await page.mouse.move(x, y);
    await page.mouse.down();
    for (let step = 0; step < 4; step += 1) {
      angle += (random() - 0.5) * 0.9;
      x = Math.min(left + side, Math.max(left, x + Math.cos(angle) * 27));
      y = Math.min(top + side, Math.max(top, y + Math.sin(angle) * 27));
      await page.mouse.move(x, y);
    }
    await page.mouse.up();
    if (stroke % EACH === 0) {
      await page.keyboard.type(`thing ${stroke / EACH + 1}`);
      await page.keyboard.press('Enter');
    }
  }
  await page.locator('.topbar-saved[data-state="saved"]').waitFor({ timeout: 60_000 });
}

/** Sets a number in one of the cards of "This picture". */
async function setCard(page: Page, card: RegExp, field: string, value: number): Promise<void> {
  await page.getByRole('button', { name: card }).click();
  const input = page.getByRole('spinbutton', { name: field, exact: true });
  await input.fill(String(value));
  await input.press('Enter');
  await page.keyboard.press('Escape');
  await input.waitFor({ state: 'hidden' });
}

async function makeResults(page: Page): Promise<void> {
  await setCard(page, /^Sampler/, 'Steps', 2);
  await setCard(page, /^Pictures/, 'Pictures', BATCH);
  const made = () => page.getByRole('region', { name: 'Results' }).locator('img').count();
  for (let count = 0; count < results; count += BATCH) {
    await page.keyboard.press('Control+Enter');
    const deadline = performance.now() + 120_000;
    while ((await made()) < count + BATCH) {
      if (performance.now() > deadline) throw new Error(`${await made()} results instead of ${count + BATCH}`);
      await page.waitForTimeout(200);
    }
  }
}

await buildRenderer();
const data = mkdtempSync(path.join(os.tmpdir(), 'spatext-bench-'));
const args = [path.join(ROOT, 'scripts/start.ts'), '--web', '--no-open', '--port', '0', '--data', data];
const host = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
const browser = await chromium.launch({ executablePath: options.chromium, args: ['--no-sandbox'] });
try {
  const address = await new Promise<string>((resolve) => {
    let text = '';
    host.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /http:\S+/.exec(text)?.[0];
      if (found) resolve(found);
    });
  });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, locale: 'en-US' });
  page.on('pageerror', (error) => console.error('page:', error.message));
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  await page.goto(address);
  await page.getByRole('grid', { name: /^Segments/ }).waitFor();
  await page.keyboard.press('Alt+n');
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^Empty/ })
    .click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  const [started, now] = [await memory(browser, session, host.pid ?? 0), performance.now()];
  console.error(JSON.stringify(started));
  await draw(page);
  const drawn = await memory(browser, session, host.pid ?? 0);
  console.error(`${strokes} strokes in ${Math.round(performance.now() - now)} ms: ${JSON.stringify(drawn)}`);
  await makeResults(page);
  const made = await memory(browser, session, host.pid ?? 0);
  record('browser-memory', `node bench/browser/memory.ts --strokes ${strokes} --results ${results}`, {
    browser: browser.version(),
    segments: Math.ceil(strokes / EACH),
    start: started,
    afterStrokes: drawn,
    afterResults: made,
  });
} finally {
  await browser.close();
  host.kill('SIGINT');
  await new Promise((resolve) => host.on('exit', resolve));
  rmSync(data, { recursive: true, force: true });
}
