import { initializeCanvas, readPsd, writePsdUint8Array } from 'ag-psd';
import type { Layer, PixelData, Psd } from 'ag-psd';
import { colourOf } from '#shared/document/palette.ts';
import { StudioError } from '#shared/errors.ts';
import type { Mask, Size } from '#shared/masks/mask.ts';
import { MAX_PIXELS } from '#engine/image/picture.ts';
import { checkAreaPixels } from './area-scene.ts';
import { PICTURE_LAYER, layerName } from './layers.ts';
import type { ReadLayer, SegmentLayer } from './layers.ts';
import { colourChannels, cropMask, pixelsBelow } from './pixels.ts';
import type { Picture } from './pixels.ts';

/** Photoshop's own bound for a .psd file. */
const LONGEST_SIDE = 30_000;
const MEMORY = 768 * 1024 * 1024;

// The library draws nothing here: it is given pixels and asked for pixels.
initializeCanvas(
  () => {
    throw new StudioError('unsupported', 'this part of the PSD file cannot be read without a drawing surface');
  },
  (width, height) => pixelData(width, height) as never,
);

function pixelData(width: number, height: number): PixelData {
  if (width * height > MAX_PIXELS) throw new StudioError('too-large', `a PSD layer of ${width} × ${height} pixels`);
  return { width, height, data: new Uint8ClampedArray(width * height * 4) };
}

/**
 * A layered PSD: the result at the bottom, above it one layer per segment, named after it, with its area as layer
 * mask. A layer's pixels are the result's, so each segment can be moved or retouched by itself; without a result
 * they are the segment's colour.
 */
export function makePsd(options: {
  readonly size: Size;
  readonly layers: readonly SegmentLayer[];
  readonly picture: Picture | null;
  readonly merged: Picture;
  readonly xmp: string;
}): Uint8Array {
  const { size, layers, picture } = options;
  const children: Layer[] = [];
  if (picture) children.push({ name: PICTURE_LAYER, left: 0, top: 0, imageData: toRgba(picture) });
  for (const { segment, name, area } of layers) {
    const layer: Layer = { name, hidden: !segment.visible, transparencyProtected: false, opacity: 1 };
    if (area) {
      const source = picture ?? colourChannels(colourOf(segment.color));
      const pixels = pixelsBelow(area, source, 'opaque');
      const place = { left: area.left, top: area.top };
      layer.imageData = pixels;
      Object.assign(layer, place);
      layer.mask = { ...place, defaultColor: 0, imageData: maskPixels(area.mask) };
    }
    children.push(layer);
  }
  const psd: Psd = {
    width: size.width,
    height: size.height,
    children,
    imageData: toRgba(options.merged),
    imageResources: { xmpMetadata: options.xmp },
  };
  return writePsdUint8Array(psd, { noBackground: true });
}

export interface ReadPsd {
  readonly size: Size;
  readonly layers: readonly ReadLayer[];
  readonly xmp: string;
}

/**
 * Layers of a PSD as areas: the layer mask, else what the layer's pixels cover. A layer without mask that covers
 * everything may be a picture (`full`). @throws StudioError bad-input, too-large
 */
export function parsePsd(bytes: Uint8Array): ReadPsd {
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (header.length < 26 || header.toString('latin1', 0, 4) !== '8BPS')
    throw new StudioError('bad-input', 'not a PSD file');
  const size = { height: header.readUInt32BE(14), width: header.readUInt32BE(18) };
  if (size.width < 1 || size.height < 1 || size.width > LONGEST_SIDE || size.height > LONGEST_SIDE)
    throw new StudioError('bad-input', `a PSD file of ${size.width} × ${size.height} pixels`);
  if (size.width * size.height > MAX_PIXELS)
    throw new StudioError('too-large', `a PSD file of ${size.width} × ${size.height} pixels`);
  let psd: Psd;
  try {
    psd = readPsd(Buffer.from(bytes), {
      useImageData: true,
      skipCompositeImageData: true,
      skipThumbnail: true,
      skipLinkedFilesData: true,
      logMissingFeatures: false,
      totalMemoryLimit: MEMORY,
    });
  } catch (error) {
    if (error instanceof StudioError) throw error;
    throw new StudioError('bad-input', `the PSD file cannot be read (${error instanceof Error ? error.message : ''})`, {
      kept: 'the file is unchanged',
      remedy: 'save it as 8-bit RGB in the program that made it',
      cause: error,
    });
  }
  const layers: ReadLayer[] = [];
  const visit = (list: readonly Layer[], visible: boolean): void => {
    for (const layer of list) {
      const shown = visible && !layer.hidden;
      const name = layerName(layer.name ?? '') || `Layer ${layers.length + 1}`;
      if (layer.children) {
        visit(layer.children, shown);
        continue;
      }
      checkAreaPixels(layers.length + 1, size);
      const full = canvasMask(layer, size);
      layers.push({
        name,
        visible: shown,
        area: cropMask(full),
        full: !layer.mask && full.data.every((value) => value === 255),
      });
    }
  };
  visit(psd.children ?? [], true);
  const xmp = psd.imageResources?.xmpMetadata;
  return { size, layers, xmp: typeof xmp === 'string' ? xmp : '' };
}

/** A layer's area on the whole canvas: the mask where there is one, else the pixels' alpha. */
function canvasMask(layer: Layer, { width, height }: Size): Mask {
  const mask = layer.mask && !layer.mask.disabled ? layer.mask : undefined;
  const data = new Uint8Array(width * height).fill(mask ? (mask.defaultColor ?? 0) : 0);
  const source = mask ?? layer;
  const pixels = source.imageData;
  if (!pixels) return { width, height, data };
  const channel = mask ? 0 : 3;
  const left = source.left ?? 0;
  const top = source.top ?? 0;
  for (let y = Math.max(0, -top); y < pixels.height && top + y < height; y += 1)
    for (let x = Math.max(0, -left); x < pixels.width && left + x < width; x += 1)
      data[(top + y) * width + left + x] = pixels.data[(y * pixels.width + x) * 4 + channel] ?? 0;
  return { width, height, data };
}

function maskPixels(mask: Mask): PixelData {
  const pixels = pixelData(mask.width, mask.height);
  for (let i = 0; i < mask.data.length; i += 1) pixels.data.fill(mask.data[i] ?? 0, i * 4, i * 4 + 3);
  for (let i = 3; i < pixels.data.length; i += 4) pixels.data[i] = 255;
  return pixels;
}

function toRgba(picture: Picture): PixelData {
  const pixels = pixelData(picture.width, picture.height);
  for (let i = 0, from = 0; i < pixels.data.length; i += 4, from += picture.channels) {
    for (let channel = 0; channel < 3; channel += 1)
      pixels.data[i + channel] = picture.data[from + (picture.channels === 1 ? 0 : channel)] ?? 0;
    pixels.data[i + 3] = picture.channels === 4 ? (picture.data[from + 3] ?? 255) : 255;
  }
  return pixels;
}
