import { z } from 'zod';
import { LIMITS } from '#shared/document/limits.ts';
import { StudioError } from '#shared/errors.ts';
import { checkAreaPixels } from './area-scene.ts';
import type { Area } from './area-scene.ts';
import { colourChannels } from './pixels.ts';
import type { Picture } from './pixels.ts';

/** Colour -> local text. */
export const LabelTable = z
  .record(
    z.string().regex(/^#[0-9a-fA-F]{6}$/, 'expected colours as "#rrggbb"'),
    z
      .string()
      .max(LIMITS.text)
      .refine((text) => text.trim() !== '', 'a colour without a text'),
  )
  .refine((table) => Object.keys(table).length > 0, 'the table of colours is empty')
  .refine((table) => Object.keys(table).length <= LIMITS.segments, `more than ${LIMITS.segments} colours`);
export type LabelTable = z.infer<typeof LabelTable>;

/** The table that somebody wrote. @throws StudioError bad-input which names what is wrong in it */
export function checkLabelTable(written: Readonly<Record<string, unknown>>): LabelTable {
  const remedy = 'write {"#rrggbb": "local text", ...}';
  for (const [colour, text] of Object.entries(written)) {
    if (!/^#[0-9a-fA-F]{6}$/.test(colour))
      throw new StudioError('bad-input', `the table of colours: “${colour.slice(0, 40)}” is no colour`, { remedy });
    if (typeof text !== 'string' || text.trim() === '')
      throw new StudioError('bad-input', `the table of colours: ${colour} has no text`, { remedy });
  }
  const table = LabelTable.safeParse(written);
  if (!table.success) throw StudioError.from(table.error, 'the table of colours');
  return table.data;
}

/** Whether a file looks like a table of colours (which may still be a bad one). */
export const isLabelTable = (json: unknown): json is Record<string, string> =>
  typeof json === 'object' && json !== null && Object.keys(json)[0]?.startsWith('#') === true;

/** Distances in RGB (0..441). A pixel this near to a colour is of that colour, whatever is around it. */
const SURE = 40;
/** Up to this distance a pixel is of the colour if a sure pixel of it is near by: blurred edges, strong compression. */
const LIKELY = 120;
/** How near by, in pixels: JPEG smears colours over blocks of up to 16, mostly over their first few pixels. */
const REACH = 3;
/** Islands of fewer pixels than this share of the picture are traces of blending, not areas. */
const ISLAND = 1 / 20_000;

/**
 * The areas of a coloured label map, in the order of its table. Each pixel goes to the nearest listed colour within
 * a distance that survives JPEG; black and the rest stay undrawn.
 * @param picture RGB
 */
export function readLabelMap(picture: Picture, table: LabelTable): { areas: Area[]; losses: string[] } {
  const losses: string[] = [];
  const listed = Object.entries(table)
    .map(([hex, text]) => ({ hex: hex.toLowerCase(), text: text.trim(), rgb: colourChannels(hex) }))
    .filter(({ hex, text }) => {
      if (hex === '#000000') losses.push(`black stays undrawn; its text “${text}” is not used`);
      return hex !== '#000000';
    });
  checkAreaPixels(listed.length, picture);
  // Black is a candidate like the others: a dark edge between black and a colour is nearer to one of both.
  const colours = [[0, 0, 0] as [number, number, number], ...listed.map(({ rgb }) => rgb)];
  const labels = classify(picture, colours);
  dropIslands(labels, picture.width, Math.ceil(labels.length * ISLAND));
  const areas: Area[] = [];
  for (const [index, { hex, text }] of listed.entries()) {
    const mask = new Uint8Array(labels.length);
    let count = 0;
    for (let i = 0; i < labels.length; i += 1)
      if (labels[i] === index + 1) {
        mask[i] = 255;
        count += 1;
      }
    if (count === 0) losses.push(`no part of the picture has the colour ${hex} (“${text}”)`);
    else areas.push({ text, mask });
  }
  if (areas.length === 0)
    throw new StudioError('bad-input', 'the picture has none of the colours of the table', {
      remedy: 'check that the table belongs to this picture',
    });
  return { areas, losses };
}

/** Per pixel 0 (undrawn) or the number of its colour. */
function classify(picture: Picture, colours: readonly [number, number, number][]): Uint16Array {
  const { width, height, channels, data } = picture;
  const nearest = new Uint16Array(width * height);
  /** 2: sure, 1: likely, 0: of no colour. */
  const certainty = new Uint8Array(width * height);
  // Pictures of labels have few colours, and even a JPEG of one many pixels of each.
  const known = new Map<number, { index: number; best: number }>();
  for (let i = 0; i < nearest.length; i += 1) {
    const at = i * channels;
    const [r, g, b] = [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0];
    const key = (r << 16) | (g << 8) | b;
    let found = known.get(key);
    if (!found) {
      found = { index: 0, best: Number.POSITIVE_INFINITY };
      for (const [index, colour] of colours.entries()) {
        const distance = (r - colour[0]) ** 2 + (g - colour[1]) ** 2 + (b - colour[2]) ** 2;
        if (distance < found.best) found = { index, best: distance };
      }
      known.set(key, found);
    }
    nearest[i] = found.index;
    certainty[i] = found.best <= SURE ** 2 ? 2 : found.best <= LIKELY ** 2 ? 1 : 0;
  }
  const labels = new Uint16Array(width * height);
  for (let i = 0; i < labels.length; i += 1) if (certainty[i] === 2) labels[i] = nearest[i] ?? 0;
  const sure = Uint16Array.from(labels);
  for (let y = 0, i = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1, i += 1) {
      const label = nearest[i] ?? 0;
      if (label === 0 || certainty[i] !== 1) continue;
      if (hasNear(sure, width, height, x, y, label)) labels[i] = label;
    }
  return labels;
}

function hasNear(labels: Uint16Array, width: number, height: number, x: number, y: number, label: number): boolean {
  for (let ny = Math.max(0, y - REACH); ny <= Math.min(height - 1, y + REACH); ny += 1)
    for (let nx = Math.max(0, x - REACH); nx <= Math.min(width - 1, x + REACH); nx += 1)
      if (labels[ny * width + nx] === label) return true;
  return false;
}

/** Small islands of one label take the label that surrounds them most. */
function dropIslands(labels: Uint16Array, width: number, smallest: number): void {
  const seen = new Uint8Array(labels.length);
  for (let start = 0; start < labels.length; start += 1) {
    const label = labels[start] ?? 0;
    if (label === 0 || seen[start] === 1) continue;
    const island = [start];
    const around = new Map<number, number>();
    seen[start] = 1;
    for (let next = 0; next < island.length; next += 1) {
      const i = island[next] ?? 0;
      const x = i % width;
      const neighbours = [x > 0 ? i - 1 : -1, x < width - 1 ? i + 1 : -1, i - width, i + width];
      for (const neighbour of neighbours) {
        if (neighbour < 0 || neighbour >= labels.length) continue;
        const other = labels[neighbour] ?? 0;
        if (other !== label) around.set(other, (around.get(other) ?? 0) + 1);
        else if (seen[neighbour] === 0) {
          seen[neighbour] = 1;
          island.push(neighbour);
        }
      }
    }
    if (island.length >= smallest) continue;
    const [most] = [...around].toSorted((a, b) => b[1] - a[1])[0] ?? [0];
    for (const i of island) labels[i] = most;
  }
}
