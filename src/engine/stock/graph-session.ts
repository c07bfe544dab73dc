import { StudioError } from '#shared/errors.ts';
import { InferenceSession, OrtTensor } from '../runtime/ort.ts';
import type { SessionSettings } from '../runtime/sessions.ts';
import { halfTensor, halfToFloats } from './half.ts';

/** A tensor fed to a graph: numbers in float32, whole numbers as bigint; the graph's own types are made from these. */
export interface Fed {
  readonly data: Float32Array | BigInt64Array;
  readonly shape: readonly number[];
}

/** A tensor that came out, in float32 whatever the graph computes in. */
export interface Fetched {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** Name, type and shape of an input or output; -1 stands for a side that may vary. */
export interface GraphPortInfo {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
}

/** A graph without weights with the folder of its external data, or an ONNX file. */
export type GraphSource = { readonly model: Uint8Array; readonly folder: string } | { readonly file: string };

export interface GraphSettings extends SessionSettings {
  /**
   * Widens half-precision weights once, when opening, instead of at every pass. Costs memory and
   * seconds; pays only where the graph also has to compute weights (LyCORIS).
   */
  readonly widen?: boolean;
  /** How far the runtime rearranges a graph when opening it; measured by bench/stock-levels.ts. */
  readonly level?: 'basic' | 'extended' | 'all';
}

/** An open network whose input types are converted as its own graph declares them. */
export interface GraphSession {
  readonly name: string;
  readonly inputs: ReadonlyMap<string, GraphPortInfo>;
  readonly outputs: ReadonlyMap<string, GraphPortInfo>;
  run(feeds: Readonly<Record<string, Fed>>, wanted?: readonly string[]): Promise<Record<string, Fetched>>;
  release(): Promise<void>;
}

const firstLine = (error: unknown) =>
  ((error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '').slice(0, 300);

function ports(metadata: readonly InferenceSession.ValueMetadata[]): Map<string, GraphPortInfo> {
  const map = new Map<string, GraphPortInfo>();
  for (const port of metadata)
    if (port.isTensor)
      map.set(port.name, {
        name: port.name,
        type: port.type,
        shape: port.shape.map((side) => (typeof side === 'number' ? side : -1)),
      });
  return map;
}

function toOrt(fed: Fed, port: GraphPortInfo): OrtTensor {
  // A side of 1 may be missing or too much: exporters disagree whether a timestep is a scalar.
  const shape = port.shape.length === 0 && fed.data.length === 1 ? [] : fed.shape;
  const numbers = () => (fed.data instanceof Float32Array ? fed.data : Float32Array.from(fed.data, Number));
  switch (port.type) {
    case 'float32':
      return new OrtTensor('float32', numbers(), shape);
    case 'float16':
      return halfTensor(numbers(), shape);
    case 'float64':
      return new OrtTensor('float64', Float64Array.from(numbers()), shape);
    case 'int64':
      return new OrtTensor(
        'int64',
        fed.data instanceof BigInt64Array ? fed.data : BigInt64Array.from(fed.data, (v) => BigInt(Math.round(v))),
        shape,
      );
    case 'int32':
      return new OrtTensor(
        'int32',
        Int32Array.from(fed.data instanceof BigInt64Array ? Array.from(fed.data, Number) : fed.data),
        shape,
      );
    case 'bool':
      return new OrtTensor('bool', Uint8Array.from(numbers()), shape);
    default:
      throw new StudioError('unsupported', `the input ${port.name} has the type ${port.type}`);
  }
}

function fromOrt(name: string, tensor: OrtTensor): Fetched {
  const data: unknown = tensor.data;
  if (data instanceof Float32Array) return { data, shape: tensor.dims };
  if (tensor.type === 'float16') return { data: halfToFloats(data), shape: tensor.dims };
  if (data instanceof Float64Array) return { data: Float32Array.from(data), shape: tensor.dims };
  if (data instanceof BigInt64Array) return { data: Float32Array.from(data, Number), shape: tensor.dims };
  throw new StudioError('unsupported', `the output ${name} has the type ${tensor.type}`);
}

/**
 * Makes a session. Blocks the event loop of its process while weights load.
 *
 * @throws StudioError 'model' if the graph cannot be run, 'memory' if it does not fit
 */
export async function openGraph(name: string, source: GraphSource, settings: GraphSettings): Promise<GraphSession> {
  const session: Record<string, string> = {};
  const optimization: Record<string, string> = {};
  if ('model' in source) {
    session['model_external_initializers_file_folder_path'] = source.folder;
    // A graphics card gets its weights once, in float32: not every one can read half precision.
    if (!settings.widen && settings.providers.every((provider) => provider === 'cpu')) {
      // Without folding and packing, weights stay where they are: mapped from the checkpoint, shared
      // with the page cache. SD 1.5 then opens in 0.6 s instead of 5, in half the memory, and a pass
      // takes the same time within a few percent (docs/decisions/1002).
      optimization['disable_specified_optimizers'] = 'ConstantFolding';
      session['disable_prepacking'] = '1';
    }
  }
  const options: InferenceSession.SessionOptions = {
    executionProviders: [...settings.providers],
    intraOpNumThreads: settings.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // 'all' also rearranges convolutions, which copies their weights out of the file (docs/decisions/1002).
    graphOptimizationLevel: settings.level ?? 'extended',
    // Errors are thrown with their words; the runtime need not print them as well.
    logSeverityLevel: 4,
    extra: { session, optimization },
  };
  const opened = await (
    'model' in source ? InferenceSession.create(source.model, options) : InferenceSession.create(source.file, options)
  ).catch((error: unknown) => {
    const line = firstLine(error);
    const memory = /bad_alloc|out of memory|failed to allocate/i.test(line);
    throw new StudioError(memory ? 'memory' : 'model', `the ${name} cannot be opened: ${line}`, {
      kept: 'nothing was changed',
      remedy: memory
        ? 'close other programs or choose a smaller model'
        : 'the file may be damaged or of another version: get it again',
      cause: error,
    });
  });
  const inputs = ports(opened.inputMetadata);
  const outputs = ports(opened.outputMetadata);
  return {
    name,
    inputs,
    outputs,
    async run(feeds, wanted) {
      const fed: Record<string, OrtTensor> = {};
      for (const port of inputs.values()) {
        const value = feeds[port.name];
        if (!value) throw new StudioError('model', `the ${name} asks for "${port.name}", which is not known here`);
        fed[port.name] = toOrt(value, port);
      }
      try {
        const out = await (wanted ? opened.run(fed, [...wanted]) : opened.run(fed));
        return Object.fromEntries(Object.entries(out).map(([key, value]) => [key, fromOrt(key, value)]));
      } catch (error) {
        if (error instanceof StudioError) throw error;
        const line = firstLine(error);
        const memory = /alloc|memory/i.test(line);
        throw new StudioError(memory ? 'memory' : 'model', `the ${name} failed: ${line}`, {
          remedy: memory
            ? 'choose a smaller picture or the mode that saves memory'
            : 'the file may be damaged: get it again',
          cause: error,
        });
      }
    },
    release: () => opened.release(),
  };
}

/** The output of that name. */
export function fetched(out: Readonly<Record<string, Fetched>>, name: string): Fetched {
  const value = out[name];
  if (!value) throw new StudioError('model', `the network returned no "${name}"`);
  return value;
}
