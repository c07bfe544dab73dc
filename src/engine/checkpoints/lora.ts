import { basename } from 'node:path';
import { StudioError } from '#shared/errors.ts';
import type { GraphBuilder, Value } from './onnx/graph.ts';
import type { ConvGeometry, WeightChange, WeightChanges } from './graphs/network.ts';
import { kindOfFile, wrongKind } from './kinds.ts';
import { loraFactor } from './lora-factors.ts';
import { clipLayerNames, unetLayerNames } from './layer-names.ts';
import type { Checkpoint } from './recognise.ts';
import type { SafetensorsFile } from './safetensors.ts';
import { readSafetensorsFile, readStoredTensor } from './safetensors.ts';
import { readFloats } from './weights.ts';

/** A LoRA (or LyCORIS) file, read: what it changes by network. */
export interface LoraChanges {
  readonly name: string;
  readonly unet: WeightChanges;
  readonly texts: readonly WeightChanges[];
  /** Layers that it changes, and those that fit nothing in the checkpoint. */
  readonly fitted: number;
  readonly unfitted: number;
  /** Size of the file. */
  readonly bytes: number;
  /** Whether weights have to be computed: the graph is then better widened when opened. */
  readonly computesWeights: boolean;
}

/** A LoRA beyond this would not fit into one graph beside others. */
const MAX_BYTES = 900 * 1024 * 1024;

/** Beginnings of module names, longest first, and the network they mean (0 the denoiser, then text encoders). */
const ROOTS: readonly (readonly [string, number])[] = [
  ['lora_unet_', 0],
  ['lycoris_unet_', 0],
  ['base_model.model.unet.', 0],
  ['unet.', 0],
  ['lora_te1_', 1],
  ['lora_te2_', 2],
  ['lora_te_', 1],
  ['lycoris_te1_', 1],
  ['lycoris_te2_', 2],
  ['lycoris_te_', 1],
  ['text_encoder_2.', 2],
  ['text_encoder.', 1],
];

const PARTS =
  /\.(lora_down\.weight|lora_up\.weight|lora_mid\.weight|lora_A\.weight|lora_B\.weight|lora\.down\.weight|lora\.up\.weight|lora_A\.default\.weight|lora_B\.default\.weight|alpha|dora_scale|hada_w1_a|hada_w1_b|hada_w2_a|hada_w2_b|hada_t1|hada_t2|lokr_w1|lokr_w1_a|lokr_w1_b|lokr_w2|lokr_w2_a|lokr_w2_b|lokr_t2|diff|diff_b)$/;

const ALIASES: Readonly<Record<string, string>> = {
  'lora_A.weight': 'down',
  'lora_A.default.weight': 'down',
  'lora.down.weight': 'down',
  'lora_down.weight': 'down',
  'lora_B.weight': 'up',
  'lora_B.default.weight': 'up',
  'lora.up.weight': 'up',
  'lora_up.weight': 'up',
  'lora_mid.weight': 'mid',
};

/** Names in the file by module and part. */
function modulesOf(file: SafetensorsFile): Map<string, Map<string, string>> {
  const modules = new Map<string, Map<string, string>>();
  for (const name of file.tensors.keys()) {
    const match = PARTS.exec(name);
    if (!match) continue;
    const [, part = ''] = match;
    // Older diffusers files put the word processor between attention and layer: `attn1.processor.to_q_lora.down`.
    const module = name
      .slice(0, match.index)
      .replace('.processor.', '.')
      .replace(/_lora$/, '');
    let parts = modules.get(module);
    if (!parts) modules.set(module, (parts = new Map()));
    parts.set(ALIASES[part] ?? part, name);
  }
  return modules;
}

/** A module of a LoRA file and the layer of the checkpoint that it changes. */
interface FittedModule {
  readonly module: string;
  readonly parts: ReadonlyMap<string, string>;
  /** 0 the denoiser, then the text encoders. */
  readonly network: number;
  readonly layer: string;
  readonly shape: readonly number[];
}

function fitModules(file: SafetensorsFile, checkpoint: Checkpoint): { fitted: FittedModule[]; unfitted: number } {
  const name = basename(file.path);
  const kind = kindOfFile(file);
  if (kind !== 'lora') throw wrongKind(name, kind);
  if (file.bytes > MAX_BYTES)
    throw new StudioError(
      'too-large',
      `${name} has ${Math.round(file.bytes / 1e6)} MB, more than a LoRA may have here (900 MB)`,
    );
  const layers = [unetLayerNames(checkpoint.unet.table), ...checkpoint.texts.map((text) => clipLayerNames(text.table))];
  const fitted: FittedModule[] = [];
  let unfitted = 0;
  for (const [module, parts] of modulesOf(file)) {
    const root = ROOTS.find(([prefix]) => module.startsWith(prefix));
    const network = root?.[1] ?? 0;
    const key = module.slice(root?.[0].length ?? 0).replaceAll('.', '_');
    const layer = layers[network]?.get(key);
    const shape = layer === undefined ? undefined : tableOf(checkpoint, network)?.get(`${layer}.weight`)?.shape;
    if (layer === undefined || !shape) unfitted += 1;
    else fitted.push({ module, parts, network, layer, shape });
  }
  if (fitted.length === 0)
    throw new StudioError(
      'unsupported',
      `${name} fits no layer of ${checkpoint.name}: it was made for a model of another family`,
      {
        kept: 'the model works without it',
        remedy: 'choose a LoRA for this family of models',
      },
    );
  return { fitted, unfitted };
}

/**
 * Whether a LoRA fits a checkpoint, by the names of its layers and the widths of its matrices; reads no weights.
 *
 * @throws StudioError as readLora
 */
