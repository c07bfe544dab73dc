/**
 * How soon a stroke is seen: 50 segments at 2048 x 2048, drawn with the mouse in a real browser.
 *   node bench/browser/strokes.ts [--segments 50] [--side 2048] [--strokes 500] [--ends | --moves]
 * With --ends only the ends of strokes are measured, and nothing is written; with --moves the ends are left out and
 * half as many strokes are drawn, so that a slow machine is done within three minutes.
 * Prints one JSON object and writes it to bench/results/. For each move of the pointer:
 * - toPaint: from the first handler of the event to the first task after the frame with the new piece of stroke: what
 *   the studio needs. The browser runs without a frame clock for this.
 * - sinceEvent: the same from the event's own time stamp. That is mostly the browser: it keeps an event up to 18 ms
 *   before any handler sees it, on an empty page as well (`emptyPage`: a canvas, one rectangle a move).
 * - at60Hz: with the display's clock, where a frame begins every 16.7 ms; `frames` are the intervals between them while
 *   drawing: longer ones were dropped.
 * - processorMsPerFrame: what a frame costs on each thread, whatever else runs on the machine.
 * - strokeEndMs: the main thread's processor time from the moment the pen is lifted until the segment's new outline is
 *   on the screen, stroke by stroke; the strokes go on drawing one of the segments where it is.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { build, preview } from 'vite';
import type { Studio } from '../../src/renderer/app/studio.ts';
import { wander } from './wander.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { values: options } = parseArgs({
  options: {
    segments: { type: 'string', default: '50' },
    side: { type: 'string', default: '2048' },
    strokes: { type: 'string', default: '500' },
    ends: { type: 'boolean', default: false },
    moves: { type: 'boolean', default: false },
    port: { type: 'string', default: '4782' },
    chromium: { type: 'string', default: process.env['CHROMIUM'] ?? '/usr/bin/chromium' },
  },
});
const strokes = Number(options.strokes);
const configFile = path.join(ROOT, 'test/browser/canvas-harness/vite.config.ts');

const CLOCKED = ['--no-sandbox'];
const FREE = [...CLOCKED, '--disable-frame-rate-limit', '--disable-gpu-vsync'];

/** Percentile by the nearest rank. */
const percentile = (sorted: readonly number[], p: number): number =>
  sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))] ?? 0;

const summary = (values: number[]) => {
  const sorted = values.toSorted((a, b) => a - b);
  const round = (value: number): number => Math.round(value * 100) / 100;
  return {
    count: sorted.length,
    p50: round(percentile(sorted, 0.5)),
    p95: round(percentile(sorted, 0.95)),
    p99: round(percentile(sorted, 0.99)),
    max: round(sorted.at(-1) ?? 0),
  };
};

