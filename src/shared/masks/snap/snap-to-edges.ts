import { featherMask, smoothMask } from '../blur.ts';
import { connectedComponents } from '../components.ts';
import { growMask } from '../distance.ts';
import { COVERED, createMask, invertMask, maskArea, maskBounds } from '../mask.ts';
import type { Mask, PixelBox } from '../mask.ts';
import { fitColourModel } from './colour-model.ts';
import type { ColourModel } from './colour-model.ts';
import { MaxFlow } from './max-flow.ts';
import { samplePlanes } from './planes.ts';
import type { Planes, RgbaImage } from './planes.ts';

export interface SnapOptions {
  /** How far the outline may move, in mask pixels; without it a fifth of the side of a square of the same area. */
  readonly reach?: number;
  /** How much smoothness counts against colour; larger gives calmer outlines. */
  readonly smoothness?: number;
}

/** Longest side on which the first cut is made; finer sizes only mend its outline. */
const COARSE = 160;
/** Longest side on which the outline is still moved; beyond it is interpolated. */
const FINE = 1024;
const COMPONENTS = 5;
const ROUNDS = 3;
/** Contrast weight of GrabCut. */
const GAMMA = 50;
/** Weight of the rough mask against the colours, both being log likelihoods. */
const HINT = 0.3;

const OUTSIDE = 0;
const INSIDE = 1;
const OPEN = 2;

/**
 * Moves the outline of a rough mask to the edges of the picture below it (iterated graph cuts with colour models of
 * the inside and the outside, after GrabCut, Rother et al. 2004). Only a band of `reach` around the outline may
 * change. The cut is found on a small copy and then refined along its outline on ever larger ones.
 * @param image any size; like the mask it shows the whole canvas
 * @returns a mask of the same size with an antialiased edge; the mask itself if there is nothing to snap
 */
export function snapToEdges(mask: Mask, image: RgbaImage, options: SnapOptions = {}): Mask {
  const bounds = maskBounds(mask, COVERED);
  if (!bounds) return mask;
  const reach = Math.max(2, options.reach ?? 0.2 * Math.sqrt(maskArea(mask)));
  // The outside's colours are learnt from a margin wider than the band.
  const margin = Math.ceil(2 * reach + 4);
  const box: PixelBox = {
    left: Math.max(0, bounds.left - margin),
    top: Math.max(0, bounds.top - margin),
    right: Math.min(mask.width, bounds.right + margin),
    bottom: Math.min(mask.height, bounds.bottom + margin),
  };
  const columns = box.right - box.left;
  const rows = box.bottom - box.top;
  const longest = Math.max(columns, rows);

  let size = Math.min(longest, COARSE);
  const sizes = [size];
  while (size < Math.min(longest, FINE)) {
    size = Math.min(longest, FINE, size * 2);
    sizes.push(size);
  }
  let labels: Uint8Array | null = null;
  let models: Models | null = null;
  let last: { width: number; height: number } | null = null;
  for (const side of sizes) {
    const scale = side / longest;
    const width = Math.max(1, Math.round(columns * scale));
    const height = Math.max(1, Math.round(rows * scale));
    const planes = samplePlanes(mask, image, box, width, height);
    const contrast = meanContrast(planes);
    const gamma = options.smoothness === undefined ? GAMMA : GAMMA * options.smoothness;
    if (!labels || !models || !last) {
      const rough: Mask = { width, height, data: Uint8Array.from(planes.cover, (value) => Math.round(value * 255)) };
      const askew = options.reach === undefined && isCompact(rough);
      const trimap = firstTrimap(rough, reach * scale, askew);
      // An outline is also a hint, the stronger the farther a place lies from it.
      const hint = askew ? featherMask(rough, 2 * reach * scale) : undefined;
      labels = Uint8Array.from(planes.cover, (value) => (value >= 0.5 ? INSIDE : OUTSIDE));
      for (let round = 0; round < ROUNDS; round += 1) {
        models = learn(planes, labels);
        labels = cut(planes, trimap, labels, models, contrast, gamma, hint);
      }
    } else {
      const larger = enlarge(labels, last.width, last.height, width, height);
      labels = cut(planes, bandTrimap(larger, width, height), larger, models, contrast, gamma);
    }
    last = { width, height };
  }
  if (!labels || !last) return mask;
  return finish(mask, box, labels, last.width, last.height);
}

interface Models {
  readonly inside: ColourModel;
  readonly outside: ColourModel;
}

