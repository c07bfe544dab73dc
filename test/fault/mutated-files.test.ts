import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { importMutated, samples } from './mutated-files.ts';

/** In the suite a part; `SPATEXT_MUTATIONS=10000` runs all (bench/results/mutated-files.json has the record). */
const COUNT = Number(process.env['SPATEXT_MUTATIONS'] ?? 400);

const all = await samples();

test.each(all.map((sample) => [sample.name, sample] as const))(
  '%s: a mutated file is read or refused in words, never more',
  async (_name, sample) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'spatext-mutated-'));
    const before = process.cwd();
    process.chdir(folder);
    try {
      const { wrong, slowestMs, refused } = await importMutated(sample, COUNT, 1);
      expect(wrong).toEqual([]);
      expect(refused).toBeGreaterThan(0);
      expect(slowestMs).toBeLessThan(10_000);
      expect(await readdir(folder)).toEqual([]);
    } finally {
      process.chdir(before);
      await rm(folder, { recursive: true });
    }
  },
);
