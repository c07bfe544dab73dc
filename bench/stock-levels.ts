// How far ONNX Runtime should rearrange a checkpoint's denoiser when it opens it: seconds and memory at opening, and
// seconds of a pass, by graphOptimizationLevel. A full-size SD 1.5 with random weights, each level in a process of its
// own, in turn.
// node bench/stock-levels.ts [SIDE of the latents, 32] [ROUNDS, 2]
import { fork } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { buildUnet } from '../src/engine/checkpoints/graphs/unet.ts';
import { attentionLevels } from '../src/engine/checkpoints/graphs/unet-options.ts';
import { recogniseCheckpoint } from '../src/engine/checkpoints/recognise.ts';
import type { Fed } from '../src/engine/stock/graph-session.ts';
import { openGraph } from '../src/engine/stock/graph-session.ts';
import { NoiseStream } from '../src/engine/tensor/index.ts';
import { writeFullSizeCheckpoint } from './full-size-checkpoint.ts';
import { record, spread } from './record.ts';

const LEVELS = ['basic', 'extended', 'all'] as const;
const PASSES = 3;

interface Figures {
  readonly openProcessorSeconds: number;
  readonly passProcessorSeconds: readonly number[];
  readonly megabytesOpen: { readonly private: number; readonly mapped: number; readonly peak: number };
  readonly megabytesAfterPasses: { readonly private: number; readonly mapped: number; readonly peak: number };
}

async function memory(): Promise<Figures['megabytesOpen']> {
  const status = await readFile('/proc/self/status', 'utf8');
  const of = (key: string) => Math.round(Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1000);
  return { private: of('RssAnon'), mapped: of('RssFile'), peak: of('VmHWM') };
}

async function processorSeconds(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1e6;
}

async function measure(file: string, level: (typeof LEVELS)[number], side: number): Promise<Figures> {
  const { unet } = await recogniseCheckpoint(file);
  const source = buildUnet(unet.table, unet);
  let session: Awaited<ReturnType<typeof openGraph>> | undefined;
  const settings = { providers: ['cpu'], threads: os.availableParallelism(), level };
  const opened = await processorSeconds(async () => (session = await openGraph('denoiser', source, settings)));
  const megabytesOpen = await memory();
  const random = (shape: number[]): Fed => ({ data: new NoiseStream(1).normal(shape).data, shape });
  const bias = Object.fromEntries(
    attentionLevels(unet.table).map(({ bias: name, halvings }) => {
      const places = (side >> halvings) ** 2;
      return [name, { data: new Float32Array(places * 77), shape: [1, 1, places, 77] }];
    }),
  );
  const feeds = {
    sample: random([1, 4, side, side]),
    timestep: { data: Float32Array.of(499), shape: [1] },
    context: random([1, 77, 768]),
    ...bias,
  };
  const passes: number[] = [];
  for (let i = 0; i < PASSES; i++) passes.push(await processorSeconds(async () => session?.run(feeds)));
  const megabytesAfterPasses = await memory();
  await session?.release();
  // The first pass also reads the weights from the disk.
  return { openProcessorSeconds: opened, passProcessorSeconds: passes.slice(1), megabytesOpen, megabytesAfterPasses };
}

if (process.send) {
  const [file = '', level = '', side = ''] = process.argv.slice(2);
  process.send(await measure(file, level as (typeof LEVELS)[number], Number(side)));
  process.disconnect();
} else {
  const [side = '32', rounds = '2'] = process.argv.slice(2);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'stock-levels-'));
  try {
    const file = path.join(folder, 'sd15.safetensors');
    await writeFullSizeCheckpoint('sd15', file);
    const all = new Map<string, Figures[]>(LEVELS.map((level) => [level, []]));
    for (let round = 0; round < Number(rounds); round++)
      for (const level of LEVELS) {
        const child = fork(import.meta.filename, [file, level, side]);
        const figures = await new Promise<Figures>((resolve, reject) => {
          child.once('message', (message) => resolve(message as Figures));
          child.once('exit', (code) => reject(new Error(`${level} ended with ${code} and without figures`)));
        });
        all.get(level)?.push(figures);
      }
    const levels = [...all].map(([level, runs]) => [
      level,
      {
        openProcessorSeconds: spread(runs.map((run) => run.openProcessorSeconds)),
        passProcessorSeconds: spread(runs.flatMap((run) => run.passProcessorSeconds)),
        megabytesOpen: runs.at(-1)?.megabytesOpen,
        megabytesAfterPasses: runs.at(-1)?.megabytesAfterPasses,
      },
    ]);
    record('stock-levels', `node bench/stock-levels.ts ${side} ${rounds}`, {
      picture: Number(side) * 8,
      levels: Object.fromEntries(levels) as Record<string, unknown>,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}
