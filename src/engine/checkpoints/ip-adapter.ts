import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '#shared/errors.ts';
import type { Fed } from '../stock/graph-session.ts';
import type { AttentionLevel, IpAdapterLayers } from './graphs/unet-options.ts';
import { kindOfFile, wrongKind } from './kinds.ts';
import { attentionsInOrder } from './layer-names.ts';
import { plainTable } from './keys.ts';
import type { Checkpoint } from './recognise.ts';
import type { Grid } from './regions.ts';
import { gridAt } from './regions.ts';
import type { SafetensorsFile } from './safetensors.ts';
import { readSafetensorsFile, readStoredTensor } from './safetensors.ts';
import { parsePythonJson } from './sidecar.ts';
import type { Weight, WeightTable } from './weights.ts';
import { countChildren } from './weights.ts';

/** An IP-Adapter fitted to a checkpoint. */
export interface IpAdapter {
  readonly name: string;
  /** Size of the file. */
  readonly bytes: number;
  readonly layers: IpAdapterLayers;
  /** Weights of the image projection, for buildImageProjection. */
  readonly projection: WeightTable;
  /** Width of the image embeddings (plain) or of the penultimate states (plus) that it reads. */
  readonly reads: number;
}

/** A CLIP image encoder on disk. */
export interface ImageEncoder {
  readonly table: WeightTable;
  readonly heads: number;
  readonly activation: 'quick_gelu' | 'gelu';
}

function withoutPrefix(table: WeightTable, prefix: string): WeightTable {
  const out = new Map<string, Weight>();
  for (const [name, weight] of table) if (name.startsWith(prefix)) out.set(name.slice(prefix.length), weight);
  return out;
}

type StoredType = 'float32' | 'float16' | 'bfloat16';

/** An IP-Adapter's layers in a file, by the attention they belong to. */
interface FittedAdapter {
  readonly projection: WeightTable;
  readonly plus: boolean;
  readonly layers: ReadonlyMap<
    string,
    { readonly stored: string; readonly shape: readonly number[]; readonly type: StoredType }
  >;
}

/**
 * Whether an IP-Adapter fits a checkpoint, by names and sizes; reads no weights.
 *
 * @throws StudioError 'unsupported' if the file is none, or does not fit this checkpoint
 */