export function checkLora(file: SafetensorsFile, checkpoint: Checkpoint): void {
  const { fitted } = fitModules(file, checkpoint);
  const misfit = fitted.find(({ parts, shape }) => {
    const [up, down] = [parts.get('up'), parts.get('down')].map((part) => part && file.tensors.get(part)?.shape);
    // Families share names: SD 1 and 2 differ in widths only.
    const wide = shape.slice(1).reduce((product, side) => product * side, 1);
    return up && down && (up[0] !== shape[0] || (down[1] !== shape[1] && down[1] !== wide));
  });
  if (misfit)
    throw new StudioError(
      'unsupported',
      `${basename(file.path)} does not fit ${checkpoint.name}: it was made for a model of another family (${misfit.module} has another size)`,
      { kept: 'the model works without it', remedy: 'choose a LoRA for this family of models' },
    );
}

/**
 * Reads a LoRA or LyCORIS file for a checkpoint.
 *
 * @param strength 0..; negative ones turn the change around
 * @throws StudioError 'unsupported' if the file is none, or made for another family
 */
export async function readLora(path: string, checkpoint: Checkpoint, strength: number): Promise<LoraChanges> {
  const file = await readSafetensorsFile(path);
  // Told by its sizes before any of its modules is read: one that fits nowhere is of another family.
  checkLora(file, checkpoint);
  const { fitted, unfitted } = fitModules(file, checkpoint);
  const changes = ['denoiser', ...checkpoint.texts].map(() => new Map<string, WeightChange[]>());
  let computesWeights = false;
  for (const { module, parts, network, layer, shape } of fitted) {
    const change = await readChange(file, module, parts, shape, strength);
    if (change.kind === 'delta') computesWeights = true;
    const list = changes[network]?.get(`${layer}.weight`) ?? [];
    changes[network]?.set(`${layer}.weight`, [...list, change]);
  }
  const [unet = new Map<string, WeightChange[]>(), ...texts] = changes;
  const { bytes } = file;
  return { name: basename(path), unet, texts, fitted: fitted.length, unfitted, bytes, computesWeights };
}

function tableOf(checkpoint: Checkpoint, network: number) {
  return network === 0 ? checkpoint.unet.table : checkpoint.texts[network - 1]?.table;
}

async function readChange(
  file: SafetensorsFile,
  module: string,
  parts: ReadonlyMap<string, string>,
  shape: readonly number[],
  strength: number,
): Promise<WeightChange> {
  if (parts.has('dora_scale'))
    throw new StudioError('unsupported', `${basename(file.path)} is a DoRA, which this studio cannot apply`, {
      remedy: 'choose an ordinary LoRA',
    });
  const factor = await loraFactor(file, module, parts, shape);
  const alphaName = parts.get('alpha');
  const alpha = alphaName === undefined ? undefined : (await readFloats(file, alphaName))[0];
  const scale = strength * (factor.rank === null ? 1 : (alpha ?? factor.rank) / factor.rank);
  if (factor.kind === 'delta')
    return { kind: 'delta', build: (graph, name, wanted) => scaled(graph, factor.build(graph, name, wanted), scale) };
  const matrices = await Promise.all(
    factor.matrices.map(async ({ stored, dims }) => ({ stored, dims, bytes: await readStoredTensor(file, stored) })),
  );
  return {
    kind: 'branch',
    build: (graph, name, x, geometry) => branch(graph, file, name, x, geometry, matrices, scale),
  };
}

function scaled(graph: GraphBuilder, value: Value, scale: number): Value {
  return graph.node('Mul', [value, graph.floats([scale], [])]);
}

interface LoadedMatrix {
  readonly stored: string;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

/** x through down, (mid,) up, times the scale: on rows by Gemm, on pictures by convolutions. */
function branch(
  graph: GraphBuilder,
  file: SafetensorsFile,
  name: string,
  x: Value,
  geometry: ConvGeometry | null,
  matrices: readonly LoadedMatrix[],
  scale: number,
): Value {
  let value = x;
  // The kernel and stride of the layer sit in the middle matrix if there is one, else in the first.
  const main = matrices.length === 3 ? 1 : 0;
  for (const [i, matrix] of matrices.entries()) {
    const [to = 1, from = 1, kh = 1, kw = 1] = matrix.dims;
    const type = file.tensors.get(matrix.stored)?.type;
    const dims = geometry ? [to, from, kh, kw] : [to, from * kh * kw];
    const stored = graph.inline(
      `${file.path}:${name}:${i}`,
      type === 'F32' ? 'float32' : type === 'BF16' ? 'bfloat16' : 'float16',
      dims,
      matrix.bytes,
    );
    const weight = type === 'F32' ? stored : graph.node('Cast', [stored], { to: 1 });
    value = geometry
      ? graph.node('Conv', [value, weight], {
          kernel_shape: [kh, kw],
          strides: i === main ? [geometry.stride, geometry.stride] : [1, 1],
          pads: i === main ? geometry.pads : [0, 0, 0, 0],
        })
      : graph.node('Gemm', [value, weight], { transB: 1 });
    // Scaled where the value is narrowest.
    if (i === 0) value = scaled(graph, value, scale);
  }
  return value;
}

/** Several LoRAs as one set of changes. */
export function joinChanges(sets: readonly WeightChanges[]): WeightChanges {
  const joined = new Map<string, WeightChange[]>();
  for (const set of sets)
    for (const [name, changes] of set) joined.set(name, [...(joined.get(name) ?? []), ...changes]);
  return joined;
}