/** A filled outline, as against a stroke: it holds a disc of six tenths the radius of one of its area. */
const isCompact = (rough: Mask): boolean => maskArea(growMask(rough, -0.6 * Math.sqrt(maskArea(rough) / Math.PI))) >= 1;

/**
 * What cannot change: the outside beyond `reach`, and the heart of the inside. An outline drawn around a thing may lie
 * askew over it, so its heart is no more than a tenth of it (unless the artist set the reach); a stroke drawn on a thing
 * is taken at its word, its spine stays.
 */
function firstTrimap(rough: Mask, reach: number, askew: boolean): Uint8Array {
  const outer = growMask(rough, Math.max(1, reach));
  const area = maskArea(rough);
  let depth = Math.max(1, reach);
  let inner = growMask(rough, -depth);
  // What runs out of the picture does not shrink there: the whole canvas never would.
  const deepest = Math.max(rough.width, rough.height);
  while (askew && depth < deepest && maskArea(inner) > 0.1 * area) {
    depth *= 1.15;
    const deeper = growMask(rough, -depth);
    if (maskArea(deeper) < 1) break;
    inner = deeper;
  }
  while (maskArea(inner) < 1 && depth > 0.3) {
    depth *= 0.7;
    inner = growMask(rough, -depth);
  }
  const keep = maskArea(inner) < 1 ? rough : inner;
  return outer.data.map((value, i) => (value < COVERED ? OUTSIDE : (keep.data[i] ?? 0) >= COVERED ? INSIDE : OPEN));
}

/** Only pixels next to the outline found on the smaller copy are decided anew. */
function bandTrimap(labels: Uint8Array, width: number, height: number): Uint8Array {
  const found: Mask = { width, height, data: labels.map((label) => (label === INSIDE ? 255 : 0)) };
  const outer = growMask(found, 3);
  const inner = growMask(found, -3);
  return outer.data.map((value, i) => (value < COVERED ? OUTSIDE : (inner.data[i] ?? 0) >= COVERED ? INSIDE : OPEN));
}

function learn(planes: Planes, labels: Uint8Array): Models {
  const collect = (wanted: number): Float32Array => {
    const colours: number[] = [];
    for (let i = 0; i < labels.length; i += 1)
      if (labels[i] === wanted)
        colours.push(planes.lab[3 * i] ?? 0, planes.lab[3 * i + 1] ?? 0, planes.lab[3 * i + 2] ?? 0);
    return Float32Array.from(colours);
  };
  return { inside: fitColourModel(collect(INSIDE), COMPONENTS), outside: fitColourModel(collect(OUTSIDE), COMPONENTS) };
}

/** Neighbours to the right and below, with the reciprocal of their distance. */
const NEIGHBOURS: readonly (readonly [number, number, number])[] = [
  [1, 0, 1],
  [0, 1, 1],
  [1, 1, Math.SQRT1_2],
  [-1, 1, Math.SQRT1_2],
];

const difference2 = (lab: Float32Array, i: number, j: number): number =>
  ((lab[3 * i] ?? 0) - (lab[3 * j] ?? 0)) ** 2 +
  ((lab[3 * i + 1] ?? 0) - (lab[3 * j + 1] ?? 0)) ** 2 +
  ((lab[3 * i + 2] ?? 0) - (lab[3 * j + 2] ?? 0)) ** 2;

/** Mean squared colour difference of neighbours: what counts as a strong edge in this picture. */
function meanContrast({ width, height, lab }: Planes): number {
  let sum = 0;
  let count = 0;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const i = y * width + x;
      if (x + 1 < width) sum += difference2(lab, i, i + 1);
      if (y + 1 < height) sum += difference2(lab, i, i + width);
      count += (x + 1 < width ? 1 : 0) + (y + 1 < height ? 1 : 0);
    }
  }
  return count > 0 ? Math.max(1e-3, sum / count) : 1;
}

