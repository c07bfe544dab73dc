import type { DeviceInfo } from '#shared/api/packs.ts';
import { modelsFolder } from '../packs/models-folder.ts';
import path from 'node:path';
import { InferenceSession, OrtTensor } from './ort.ts';

const SHAPE = [1, 3, 16, 16] as const;

/**
 * Runs a small network (convolution, sigmoid, matrix product) on a device and on the processor.
 * @returns milliseconds of the second run on the device, and the largest difference between the two
 * @throws whatever the runtime throws where the device does not work
 */
export async function probeOnDevice(id: DeviceInfo['id']): Promise<{ milliseconds: number; largestError: number }> {
  const file = path.join(modelsFolder(), 'probe', 'probe.onnx');
  const input = Float32Array.from({ length: 3 * 16 * 16 }, (_, i) => Math.sin(i * 0.37));
  const runOn = async (provider: string): Promise<{ data: Float32Array; milliseconds: number }> => {
    const session = await InferenceSession.create(file, { executionProviders: [provider], logSeverityLevel: 4 });
    try {
      const feeds = { x: new OrtTensor('float32', input, SHAPE) };
      await session.run(feeds);
      const begin = performance.now();
      const { y } = await session.run(feeds);
      const milliseconds = performance.now() - begin;
      if (!(y?.data instanceof Float32Array)) throw new Error('the test network gave no numbers');
      return { data: y.data, milliseconds };
    } finally {
      await session.release();
    }
  };
  const { data, milliseconds } = await runOn(id);
  const expected = id === 'cpu' ? data : (await runOn('cpu')).data;
  let largestError = 0;
  for (let i = 0; i < expected.length; i += 1)
    largestError = Math.max(largestError, Math.abs((data[i] ?? Number.NaN) - (expected[i] ?? Number.NaN)));
  return { milliseconds, largestError };
}
