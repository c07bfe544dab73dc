// A whole pack of networks so small that their outputs can be told beforehand: for tests of what goes where.
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { GraphBuilder } from '../checkpoints/onnx/graph.ts';
import type { ElementType, Value } from '../checkpoints/onnx/graph.ts';
import { SKETCH_SIDE } from './schema.ts';

export const TINY = { width: 8, size: 16, factor: 2, sketchChannels: 2, stChannels: 3, words: ['red', 'blue', 'sea'] };

type Shape = (number | string)[];
interface Described {
  shape: Shape;
  dtype: 'float32' | 'int64';
}
export interface TinyComponent {
  file: string;
  sha256: string;
  bytes: number;
  inputs: Record<string, Described>;
  outputs: Record<string, Described>;
}
export interface TinyDescription {
  [key: string]: unknown;
  components: Record<string, TinyComponent>;
}

const numbers = (count: number, seed: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i));
const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const { width, size, stChannels } = TINY;

/** The sketch's weights: channel c of a sketch is the embedding times column c, channel 0 inside the mask only. */
export const SKETCH_WEIGHTS = numbers(width * TINY.sketchChannels, 5);

/** What the tiny sketch draws: [2, SKETCH_SIDE, SKETCH_SIDE]. */
export function tinySketch(embedding: Float32Array, mask: Float32Array): Float32Array {
  const of = (channel: number): number =>
    embedding.reduce((sum, value, k) => sum + value * (SKETCH_WEIGHTS[k * TINY.sketchChannels + channel] ?? 0), 0);
  return Float32Array.from([...mask.map((value) => value * of(0)), ...mask.map(() => of(1))]);
}

/**
 * Writes the pack into `folder`. Its prior takes a text's embedding for the picture's, its denoiser predicts the clean
 * picture: red and green are the two channels of the sketch map where there is one, blue the first of the map's own.
 * Its super-resolution repeats pixels; with `fine` it adds a half of the first channel of the sketch map to blue. With
 * `enlargement` it has a network for larger pictures, which takes the mean of 3 x 3 pixels and repeats it.
 * @param change of the description, after hashes and sizes were filled in
 */
