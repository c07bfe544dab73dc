// A pass of SD 1.5's UNet opened in place, against the same network exported by PyTorch and run by ONNX Runtime, and
// against diffusers; in turn, in processor seconds.
// node bench/stock-ratio.ts PYTHON FOLDER [SIDE of the latents, 64] (both networks go into the folder, and go away again)
import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildUnet } from '../src/engine/checkpoints/graphs/unet.ts';
import { attentionLevels } from '../src/engine/checkpoints/graphs/unet-options.ts';
import { recogniseCheckpoint } from '../src/engine/checkpoints/recognise.ts';
import type { Fed, GraphSession } from '../src/engine/stock/graph-session.ts';
import { openGraph } from '../src/engine/stock/graph-session.ts';
import { NoiseStream } from '../src/engine/tensor/index.ts';
import { writeFullSizeCheckpoint } from './full-size-checkpoint.ts';
import { record, spread } from './record.ts';

const [python, folder, sideText = '64'] = process.argv.slice(2);
const side = Number(sideText);
if (!python || !folder) throw new Error('usage: stock-ratio.ts PYTHON FOLDER');
const CPU = { providers: ['cpu'], threads: 2 } as const;
const ROUNDS = 4;
const random = (shape: number[]): Fed => ({ data: new NoiseStream(1).normal(shape).data, shape });

const { stdout } = await promisify(execFile)(
  python,
  [path.join(import.meta.dirname, 'exported_unet.py'), folder, String(side)],
  {
    maxBuffer: 1 << 24,
  },
);
const { processorSeconds } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as { processorSeconds: number[] };
const file = path.join(folder, 'sd15.safetensors');
await writeFullSizeCheckpoint('sd15', file);
const { unet } = await recogniseCheckpoint(file);
const ours = await openGraph('ours', buildUnet(unet.table, unet), CPU);
const exported = await openGraph('exported', { file: path.join(folder, 'unet.onnx') }, CPU);

const sample = random([1, 4, side, side]);
const text = random([1, 77, 768]);
const timestep: Fed = { data: Float32Array.of(499), shape: [1] };
const bias = Object.fromEntries(
  attentionLevels(unet.table).map(({ bias: name, halvings }) => {
    const places = (side >> halvings) ** 2;
    return [name, { data: new Float32Array(places * 77), shape: [1, 1, places, 77] }];
  }),
);
const pass = async (session: GraphSession, feeds: Record<string, Fed>): Promise<number> => {
  const before = process.cpuUsage();
  await session.run(feeds);
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1e6;
};
const a = () => pass(ours, { sample, timestep, context: text, ...bias });
const b = () => pass(exported, { sample, timestep, encoder_hidden_states: text });
const times: { ours: number[]; exported: number[]; ratio: number[] } = { ours: [], exported: [], ratio: [] };
await a();
await b();
for (let i = 0; i < ROUNDS; i++) {
  const [x, y] = [await a(), await b()];
  times.ours.push(x);
  times.exported.push(y);
  times.ratio.push(x / y);
}
await ours.release();
await exported.release();
for (const name of await readdir(folder)) await rm(path.join(folder, name));
record('stock-ratio', `node bench/stock-ratio.ts PYTHON FOLDER ${side}`, {
  picture: side * 8,
  processorSecondsOfAPass: {
    openedInPlace: spread(times.ours),
    exported: spread(times.exported),
    diffusers: spread(processorSeconds),
  },
  openedInPlaceToExported: spread(times.ratio),
  openedInPlaceToDiffusers: Number((spread(times.ours).median / spread(processorSeconds).median).toFixed(3)),
});
