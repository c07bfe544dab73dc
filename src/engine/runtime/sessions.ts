import { stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { StudioError } from '#shared/errors.ts';
import { InferenceSession, OrtTensor } from './ort.ts';

/** A tensor on its way into or out of a network; integers only where a graph asks for them. */
export interface Feed {
  readonly data: Float32Array | BigInt64Array;
  readonly shape: readonly number[];
}
export type Feeds = Readonly<Record<string, Feed>>;
export type Fetches = Readonly<Record<string, { readonly data: Float32Array; readonly shape: readonly number[] }>>;

export interface SessionSettings {
  /** Execution providers in order of preference; 'cpu' is always last. */
  readonly providers: readonly string[];
  readonly threads: number;
}

/** A network ready to run. `run` blocks the event loop of its process: call it only in the engine process. */
export interface Network {
  readonly name: string;
  run(feeds: Feeds): Promise<Fetches>;
  release(): Promise<void>;
}

/**
 * Opens an ONNX file.
 * @throws StudioError model if the file is no network this runtime can run, memory if it does not fit
 */
export async function openNetwork(file: string, settings: SessionSettings): Promise<Network> {
  const name = path.basename(file);
  const { size } = await stat(file).catch((error: unknown) => {
    throw StudioError.from(error, `opening ${name}`);
  });
  // Weights stored as float16 are widened at load: twice the file, and as much again while loading.
  if (size * 3 > os.freemem() + process.memoryUsage().rss * 0.1)
    throw new StudioError(
      'memory',
      `${name} needs about ${megabytes(size * 3)} MB to load; ${megabytes(os.freemem())} MB are free`,
      {
        remedy: 'close other programs, or choose a smaller pack',
      },
    );
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(file, {
      executionProviders: [...settings.providers],
      intraOpNumThreads: settings.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
    });
  } catch (error) {
    throw new StudioError('model', `${name} cannot be loaded: ${firstLine(error)}`, {
      kept: 'nothing was changed',
      remedy: 'check the pack (spatext packs check), or choose another',
      cause: error,
    });
  }
  return {
    name,
    async run(feeds) {
      const inputs: Record<string, OrtTensor> = {};
      for (const [key, feed] of Object.entries(feeds))
        inputs[key] =
          feed.data instanceof Float32Array
            ? new OrtTensor('float32', feed.data, feed.shape)
            : new OrtTensor('int64', feed.data, feed.shape);
      let outputs: Awaited<ReturnType<InferenceSession['run']>>;
      try {
        outputs = await session.run(inputs);
      } catch (error) {
        const line = firstLine(error);
        const memory = /alloc|memory/i.test(line);
        throw new StudioError(memory ? 'memory' : 'model', `${name} failed: ${line}`, {
          remedy: memory
            ? 'make fewer pictures at once, or close other programs'
            : 'check the pack (spatext packs check)',
          cause: error,
        });
      }
      const fetches: Record<string, { data: Float32Array; shape: readonly number[] }> = {};
      for (const [key, value] of Object.entries(outputs)) {
        if (!(value.data instanceof Float32Array))
          throw new StudioError('model', `${name}: the output ${key} is ${value.type}, expected float32`);
        fetches[key] = { data: value.data, shape: value.dims };
      }
      return fetches;
    },
    release: () => session.release(),
  };
}

const megabytes = (bytes: number): number => Math.ceil(bytes / 1e6);

/** ONNX Runtime's errors carry a stack of C++ places; people need the first line. */
function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? '').slice(0, 300);
}
