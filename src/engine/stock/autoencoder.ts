import { NoiseStream } from '../tensor/index.ts';
import type { Tensor } from '../tensor/index.ts';
import type { StockNetworks } from './networks.ts';

/** Side of a tile and what neighbours share, in latent cells: 512 and 128 pixels. */
const TILE = 64;
const OVERLAP = 16;

export interface TileOptions {
  readonly tile?: number;
  readonly overlap?: number;
  readonly breathe?: () => Promise<void>;
}

/** Where tiles begin along one side: evenly, the last one ending at the edge. */
export function tileStarts(length: number, tile: number, overlap: number): number[] {
  if (length <= tile) return [0];
  const count = Math.ceil((length - overlap) / (tile - overlap));
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - tile)) / (count - 1)));
}

/** Rises from the tile's edge over the overlap, so that neighbours fade into each other; never 0. */
function fade(i: number, length: number, overlap: number): number {
  const edge = Math.min(i + 0.5, length - i - 0.5);
  return Math.min(1, edge / overlap);
}

interface Plane {
  readonly data: Float32Array;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

function cut(from: Plane, y: number, x: number, height: number, width: number): Float32Array {
  const out = new Float32Array(from.channels * height * width);
  for (let c = 0; c < from.channels; c++)
    for (let row = 0; row < height; row++) {
      const start = (c * from.height + y + row) * from.width + x;
      out.set(from.data.subarray(start, start + width), (c * height + row) * width);
    }
  return out;
}

/** Adds tiles, each weighted by its fade, and divides by the sum of the weights. */
class Mosaic {
  readonly plane: Plane;
  readonly #weights: Float32Array;

  constructor(channels: number, height: number, width: number) {
    this.plane = { data: new Float32Array(channels * height * width), channels, height, width };
    this.#weights = new Float32Array(height * width);
  }

  add(tile: Float32Array, y: number, x: number, height: number, width: number, overlap: number): void {
    const { channels, data } = this.plane;
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const weight = fade(row, height, overlap) * fade(column, width, overlap);
        const at = (y + row) * this.plane.width + x + column;
        this.#weights[at] = (this.#weights[at] ?? 0) + weight;
        for (let c = 0; c < channels; c++) {
          const to = c * this.plane.height * this.plane.width + at;
          data[to] = (data[to] ?? 0) + weight * (tile[(c * height + row) * width + column] ?? 0);
        }
      }
  }