/** Runs in the page: notes each move's time from event to paint, and the intervals between frames while drawing. */
function probe(): void {
  const moves: number[] = [];
  const handled: number[] = [];
  const frames: number[] = [];
  const channel = new MessageChannel();
  let waiting: { at: number; began: number }[] = [];
  let lastFrame = 0;
  let down = false;
  channel.port1.addEventListener('message', () => {
    const now = performance.now();
    for (const { at, began } of waiting) {
      moves.push(now - at);
      handled.push(now - began);
    }
    waiting = [];
  });
  channel.port1.start();
  window.addEventListener(
    'pointermove',
    (event) => event.buttons > 0 && waiting.push({ at: event.timeStamp, began: performance.now() }),
    {
      capture: true,
    },
  );
  window.addEventListener('pointerdown', () => (down = true), { capture: true });
  window.addEventListener('pointerup', () => (down = false), { capture: true });
  const frame = (now: number): void => {
    if (down && lastFrame > 0) frames.push(now - lastFrame);
    lastFrame = down ? now : 0;
    // a message posted here arrives when the frame has been handed over
    if (waiting.length > 0) channel.port2.postMessage(null);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  Object.assign(window, {
    takeSamples: () => ({ moves: moves.splice(0), handled: handled.splice(0), frames: frames.splice(0) }),
  });
}

interface Samples {
  readonly moves: number[];
  readonly handled: number[];
  readonly frames: number[];
}

/** A part of the sheet's box on the page, as fractions of it. */
interface Part {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

async function drawStrokes(
  page: Page,
  count: number,
  seed: number,
  lift = () => page.mouse.up(),
  part: Part = { x: 0, y: 0, side: 1 },
): Promise<Samples> {
  const box = await page.locator('.canvas-view').boundingBox();
  if (!box) throw new Error('no canvas');
  const sheet = Math.min(box.width, box.height) * 0.8;
  const side = sheet * part.side;
  const left = box.x + (box.width - sheet) / 2 + sheet * part.x;
  const top = box.y + (box.height - sheet) / 2 + sheet * part.y;
  const hand = wander(seed, { left, top, side }, 30, 9);
  for (let stroke = 0; stroke < count; stroke += 1) {
    const [first, ...moves] = hand.next().value;
    if (first) await page.mouse.move(...first);
    await page.mouse.down();
    for (const point of moves) await page.mouse.move(...point);
    await lift();
  }
  return page.evaluate(() => (window as unknown as { takeSamples(): Samples }).takeSamples());
}

interface Counters {
  readonly heapMB: number;
}

/** @param session stays the same: the browser counts from when it was asked to */
async function counters(session: CDPSession): Promise<Counters> {
  await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  const value = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? 0;
  return { heapMB: Math.round(value('JSHeapUsedSize') / 1e5) / 10 };
}

const settled = (page: Page) =>
  page.waitForFunction(() => (window as unknown as { canvasSettled?(): boolean }).canvasSettled?.() === true, null, {
    timeout: 120_000,
  });

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/**
 * The processor's time that one frame of a stroke takes, in milliseconds, on each thread between the pointer and the
 * screen; unlike the times by the clock it does not depend on what else runs on the machine.
 */
async function processorTime(browser: Browser, page: Page, draw: () => Promise<unknown>) {
  await browser.startTracing(page, { categories: ['toplevel', 'cc', 'viz'] });
  await draw();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const threads = new Map<string, string>();
  for (const { name, pid, tid, args } of traceEvents)
    if (name === 'thread_name') threads.set(`${pid}:${tid}`, args?.name ?? '');
  const spent: Record<string, number> = {};
  let frames = 0;
  for (const { name, ph, pid, tid, tdur = 0 } of traceEvents) {
    const thread = threads.get(`${pid}:${tid}`) ?? '';
    if (ph !== 'X') continue;
    if (name === 'ThreadControllerImpl::RunTask') spent[thread] = (spent[thread] ?? 0) + tdur / 1000;
    if (name === 'ProxyMain::BeginMainFrame' && thread === 'CrRendererMain') frames += 1;
  }
  const perFrame = (thread: string): number => Math.round(((spent[thread] ?? 0) / Math.max(1, frames)) * 100) / 100;
  const [main, compositor, display] = ['CrRendererMain', 'Compositor', 'VizCompositorThread'].map(perFrame);
  const total = Math.round(((main ?? 0) + (compositor ?? 0) + (display ?? 0)) * 100) / 100;
  return { frames, main, compositor, display, total };
}

/** The main thread's processor time for each lifting of the pen, in milliseconds. */
async function strokeEnds(browser: Browser, page: Page, count: number, part: Part): Promise<number[]> {
  const spent: number[] = [];
  await drawStrokes(
    page,
    count,
    6,
    async () => {
      await painted(page);
      await browser.startTracing(page, { categories: ['toplevel'] });
      await page.mouse.up();
      await settled(page);
      await painted(page);
      const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
      const main = new Set(
        traceEvents.flatMap(({ name, pid, tid, args }) =>
          name === 'thread_name' && args?.name === 'CrRendererMain' ? [`${pid}:${tid}`] : [],
        ),
      );
      const tasks = traceEvents.filter(
        ({ name, ph, pid, tid }) => ph === 'X' && name === 'ThreadControllerImpl::RunTask' && main.has(`${pid}:${tid}`),
      );
      spent.push(tasks.reduce((sum, { tdur = 0 }) => sum + tdur / 1000, 0));
    },
    part,
  );
  return spent;
}

/** Two frames on: everything that was asked for has been painted. */
const painted = (page: Page): Promise<unknown> =>
  page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));

/** Takes up a tool, with one of the segments selected, as an artist does who goes on drawing it. */
const takeUp = (page: Page, tool: 'brush' | 'eraser') =>
  page.evaluate((name) => {
    const { studio } = window as unknown as { studio: Studio };
    const first = Object.values(studio.document.getState().document).find(({ type }) => type === 'segment');
    if (first?.type === 'segment') studio.view.select([first.id]);
    studio.view.setState({ tool: name, brushSize: 64 });
  }, tool);

/** A browser with the crowded scene open. */
async function withCrowd<T>(
  frameClock: boolean,
  measure: (browser: Browser, page: Page, openMs: number) => Promise<T>,
): Promise<T> {
  const args = frameClock ? CLOCKED : FREE;
  const browser = await chromium.launch({ executablePath: options.chromium, args });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(300_000);
    page.on('pageerror', (error) => console.error('page:', error.message));
    await page.addInitScript(probe);
    const opened = performance.now();
    await page.goto(`http://127.0.0.1:${options.port}/?scene=crowd&count=${options.segments}&side=${options.side}`);
    await settled(page);
    const openMs = Math.round(performance.now() - opened);
    console.error(`${frameClock ? 'at 60 Hz' : 'without a frame clock'}: outlines after ${openMs} ms`);
    return await measure(browser, page, openMs);
  } finally {
    await browser.close();
  }
}

