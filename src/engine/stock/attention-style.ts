import type { AttentionStyle } from '../checkpoints/graphs/network.ts';
import { GraphBuilder } from '../checkpoints/onnx/graph.ts';
import type { GraphSettings } from './graph-session.ts';
import { fetched, openGraph } from './graph-session.ts';

/** More than one block of any kernel: a wrong device is right on a few places. */
const PLACES = 200;
/** Two heads of 40: those of SD 1's widest level. */
const [HEADS, WIDTH] = [2, 80] as const;
/** Numbers around 1; a right device comes within 1e-6, a wrong one is 3e-2 away. */
const TOLERANCE = 1e-3;

const known = new Map<string, Promise<AttentionStyle>>();

/**
 * Whether a device computes ONNX Runtime's fused attention rightly: tried once, against the processor.
 * (On WebGPU over a software device it does not, for heads up to 64 wide; its parts are right there.)
 */
export function attentionStyleOf(settings: GraphSettings): Promise<AttentionStyle> {
  if (settings.providers.every((provider) => provider === 'cpu')) return Promise.resolve('fused');
  const key = settings.providers.join();
  let style = known.get(key);
  if (!style) {
    style = tryAttention(settings).catch(() => 'parts' as const);
    known.set(key, style);
  }
  return style;
}

async function tryAttention(settings: GraphSettings): Promise<AttentionStyle> {
  const g = new GraphBuilder('attention');
  const shape = [1, PLACES, WIDTH];
  const x = g.input({ name: 'x', type: 'float32', shape });
  const y = g.node('MultiHeadAttention', [x, x, x], { num_heads: HEADS }, { contrib: true });
  g.output({ name: 'y', type: 'float32', shape }, y);
  const model = g.finish();
  const data = Float32Array.from({ length: PLACES * WIDTH }, (_, i) => Math.sin(i * 0.37) + 0.5 * Math.cos(i * 0.011));
  const run = async (on: GraphSettings) => {
    const session = await openGraph('attention probe', { model, folder: '.' }, on);
    const out = fetched(await session.run({ x: { data, shape } }), 'y').data;
    await session.release();
    return out;
  };
  const [device, processor] = [await run(settings), await run({ ...settings, providers: ['cpu'] })];
  const worst = processor.reduce((most, v, i) => Math.max(most, Math.abs(v - (device[i] ?? Number.NaN))), 0);
  return worst <= TOLERANCE ? 'fused' : 'parts';
}
