import os from 'node:os';
import type { DeviceInfo } from '#shared/api/packs.ts';
import { listSupportedBackends } from './ort.ts';
import { probeOnDevice } from './probe-network.ts';

type DeviceId = DeviceInfo['id'];

/** Order of preference when the artist leaves the choice to the studio. */
const PREFERENCE: readonly DeviceId[] = ['cuda', 'coreml', 'dml', 'webgpu', 'cpu'];
const NAMES: Readonly<Record<DeviceId, string>> = {
  cpu: 'Processor',
  webgpu: 'Graphics card (WebGPU)',
  cuda: 'NVIDIA graphics card (CUDA)',
  dml: 'Graphics card (DirectML)',
  coreml: 'Apple Neural Engine and graphics (Core ML)',
};

/**
 * The devices this build of the runtime knows. With `probe`, each is tried for real: a small network is
 * loaded and run on it and its result compared with the processor's.
 */
export async function listDevices(probe: boolean): Promise<DeviceInfo[]> {
  return describeDevices(() => probe);
}

/** @param probe which devices are tried for real */
async function describeDevices(probe: (id: DeviceId) => boolean): Promise<DeviceInfo[]> {
  const backends = new Map<string, boolean>(listSupportedBackends().map(({ name, bundled }) => [name, bundled]));
  const devices: DeviceInfo[] = [];
  for (const id of PREFERENCE) {
    const name = id === 'cpu' ? `${NAMES.cpu}, ${os.availableParallelism()} threads` : NAMES[id];
    if (id === 'cpu') devices.push({ id, name, available: true, message: os.cpus()[0]?.model.trim() ?? '' });
    else if (!backends.has(id))
      devices.push({ id, name, available: false, message: 'not part of this build of the runtime' });
    else if (backends.get(id) === false && !probe(id))
      devices.push({ id, name, available: false, message: 'its library did not come with this build of the runtime' });
    else if (!probe(id)) devices.push({ id, name, available: true, message: 'not tried yet' });
    else devices.push(await probeDevice(id, name));
  }
  return devices;
}

/** Slower than this on a network of microseconds is a graphics card imitated by the processor. */
const IMITATION_MS = 20;

async function probeDevice(id: DeviceId, name: string): Promise<DeviceInfo> {
  try {
    const { milliseconds, largestError } = await probeOnDevice(id);
    if (!(largestError <= 1e-3))
      return { id, name, available: false, message: `computes wrongly here (off by ${largestError.toExponential(1)})` };
    const imitated = milliseconds > IMITATION_MS;
    const words = imitated ? 'works, but slowly: a software device' : 'works';
    return { id, name, available: true, message: `${words}; test network in ${milliseconds.toFixed(1)} ms` };
  } catch (error) {
    // C++ places and templates say nothing to a person; what is left may name the missing library.
    const line = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
    return { id, name, available: false, message: `does not work here: ${plain(line)}` };
  }
}

export interface ChosenDevice {
  readonly id: DeviceId;
  readonly providers: readonly string[];
  readonly threads: number;
  /** Set when the wish could not be met: what happened and what is used instead. */
  readonly fallback: string | undefined;
}

/** The device to use for a wish: probed for real, with an honest word when it has to be another one. */
export async function chooseDevice(wish: 'auto' | DeviceId, threads: number): Promise<ChosenDevice> {
  const count = threads > 0 ? threads : os.availableParallelism();
  const cpu = { id: 'cpu', providers: ['cpu'], threads: count } as const;
  if (wish === 'cpu') return { ...cpu, fallback: undefined };
  if (wish === 'auto') {
    const devices = await describeDevices((id) => id !== 'webgpu');
    // WebGPU is taken by wish only: a card imitated by the processor is told from a real one by its speed alone, and
    // a wrong guess would make every picture many times slower.
    const best = devices.find((device) => device.available && device.id !== 'webgpu');
    return best && best.id !== 'cpu'
      ? { id: best.id, providers: [best.id, 'cpu'], threads: count, fallback: undefined }
      : { ...cpu, fallback: undefined };
  }
  const wished = (await describeDevices((id) => id === wish)).find((device) => device.id === wish);
  if (wished?.available) return { id: wish, providers: [wish, 'cpu'], threads: count, fallback: undefined };
  return { ...cpu, fallback: `${NAMES[wish]} ${wished?.message ?? 'is unknown'}; using the processor instead` };
}

function plain(line: string): string {
  const known = /Failed to load shared library|cannot open shared object file/i.test(line)
    ? 'its library is not installed'
    : /adapter/i.test(line)
      ? 'no graphics card with a driver was found'
      : line.replace(/^.*?::.*?\(\)\S*\s*/, '');
  return known.slice(0, 160);
}
