// SIGKILL at random moments during edits, saves, results, deletions and purges; then everything is opened again.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { killOnce } from '../test/fault/kill.ts';
import type { Promises } from '../test/fault/kill.ts';
import { record } from './record.ts';

const KILLS = Number(process.argv[2] ?? 200);
const root = await mkdtemp(path.join(tmpdir(), 'spatext-kills-'));
const promises: Promises = { edit: 0, save: 0, results: new Map() };
const wrong: string[] = [];
for (let seed = 1; seed <= KILLS; seed += 1) {
  for (const what of await killOnce(root, seed, promises)) wrong.push(`seed ${seed}: ${what}`);
  if (seed % 20 === 0) process.stderr.write(`${seed} of ${KILLS}, ${wrong.length} wrong\n`);
}
await rm(root, { recursive: true, force: true });
record('kills', 'node bench/kills.ts', {
  kills: KILLS,
  confirmedEdits: promises.edit,
  lastConfirmedSave: promises.save,
  confirmedResults: promises.results.size,
  brokenPromises: wrong,
});
process.exitCode = wrong.length > 0 ? 1 : 0;
