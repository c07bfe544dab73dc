// SIGKILL at random moments during edits, saves, results, deletions and purges; then everything is opened again.
// `node bench/kills.ts 200 3`: 200 kills in three folders side by side.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { killOnce } from '../test/fault/kill.ts';
import type { Promises } from '../test/fault/kill.ts';
import { record } from './record.ts';

const KILLS = Number(process.argv[2] ?? 200);
const LANES = Number(process.argv[3] ?? 2);
const lanes: Promises[] = Array.from({ length: LANES }, () => ({ edit: 0, save: 0, results: new Map() }));
const wrong: string[] = [];
let next = 1;
let done = 0;

function report(): void {
  const sum = (each: (promises: Promises) => number): number => lanes.reduce((total, lane) => total + each(lane), 0);
  record('kills', `node bench/kills.ts ${KILLS} ${LANES}`, {
    kills: done,
    confirmedEdits: sum((lane) => lane.edit),
    confirmedResults: sum((lane) => lane.results.size),
    brokenPromises: wrong,
  });
}

async function lane(promises: Promises): Promise<void> {
  const root = await mkdtemp(path.join(tmpdir(), 'spatext-kills-'));
  for (let seed = next++; seed <= KILLS; seed = next++) {
    for (const what of await killOnce(root, seed, promises)) wrong.push(`seed ${seed}: ${what}`);
    done += 1;
    // Kept as it goes: who kills processes for a living should expect to be killed.
    if (done % 10 === 0) report();
  }
  await rm(root, { recursive: true, force: true });
}

await Promise.all(lanes.map(lane));
report();
process.exitCode = wrong.length > 0 ? 1 : 0;
