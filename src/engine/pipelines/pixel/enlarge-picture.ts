import { fromPixels, toPixels } from '../../image/picture.ts';
import type { Picture } from '../../image/picture.ts';
import type { PixelModel } from '../../spatext/pixel-model.ts';

/** Side of a tile, and how far it reads beyond its own part: more than the network's receptive field (15 px). */
const TILE = 256;
const OVERLAP = 16;

/**
 * A finished picture made larger by the model's factor, in tiles that overlap by more than the network can see: no
 * seams, and memory that does not grow with the picture.
 */
export async function enlargePicture(
  model: PixelModel,
  picture: Picture,
  breathe: () => Promise<void>,
): Promise<Picture> {
  const factor = model.enlargement;
  const width = picture.width * factor;
  const height = picture.height * factor;
  const data = new Uint8Array(width * height * 3);
  for (let top = 0; top < picture.height; top += TILE)
    for (let left = 0; left < picture.width; left += TILE) {
      const x0 = Math.max(0, left - OVERLAP);
      const y0 = Math.max(0, top - OVERLAP);
      const x1 = Math.min(picture.width, left + TILE + OVERLAP);
      const y1 = Math.min(picture.height, top + TILE + OVERLAP);
      const [wide, tall] = [x1 - x0, y1 - y0];
      const made = await model.enlargeTile(windowOf(picture, x0, y0, wide, tall), wide, tall);
      const pixels = toPixels(made, wide * factor, tall * factor);
      const columns = (Math.min(left + TILE, picture.width) - left) * factor;
      const rows = (Math.min(top + TILE, picture.height) - top) * factor;
      for (let row = 0; row < rows; row += 1) {
        const from = (((top - y0) * factor + row) * pixels.width + (left - x0) * factor) * 3;
        data.set(pixels.data.subarray(from, from + columns * 3), ((top * factor + row) * width + left * factor) * 3);
      }
      await breathe();
    }
  return { width, height, channels: 3, data };
}

function windowOf(picture: Picture, x: number, y: number, width: number, height: number): Float32Array {
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row += 1) {
    const from = ((y + row) * picture.width + x) * 3;
    data.set(picture.data.subarray(from, from + width * 3), row * width * 3);
  }
  return fromPixels({ width, height, channels: 3, data });
}
