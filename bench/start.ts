/**
 * How soon one can work: from `npm start`'s command to the printed address (interface built already), and from opening
 * the address to a window in which the scene is drawn and the next frame comes.
 *   node bench/start.ts [--runs 7]
 * Each run has a data folder of its own and a browser without a cache.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { buildRenderer } from '../scripts/build-renderer.ts';
import { record, spread } from './record.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '7' },
    chromium: { type: 'string', default: process.env['SPATEXT_CHROMIUM'] ?? '/usr/bin/chromium' },
  },
});

/** In the page: notes when the scene is drawn, told by a segment's label and a painted canvas, and a frame later. */
const WATCH = `
  window.sceneShown = new Promise((resolve) => {
    const look = () => {
      if (document.querySelector('canvas') && document.body.innerText.includes('palm tree'))
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
      else requestAnimationFrame(look);
    };
    document.addEventListener('DOMContentLoaded', look);
  });
`;

await buildRenderer();
const listening: number[] = [];
const interactive: number[] = [];
const transferred: number[] = [];
const browser = await chromium.launch({ executablePath: options.chromium, args: ['--no-sandbox'] });
for (let run = 0; run < Number(options.runs); run += 1) {
  const data = mkdtempSync(path.join(os.tmpdir(), 'spatext-bench-'));
  const begin = performance.now();
  const args = [path.join(ROOT, 'scripts/start.ts'), '--web', '--no-open', '--port', '0', '--data', data];
  const host = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const address = await new Promise<string>((resolve) => {
    let text = '';
    host.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /http:\S+/.exec(text)?.[0];
      if (found) resolve(found);
    });
  });
  listening.push(performance.now() - begin);
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  await page.addInitScript(WATCH);
  await page.goto(address, { waitUntil: 'commit' });
  interactive.push(await page.evaluate('window.sceneShown'));
  transferred.push(
    await page.evaluate(`performance.getEntriesByType('resource').reduce((sum, entry) => sum + entry.transferSize, 0)`),
  );
  await page.context().close();
  host.kill('SIGINT');
  await new Promise((resolve) => host.on('exit', resolve));
  rmSync(data, { recursive: true, force: true });
}
await browser.close();
record('start', 'node bench/start.ts', {
  runs: listening.length,
  loadAverage: os.loadavg()[0],
  commandToAddressMs: spread(listening),
  addressToInteractiveMs: spread(interactive),
  bytesLoaded: transferred[0],
});
