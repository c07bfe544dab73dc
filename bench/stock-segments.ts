// A step of three passes with one segment against fifty, each with ten tokens of its own, through the engine's own
// batches: a full-size SD 1.5 with random weights, in turn.
// node bench/stock-segments.ts [SIDE of the latents, 64] [ROUNDS, 3]
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { CheckpointNetworks } from '../src/engine/stock/checkpoint-networks.ts';
import { inBatches, regionalPredict } from '../src/engine/stock/denoise.ts';
import type { StockScene, StockSegment } from '../src/engine/stock/denoise.ts';
import type { EncodedText } from '../src/engine/stock/networks.ts';
import { stockPackReader } from '../src/engine/stock/open-stock.ts';
import { TextReader } from '../src/engine/stock/text.ts';
import { NoiseStream } from '../src/engine/tensor/index.ts';
import { writeFullSizeCheckpoint } from './full-size-checkpoint.ts';
import { record, spread } from './record.ts';

const [sideText = '64', rounds = '3'] = process.argv.slice(2);
const side = Number(sideText);
const PASSES = ['none', 'global', 'local'] as const;
const TOKENS = 10;

const folder = await mkdtemp(path.join(os.tmpdir(), 'stock-segments-'));
try {
  const file = path.join(folder, 'sd15.safetensors');
  await writeFullSizeCheckpoint('sd15', file);
  const { opened } = await stockPackReader.open(file);
  if (opened.source.kind !== 'checkpoint') throw new Error('not a checkpoint');
  const settings = { providers: ['cpu'], threads: os.availableParallelism() };
  const networks = new CheckpointNetworks(opened.source.checkpoint, {}, settings);
  const long = await new TextReader(networks).read(
    'a watercolor painting of a red fox in deep snow under a full moon',
    {
      weighted: true,
    },
  );
  await networks.rest('texts');

  /** Ten tokens of the text that no other segment has. */
  const words = (i: number): EncodedText => {
    const { width, data } = long.states;
    return { ...long, own: { data: data.slice(i * width, (i + TOKENS) * width), tokens: TOKENS, width } };
  };
  /** A grid of so many segments that covers the canvas. */
  const sceneOf = (side: number, count: number): StockScene => {
    const across = Math.ceil(Math.sqrt(count));
    const segment = (i: number): StockSegment => ({
      local: words(i),
      negative: null,
      guidance: { weight: 1, interval: [0, 1] },
      images: [],
      blankImages: [],
    });
    return {
      latent: { height: side, width: side },
      picture: { height: side * 8, width: side * 8 },
      masks: Array.from({ length: count }, (_, s) =>
        Float32Array.from({ length: side * side }, (__, at) => {
          const [y, x] = [Math.floor(at / side), at % side];
          return Math.floor((y * across) / side) * across + Math.floor((x * across) / side) === s ? 1 : 0;
        }),
      ),
      segments: Array.from({ length: count }, (_, i) => segment(i)),
      empty: long,
      negative: null,
      global: long,
    };
  };

  const sample = new NoiseStream(1).normal([1, 4, side, side]);
  const options = {
    calls: 20,
    guidance: 1,
    isolate: false,
    inpainting: null,
    breathe: async () => undefined,
    onPasses: () => undefined,
  };
  const [one, fifty] = [1, 50].map((count) => {
    const predict = regionalPredict(networks, sceneOf(side, count), options);
    return async (): Promise<{ wall: number; processor: number }> => {
      const cpu = process.cpuUsage();
      const begun = performance.now();
      await predict(PASSES, sample, 499, 0);
      const used = process.cpuUsage(cpu);
      return { wall: (performance.now() - begun) / 1000, processor: (used.user + used.system) / 1e6 };
    };
  });
  if (!one || !fifty) throw new Error('two scenes were made');
  // The first one reads the weights.
  await fifty();
  const times: { one: { wall: number; processor: number }; fifty: { wall: number; processor: number } }[] = [];
  const silent = { sample: sample.data, base: long, segments: [], images: [] };
  const many = { ...silent, segments: Array.from({ length: 50 }, (_, i) => words(i)) };
  for (let i = 1; i <= Number(rounds); i++) {
    times.push({ one: await one(), fifty: await fifty() });
    // After every round: a slow machine may have to stop in between.
    record(`stock-segments-${side * 8}`, `node bench/stock-segments.ts ${side} ${rounds}`, {
      rounds: i,
      batchesOfFifty: inBatches([silent, silent, many], side * side).length,
      oneSegmentSeconds: spread(times.map((time) => time.one.wall)),
      fiftySegmentsSeconds: spread(times.map((time) => time.fifty.wall)),
      fiftyToOne: spread(times.map((time) => time.fifty.wall / time.one.wall)),
      fiftyToOneProcessor: spread(times.map((time) => time.fifty.processor / time.one.processor)),
    });
  }
  await networks.release();
} finally {
  await rm(folder, { recursive: true });
}
