import { describe, expect, test } from 'vitest';
import type { Value } from '../checkpoints/onnx/graph.ts';
import { ElementType, GraphBuilder } from '../checkpoints/onnx/graph.ts';
import type { GraphSettings } from './graph-session.ts';
import { fetched, openGraph } from './graph-session.ts';

const CPU: GraphSettings = { providers: ['cpu'], threads: 1 };

/** y = x as `type`, read and written in that type. */
function echo(type: ElementType, shape: (number | string)[]): Uint8Array {
  const g = new GraphBuilder('echo');
  const x = g.input({ name: 'x', type, shape });
  g.output({ name: 'y', type, shape }, g.node('Identity', [x]));
  return g.finish();
}

describe('input types are read from the graph', () => {
  test.each<[ElementType, number[]]>([
    ['float32', [0.5, -2]],
    ['float64', [0.5, -2]],
    ['float16', [0.5, -2]],
    ['int64', [7, -2]],
  ])('%s', async (type, values) => {
    const session = await openGraph('echo', { model: echo(type, ['n']), folder: '.' }, CPU);
    expect(session.inputs.get('x')).toMatchObject({ type, shape: [-1] });
    const out = fetched(await session.run({ x: { data: Float32Array.from(values), shape: [2] } }), 'y');
    expect([...out.data]).toEqual(values);
    expect(out.shape).toEqual([2]);
    await session.release();
  });

  test('token ids as int32, as older exporters declare them', async () => {
    const g = new GraphBuilder('ids');
    const x = g.input({ name: 'input_ids', type: 'int32', shape: ['batch', 77] });
    g.output({ name: 'y', type: 'float32', shape: ['batch', 77] }, g.node('Cast', [x], { to: ElementType.float32 }));
    const session = await openGraph('ids', { model: g.finish(), folder: '.' }, CPU);
    const ids = Array.from({ length: 77 }, (_, i) => 49407 - i);
    const out = fetched(
      await session.run({ input_ids: { data: BigInt64Array.from(ids, BigInt), shape: [1, 77] } }),
      'y',
    );
    expect([...out.data]).toEqual(ids);
    await session.release();
  });

  test('a timestep may be declared as a scalar, of one element, whole or not', async () => {
    for (const [type, shape] of [
      ['int64', []],
      ['int64', [1]],
      ['float32', []],
      ['float16', [1]],
    ] as const) {
      const session = await openGraph('echo', { model: echo(type, [...shape]), folder: '.' }, CPU);
      const out = fetched(await session.run({ x: { data: Float32Array.of(499), shape: [1] } }), 'y');
      expect([...out.data]).toEqual([499]);
      await session.release();
    }
  });
});

describe('refusals', () => {
  test('an input nobody knows, bytes that are no graph, a run that fails', async () => {
    const session = await openGraph('echo', { model: echo('float32', [2]), folder: '.' }, CPU);
    await expect(session.run({})).rejects.toThrow('asks for "x"');
    await expect(session.run({ x: { data: new Float32Array(3), shape: [3] } })).rejects.toMatchObject({
      code: 'model',
    });
    await session.release();
    await expect(openGraph('graph', { model: new Uint8Array([1, 2, 3, 4]), folder: '.' }, CPU)).rejects.toMatchObject({
      code: 'model',
    });
  });

  test('external data that is not there', async () => {
    const g = new GraphBuilder('outside');
    const x: Value = g.input({ name: 'x', type: 'float32', shape: [2] });
    const w = g.external('w', 'float32', [2], { location: 'nowhere.safetensors', offset: 8, bytes: 8 });
    g.output({ name: 'y', type: 'float32', shape: [2] }, g.node('Add', [x, w]));
    await expect(openGraph('graph', { model: g.finish(), folder: import.meta.dirname }, CPU)).rejects.toMatchObject({
      code: 'model',
    });
  });
});