export function fitIpAdapter(file: SafetensorsFile, checkpoint: Checkpoint): FittedAdapter {
  const name = basename(file.path);
  const kind = kindOfFile(file);
  if (kind !== 'ip-adapter') throw wrongKind(name, kind);
  const misfit = (why: string) =>
    new StudioError('unsupported', `${name} does not fit ${checkpoint.name}: ${why}`, {
      kept: 'the model works without it',
      remedy: 'choose the IP-Adapter made for this family of models',
    });
  const projection = withoutPrefix(plainTable(file), 'image_proj.');
  const plus = projection.has('latents');
  if (!plus && !projection.has('proj.weight')) throw misfit('its image projection is of a kind that is not known here');

  // Layers are numbered through all attentions in diffusers' order, self-attentions included: 1, 3, 5, ...
  const layers = new Map<string, { stored: string; shape: readonly number[]; type: StoredType }>();
  for (const [number, attention] of attentionsInOrder(checkpoint.unet.table).entries()) {
    if (!attention.endsWith('.attn2')) continue;
    for (const part of ['k', 'v'] as const) {
      const stored = `ip_adapter.${number}.to_${part}_ip.weight`;
      const tensor = file.tensors.get(stored);
      const own = checkpoint.unet.table.get(`${attention}.to_${part}.weight`);
      if (!tensor || !own) throw misfit(`it has no layer ${number}`);
      if (tensor.shape.join() !== own.shape.join()) throw misfit(`its layer ${number} has another size`);
      const type = ({ F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const)[tensor.type as 'F32'];
      if (!type) throw misfit(`it is stored as ${tensor.type}`);
      layers.set(`${attention}.${part}`, { stored, shape: tensor.shape, type });
    }
  }
  return { projection, plus, layers };
}

/**
 * Reads an IP-Adapter file for a checkpoint.
 *
 * @throws StudioError 'unsupported' if it is none, or does not fit this checkpoint
 */
export async function readIpAdapter(path: string, checkpoint: Checkpoint): Promise<IpAdapter> {
  const file = await readSafetensorsFile(path);
  const name = basename(path);
  const { projection, plus, layers } = fitIpAdapter(file, checkpoint);
  const tokens = plus
    ? (projection.get('latents')?.shape[1] ?? 16)
    : (projection.get('proj.weight')?.shape[0] ?? 0) / (projection.get('norm.weight')?.shape[0] ?? 1);
  const read = [...layers].map(
    async ([key, layer]) => [key, { ...layer, bytes: await readStoredTensor(file, layer.stored) }] as const,
  );
  const stored = new Map(await Promise.all(read));
  return {
    name,
    bytes: file.bytes,
    projection,
    reads: (plus ? projection.get('proj_in.weight') : projection.get('proj.weight'))?.shape[1] ?? 0,
    layers: {
      tokens,
      projection(graph, attention, part) {
        const weight = stored.get(`${attention}.${part}`);
        if (!weight) throw new StudioError('internal', `no IP-Adapter weight for ${attention}`);
        const value = graph.inline(`ip ${weight.stored}`, weight.type, weight.shape, weight.bytes);
        return weight.type === 'float32' ? value : graph.node('Cast', [value], { to: 1 });
      },
    },
  };
}

const VisionConfig = z.looseObject({
  num_attention_heads: z.int().min(1).max(256).nullish(),
  hidden_act: z.string().nullish(),
});

/**
 * Opens a CLIP image encoder: a .safetensors file in transformers' names, its config.json beside it if
 * there is one.
 */
export async function readImageEncoder(path: string): Promise<ImageEncoder> {
  const file = await readSafetensorsFile(path);
  const kind = kindOfFile(file);
  if (kind !== 'image-encoder') throw wrongKind(basename(path), kind);
  const table = new Map<string, Weight>();
  for (const [name, weight] of plainTable(file)) table.set(name.replace(/^vision_model\./, ''), weight);
  const width = table.get('embeddings.class_embedding')?.shape[0] ?? 0;
  if (countChildren(table, 'encoder.layers') === 0 || width === 0 || !table.has('visual_projection.weight'))
    throw new StudioError('unsupported', `${basename(path)} is no CLIP image encoder in transformers' layout`, {
      remedy: 'get the image_encoder folder published beside the IP-Adapter',
    });
  const text = await readFile(join(dirname(path), 'config.json'), 'utf8').catch(() => '{}');
  const config = VisionConfig.parse(parsePythonJson(text));
  // The encoders of IP-Adapter: ViT-H/14 (1280 wide, 16 heads) and ViT-bigG/14 (1664 wide, 16 heads), both with an exact gelu.
  const heads = config.num_attention_heads ?? (width >= 1280 ? 16 : Math.max(1, Math.round(width / 64)));
  return { table, heads, activation: config.hidden_act === 'quick_gelu' ? 'quick_gelu' : 'gelu' };
}

/** The bicubic kernel of PyTorch (a = -0.75). */
function cubic(x: number): number {
  const a = -0.75;
  const t = Math.abs(x);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return 0;
}

function resizeAxis(from: number, to: number): { at: number; weights: number[] }[] {
  return Array.from({ length: to }, (_, i) => {
    const centre = ((i + 0.5) * from) / to - 0.5;
    const at = Math.floor(centre) - 1;
    return { at, weights: [0, 1, 2, 3].map((k) => cubic(centre - (at + k))) };
  });
}

/**
 * A mask from the picture's size to a level's: bicubic, half-pixel centres, no antialiasing, not
 * clamped, as diffusers reduces IP-Adapter masks.
 */
export function reduceIpMask(mask: ArrayLike<number>, picture: Grid, level: Grid): Float32Array {
  const rows = resizeAxis(picture.height, level.height);
  const columns = resizeAxis(picture.width, level.width);
  const clamp = (v: number, most: number) => Math.min(most, Math.max(0, v));
  const out = new Float32Array(level.height * level.width);
  for (const [y, row] of rows.entries())
    for (const [x, column] of columns.entries()) {
      let sum = 0;
      for (const [dy, wy] of row.weights.entries())
        for (const [dx, wx] of column.weights.entries())
          sum +=
            wy *
            wx *
            (mask[clamp(row.at + dy, picture.height - 1) * picture.width + clamp(column.at + dx, picture.width - 1)] ??
              0);
      out[y * level.width + x] = sum;
    }
  return out;
}

/** An image that a row of the batch looks at. */
export interface IpImage {
  /** [tokens, width] */
  readonly tokens: Float32Array;
  readonly scale: number;
  /** Where it is looked at; null: everywhere. */
  readonly mask: { readonly data: ArrayLike<number>; readonly grid: Grid } | null;
}

/**
 * The IP-Adapter inputs of a batch. Rows may have different numbers of images: those left over are
 * given a scale of zero.
 */
export function ipAdapterFeeds(
  rows: readonly (readonly IpImage[])[],
  tokens: number,
  width: number,
  latent: Grid,
  levels: readonly AttentionLevel[],
): Record<string, Fed> {
  const images = Math.max(1, ...rows.map((row) => row.length));
  const data = new Float32Array(rows.length * images * tokens * width);
  for (const [b, row] of rows.entries())
    for (const [i, image] of row.entries()) data.set(image.tokens, (b * images + i) * tokens * width);
  const feeds: Record<string, Fed> = { ip_tokens: { data, shape: [rows.length, images, tokens, width] } };
  for (const level of levels) {
    const grid = gridAt(latent, level.halvings);
    const places = grid.height * grid.width;
    const scales = new Float32Array(rows.length * images * places);
    for (const [b, row] of rows.entries())
      for (const [i, image] of row.entries()) {
        const start = (b * images + i) * places;
        if (!image.mask) scales.fill(image.scale, start, start + places);
        else
          for (const [k, v] of reduceIpMask(image.mask.data, image.mask.grid, grid).entries())
            scales[start + k] = image.scale * v;
      }
    feeds[level.ipScale] = { data: scales, shape: [rows.length, images, places] };
  }
  return feeds;
}
