import type { Affine, Point, Shape } from '#shared/document/geometry.ts';
import { LIMITS } from '#shared/document/limits.ts';
import { IDENTITY, isIdentity, multiply, rotation, scaling, translation } from '../geometry/affine.ts';
import type { Size } from '../viewport/viewport.ts';

/** The little of an SVG element that is read here; DOM elements have it. */
export interface SvgNode {
  readonly tagName: string;
  getAttribute(name: string): string | null;
  readonly children: Iterable<SvgNode>;
  readonly textContent: string | null;
}

export interface SvgShape {
  readonly shape: Shape;
  /** The element's title or label, else nothing. */
  readonly name: string;
}

/** Nothing inside these is drawn where it stands. */
const SKIPPED = new Set(['defs', 'clippath', 'mask', 'pattern', 'symbol', 'marker', 'metadata', 'style', 'script', 'foreignobject', 'title', 'desc']); // prettier-ignore
const DEEPEST = 64;

/**
 * The filled shapes of an SVG picture, fitted into the sheet. Lines without a fill, text, images and anything that
 * points outside the file are left out; styles that come from a style sheet are not looked at.
 */
export function readSvg(root: SvgNode, sheet: Size): SvgShape[] {
  const shapes: SvgShape[] = [];
  visit(root, fitInto(root, sheet), { fill: true, name: '' }, shapes, 0);
  return shapes;
}

interface Inherited {
  readonly fill: boolean;
  readonly name: string;
}

function visit(node: SvgNode, outer: Affine, inherited: Inherited, shapes: SvgShape[], depth: number): void {
  const tag = localName(node);
  if (
    depth > DEEPEST ||
    SKIPPED.has(tag) ||
    style(node, 'display') === 'none' ||
    style(node, 'visibility') === 'hidden'
  )
    return;
  const map = multiply(outer, parseTransform(node.getAttribute('transform') ?? ''));
  const fill = style(node, 'fill');
  const here: Inherited = {
    fill: fill === undefined ? inherited.fill : fill !== 'none' && fill !== 'transparent',
    name: nameOf(node) || inherited.name,
  };
  const shape = shapeOf(node, tag);
  if (shape) {
    if (here.fill) shapes.push({ shape: isIdentity(map) ? shape : { ...shape, transform: map }, name: here.name });
    return;
  }
  if (tag === 'svg' || tag === 'g' || tag === 'a' || tag === 'switch')
    for (const child of node.children) visit(child, map, here, shapes, depth + 1);
}

function shapeOf(node: SvgNode, tag: string): Shape | undefined {
  const number = (name: string): number => length(node.getAttribute(name)) ?? 0;
  switch (tag) {
    case 'path': {
      const d = node.getAttribute('d')?.trim() ?? '';
      if (d.length === 0 || d.length > LIMITS.pathData) return undefined;
      return { kind: 'path', op: 'add', d, fillRule: style(node, 'fill-rule') === 'evenodd' ? 'evenodd' : 'nonzero' };
    }
    case 'rect': {
      const width = number('width');
      const height = number('height');
      return width > 0 && height > 0 ? { kind: 'rect', op: 'add', x: number('x'), y: number('y'), width, height } : undefined; // prettier-ignore
    }
    case 'circle':
      return number('r') > 0 ? { kind: 'ellipse', op: 'add', cx: number('cx'), cy: number('cy'), rx: number('r'), ry: number('r') } : undefined; // prettier-ignore
    case 'ellipse':
      return number('rx') > 0 && number('ry') > 0 ? { kind: 'ellipse', op: 'add', cx: number('cx'), cy: number('cy'), rx: number('rx'), ry: number('ry') } : undefined; // prettier-ignore
    case 'polygon':
    case 'polyline': {
      const points = parsePoints(node.getAttribute('points') ?? '');
      return points.length >= 3 ? { kind: 'polygon', op: 'add', points } : undefined;
    }
    default:
      return undefined;
  }
}

/** The view box (or size) as large as it fits into the sheet, in its middle. */
function fitInto(root: SvgNode, sheet: Size): Affine {
  const [x = 0, y = 0, width = 0, height = 0] = numbers(root.getAttribute('viewBox') ?? '');
  const box =
    width > 0 && height > 0
      ? { x, y, width, height }
      : { x: 0, y: 0, width: length(root.getAttribute('width')) ?? sheet.width, height: length(root.getAttribute('height')) ?? sheet.height }; // prettier-ignore
  const scale = Math.min(sheet.width / box.width, sheet.height / box.height);
  if (!Number.isFinite(scale) || scale <= 0) return IDENTITY;
  const dx = (sheet.width - box.width * scale) / 2 - box.x * scale;
  const dy = (sheet.height - box.height * scale) / 2 - box.y * scale;
  return [scale, 0, 0, scale, dx, dy];
}

/** The `transform` attribute's whole list; what cannot be read counts as not there. */
export function parseTransform(text: string): Affine {
  let map = IDENTITY;
  for (const [, name = '', inside = ''] of text.matchAll(/([a-zA-Z]+)\s*\(([^)]*)\)/g)) {
    const [a = 0, b, c, d, e, f] = numbers(inside);
    switch (name) {
      case 'matrix':
        map = multiply(map, [a, b ?? 0, c ?? 0, d ?? 0, e ?? 0, f ?? 0]);
        break;
      case 'translate':
        map = multiply(map, translation(a, b ?? 0));
        break;
      case 'scale':
        map = multiply(map, scaling(a, b ?? a));
        break;
      case 'rotate':
        map = multiply(map, rotation((a * Math.PI) / 180, [b ?? 0, c ?? 0]));
        break;
      case 'skewX':
        map = multiply(map, [1, 0, Math.tan((a * Math.PI) / 180), 1, 0, 0]);
        break;
      case 'skewY':
        map = multiply(map, [1, Math.tan((a * Math.PI) / 180), 0, 1, 0, 0]);
        break;
    }
  }
  return map;
}

const numbers = (text: string): number[] =>
  [...text.matchAll(/[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/g)].map(([number]) => Number(number));

function parsePoints(text: string): Point[] {
  const values = numbers(text);
  const points: Point[] = [];
  for (let at = 0; at + 1 < values.length && points.length < LIMITS.pointsPerStroke; at += 2)
    points.push([values[at] ?? 0, values[at + 1] ?? 0]);
  return points;
}

/** A length in user units; percentages and other relative units are not known here. */
function length(text: string | null): number | undefined {
  const match = /^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(px)?\s*$/.exec(text ?? '');
  return match ? Number(match[1]) : undefined;
}

const localName = (node: SvgNode): string => node.tagName.slice(node.tagName.indexOf(':') + 1).toLowerCase();

/** A presentation attribute, or the same in the style attribute, which wins. */
function style(node: SvgNode, name: string): string | undefined {
  const inline = new RegExp(`(?:^|;)\\s*${name}\\s*:\\s*([^;]+)`).exec(node.getAttribute('style') ?? '')?.[1];
  return (inline ?? node.getAttribute(name) ?? undefined)?.trim();
}

/** A title inside, else a label as drawing programs write it. */
function nameOf(node: SvgNode): string {
  for (const child of node.children)
    if (localName(child) === 'title') return (child.textContent ?? '').trim().slice(0, LIMITS.text);
  return (node.getAttribute('inkscape:label') ?? node.getAttribute('aria-label') ?? '').trim().slice(0, LIMITS.text);
}
