import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { fetched, openGraph } from '../stock/graph-session.ts';
import type { Fed, Fetched, GraphSession } from '../stock/graph-session.ts';
import { CHECKPOINTS, CPU, distance, formulaInput, recorded, rows, sideBySide } from './graphs/fixtures.testkit.ts';
import type { IsolationOptions } from './graphs/unet-options.ts';
import { attentionLevels } from './graphs/unet-options.ts';
import { buildUnet } from './graphs/unet.ts';
import type { Checkpoint } from './recognise.ts';
import { recogniseCheckpoint } from './recognise.ts';
import type { RegionalRow, TextStates } from './regions.ts';
import { RegionalMemory, gridAt, isolationFeeds, labelPlaces, regionalFeeds } from './regions.ts';

// Sessions take seconds to open where the machine does other things too.
vi.setConfig({ testTimeout: 240_000 });

const LATENT = { height: 8, width: 16 };
const CALL = 2e-5;
const GLOBAL = 1;
const LOCALS = [2, 3] as const;
const masks = await recorded('regions/masks').then(({ data }) => [data.slice(0, 128), data.slice(128)]);

test.each([
  [8, 16],
  [4, 8],
  [2, 4],
  [1, 2],
])('places of a %s x %s level', async (height, width) => {
  const wanted = await recorded(`regions/labels_${height}x${width}`);
  expect([...labelPlaces(masks, LATENT, { height, width })]).toEqual([...wanted.data]);
});

test('the inputs of a batch are made once for a generation, anew where texts, masks or sizes differ', () => {
  const text = (tokens: number): TextStates => ({ data: new Float32Array(tokens * 2), tokens, width: 2 });
  const [base, local] = [text(3), text(2)];
  const level = { level: 0, halvings: 0, bias: 'b', labels: 'l', ipScale: 's' };
  const memory = new RegionalMemory();
  const rows = () => [
    { base, segments: [] },
    { base, segments: [local, undefined] },
  ];
  const first = memory.feeds(rows(), masks, LATENT, [level]);
  expect(memory.feeds(rows(), [...masks], LATENT, [level])).toBe(first);
  expect(
    memory.feeds(
      [
        { base, segments: [] },
        { base, segments: [undefined, local] },
      ],
      masks,
      LATENT,
      [level],
    ),
  ).not.toBe(first);
  const second = memory.feeds(rows(), masks, LATENT, [level]);
  expect(second).toEqual(first);
  expect(memory.feeds(rows(), [masks[1]!, masks[0]!], LATENT, [level])).not.toBe(second);
});

test('levels halve rounding up, and odd grids share cells by area', () => {
  expect(gridAt({ height: 9, width: 5 }, 2)).toEqual({ height: 3, width: 2 });
  // Three cells in two places: the middle one counts half for each.
  expect([...labelPlaces([[1, 0, 0]], { height: 1, width: 3 }, { height: 1, width: 2 })]).toEqual([1, 0]);
  expect([...labelPlaces([[0, 1, 1]], { height: 1, width: 3 }, { height: 1, width: 2 })]).toEqual([0, 1]);
});

async function statesOf(name: string, checkpoint: Checkpoint, row: number, cut: boolean): Promise<TextStates> {
  const states =
    checkpoint.family === 'sdxl'
      ? sideBySide(
          await recorded(`${name}/text_encoder_penultimate`),
          await recorded(`${name}/text_encoder_2_penultimate`),
        )
      : await recorded(`${name}/text_encoder_last_hidden_state`);
  const ids = rows(await recorded(`${name}/text_encoder_input_ids`), row, 1).data;
  const one = rows(states, row, 1);
  return { data: one.data, tokens: cut ? ids.indexOf(49407) + 1 : 77, width: one.shape.at(-1)! };
}

async function open(checkpoint: Checkpoint, isolation?: IsolationOptions): Promise<GraphSession> {
  const { table, heads, groups, timeIdWidth } = checkpoint.unet;
  return openGraph('denoiser', buildUnet(table, { heads, groups, timeIdWidth, ...(isolation && { isolation }) }), CPU);
}

async function call(
  name: string,
  checkpoint: Checkpoint,
  session: GraphSession,
  batch: readonly RegionalRow[],
  segments = masks,
): Promise<Fetched> {
  const levels = attentionLevels(checkpoint.unet.table);
  const sample = rows(formulaInput('unet_sample'), 1, 1);
  const repeat = (tensor: Fetched): Fed => ({
    data: Float32Array.from(
      { length: tensor.data.length * batch.length },
      (_, i) => tensor.data[i % tensor.data.length]!,
    ),
    shape: [batch.length, ...tensor.shape.slice(1)],
  });
  const feeds: Record<string, Fed> = {
    sample: repeat(sample),
    timestep: { data: Float32Array.of(499), shape: [1] },
    ...regionalFeeds(batch, segments, LATENT, levels),
  };
  if ([...session.inputs.keys()].some((key) => key.startsWith('labels_')))
    Object.assign(feeds, isolationFeeds(batch, segments, LATENT, levels));
  if (checkpoint.family === 'sdxl') {
    feeds['text_embeds'] = repeat(rows(await recorded(`${name}/text_encoder_2_text_embeds`), GLOBAL, 1));
    feeds['time_ids'] = repeat({ data: Float32Array.of(64, 128, 0, 0, 64, 128), shape: [1, 6] });
  }
  return fetched(await session.run(feeds), 'prediction');
}

