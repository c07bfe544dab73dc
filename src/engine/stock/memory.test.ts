import { mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { CHECKPOINTS } from '../checkpoints/graphs/fixtures.testkit.ts';
import { estimateMemory, requireMemory, usableMemory } from './memory.ts';
import { stockPackReader } from './open-stock.ts';

const folder = mkdtempSync(join(tmpdir(), 'memory-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('pages mapped from a checkpoint are counted once: they are in the page cache, which can be had', () => {
  const status = 'Name:\tnode\nVmHWM:\t 4400000 kB\nRssAnon:\t 1000000 kB\nRssFile:\t 3400000 kB\n';
  const before = usableMemory({ available: 10e9, resident: 4.5e9, status });
  expect(before).toBe(10e9 + 1000000 * 1024);
  // The same after the mapping went away: what was promised did not depend on it.
  const after = status.replace('3400000', '0');
  expect(usableMemory({ available: 10e9, resident: 1.1e9, status: after })).toBe(before);
});

test('where the system does not tell them apart, everything the process holds counts', () => {
  expect(usableMemory({ available: 10e9, resident: 2e9, status: null })).toBe(12e9);
});

test.runIf(process.platform === 'linux')('this process: own memory counts, a file that is read does not', () => {
  const file = join(folder, 'read');
  writeFileSync(file, Buffer.alloc(1 << 20));
  readSync(openSync(file, 'r'), Buffer.alloc(1 << 20));
  const own = Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
  const usable = usableMemory();
  // Other processes come and go between the two looks.
  expect(Math.abs(usable - process.availableMemory() - own)).toBeLessThan(1.5e9);
  expect(usable).toBeGreaterThan(own);
});

test('the refusal tells the figures, and what to do', async () => {
  const { opened } = await stockPackReader.open(join(CHECKPOINTS, 'sd15-tiny.safetensors'));
  const estimate = estimateMemory(opened, { rows: 3, cells: 128, cellSide: 8, free: 1e6 });
  expect(() => requireMemory(estimate, 1e6)).toThrow(/this needs about \d+\.\d GB of memory; 0\.0 of/);
  expect(() => requireMemory(estimate, estimate.peak)).not.toThrow();
});
