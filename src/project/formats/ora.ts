import { StudioError } from '#shared/errors.ts';
import { colourOf } from '#shared/document/palette.ts';
import type { Size } from '#shared/masks/mask.ts';
import { MAX_PIXELS, cropPicture } from '#engine/image/picture.ts';
import { checkAreaPixels } from './area-scene.ts';
import { PICTURE_LAYER, layerName } from './layers.ts';
import type { ReadLayer, SegmentLayer } from './layers.ts';
import { colourChannels, cropMask, decodePicture, encodePng, pixelsBelow, resizePicture } from './pixels.ts';
import type { Picture } from './pixels.ts';
import { escapeXml, readXml } from './xml.ts';
import type { XmlElement } from './xml.ts';
import { makeZip, openZip } from './zip.ts';
import type { ZipPart } from './zip.ts';

export const ORA_MIMETYPE = 'image/openraster';
/** Where the studio leaves its scene; other programs ignore it, and drop it when they save. */
const SCENE_PART = 'spatext/scene.json';
const EXTRA_PART = 'spatext/extra.json';
const PART_LIMIT = 512 * 1024 * 1024;
const MOST_LAYERS = 1024;

/**
 * An OpenRaster file (OpenRaster 0.0.6): `mimetype` first and stored, stack.xml, one PNG per layer, the merged
 * picture and a thumbnail of at most 256 pixels. OpenRaster has no masks: a segment's area is its layer's alpha.
 */
export async function makeOra(options: {
  readonly size: Size;
  readonly layers: readonly SegmentLayer[];
  readonly picture: Picture | null;
  readonly merged: Picture;
  readonly scene: string;
  readonly extra: string;
}): Promise<Uint8Array> {
  const { size, layers, picture, merged } = options;
  const parts: ZipPart[] = [{ name: 'mimetype', bytes: Buffer.from(ORA_MIMETYPE), stored: true }];
  const elements: string[] = [];
  const addLayer = async (name: string, pixels: Picture, x: number, y: number, visible: boolean): Promise<void> => {
    const source = `data/layer${elements.length}.png`;
    parts.push({ name: source, bytes: await encodePng(pixels), stored: true });
    elements.push(
      `<layer name="${escapeXml(name)}" src="${source}" x="${x}" y="${y}" opacity="1.0" visibility="${visible ? 'visible' : 'hidden'}" composite-op="svg:src-over"/>`,
    );
  };
  const blank: Picture = { width: 1, height: 1, channels: 4, data: new Uint8Array(4) };
  if (picture) await addLayer(PICTURE_LAYER, picture, 0, 0, true);
  for (const { segment, name, area } of layers) {
    const pixels = area ? pixelsBelow(area, picture ?? colourChannels(colourOf(segment.color)), 'mask') : blank;
    await addLayer(name, pixels, area?.left ?? 0, area?.top ?? 0, segment.visible);
  }
  // The first element of a stack is the topmost.
  const stack = `<?xml version="1.0" encoding="UTF-8"?>\n<image version="0.0.6" w="${size.width}" h="${size.height}"><stack>${elements.toReversed().join('')}</stack></image>\n`;
  const scale = Math.min(1, 256 / Math.max(merged.width, merged.height));
  const thumbnail = await resizePicture(
    merged,
    Math.max(1, Math.round(merged.width * scale)),
    Math.max(1, Math.round(merged.height * scale)),
  );
  parts.splice(1, 0, { name: 'stack.xml', bytes: Buffer.from(stack) });
  parts.push(
    { name: 'mergedimage.png', bytes: await encodePng(merged), stored: true },
    { name: 'Thumbnails/thumbnail.png', bytes: await encodePng(thumbnail), stored: true },
    { name: SCENE_PART, bytes: Buffer.from(options.scene) },
    { name: EXTRA_PART, bytes: Buffer.from(options.extra) },
  );
  return makeZip(parts);
}

export interface ReadOra {
  readonly size: Size;
  readonly layers: readonly ReadLayer[];
  readonly scene: string | undefined;
  readonly extra: string | undefined;
}

/** @throws StudioError bad-input, too-large */
export async function parseOra(bytes: Uint8Array): Promise<ReadOra> {
  const zip = await openZip(bytes);
  const image = readXml(zip.read('stack.xml', 8 * 1024 * 1024), 'stack.xml');
  const size = { width: whole(image.attributes['w']), height: whole(image.attributes['h']) };
  const root = image.children.find((child) => child.name === 'stack');
  if (image.name !== 'image' || !root || size.width < 1 || size.height < 1)
    throw new StudioError('bad-input', 'stack.xml does not describe an OpenRaster picture');
  if (size.width * size.height > MAX_PIXELS)
    throw new StudioError('too-large', `an OpenRaster picture of ${size.width} × ${size.height} pixels`);
  const layers: ReadLayer[] = [];
  const visit = async (stack: XmlElement, x: number, y: number, visible: boolean): Promise<void> => {
    // Topmost first in the file, lowest first for us.
    for (const child of stack.children.toReversed()) {
      const left = x + whole(child.attributes['x']);
      const top = y + whole(child.attributes['y']);
      const shown = visible && child.attributes['visibility'] !== 'hidden';
      if (child.name === 'stack') await visit(child, left, top, shown);
      if (child.name !== 'layer') continue;
      if (layers.length >= MOST_LAYERS) throw new StudioError('too-large', `more than ${MOST_LAYERS} layers`);
      checkAreaPixels(layers.length + 1, size);
      const name = layerName(child.attributes['name'] ?? '') || `Layer ${layers.length + 1}`;
      const pixels = await decodePicture(zip.read(child.attributes['src'] ?? '', PART_LIMIT), 4);
      const placed = cropPicture(pixels, -left, -top, size.width, size.height);
      const data = new Uint8Array(size.width * size.height);
      for (let i = 0; i < data.length; i += 1) data[i] = placed.data[i * 4 + 3] ?? 0;
      const full = data.every((value) => value === 255);
      layers.push({ name, visible: shown, area: cropMask({ ...size, data }), full });
    }
  };
  await visit(root, 0, 0, true);
  const text = (name: string): string | undefined => (zip.has(name) ? zip.text(name, PART_LIMIT) : undefined);
  return { size, layers, scene: text(SCENE_PART), extra: text(EXTRA_PART) };
}

function whole(value: string | undefined): number {
  const number = Number(value ?? 0);
  return Number.isFinite(number) && Math.abs(number) <= 1_000_000 ? Math.round(number) : 0;
}
