import type { Area } from './area-scene.ts';
import type { Picture } from './pixels.ts';

/** Share of pixels that must be nearly black or nearly white for a grey picture to be a mask. */
const TWO_TONED = 0.98;

/**
 * The area that a picture means as a mask: its alpha if a part of it is see-through; a black and white picture's
 * white; undefined if it is just a picture.
 * @param picture RGBA
 */
export function readMaskImage(picture: Picture, name: string): Area | undefined {
  const pixels = picture.width * picture.height;
  const { data } = picture;
  const mask = new Uint8Array(pixels);
  let seeThrough = 0;
  for (let i = 0; i < pixels; i += 1) {
    mask[i] = data[i * 4 + 3] ?? 255;
    if ((mask[i] ?? 0) < 128) seeThrough += 1;
  }
  const text = name
    .replace(/\.[a-z]+$/i, '')
    .replaceAll(/[-_]+/g, ' ')
    .trim();
  if (seeThrough > 0 && seeThrough < pixels) return { text, mask };
  if (seeThrough > 0) return undefined;
  let tones = 0;
  let white = 0;
  for (let i = 0; i < pixels; i += 1) {
    const [r, g, b] = [data[i * 4] ?? 0, data[i * 4 + 1] ?? 0, data[i * 4 + 2] ?? 0];
    if (Math.max(r, g, b) - Math.min(r, g, b) > 24) return undefined;
    if (g < 32 || g > 223) tones += 1;
    if (g >= 128) white += 1;
    mask[i] = g;
  }
  return tones >= pixels * TWO_TONED && white > 0 && white < pixels ? { text, mask } : undefined;
}