export async function writeTinyPack(
  folder: string,
  {
    sketch = true,
    fine = false,
    enlargement = false,
    change,
  }: { sketch?: boolean; fine?: boolean; enlargement?: boolean; change?: (pack: TinyDescription) => void } = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const components: Record<string, TinyComponent> = {};
  const part = async (
    name: string,
    inputs: Record<string, [ElementType & Described['dtype'], ...Shape]>,
    outputs: Record<string, Shape>,
    build: (graph: GraphBuilder, given: Record<string, Value>) => Record<string, Value>,
    more: object = {},
  ): Promise<void> => {
    const graph = new GraphBuilder(name);
    const given: Record<string, Value> = {};
    for (const [input, [type, ...shape]] of Object.entries(inputs))
      given[input] = graph.input({ name: input, type, shape });
    const made = build(graph, given);
    for (const [output, shape] of Object.entries(outputs)) {
      const value = made[output];
      if (value) graph.output({ name: output, type: 'float32', shape }, value);
    }
    const bytes = graph.finish();
    const file = `${name}.onnx`;
    await writeFile(path.join(folder, file), bytes);
    components[name] = {
      file,
      sha256: sha256(bytes),
      bytes: bytes.length,
      inputs: Object.fromEntries(Object.entries(inputs).map(([key, [dtype, ...shape]]) => [key, { dtype, shape }])),
      outputs: Object.fromEntries(Object.entries(outputs).map(([key, shape]) => [key, { dtype: 'float32', shape }])),
      ...more,
    };
  };
  const repeat = (graph: GraphBuilder, picture: Value | undefined): Value =>
    graph.node('Resize', [picture, undefined, graph.floats([1, 1, TINY.factor, TINY.factor])], {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    });
  const unit = (graph: GraphBuilder, value: Value): Value => graph.node('LpNormalization', [value], { axis: -1, p: 2 });
  const st = stChannels + (sketch ? TINY.sketchChannels : 0);

  const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', ...TINY.words];
  await part(
    'textEncoder',
    {
      input_ids: ['int64', 'batch', 'tokens'],
      attention_mask: ['int64', 'batch', 'tokens'],
      token_type_ids: ['int64', 'batch', 'tokens'],
    },
    { sentence_embeds: ['batch', width], text_embeds: ['batch', width] },
    (graph, { input_ids }) => {
      const table = graph.floats(numbers(vocabulary.length * width, 1), [vocabulary.length, width]);
      const words = graph.node('Gather', [table, input_ids]);
      const text = unit(graph, graph.node('ReduceSum', [words, graph.integers([1])], { keepdims: 0 }));
      return { sentence_embeds: text, text_embeds: text };
    },
  );
  await part(
    'imageEncoder',
    { pixel_values: ['float32', 'batch', 3, size, size] },
    { image_embeds: ['batch', width] },
    (graph, { pixel_values }) => {
      const mean = graph.node('Flatten', [graph.node('GlobalAveragePool', [pixel_values])]);
      const wide = graph.node('MatMul', [mean, graph.floats(numbers(3 * width, 2), [3, width])]);
      return { image_embeds: unit(graph, graph.node('Add', [wide, graph.floats(numbers(width, 3))])) };
    },
  );
  const schedule = { betaSchedule: 'squaredcos_cap_v2', trainTimesteps: 1000, predictionType: 'sample' };
  const embeddingScale = 4;
  await part(
    'prior',
    {
      hidden_states: ['float32', 'batch', width],
      timestep: ['int64', 'batch'],
      text_embeds: ['float32', 'batch', width],
      sentence_embeds: ['float32', 'batch', width],
    },
    { predicted_image_embedding: ['batch', width] },
    (graph, { text_embeds }) => ({
      predicted_image_embedding: graph.node('Mul', [text_embeds, graph.floats([embeddingScale])]),
    }),
    { scheduler: schedule, embeddingScale, defaults: { steps: 2, guidanceScale: 1 }, normaliseResult: true },
  );
  if (sketch)
    await part(
      'sketch',
      {
        image_embeds: ['float32', 'batch', width],
        segment_masks: ['float32', 'batch', 1, SKETCH_SIDE, SKETCH_SIDE],
      },
      { sketch: ['batch', TINY.sketchChannels, SKETCH_SIDE, SKETCH_SIDE] },
      (graph, { image_embeds, segment_masks }) => {
        const channels = TINY.sketchChannels;
        const said = graph.node('MatMul', [image_embeds, graph.floats(SKETCH_WEIGHTS, [width, channels])]);
        const colours = graph.node('Reshape', [said, graph.integers([-1, channels, 1, 1])]);
        const shaped = graph.node('Mul', [segment_masks, graph.floats([1, 0], [1, channels, 1, 1])]);
        const where = graph.node('Add', [shaped, graph.floats([0, 1], [1, channels, 1, 1])]);
        return { sketch: graph.node('Mul', [where, colours]) };
      },
    );
  await part(
    'stProjector',
    {
      spatio_textual_map: ['float32', 'batch', width, size, size],
      ...(sketch ? { sketch_map: ['float32', 'batch', TINY.sketchChannels, size, size] } : {}),
    },
    { st_16: ['batch', st, size, size] },
    (graph, { spatio_textual_map, sketch_map }) => {
      const weights = graph.floats(numbers(stChannels * width, 4), [stChannels, width, 1, 1]);
      const projected = graph.node('Conv', [spatio_textual_map, weights]);
      return { st_16: sketch_map ? graph.node('Concat', [projected, sketch_map], { axis: 1 }) : projected };
    },
  );
  await part(
    'unet',
    {
      sample: ['float32', 'batch', 3, size, size],
      timestep: ['int64', 'batch'],
      global_embeds: ['float32', 'batch', width],
      st_16: ['float32', 'batch', st, size, size],
    },
    { out_sample: ['batch', 3, size, size] },
    (graph, { st_16 }) => {
      // Which channel of the map each colour shows.
      const shown = sketch ? [stChannels, stChannels + 1, 0] : [1, 2, 0];
      const weights = shown.flatMap((channel) => Array.from({ length: st }, (_, i) => (i === channel ? 1 : 0)));
      return { out_sample: graph.node('Conv', [st_16, graph.floats(weights, [3, st, 1, 1])]) };
    },
    { scheduler: schedule },
  );
  await part(
    'superResolution',
    {
      sample: ['float32', 'batch', 3, 'height', 'width'],
      ...(fine ? { sketch_map: ['float32', 'batch', TINY.sketchChannels, 'tall', 'wide'] } : {}),
    },
    { upscaled: ['batch', 3, 'tall', 'wide'] },
    (graph, { sample, sketch_map }) => {
      const repeated = repeat(graph, sample);
      if (!sketch_map) return { upscaled: repeated };
      const weights = graph.floats([0, 0, 0, 0, 0.5, 0], [3, TINY.sketchChannels, 1, 1]);
      return { upscaled: graph.node('Add', [repeated, graph.node('Conv', [sketch_map, weights])]) };
    },
    { factor: TINY.factor, ...(fine ? { sketchScale: TINY.factor } : {}) },
  );

  if (enlargement)
    await part(
      'enlargement',
      { sample: ['float32', 'batch', 3, 'height', 'width'] },
      { upscaled: ['batch', 3, 'tall', 'wide'] },
      (graph, { sample }) => {
        const mean = graph.floats(
          Array.from({ length: 27 }, () => 1 / 9),
          [3, 1, 3, 3],
        );
        return { upscaled: repeat(graph, graph.node('Conv', [sample, mean], { group: 3, pads: [1, 1, 1, 1] })) };
      },
      { factor: TINY.factor },
    );

  const tokenizer = JSON.stringify({
    normalizer: { type: 'BertNormalizer', lowercase: true, strip_accents: null },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary.map((word, id) => [word, id])),
    },
  });
  await writeFile(path.join(folder, 'tokenizer.json'), tokenizer);
  const pack: TinyDescription = {
    formatVersion: 1,
    id: 'tiny',
    name: 'Tiny',
    kind: 'spatext-pixel',
    licence: 'MIT',
    embeddingWidth: width,
    sampleSize: size,
    outputSize: size * TINY.factor,
    tokenizer: {
      file: 'tokenizer.json',
      type: 'wordpiece',
      lowercase: true,
      maxLength: 16,
      sha256: sha256(tokenizer),
    },
    components,
    guidance: {
      conditions: ['global', 'local'],
      modes: ['multi', 'single'],
      defaults: { mode: 'multi', globalScale: 1, localScale: 1 },
    },
    defaults: { sampler: 'ddim', steps: 2 },
  };
  change?.(pack);
  await writeFile(path.join(folder, 'pack.json'), JSON.stringify(pack));
}
