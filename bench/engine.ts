// The engine process as a user feels it: cold start to the first picture, a second picture, how long a cancel
// takes, memory over many jobs. node bench/engine.ts [JOBS]
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { openEngine } from '../src/engine/jobs/engine.ts';
import { forkNodeEngine } from '../src/engine/jobs/node-port.ts';
import { modelsFolder } from '../src/engine/packs/models-folder.ts';
import { GenerateRequest } from '../src/shared/api/generation.ts';
import type { JobId } from '../src/shared/api/generation.ts';
import { createScene, createSegment } from '../src/shared/document/create.ts';
import { record, spread } from './record.ts';

const JOBS = Number(process.argv[2] ?? 200);
const folder = await mkdtemp(path.join(os.tmpdir(), 'spatext-bench-'));
const open = () =>
  openEngine({
    modelsFolder: modelsFolder(),
    dataFolder: path.join(folder, 'data'),
    blobFolder: path.join(folder, 'blobs'),
    config: { device: 'cpu', threads: 0, restMinutes: 0 },
    start: forkNodeEngine,
  });
const request = (steps: number, side = 512) =>
  GenerateRequest.parse({
    records: [
      createScene({ width: side, height: side, text: 'beach', sampler: { name: 'dpmpp-2m', steps } }),
      ...createSegment('a', 'dog', [{ kind: 'ellipse', cx: side / 3, cy: side / 2, rx: side / 5, ry: side / 5 }]),
      ...createSegment('b', 'sun', [{ kind: 'ellipse', cx: side * 0.75, cy: side / 4, rx: side / 6, ry: side / 6 }], {
        order: 1,
      }),
    ],
  });

let engine = open();
let count = 0;
function run(what: GenerateRequest): Promise<number> {
  count += 1;
  const job: JobId = `job-${count}`;
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    const stop = engine.on((event) => {
      if (event.type !== 'job' || event.job.id !== job) return;
      if (event.job.state === 'done' || event.job.state === 'cancelled') {
        stop();
        resolve(performance.now() - begin);
      }
      if (event.job.state === 'failed') reject(new Error(event.job.error?.message));
    });
    engine.submit(job, what);
  });
}

const cold: number[] = [];
const warm: number[] = [];
for (let round = 0; round < 3; round += 1) {
  cold.push(await run(request(16)));
  warm.push(await run(request(16)));
  if (round < 2) {
    await engine.close();
    engine = open();
  }
}

const cancels: number[] = [];
for (let round = 0; round < 10; round += 1) {
  const finished = run(request(400));
  const job: JobId = `job-${count}`;
  await new Promise<void>((resolve) => {
    const stop = engine.on((event) => {
      if (event.type === 'job' && event.job.id === job && (event.job.progress?.passesDone ?? 0) > 3 + round) {
        stop();
        resolve();
      }
    });
  });
  const begin = performance.now();
  engine.cancel(job, false);
  await finished;
  cancels.push(performance.now() - begin);
}

/** Resident memory of the child process, in MB (Linux only). */
async function childMemory(): Promise<number | null> {
  try {
    const children = (await readFile(`/proc/self/task/${process.pid}/children`, 'utf8')).trim().split(' ');
    const status = await readFile(`/proc/${children.at(-1)}/status`, 'utf8');
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
  } catch {
    return null;
  }
}
const memory: Record<string, number | null> = {};
for (let job = 1; job <= JOBS; job += 1) {
  await run(request(1, 256));
  if (job === 20 || job === JOBS / 2 || job === JOBS) memory[`after ${job} jobs, MB`] = await childMemory();
}
await engine.close();
await rm(folder, { recursive: true, force: true });
record('engine', 'node bench/engine.ts', {
  coldStartToPictureMs: spread(cold),
  secondPictureMs: spread(warm),
  cancelMs: spread(cancels),
  memory,
});
