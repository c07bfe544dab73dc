// A full-size checkpoint with random weights, opened in place and run: seconds to recognise and to the first pass,
// memory against the estimate, one segment against fifty.
// node bench/stock.ts [sd15|sdxl] [FOLDER for the checkpoint, removed afterwards] [--quick: two passes only]
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { attentionLevels } from '../src/engine/checkpoints/graphs/unet-options.ts';
import type { EncodedText, StockCall, StockRow } from '../src/engine/stock/networks.ts';
import { CheckpointNetworks } from '../src/engine/stock/checkpoint-networks.ts';
import { decodeLatents, fitPreviewMap } from '../src/engine/stock/autoencoder.ts';
import { estimateMemory, usableMemory } from '../src/engine/stock/memory.ts';
import { stockPackReader } from '../src/engine/stock/open-stock.ts';
import { TextReader } from '../src/engine/stock/text.ts';
import { NoiseStream } from '../src/engine/tensor/index.ts';
import { writeFullSizeCheckpoint } from './full-size-checkpoint.ts';
import { record, spread } from './record.ts';

const family = process.argv[2] === 'sdxl' ? 'sdxl' : 'sd15';
const quick = process.argv.includes('--quick');
const folder = process.argv[3] ?? (await mkdtemp(path.join(os.tmpdir(), 'stock-bench-')));
const file = path.join(folder, `${family}.safetensors`);
const side = 64;
const ROUNDS = quick ? 0 : 3;

/** Megabytes of this process: private, mapped from files, and the largest sum so far. */
async function memory(): Promise<{ private: number; mapped: number; peak: number }> {
  const status = await readFile('/proc/self/status', 'utf8');
  const of = (key: string) => Math.round(Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1000);
  return { private: of('RssAnon'), mapped: of('RssFile'), peak: of('VmHWM') };
}

/** Wall and processor seconds; the second hardly depends on what else the machine does. */
async function timed<T>(work: () => Promise<T>): Promise<{ value: T; wall: number; processor: number }> {
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const value = await work();
  const used = process.cpuUsage(cpu);
  return { value, wall: (performance.now() - begin) / 1000, processor: (used.user + used.system) / 1e6 };
}
const seconds = ({ wall, processor }: { wall: number; processor: number }) => ({
  wall: Number(wall.toFixed(2)),
  processor: Number(processor.toFixed(2)),
});

const bytes = await writeFullSizeCheckpoint(family, file);
const recognised = await timed(() => stockPackReader.open(file));
const { opened, summary } = recognised.value;
if (opened.source.kind !== 'checkpoint') throw new Error('not a checkpoint');
const { checkpoint } = opened.source;
const networks = new CheckpointNetworks(checkpoint, {}, { providers: ['cpu'], threads: os.availableParallelism() });
const reader = new TextReader(networks);
const texts = await timed(() => reader.read('a watercolor painting of a red fox', { weighted: true }));
const base: EncodedText = texts.value;
await networks.rest('texts');

const call: StockCall = {
  timestep: 499,
  latent: { height: side, width: side },
  picture: { height: side * 8, width: side * 8 },
  masks: [],
  guidance: 1,
  isolate: false,
};
const sample = new NoiseStream(1).normal([4, side, side]).data;
const row = (segments: StockRow['segments'] = []): StockRow => ({ sample, base, segments, images: [] });
const first = await timed(() => networks.denoise([row()], call));
const afterFirst = await memory();

const alone: { wall: number; processor: number }[] = [];
for (let i = 0; i < Math.max(1, ROUNDS); i++) alone.push(await timed(() => networks.denoise([row()], call)));

// The three passes of a step with one segment and with fifty, each with ten tokens of its own, in turn.
const words = (i: number): EncodedText => {
  const { width } = base.states;
  const own = { data: base.states.data.slice(i * width, (i + 10) * width), tokens: 10, width };
  return { ...base, own };
};
const grid = (count: number) => {
  const per = Math.ceil(Math.sqrt(count));
  return Array.from({ length: count }, (_, s) =>
    Float32Array.from({ length: side * side }, (__, i) => {
      const [y, x] = [Math.floor(i / side), i % side];
      return Math.floor((y * per) / side) * per + Math.floor((x * per) / side) === s ? 1 : 0;
    }),
  );
};
const step = (count: number) => {
  const segments = Array.from({ length: count }, (_, i) => words(i));
  return timed(() => networks.denoise([row(), row(), row(segments)], { ...call, masks: grid(count) }));
};
if (!quick) await step(1);
const ratios: number[] = [];
const steps: { one: number[]; fifty: number[] } = { one: [], fifty: [] };
for (let i = 0; i < ROUNDS; i++) {
  const [one, fifty] = [await step(1), await step(50)];
  steps.one.push(one.processor);
  steps.fifty.push(fifty.processor);
  ratios.push(fifty.processor / one.processor);
}
const afterSteps = await memory();
const estimate = estimateMemory(opened, { rows: quick ? 1 : 3, cells: side * side, cellSide: 8, free: usableMemory() });
await networks.rest('denoiser');

const latents = { data: new NoiseStream(2).normal([1, 4, side, side]).data, shape: [1, 4, side, side] };
const decoded = quick ? null : await timed(() => decodeLatents(networks, latents));
const afterDecode = await memory();
const preview = quick ? null : await timed(() => fitPreviewMap(networks));
await networks.release();
await rm(file);

const mega = (n: number) => Math.round(n / 1e6);
record(`stock-${family}`, `node bench/stock.ts ${family}${quick ? ' --quick' : ''}`, {
  checkpoint: summary.name,
  megabytes: mega(bytes),
  levels: attentionLevels(checkpoint.unet.table).length,
  recogniseSeconds: seconds(recognised),
  firstTextSeconds: seconds(texts),
  firstPassSeconds: seconds(first),
  passProcessorSeconds: spread(alone.map(({ processor }) => processor)),
  passWallSeconds: spread(alone.map(({ wall }) => wall)),
  ...(quick
    ? {}
    : {
        stepOfThreePassesProcessorSeconds: { oneSegment: spread(steps.one), fiftySegments: spread(steps.fifty) },
        fiftySegmentsToOne: spread(ratios),
      }),
  ...(decoded && { decodeSeconds: seconds(decoded) }),
  ...(preview && { previewMapSeconds: seconds(preview) }),
  memoryMegabytes: { afterFirst, afterSteps, afterDecode },
  estimateMegabytes: {
    texts: mega(estimate.texts),
    denoiser: mega(estimate.denoiser),
    decoder: mega(estimate.decoder),
    peak: mega(estimate.peak),
  },
});
