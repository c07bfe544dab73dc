import type { Mask, PixelBox } from '../mask.ts';

/** A picture as eight-bit red, green, blue, alpha. */
export interface RgbaImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** A part of a picture in CIELAB at a working size, three numbers a pixel, with the mask over it. */
export interface Planes {
  readonly width: number;
  readonly height: number;
  readonly lab: Float32Array;
  /** Coverage 0..1. */
  readonly cover: Float32Array;
}

const LINEAR = Float64Array.from({ length: 256 }, (_, i) => {
  const v = i / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
});
const cubeRoot = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 / 116) * t + 16 / 116);

/**
 * Averages a box of the mask's grid, and what the picture shows there, to `width` x `height`. The picture may have
 * another size than the mask: both show the whole canvas. Transparent places count as white.
 */
export function samplePlanes(mask: Mask, image: RgbaImage, box: PixelBox, width: number, height: number): Planes {
  const lab = new Float32Array(3 * width * height);
  const cover = new Float32Array(width * height);
  const fx = image.width / mask.width;
  const fy = image.height / mask.height;
  const stepX = (box.right - box.left) / width;
  const stepY = (box.bottom - box.top) / height;
  for (let y = 0; y < height; y += 1) {
    const top = box.top + y * stepY;
    const [y0, y1] = range(top * fy, (top + stepY) * fy, image.height);
    const [my0, my1] = range(top, top + stepY, mask.height);
    for (let x = 0; x < width; x += 1) {
      const left = box.left + x * stepX;
      const [x0, x1] = range(left * fx, (left + stepX) * fx, image.width);
      let [r, g, b] = [0, 0, 0];
      for (let j = y0; j < y1; j += 1) {
        for (let i = x0; i < x1; i += 1) {
          const at = 4 * (j * image.width + i);
          const alpha = (image.data[at + 3] ?? 255) / 255;
          r += alpha * (LINEAR[image.data[at] ?? 0] ?? 0) + 1 - alpha;
          g += alpha * (LINEAR[image.data[at + 1] ?? 0] ?? 0) + 1 - alpha;
          b += alpha * (LINEAR[image.data[at + 2] ?? 0] ?? 0) + 1 - alpha;
        }
      }
      const pixels = (y1 - y0) * (x1 - x0);
      writeLab(lab, 3 * (y * width + x), r / pixels, g / pixels, b / pixels);
      const [mx0, mx1] = range(left, left + stepX, mask.width);
      let sum = 0;
      for (let j = my0; j < my1; j += 1) for (let i = mx0; i < mx1; i += 1) sum += mask.data[j * mask.width + i] ?? 0;
      cover[y * width + x] = sum / (255 * (my1 - my0) * (mx1 - mx0));
    }
  }
  return { width, height, lab, cover };
}

/** The whole pixels of a stretch, at least one. */
function range(from: number, to: number, size: number): [number, number] {
  const first = Math.min(size - 1, Math.max(0, Math.floor(from + 1e-6)));
  return [first, Math.min(size, Math.max(first + 1, Math.ceil(to - 1e-6)))];
}

/** Linear sRGB to CIELAB, white point D65. */
function writeLab(out: Float32Array, at: number, r: number, g: number, b: number): void {
  const x = cubeRoot((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = cubeRoot(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = cubeRoot((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  out[at] = 116 * y - 16;
  out[at + 1] = 500 * (x - y);
  out[at + 2] = 200 * (y - z);
}