describe.each(['sd15-tiny', 'sd21v-tiny', 'sdxl-tiny'])('%s', (name) => {
  const recognise = () => recogniseCheckpoint(join(CHECKPOINTS, `${name}.safetensors`));

  test('a regional call, without and with the leak shield, equals the recorded one', async () => {
    const checkpoint = await recognise();
    const row: RegionalRow = {
      base: await statesOf(name, checkpoint, GLOBAL, false),
      segments: await Promise.all(LOCALS.map((i) => statesOf(name, checkpoint, i, true))),
    };
    const plain = await open(checkpoint);
    expect(
      distance((await call(name, checkpoint, plain, [row])).data, (await recorded(`${name}/unet_out_regional`)).data),
    ).toBeLessThan(CALL);
    await plain.release();
    const shielded = await open(checkpoint, { mode: 'strict', from: 0, to: 1000 });
    const out = await call(name, checkpoint, shielded, [row]);
    expect(distance(out.data, (await recorded(`${name}/unet_out_regional_isolated`)).data)).toBeLessThan(CALL);
    await shielded.release();
  });

  test('no segment is the plain call; one that covers everything is its text as the global one', async () => {
    const checkpoint = await recognise();
    const session = await open(checkpoint);
    const base = await statesOf(name, checkpoint, GLOBAL, false);
    const local = await statesOf(name, checkpoint, LOCALS[0], true);
    const everywhere = [new Float32Array(128).fill(1)];
    const covered = await call(name, checkpoint, session, [{ base, segments: [local] }], everywhere);
    const alone = await call(name, checkpoint, session, [{ base: local, segments: [] }], []);
    expect(distance(covered.data, alone.data)).toBeLessThan(CALL);
    const recordedRow = rows(await recorded(`${name}/unet_out`), 1, 1);
    const empty = await call(name, checkpoint, session, [{ base, segments: [] }], []);
    expect(distance(empty.data, recordedRow.data)).toBeLessThan(CALL);
    const inactive = await call(name, checkpoint, session, [{ base, segments: [undefined, undefined] }]);
    expect(distance(inactive.data, recordedRow.data)).toBeLessThan(CALL);
    await session.release();
  });

  test('rows of a batch do not touch each other: the passes of guidance go through at once', async () => {
    const checkpoint = await recognise();
    const session = await open(checkpoint, { mode: 'segments', from: 0, to: 3 });
    const [none, base] = [await statesOf(name, checkpoint, 0, false), await statesOf(name, checkpoint, GLOBAL, false)];
    const segments = await Promise.all(LOCALS.map((i) => statesOf(name, checkpoint, i, true)));
    const batch: RegionalRow[] = [
      { base: none, segments: [] },
      { base, segments: [] },
      { base: none, segments },
    ];
    const together = await call(name, checkpoint, session, batch);
    for (const [i, row] of batch.entries()) {
      const alone = await call(name, checkpoint, session, [row]);
      expect(distance(rows(together, i, 1).data, alone.data)).toBeLessThan(CALL);
    }
    await session.release();
  });
});

test('two disjoint segments never read each other’s tokens, whatever the masks', () => {
  const text = (tokens: number): TextStates => ({ data: new Float32Array(tokens * 2), tokens, width: 2 });
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 128, maxLength: 128 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 4, maxLength: 4 }),
      (owner, sizes) => {
        const disjoint = [1, 2, 3].map((i) => owner.map((o) => (o === i ? 1 : 0)));
        const row: RegionalRow = { base: text(sizes[0]!), segments: sizes.slice(1).map(text) };
        const level = { level: 1, halvings: 1, bias: 'b', labels: 'l', ipScale: 's' };
        const { b, context } = regionalFeeds([row], disjoint, LATENT, [level]);
        const tokens = context!.shape[1]!;
        const labels = labelPlaces(disjoint, LATENT, { height: 4, width: 8 });
        for (let place = 0; place < 32; place++) {
          const begin = sizes.slice(0, labels[place]!).reduce((sum, n) => sum + n, 0);
          for (let token = 0; token < tokens; token++) {
            const readable = token >= begin && token < begin + sizes[labels[place]!]!;
            expect(b!.data[place * tokens + token]).toBe(readable ? 0 : -1e9);
          }
        }
      },
    ),
    { numRuns: 30 },
  );
});