/** The cheapest division of the open pixels, given colours and contrasts; the others keep their side. */
function cut(
  planes: Planes,
  trimap: Uint8Array,
  labels: Uint8Array,
  models: Models,
  contrast: number,
  gamma: number,
  hint?: Mask,
): Uint8Array {
  const { width, height, lab } = planes;
  const nodeOf = new Int32Array(trimap.length).fill(-1);
  let nodes = 0;
  for (let i = 0; i < trimap.length; i += 1) {
    if (trimap[i] !== OPEN) continue;
    nodeOf[i] = nodes;
    nodes += 1;
  }
  if (nodes === 0) return labels;
  const flow = new MaxFlow(nodes, nodes * NEIGHBOURS.length);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const i = y * width + x;
      const node = nodeOf[i] ?? -1;
      if (node >= 0) {
        const l = lab[3 * i] ?? 0;
        const a = lab[3 * i + 1] ?? 0;
        const b = lab[3 * i + 2] ?? 0;
        flow.addTerminals(node, models.outside.cost(l, a, b), models.inside.cost(l, a, b));
        if (hint) {
          const inside = Math.min(0.99, Math.max(0.01, (hint.data[i] ?? 0) / 255));
          flow.addTerminals(node, -HINT * Math.log(1 - inside), -HINT * Math.log(inside));
        }
      }
      for (const [dx, dy, nearness] of NEIGHBOURS) {
        const nx = x + dx;
        const ny = y + dy;
        if (nx < 0 || nx >= width || ny >= height) continue;
        const j = ny * width + nx;
        const other = nodeOf[j] ?? -1;
        if (node < 0 && other < 0) continue;
        const weight = gamma * nearness * Math.exp(-difference2(lab, i, j) / (2 * contrast));
        if (node >= 0 && other >= 0) flow.addEdge(node, other, weight);
        else {
          // A neighbour whose side is settled pulls like a terminal.
          const free = node >= 0 ? node : other;
          const settled = trimap[node >= 0 ? j : i];
          flow.addTerminals(free, settled === INSIDE ? weight : 0, settled === INSIDE ? 0 : weight);
        }
      }
    }
  }
  flow.solve();
  return trimap.map((label, i) => (label === OPEN ? (flow.onSourceSide(nodeOf[i] ?? 0) ? INSIDE : OUTSIDE) : label));
}

function enlarge(labels: Uint8Array, width: number, height: number, newWidth: number, newHeight: number): Uint8Array {
  const out = new Uint8Array(newWidth * newHeight);
  for (let y = 0; y < newHeight; y += 1) {
    const from = Math.min(height - 1, Math.floor(((y + 0.5) * height) / newHeight)) * width;
    for (let x = 0; x < newWidth; x += 1)
      out[y * newWidth + x] = labels[from + Math.min(width - 1, Math.floor(((x + 0.5) * width) / newWidth))] ?? OUTSIDE;
  }
  return out;
}

/** Drops crumbs, fills pinholes, and brings the labels to the mask's size with a soft edge. */
function finish(mask: Mask, box: PixelBox, labels: Uint8Array, width: number, height: number): Mask {
  let found: Mask = { width, height, data: labels.map((label) => (label === INSIDE ? 255 : 0)) };
  found = withoutCrumbs(found, 0.02);
  found = invertMask(withoutCrumbs(invertMask(found), 0.004));
  const out = createMask(mask.width, mask.height);
  const columns = box.right - box.left;
  const rows = box.bottom - box.top;
  for (let y = 0; y < rows; y += 1) {
    const v = Math.min(height - 1, Math.max(0, ((y + 0.5) * height) / rows - 0.5));
    const y0 = Math.floor(v);
    const y1 = Math.min(height - 1, y0 + 1);
    for (let x = 0; x < columns; x += 1) {
      const u = Math.min(width - 1, Math.max(0, ((x + 0.5) * width) / columns - 0.5));
      const x0 = Math.floor(u);
      const x1 = Math.min(width - 1, x0 + 1);
      const upper = (found.data[y0 * width + x0] ?? 0) * (1 - u + x0) + (found.data[y0 * width + x1] ?? 0) * (u - x0);
      const lower = (found.data[y1 * width + x0] ?? 0) * (1 - u + x0) + (found.data[y1 * width + x1] ?? 0) * (u - x0);
      out.data[(box.top + y) * mask.width + box.left + x] = Math.round(upper * (1 - v + y0) + lower * (v - y0));
    }
  }
  // The cut runs along whole pixels: a little smoothing takes out its steps.
  return smoothMask(out, Math.max(2 * Math.max(1, columns / width), 0.02 * Math.sqrt(maskArea(out))));
}

function withoutCrumbs(mask: Mask, share: number): Mask {
  const { labels, components } = connectedComponents(mask);
  const total = components.reduce((sum, part) => sum + part.pixels, 0);
  const dropped = new Set(
    components
      .slice(1)
      .filter((part) => part.pixels < share * total)
      .map((part) => part.label),
  );
  if (dropped.size === 0) return mask;
  return { ...mask, data: mask.data.map((value, i) => (dropped.has(labels[i] ?? 0) ? 0 : value)) };
}
