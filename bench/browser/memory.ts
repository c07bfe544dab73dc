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
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Browser, CDPSession } from 'playwright-core';
import { buildRenderer } from '../../scripts/build-renderer.ts';
import {
  StudioPage,
  dropFolder,
  engineProcesses,
  newDataFolder,
  openBrowser,
  startHost,
} from '../../test/e2e/studio.testkit.ts';
import type { Host } from '../../test/e2e/studio.testkit.ts';
import { record } from '../record.ts';
import { wander } from './wander.ts';

const { values: options } = parseArgs({
  options: {
    strokes: { type: 'string', default: '500' },
    results: { type: 'string', default: '100' },
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

async function memory(browser: Browser, page: CDPSession, host: Host) {
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
    hostMB: statusOf(host.pid, 'VmRSS'),
    engineMB: statusOf((await engineProcesses(host))[0] ?? 0, 'VmRSS'),
  };
}

/** Strokes that wander over the middle of the canvas, the same ones each time. */
async function draw(studio: StudioPage): Promise<void> {
  const { page } = studio;
  const box = await studio.canvas().boundingBox();
  if (!box) throw new Error('no canvas');
  const side = Math.min(box.width, box.height) * 0.7;
  const hand = wander(7, { left: box.x + (box.width - side) / 2, top: box.y + (box.height - side) / 2, side }, 4, 27);
  for (let stroke = 0; stroke < strokes; stroke += 1) {
    if (stroke % EACH === 0) {
      // nothing selected: the next stroke begins a segment
      await page.keyboard.press('Escape');
      await page.keyboard.press('Escape');
      await page.keyboard.press('b');
    }
    const [first, ...moves] = hand.next().value;
    if (first) await page.mouse.move(...first);
    await page.mouse.down();
    for (const point of moves) await page.mouse.move(...point);
    await page.mouse.up();
    if (stroke % EACH === 0) {
      await page.keyboard.type(`thing ${stroke / EACH + 1}`);
      await page.keyboard.press('Enter');
    }
  }
  await studio.kept();
}

async function makeResults(studio: StudioPage): Promise<void> {
  const { page } = studio;
  await studio.setSteps(2);
  await page.getByRole('button', { name: /^Pictures/ }).click();
  const pictures = page.getByRole('spinbutton', { name: 'Pictures', exact: true });
  await pictures.fill(String(BATCH));
  await pictures.press('Enter');
  await page.keyboard.press('Escape');
  await pictures.waitFor({ state: 'hidden' });
  for (let count = 0; count < results; count += BATCH) {
    await page.keyboard.press('Control+Enter');
    const deadline = performance.now() + 120_000;
    while ((await studio.resultCount()) < count + BATCH) {
      if (performance.now() > deadline) throw new Error(`${await studio.resultCount()} results of ${count + BATCH}`);
      await page.waitForTimeout(200);
    }
  }
}

await buildRenderer();
const host = await startHost(await newDataFolder());
const browser = await openBrowser();
try {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-US' });
  const studio = await StudioPage.open(context, host);
  const { page } = studio;
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable');
  await page.keyboard.press('Alt+n');
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^Empty/ })
    .click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  const [started, now] = [await memory(browser, session, host), performance.now()];
  console.error(JSON.stringify(started));
  await draw(studio);
  const drawn = await memory(browser, session, host);
  console.error(`${strokes} strokes in ${Math.round(performance.now() - now)} ms: ${JSON.stringify(drawn)}`);
  await makeResults(studio);
  const made = await memory(browser, session, host);
  record('browser-memory', `node bench/browser/memory.ts --strokes ${strokes} --results ${results}`, {
    browser: browser.version(),
    segments: Math.ceil(strokes / EACH),
    start: started,
    afterStrokes: drawn,
    afterResults: made,
  });
} finally {
  await browser.close();
  await host.stop();
  await dropFolder(host.dataFolder);
}
