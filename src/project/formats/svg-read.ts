import { createScene, createSegment } from '#shared/document/create.ts';
import { toDocument, toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { Shape } from '#shared/document/geometry.ts';
import type { Affine, ShapeInput } from '#shared/document/geometry.ts';
import { LIMITS } from '#shared/document/limits.ts';
import type { DocumentRecord, SegmentRecord } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import { composeAffine, IDENTITY } from '#shared/masks/affine.ts';
import { parsePath } from '#shared/masks/svg-path.ts';
import { fromBase64, unpackScene } from './scene-carrier.ts';
import { readLength, readNumbers, readProperty, readTransform } from './svg-attributes.ts';
import { shapeStamp } from './svg-write.ts';
import { readXml } from './xml.ts';
import type { XmlElement } from './xml.ts';

interface Found {
  readonly element: XmlElement;
  readonly shape: Shape;
  readonly visible: boolean;
  /** Of the nearest group with a name. */
  readonly groupName: string;
}

/**
 * A scene from an SVG: each filled shape a segment, named by `data-spatext-text`, its title, its label or its id.
 * Scripts, styles sheets, external pictures and links are never run or fetched; what they would have done is named
 * in `losses`. With the studio's scene in the file, shapes nobody edited keep their segments exactly.
 * @throws StudioError bad-input, too-large, newer-version
 */
export async function readSvg(
  bytes: Uint8Array,
  writeBlob: (bytes: Uint8Array) => Promise<string>,
): Promise<{ records: DocumentRecord[]; losses: string[] }> {
  const root = readXml(bytes, 'the SVG');
  if (localName(root) !== 'svg') throw new StudioError('bad-input', `not an SVG: its root is <${root.name}>`);
  const losses = new Set<string>();
  const { size, toScene } = viewport(root);
  const found: Found[] = [];
  collect(root, { matrix: toScene, visible: true, groupName: '', losses, found });
  const base = await carriedScene(root, writeBlob, losses);
  const records = base ? mergeWith(base, found, losses) : freshScene(size, root, found, losses);
  if (found.length === 0) losses.add('the SVG has no filled shape');
  return { records, losses: [...losses] };
}

const localName = (element: XmlElement): string => element.name.slice(element.name.indexOf(':') + 1);

function viewport(root: XmlElement): { size: { width: number; height: number }; toScene: Affine } {
  const [left = 0, top = 0, boxWidth = 0, boxHeight = 0] = readNumbers(root.attributes['viewBox'], 4);
  const hasBox = boxWidth > 0 && boxHeight > 0;
  const width = readLength(root.attributes['width'], hasBox ? boxWidth : 512) ?? (hasBox ? boxWidth : 512);
  const height = readLength(root.attributes['height'], hasBox ? boxHeight : 512) ?? (hasBox ? boxHeight : 512);
  if (!(width > 0 && height > 0)) throw new StudioError('bad-input', 'the SVG has no area');
  // Sheets of paper in millimetres or icons of 16 px: scaled into what a canvas may be.
  const shrink = Math.min(1, LIMITS.canvasSide / Math.max(width, height));
  const enlarge = Math.max(1, LIMITS.canvasSideMin / Math.min(width, height));
  const scale = Math.min(shrink * enlarge, LIMITS.canvasSide / Math.max(width, height));
  const side = (value: number): number =>
    Math.min(LIMITS.canvasSide, Math.max(LIMITS.canvasSideMin, Math.round(value * scale)));
  const size = { width: side(width), height: side(height) };
  if (!hasBox) return { size, toScene: [scale, 0, 0, scale, 0, 0] };
  const x = size.width / boxWidth;
  const y = size.height / boxHeight;
  // preserveAspectRatio: the box fits inside and is centred, unless "none" stretches it.
  if (root.attributes['preserveAspectRatio']?.trim() === 'none')
    return { size, toScene: [x, 0, 0, y, -left * x, -top * y] };
  const fit = Math.min(x, y);
  const dx = (size.width - boxWidth * fit) / 2 - left * fit;
  const dy = (size.height - boxHeight * fit) / 2 - top * fit;
  return { size, toScene: [fit, 0, 0, fit, dx, dy] };
}

interface Walk {
  readonly matrix: Affine;
  readonly visible: boolean;
  readonly groupName: string;
  readonly losses: Set<string>;
  readonly found: Found[];
}

function collect(element: XmlElement, walk: Walk): void {
  for (const child of element.children) {
    const name = localName(child);
    const hidden = readProperty(child.attributes, 'display') === 'none';
    const inner = {
      ...walk,
      visible: walk.visible && !hidden && readProperty(child.attributes, 'visibility') !== 'hidden',
      matrix: composeAffine(walk.matrix, readTransform(child.attributes['transform'])),
    };
    switch (name) {
      case 'g':
      case 'a':
      case 'switch':
      case 'svg':
        collect(child, { ...inner, groupName: nameOf(child) || walk.groupName });
        break;
      case 'path':
      case 'rect':
      case 'circle':
      case 'ellipse':
      case 'polygon':
      case 'polyline':
        take(child, inner);
        break;
      case 'script':
        walk.losses.add('scripts in the SVG are ignored');
        break;
      case 'style':
        walk.losses.add('style sheets in the SVG are ignored');
        break;
      case 'image':
      case 'use':
      case 'foreignObject':
        walk.losses.add(`<${name}> in the SVG is ignored: nothing is fetched or copied in`);
        break;
      case 'text':
      case 'line':
        walk.losses.add(`<${name}> in the SVG has no area`);
        break;
      default:
        break; // metadata, defs, gradients and the like draw nothing by themselves
    }
  }
}

function take(element: XmlElement, walk: Walk): void {
  const { attributes } = element;
  if (readProperty(attributes, 'fill') === 'none')
    walk.losses.add('outlines without a fill are taken as the area inside them');
  const outline = outlineOf(element);
  const shape = outline && Shape.safeParse({ ...outline, ...transformOf(walk.matrix) });
  if (!shape?.success) {
    walk.losses.add(`a <${localName(element)}> in the SVG could not be read`);
    return;
  }
  if (shape.data.kind === 'path') {
    const { error } = parsePath(shape.data.d);
    if (error) walk.losses.add(`a path in the SVG is damaged and drawn up to that point (${error.message})`);
  }
  walk.found.push({ element, shape: shape.data, visible: walk.visible, groupName: walk.groupName });
}

const transformOf = (matrix: Affine): { transform?: Affine } =>
  matrix.every((value, index) => Math.abs(value - (IDENTITY[index] ?? 0)) < 1e-12) ? {} : { transform: matrix };

function outlineOf({ name, attributes }: XmlElement): ShapeInput | undefined {
  const number = (key: string): number => readLength(attributes[key], 0) ?? 0;
  const fillRule = readProperty(attributes, 'fill-rule') === 'evenodd' ? 'evenodd' : 'nonzero';
  switch (name.slice(name.indexOf(':') + 1)) {
    case 'path':
      return { kind: 'path', d: attributes['d'] ?? '', fillRule };
    case 'rect': {
      const [x, y, width, height] = ['x', 'y', 'width', 'height'].map(number) as [number, number, number, number];
      const rx = Math.min(width / 2, number('rx') || number('ry'));
      const ry = Math.min(height / 2, number('ry') || number('rx'));
      if (!(rx > 0 && ry > 0)) return { kind: 'rect', x, y, width, height };
      const arc = (dx: number, dy: number): string => `a${rx} ${ry} 0 0 1 ${dx} ${dy}`;
      const d = `M${x + rx} ${y}h${width - 2 * rx}${arc(rx, ry)}v${height - 2 * ry}${arc(-rx, ry)}h${2 * rx - width}${arc(-rx, -ry)}v${2 * ry - height}${arc(rx, -ry)}z`;
      return { kind: 'path', d };
    }
    case 'circle':
      return { kind: 'ellipse', cx: number('cx'), cy: number('cy'), rx: number('r'), ry: number('r') };
    case 'ellipse':
      return { kind: 'ellipse', cx: number('cx'), cy: number('cy'), rx: number('rx'), ry: number('ry') };
    default: {
      const numbers = readNumbers(attributes['points'], 2 * LIMITS.pointsPerStroke);
      const points: [number, number][] = [];
      for (let i = 0; i + 1 < numbers.length; i += 2) points.push([numbers[i] ?? 0, numbers[i + 1] ?? 0]);
      if (points.length < 3) return undefined;
      if (fillRule === 'evenodd') return { kind: 'polygon', points };
      return { kind: 'path', d: `M${points.map((point) => point.join(' ')).join('L')}Z` };
    }
  }
}

/** Names that programs give by themselves say nothing. */
const AUTOMATIC = /^(path|rect|g|svg|layer|ellipse|circle|polygon|polyline|shape|group|use|_)?[-_ ]?\d*$/i;

function nameOf(element: XmlElement): string {
  const { attributes } = element;
  const title = element.children.find((child) => localName(child) === 'title')?.text.trim();
  const id = attributes['id'] ?? '';
  const given = attributes['data-spatext-text'] || title || attributes['inkscape:label'] || attributes['aria-label'];
  const name = given || (AUTOMATIC.test(id) ? '' : id.replaceAll(/[-_]+/g, ' ').trim());
  return name.slice(0, LIMITS.text);
}

async function carriedScene(
  root: XmlElement,
  writeBlob: (bytes: Uint8Array) => Promise<string>,
  losses: Set<string>,
): Promise<StudioDocument | undefined> {
  const carrier = root.children.find((child) => child.attributes['id'] === 'spatext-scene');
  if (!carrier) return undefined;
  try {
    return await unpackScene(fromBase64(carrier.text), writeBlob);
  } catch (error) {
    const typed = StudioError.from(error);
    if (typed.code === 'newer-version') throw typed;
    losses.add(`the scene inside the SVG could not be read (${typed.message}); only the shapes were taken`);
    return undefined;
  }
}

function freshScene(
  size: { width: number; height: number },
  root: XmlElement,
  found: readonly Found[],
  losses: Set<string>,
): DocumentRecord[] {
  const title = root.children.find((child) => localName(child) === 'title')?.text.trim() ?? '';
  const records: DocumentRecord[] = [createScene({ ...size, title: title.slice(0, 200) })];
  addNew(records, found, losses);
  return toRecords(toDocument(records));
}

function addNew(records: DocumentRecord[], found: readonly Found[], losses: Set<string>, from = 0): void {
  const room = LIMITS.segments - records.filter((record) => record.type === 'segment').length;
  if (found.length > room) losses.add(`${found.length - room} shapes beyond ${LIMITS.segments} were left out`);
  const taken = new Set<string>(records.map((record) => record.id));
  let number = 0;
  for (const [index, { element, shape, visible, groupName }] of found.slice(0, room).entries()) {
    do number += 1;
    while (taken.has(`segment:svg-${number}`) || taken.has(`slot:svg-${number}`));
    records.push(
      ...createSegment(`svg-${number}`, nameOf(element) || groupName, [shape], {
        order: from + index + 1,
        visible,
        color: (from + index) % 64,
      }),
    );
  }
}

/** The carried scene with the shapes as they are now. */
function mergeWith(base: StudioDocument, found: readonly Found[], losses: Set<string>): DocumentRecord[] {
  const known = new Map<string, { segment: SegmentRecord; now: Found; place: number }>();
  const fresh: Found[] = [];
  for (const [place, now] of found.entries()) {
    const segment = base[now.element.attributes['data-spatext-segment'] ?? ''];
    // A copied element has its original's mark; the copy is a new segment.
    if (segment?.type === 'segment' && !known.has(segment.id)) known.set(segment.id, { segment, now, place });
    else fresh.push(now);
  }
  const records: DocumentRecord[] = [];
  for (const record of toRecords(base)) {
    if (record.type !== 'segment') {
      records.push(record);
      continue;
    }
    const kept = known.get(record.id);
    if (!kept) continue; // deleted in the other program
    const { element, shape, visible } = kept.now;
    const same = element.attributes['data-spatext-shape'] === shapeStamp(localName(element), element.attributes);
    const moved = shape.transform !== undefined && !sameTransform(shape.transform, element.attributes['transform']);
    if (same && !moved) records.push({ ...record, visible });
    else {
      losses.add('outlines edited in another program replace the shapes they were made from');
      const plain = { grow: 0, smooth: 0, feather: 0, invert: false };
      records.push({ ...record, ...plain, visible, shapes: [shape], order: kept.place + 1 });
    }
  }
  addNew(records, fresh, losses, found.length);
  const used = new Set(records.flatMap((record) => (record.type === 'segment' ? [record.slot] : [])));
  const mixed = records.flatMap((record) =>
    record.type === 'slot' && record.content.kind === 'mix' ? [record.content.a, record.content.b] : [],
  );
  const needed = new Set<string>([...used, ...mixed]);
  return toRecords(toDocument(records.filter((record) => record.type !== 'slot' || needed.has(record.id))));
}

/** Whether the total transform of a shape is its own alone: no group or page around it was moved. */
const sameTransform = (total: Affine, own: string | undefined): boolean =>
  readTransform(own).every((value, index) => Math.abs(value - (total[index] ?? 0)) < 1e-9);
