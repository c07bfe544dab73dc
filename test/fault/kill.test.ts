import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { killOnce } from './kill.ts';
import type { Promises } from './kill.ts';

/** In the suite a part; `SPATEXT_KILLS=200` runs all (bench/results/kills.json has the record). */
const KILLS = Number(process.env['SPATEXT_KILLS'] ?? 16);

test(
  'killed at random moments, nothing that was confirmed is lost and everything opens',
  { timeout: 3_600_000 },
  async () => {
    const root = await mkdtemp(path.join(tmpdir(), 'spatext-kill-'));
    const promises: Promises = { edit: 0, save: 0, results: new Map() };
    try {
      for (let seed = 1; seed <= KILLS; seed += 1)
        expect({ seed, wrong: await killOnce(root, seed, promises) }).toEqual({ seed, wrong: [] });
      expect(promises.edit).toBeGreaterThan(KILLS);
      expect(promises.save).toBeGreaterThan(0);
      expect(promises.results.size).toBeGreaterThan(KILLS);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  },
);
