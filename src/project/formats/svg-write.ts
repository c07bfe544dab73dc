import { crc32 } from 'node:zlib';
import { sceneOf, segmentName, segmentsOf, slotOf, slotText } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { colourOf } from '#shared/document/palette.ts';
import type { SegmentRecord } from '#shared/document/records.ts';
import { hasSoftShape } from '#shared/document/geometry.ts';
import { contoursToPath, maskContours } from '#shared/masks/contour.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import { segmentMask } from '#shared/masks/segment-mask.ts';
import { toBase64 } from './scene-carrier.ts';
import { escapeXml } from './xml.ts';

/**
 * Areas that are no single shape are traced at the canvas's size within these bounds: outlines follow the coverage
 * inside a pixel, so more pixels make the export slow rather than the outline better.
 */
const TRACED_SIDES = [1024, 2048] as const;

/**
 * The segments as SVG, the lowest first, each with its text and name, in the studio's colours. The scene travels in
 * <metadata>; `data-spatext-shape` tells on reading whether an outline was edited since.
 */
export function makeSvg(document: StudioDocument, bitmaps: BitmapLookup, carried: string): string {
  const scene = sceneOf(document);
  const elements = segmentsOf(document).map((segment) => segmentElement(document, segment, bitmaps));
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" width="${scene.width}" height="${scene.height}" viewBox="0 0 ${scene.width} ${scene.height}">`,
    `<title>${escapeXml(scene.title || scene.text)}</title>`,
    `<metadata id="spatext-scene">${toBase64(carried)}</metadata>`,
    ...elements,
    '</svg>',
    '',
  ].join('\n');
}

/** What of an element's geometry tells an edit: its tag, shape attributes and transform. */
export const shapeStamp = (tag: string, attributes: Readonly<Record<string, string>>): string => {
  const names = ['d', 'points', 'x', 'y', 'width', 'height', 'cx', 'cy', 'rx', 'ry', 'r', 'transform'];
  return crc32([tag, ...names.map((name) => attributes[name] ?? '')].join('\n')).toString(16);
};

function segmentElement(document: StudioDocument, segment: SegmentRecord, bitmaps: BitmapLookup): string {
  const { tag, attributes } = simpleShape(segment) ?? traced(document, segment, bitmaps);
  const text = slotText(document, slotOf(document, segment.slot).content);
  const all = {
    ...attributes,
    fill: colourOf(segment.color),
    'fill-opacity': '0.8',
    ...(segment.visible ? {} : { display: 'none' }),
    'data-spatext-segment': segment.id,
    'data-spatext-text': text,
    'data-spatext-shape': shapeStamp(tag, attributes),
  };
  const written = Object.entries(all).map(([name, value]) => `${name}="${escapeXml(value)}"`);
  return `<${tag} ${written.join(' ')}><title>${escapeXml(segmentName(document, segment))}</title></${tag}>`;
}

interface Drawn {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A segment that is one plain shape stays one: a rectangle is easier to edit than its outline. */
function simpleShape(segment: SegmentRecord): Drawn | undefined {
  const [shape] = segment.shapes;
  const softened = segment.feather > 0 || hasSoftShape(segment.shapes);
  const plain = segment.grow === 0 && segment.smooth === 0 && !softened && !segment.invert;
  if (!shape || segment.shapes.length !== 1 || shape.op !== 'add' || !plain) return undefined;
  const transform: Record<string, string> = shape.transform
    ? { transform: `matrix(${shape.transform.join(' ')})` }
    : {};
  const numbers = (values: Record<string, number>): Record<string, string> => ({
    ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)])),
    ...transform,
  });
  switch (shape.kind) {
    case 'rect':
      return { tag: 'rect', attributes: numbers({ x: shape.x, y: shape.y, width: shape.width, height: shape.height }) };
    case 'ellipse':
      return { tag: 'ellipse', attributes: numbers({ cx: shape.cx, cy: shape.cy, rx: shape.rx, ry: shape.ry }) };
    case 'polygon':
      return {
        tag: 'polygon',
        attributes: {
          points: shape.points.map((point) => point.join(',')).join(' '),
          'fill-rule': 'evenodd',
          ...transform,
        },
      };
    case 'path':
      return { tag: 'path', attributes: { d: shape.d, 'fill-rule': shape.fillRule, ...transform } };
    case 'strokes':
    case 'bitmap':
    case 'canvas':
    case 'group':
      return undefined;
  }
}

function traced(document: StudioDocument, segment: SegmentRecord, bitmaps: BitmapLookup): Drawn {
  const scene = sceneOf(document);
  const longest = Math.max(scene.width, scene.height);
  const scale = Math.min(TRACED_SIDES[1], Math.max(TRACED_SIDES[0], longest)) / longest;
  const size = {
    width: Math.max(1, Math.round(scene.width * scale)),
    height: Math.max(1, Math.round(scene.height * scale)),
  };
  const contours = maskContours(segmentMask(document, segment, size, bitmaps), {
    tolerance: 0.3,
    scaleX: scene.width / size.width,
    scaleY: scene.height / size.height,
  });
  return { tag: 'path', attributes: { d: contoursToPath(contours) || 'M0 0Z', 'fill-rule': 'evenodd' } };
}
