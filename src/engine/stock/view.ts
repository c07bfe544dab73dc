import type { SceneRecord } from '#shared/document/records.ts';
import { cropPicture, fromPixels, resizePicture } from '../image/picture.ts';
import type { Picture } from '../image/picture.ts';
import { frameAround } from '../spatext/frame.ts';
import type { StockTraits } from './networks.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A part of the scene as a stock model sees it. */
export interface View {
  /** Scene pixels that the model's picture shows; may reach beyond the canvas. */
  readonly region: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  /** The model's picture in pixels. */
  readonly picture: Size;
  readonly latent: Size;
}

/** What a model's own network says about sizes. */
export interface Sizing {
  /** Side of the square pictures that it was trained on. */
  readonly native: number;
  /** Pixels of a latent cell. */
  readonly cell: number;
  /** Latent sides are multiples of this. */
  readonly step: number;
}

/**
 * Denoisers halve the picture up to three times. Our own graphs give odd sides back as they came; a network that was
 * exported with fixed doublings cannot.
 */
export const sizingOf = (traits: StockTraits, native: number): Sizing => ({
  native,
  cell: traits.latentCell,
  step: traits.regional ? 1 : 8,
});

/** Fewer latent cells on a side than this no network can halve three times. */
const FEWEST_CELLS = 8;

/** The canvas at `scale`, in the middle of a picture of sides that the model can do. */
export function viewOfCanvas(scene: Size, scale: number, { cell, step }: Sizing): View {
  const unit = step * cell;
  const least = Math.ceil(FEWEST_CELLS / step) * unit;
  const inner = {
    width: Math.max(1, Math.round(scene.width * scale)),
    height: Math.max(1, Math.round(scene.height * scale)),
  };
  const width = Math.max(least, Math.ceil(inner.width / unit) * unit);
  const height = Math.max(least, Math.ceil(inner.height / unit) * unit);
  const [sx, sy] = [inner.width / scene.width, inner.height / scene.height];
  return {
    region: {
      x: -Math.floor((width - inner.width) / 2) / sx,
      y: -Math.floor((height - inner.height) / 2) / sy,
      width: width / sx,
      height: height / sy,
    },
    picture: { width, height },
    latent: { width: width / cell, height: height / cell },
  };
}

/** A segment redone in a view of its own gets this much of its surroundings on every side. */
const DETAIL_CONTEXT = 0.6;

/** A square around a box at the model's own size; null where that would be most of the canvas. */
export function viewAround(
  box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  scene: SceneRecord,
  { native, cell, step }: Sizing,
): View | null {
  const frame = frameAround(box, scene, DETAIL_CONTEXT);
  if (frame.side >= Math.max(scene.width, scene.height) * 0.6) return null;
  const unit = step * cell;
  const side = Math.max(Math.ceil(FEWEST_CELLS / step) * unit, Math.round(native / unit) * unit);
  return {
    region: { x: frame.x, y: frame.y, width: frame.side, height: frame.side },
    picture: { width: side, height: side },
    latent: { width: side / cell, height: side / cell },
  };
}

/** The canvas cut out of the model's picture (or of one of its latents' size), not yet of the canvas' size. */
export function cutCanvas(picture: Picture, view: View, scene: Size): Picture {
  const [sx, sy] = [picture.width / view.region.width, picture.height / view.region.height];
  return cropPicture(
    picture,
    Math.round(-view.region.x * sx),
    Math.round(-view.region.y * sy),
    Math.max(1, Math.round(scene.width * sx)),
    Math.max(1, Math.round(scene.height * sy)),
  );
}

/**
 * A picture of the canvas as the view shows it, at `size`; beyond the canvas its edge goes on.
 * @param picture of the whole canvas, at any scale
 * @returns [3, height, width] in -1..1
 */
export async function canvasInView(picture: Picture, view: View, scene: Size, size: Size): Promise<Float32Array> {
  const [sx, sy] = [picture.width / scene.width, picture.height / scene.height];
  const width = Math.max(1, Math.round(view.region.width * sx));
  const height = Math.max(1, Math.round(view.region.height * sy));
  const x = Math.round(view.region.x * sx);
  const y = Math.round(view.region.y * sy);
  const data = new Uint8Array(width * height * 3);
  const inside = (value: number, length: number): number => Math.min(length - 1, Math.max(0, value));
  for (let row = 0; row < height; row += 1)
    for (let column = 0; column < width; column += 1) {
      const from =
        (inside(y + row, picture.height) * picture.width + inside(x + column, picture.width)) * picture.channels;
      data.set(picture.data.subarray(from, from + 3), (row * width + column) * 3);
    }
  return fromPixels(await resizePicture({ width, height, channels: 3, data }, size.width, size.height));
}