  finish(): Tensor {
    const { data, channels, height, width } = this.plane;
    for (let i = 0; i < data.length; i++) data[i] = (data[i] ?? 0) / (this.#weights[i % this.#weights.length] ?? 1);
    return { data, shape: [1, channels, height, width] };
  }
}

/**
 * Latents of a run to a picture; large ones in overlapping tiles that fade into each other.
 *
 * @param latents [1, 4, h, w], multiplied by the scaling factor
 * @returns [1, 3, H, W] in about -1..1
 */
export async function decodeLatents(
  networks: StockNetworks,
  latents: Tensor,
  options: TileOptions = {},
): Promise<Tensor> {
  const { scalingFactor, shiftFactor, latentCell } = networks.traits;
  const { tile = TILE, overlap = OVERLAP } = options;
  const data = latents.data.map((v) => v / scalingFactor + shiftFactor);
  const [, channels = 4, height = 0, width = 0] = latents.shape;
  if (height * width <= tile * tile * 1.5) return networks.decode({ data, shape: latents.shape });
  const mosaic = new Mosaic(3, height * latentCell, width * latentCell);
  const [th, tw] = [Math.min(tile, height), Math.min(tile, width)];
  for (const y of tileStarts(height, tile, overlap))
    for (const x of tileStarts(width, tile, overlap)) {
      const part = cut({ data, channels, height, width }, y, x, th, tw);
      const image = await networks.decode({ data: part, shape: [1, channels, th, tw] });
      mosaic.add(image.data, y * latentCell, x * latentCell, th * latentCell, tw * latentCell, overlap * latentCell);
      await options.breathe?.();
    }
  return mosaic.finish();
}

/**
 * A picture to latents: the mean of the encoder's distribution, which gives the same latents every time.
 *
 * @param image [1, 3, H, W] in -1..1, sides multiples of the latent cell
 * @returns [1, 4, h, w], multiplied by the scaling factor
 */
export async function encodePicture(
  networks: StockNetworks,
  image: Tensor,
  options: TileOptions = {},
): Promise<Tensor> {
  const { scalingFactor, shiftFactor, latentCell, latentChannels } = networks.traits;
  const { tile = TILE, overlap = OVERLAP } = options;
  const [, , height = 0, width = 0] = image.shape;
  const [h, w] = [height / latentCell, width / latentCell];
  let mean: Tensor;
  if (h * w <= tile * tile * 1.5) ({ mean } = await networks.encode(image));
  else {
    const mosaic = new Mosaic(latentChannels, h, w);
    const [th, tw] = [Math.min(tile, h), Math.min(tile, w)];
    for (const y of tileStarts(h, tile, overlap))
      for (const x of tileStarts(w, tile, overlap)) {
        const plane = { data: image.data, channels: 3, height, width };
        const part = cut(plane, y * latentCell, x * latentCell, th * latentCell, tw * latentCell);
        const encoded = await networks.encode({ data: part, shape: [1, 3, th * latentCell, tw * latentCell] });
        mosaic.add(encoded.mean.data, y, x, th, tw, overlap);
        await options.breathe?.();
      }
    mean = mosaic.finish();
  }
  return { data: mean.data.map((v) => (v - shiftFactor) * scalingFactor), shape: mean.shape };
}

/** Red, green and blue as sums of the latent channels: 3 rows of latentChannels coefficients and a constant. */
export type PreviewMap = readonly (readonly number[])[];

/**
 * Fits the linear map that previews use, by least squares, to what this autoencoder itself makes of
 * smooth random latents: no table of numbers per model, and merged or foreign VAEs get their own.
 */
export async function fitPreviewMap(networks: StockNetworks): Promise<PreviewMap> {
  const { latentChannels: n, latentCell, scalingFactor, shiftFactor } = networks.traits;
  const side = 16;
  const block = 4;
  const noise = new NoiseStream(1).normal([n, side / block, side / block]).data;
  const latents = new Float32Array(n * side * side);
  for (let c = 0; c < n; c++)
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++)
        latents[(c * side + y) * side + x] =
          noise[(c * (side / block) + Math.floor(y / block)) * (side / block) + Math.floor(x / block)] ?? 0;
  const image = await networks.decode({
    data: latents.map((v) => v / scalingFactor + shiftFactor),
    shape: [1, n, side, side],
  });
  const rows: number[][] = [];
  const targets: number[][] = [[], [], []];
  const wide = side * latentCell;
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      rows.push([...Array.from({ length: n }, (_, c) => latents[(c * side + y) * side + x] ?? 0), 1]);
      for (const [c, list] of targets.entries()) {
        let sum = 0;
        for (let dy = 0; dy < latentCell; dy++)
          for (let dx = 0; dx < latentCell; dx++)
            sum += image.data[(c * wide + y * latentCell + dy) * wide + x * latentCell + dx] ?? 0;
        list.push(sum / latentCell ** 2);
      }
    }
  return targets.map((target) => leastSquares(rows, target));
}

/** Solves the normal equations with a little ridge, by Gaussian elimination. */
export function leastSquares(rows: readonly (readonly number[])[], target: readonly number[]): number[] {
  const n = rows[0]?.length ?? 0;
  const m = Array.from({ length: n }, (_, i) => {
    const line = Array.from({ length: n }, (__, j) =>
      rows.reduce((sum, row) => sum + (row[i] ?? 0) * (row[j] ?? 0), i === j ? 1e-6 : 0),
    );
    return [...line, rows.reduce((sum, row, r) => sum + (row[i] ?? 0) * (target[r] ?? 0), 0)];
  });
  for (let i = 0; i < n; i++) {
    let pivot = i;
    for (let r = i + 1; r < n; r++) if (Math.abs(m[r]?.[i] ?? 0) > Math.abs(m[pivot]?.[i] ?? 0)) pivot = r;
    const swapped = m[pivot];
    const here = m[i];
    if (!swapped || !here) continue;
    m[pivot] = here;
    m[i] = swapped;
    const top = swapped[i] ?? 1;
    for (const [r, line] of m.entries()) {
      if (r === i) continue;
      const factor = (line[i] ?? 0) / top;
      for (let j = i; j <= n; j++) line[j] = (line[j] ?? 0) - factor * (swapped[j] ?? 0);
    }
  }
  return m.map((line, i) => (line[n] ?? 0) / (line[i] ?? 1));
}

/** Latents [1, n, h, w] to a small picture [3, h, w] in about -1..1. */
export function previewOf(map: PreviewMap, latents: Tensor): Float32Array {
  const [, n = 4, height = 0, width = 0] = latents.shape;
  const places = height * width;
  const out = new Float32Array(3 * places);
  for (const [c, coefficients] of map.entries())
    for (let i = 0; i < places; i++) {
      let sum = coefficients[n] ?? 0;
      for (let k = 0; k < n; k++) sum += (coefficients[k] ?? 0) * (latents.data[k * places + i] ?? 0);
      out[c * places + i] = sum;
    }
  return out;
}
