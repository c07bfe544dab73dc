import { StudioError } from '#shared/errors.ts';
import type { Size } from '#shared/masks/mask.ts';
import { MAX_PIXELS } from '#engine/image/picture.ts';
import type { Area } from './area-scene.ts';
import { readNpy } from './npy.ts';

const MOST_AREAS = 4096;

/**
 * The areas of an array: whole numbers [h, w] as labels (0: none); float [c, h, w] as a prepared map, equal vectors
 * being one area. An array has no texts, so the segments are numbered. @throws StudioError bad-input, too-large
 */
export function readNpyAreas(bytes: Uint8Array): { areas: Area[]; size: Size } {
  const { shape, values } = readNpy(bytes);
  const [height = 0, width = 0] = shape.slice(-2);
  const channels = shape.length === 3 ? (shape[0] ?? 0) : 1;
  if (shape.length < 2 || shape.length > 3 || width < 1 || height < 1)
    throw new StudioError('bad-input', `an array of shape (${shape.join(', ')}) is no map of areas`);
  const pixels = width * height;
  if (pixels > MAX_PIXELS) throw new StudioError('too-large', `a map of ${width} × ${height}`);
  const masks = new Map<string, Uint8Array>();
  for (let i = 0; i < pixels; i += 1) {
    const key = channels === 1 ? labelKey(values[i] ?? 0) : vectorKey(values, i, pixels, channels);
    if (key === undefined) continue;
    let mask = masks.get(key);
    if (!mask) {
      if (masks.size >= MOST_AREAS || (masks.size + 1) * pixels > 512 * 1024 * 1024)
        throw new StudioError('bad-input', 'the array has too many different values to be a map of areas');
      mask = new Uint8Array(pixels);
      masks.set(key, mask);
    }
    mask[i] = 255;
  }
  if (masks.size === 0) throw new StudioError('bad-input', 'the array is empty: nothing is drawn in it');
  return {
    size: { width, height },
    areas: [...masks.values()].map((mask, index) => ({ text: `area ${index + 1}`, mask })),
  };
}

const labelKey = (value: number): string | undefined =>
  value === 0 || Number.isNaN(value) ? undefined : String(value);

/** Equal vectors have equal keys; undefined for zero. */
function vectorKey(values: Float32Array, pixel: number, pixels: number, channels: number): string | undefined {
  let hash = 17;
  let zero = true;
  for (let channel = 0; channel < channels; channel += 1) {
    const value = values[channel * pixels + pixel] ?? 0;
    if (value !== 0) zero = false;
    hash = (Math.imul(hash, 31) + Math.round(value * 1e6)) | 0;
  }
  return zero ? undefined : `${hash}/${values[pixel]}/${values[(channels - 1) * pixels + pixel]}`;
}
