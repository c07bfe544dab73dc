// The graphs of stock models on WebGPU against the processor, with a tiny checkpoint: largest distances, and the time.
// node bench/webgpu-equality.ts CHECKPOINT   (a software device: VK_ICD_FILENAMES=.../vk_swiftshader_icd.json)
import { recogniseCheckpoint } from '../src/engine/checkpoints/recognise.ts';
import { CheckpointNetworks } from '../src/engine/stock/checkpoint-networks.ts';
import type { StockCall, StockRow } from '../src/engine/stock/networks.ts';
import { TextReader } from '../src/engine/stock/text.ts';
import { NoiseStream } from '../src/engine/tensor/index.ts';
import { record } from './record.ts';

const [file] = process.argv.slice(2);
if (!file) throw new Error('usage: webgpu-equality.ts CHECKPOINT');
const checkpoint = await recogniseCheckpoint(file);
const latent = { height: 8, width: 16 };
const left = Float32Array.from({ length: 128 }, (_, i) => (i % 16 < 7 ? 1 : 0));

async function everything(provider: string) {
  const networks = new CheckpointNetworks(
    checkpoint,
    {},
    { providers: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'], threads: 1 },
  );
  const reader = new TextReader(networks);
  const base = await reader.read('a watercolor of two birches', { weighted: true });
  const local = await reader.read('a red fox', { weighted: true });
  const sample = new NoiseStream(3).normal([networks.traits.inputChannels, 8, 16]).data;
  const row = (segments: StockRow['segments']): StockRow => ({ sample, base, segments, images: [] });
  const call: StockCall = {
    timestep: 499,
    latent,
    picture: { height: 64, width: 128 },
    masks: [left],
    guidance: 1,
    isolate: false,
  };
  const began = performance.now();
  const plain = await networks.denoise([row([]), row([local])], call);
  const shielded = await networks.denoise([row([local])], { ...call, isolate: true });
  const milliseconds = performance.now() - began;
  const decoded = await networks.decode({ data: sample.slice(0, 4 * 128), shape: [1, 4, 8, 16] });
  const encoded = await networks.encode(decoded);
  await networks.release();
  return {
    values: {
      text: base.states.data,
      unet: plain.data,
      shielded: shielded.data,
      decoded: decoded.data,
      mean: encoded.mean.data,
    },
    milliseconds,
  };
}

const cpu = await everything('cpu');
const gpu = await everything('webgpu');
const distances = Object.fromEntries(
  Object.entries(cpu.values).map(([name, values]) => {
    const other = gpu.values[name as keyof typeof gpu.values];
    const largest = values.reduce((worst, v) => Math.max(worst, Math.abs(v)), 0);
    const distance = values.reduce((worst, v, i) => Math.max(worst, Math.abs(v - (other[i] ?? Number.NaN)) || 0), 0);
    return [name, { distance, ofLargest: largest, numbers: other.every(Number.isFinite) }];
  }),
);
record(`webgpu-equality-${checkpoint.name}`, 'node bench/webgpu-equality.ts CHECKPOINT', {
  distances,
  milliseconds: { cpu: cpu.milliseconds, webgpu: gpu.milliseconds },
});