/** Where the first segment lies: the middle of its strokes, with a fifth of the sheet around it. */
const placeOfFirst = (page: Page): Promise<Part> =>
  page.evaluate(() => {
    const { studio } = window as unknown as { studio: Studio };
    const { document } = studio.document.getState();
    const first = Object.values(document).find(({ type }) => type === 'segment');
    const scene = document['scene:main'];
    const shape = first?.type === 'segment' ? first.shapes[0] : undefined;
    if (shape?.kind !== 'strokes' || scene?.type !== 'scene') throw new Error('not the crowd');
    const points = shape.strokes.flatMap((stroke) => stroke.points);
    const middle = (axis: 0 | 1): number => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
    const place = (value: number): number => Math.max(0, Math.min(0.8, value - 0.1));
    return { x: place(middle(0) / scene.width), y: place(middle(1) / scene.height), side: 0.2 };
  });

/** From the event to the frame where a page does nothing but paint one rectangle: what the browser itself takes. */
async function emptyPage() {
  const browser = await chromium.launch({ executablePath: options.chromium, args: FREE });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.addInitScript(probe);
    await page.goto('data:text/html,<canvas class="canvas-view" width="1400" height="800"></canvas>');
    await page.evaluate(() => {
      const canvas = document.querySelector('canvas');
      const context = canvas?.getContext('2d');
      canvas?.addEventListener('pointermove', ({ offsetX, offsetY }) => context?.fillRect(offsetX, offsetY, 8, 8));
    });
    return summary((await drawStrokes(page, 20, 2)).moves);
  } finally {
    await browser.close();
  }
}

const runEnds = () =>
  withCrowd(true, async (browser, page) => {
    await takeUp(page, 'brush');
    const part = await placeOfFirst(page);
    await drawStrokes(page, 2, 1, undefined, part);
    await settled(page);
    const ends = summary(await strokeEnds(browser, page, 12, part));
    console.error(`ends of strokes: ${JSON.stringify(ends)}`);
    return ends;
  });

const run = (frameClock: boolean) =>
  withCrowd(frameClock, async (browser, page, openMs) => {
    await takeUp(page, 'brush');
    await drawStrokes(page, 5, 1);
    const processor = await processorTime(browser, page, () => drawStrokes(page, 8, 5));
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    const before = await counters(session);
    const brush = await drawStrokes(page, options.moves ? 20 : 40, 2);
    console.error(`brush: ${JSON.stringify(summary(brush.handled))}`);
    await takeUp(page, 'eraser');
    const eraser = await drawStrokes(page, options.moves ? 8 : 15, 3);
    await takeUp(page, 'brush');
    const fewest = options.moves ? 8 : 20;
    const last = await drawStrokes(page, frameClock || options.moves ? fewest : Math.max(fewest, strokes - 60), 4);
    await settled(page);
    const after = await counters(session);
    return {
      version: browser.version(),
      openToAllOutlinesMs: openMs,
      brush: summary(brush.handled),
      eraser: summary(eraser.handled),
      last: summary(last.handled.slice(-900)),
      sinceEvent: summary([...brush.moves, ...eraser.moves]),
      frames: summary([...brush.frames, ...eraser.frames]),
      processor,
      heapMB: { before: before.heapMB, after: after.heapMB },
    };
  });

await build({ configFile, logLevel: 'warn' });
const server = await preview({
  configFile,
  preview: { port: Number(options.port), strictPort: true },
  logLevel: 'warn',
});
try {
  const strokeEndMs = options.moves ? undefined : await runEnds();
  if (options.ends) {
    console.log(JSON.stringify({ strokeEndMs }, null, 2));
    process.exit();
  }
  const free = await run(false);
  const clocked = await run(true);
  const result = {
    name: 'strokes',
    command: ['node bench/browser/strokes.ts', ...process.argv.slice(2)].join(' '),
    when: new Date().toISOString(),
    machine: {
      cpu: os.cpus()[0]?.model ?? '',
      cores: os.cpus().length,
      load: os.loadavg().map((value) => Math.round(value * 100) / 100),
    },
    browser: free.version,
    segments: Number(options.segments),
    side: Number(options.side),
    openToAllOutlinesMs: free.openToAllOutlinesMs,
    toPaintMs: { brush: free.brush, eraser: free.eraser, last: free.last },
    sinceEventMs: { studio: free.sinceEvent, emptyPage: await emptyPage() },
    at60Hz: { brush: clocked.brush, eraser: clocked.eraser, sinceEvent: clocked.sinceEvent, frames: clocked.frames },
    processorMsPerFrame: clocked.processor,
    ...(strokeEndMs && { strokeEndMs }),
    heapMB: { ...free.heapMB, ...(!options.moves && { strokes }) },
  };
  console.log(JSON.stringify(result, null, 2));
  const folder = path.join(ROOT, 'bench/results');
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'browser-strokes.json'), `${JSON.stringify(result, null, 2)}\n`);
} finally {
  await server.close();
}
