import { StudioError } from '#shared/errors.ts';
import type { Fed } from '../stock/graph-session.ts';
import type { AttentionLevel } from './graphs/unet-options.ts';
import { UNREADABLE } from './graphs/network.ts';

/*
 * Segments inside the network: a row of a batch brings the tokens of one text for the places outside
 * (its base) and those of each segment; a bias on the attention scores lets a place read only its own.
 */

/** Hidden states of a text, [tokens, width]. */
export interface TextStates {
  readonly data: Float32Array;
  readonly tokens: number;
  readonly width: number;
}

/** What one row of a batch reads. */
export interface RegionalRow {
  /** Read outside every segment, and inside those that have no text of their own in this row. */
  readonly base: TextStates;
  /** By segment, bottom to top as the masks are; undefined reads the base. */
  readonly segments: readonly (TextStates | undefined)[];
}

/** Width and height of a picture of places. */
export interface Grid {
  readonly height: number;
  readonly width: number;
}

/** Size of a level's grid: each halving rounds up, as a convolution with stride 2 does. */
export function gridAt(latent: Grid, halvings: number): Grid {
  let { height, width } = latent;
  for (let i = 0; i < halvings; i++) {
    height = Math.ceil(height / 2);
    width = Math.ceil(width / 2);
  }
  return { height, width };
}

/** Share of each latent row (or column) in each place along one axis: weights sum to 1. */
function overlaps(cells: number, places: number): { from: number; weights: number[] }[] {
  const size = cells / places;
  return Array.from({ length: places }, (_, place) => {
    const begin = place * size;
    const end = begin + size;
    const from = Math.floor(begin + 1e-9);
    const weights: number[] = [];
    for (let cell = from; cell < Math.min(cells, Math.ceil(end - 1e-9)); cell++)
      weights.push((Math.min(end, cell + 1) - Math.max(begin, cell)) / size);
    return { from, weights };
  });
}

/**
 * Which segment holds each place of a level: 0 none, else the segment's number from 1. A segment
 * holds a place if more than half of its latent cells are in it (exactly half is not enough); of
 * several the last, that is the topmost, does.
 *
 * @param masks one per segment, bottom to top, coverage 0..1 on the latent grid, row-major
 */
export function labelPlaces(masks: readonly ArrayLike<number>[], latent: Grid, level: Grid): Float32Array {
  const labels = new Float32Array(level.height * level.width);
  const rows = overlaps(latent.height, level.height);
  const columns = overlaps(latent.width, level.width);
  for (const [i, mask] of masks.entries()) {
    if (mask.length !== latent.height * latent.width)
      throw new StudioError('internal', `a mask has ${mask.length} cells, the latents ${latent.height * latent.width}`);
    for (const [y, row] of rows.entries())
      for (const [x, column] of columns.entries()) {
        let sum = 0;
        for (const [dy, wy] of row.weights.entries())
          for (const [dx, wx] of column.weights.entries())
            sum += wy * wx * (mask[(row.from + dy) * latent.width + column.from + dx] ?? 0);
        if (sum > 0.5 + 1e-9) labels[y * level.width + x] = i + 1;
      }
  }
  return labels;
}

/** Where the tokens of each text of a row begin and end, equal texts once. */
function layOut(row: RegionalRow): { texts: TextStates[]; ranges: (readonly [number, number] | undefined)[] } {
  const texts = [row.base];
  const starts = new Map<TextStates, number>([[row.base, 0]]);
  let next = row.base.tokens;
  const ranges = row.segments.map((segment) => {
    if (!segment) return undefined;
    let from = starts.get(segment);
    if (from === undefined) {
      from = next;
      starts.set(segment, from);
      texts.push(segment);
      next += segment.tokens;
    }
    return [from, from + segment.tokens] as const;
  });
  return { texts, ranges };
}

/**
 * The text inputs of a batch: `context` and each level's bias.
 *
 * @param masks see labelPlaces; the same for all rows
 */
export function regionalFeeds(
  rows: readonly RegionalRow[],
  masks: readonly ArrayLike<number>[],
  latent: Grid,
  levels: readonly AttentionLevel[],
): Record<string, Fed> {
  const width = rows[0]?.base.width ?? 0;
  const plans = rows.map(layOut);
  const tokens = Math.max(...plans.map(({ texts }) => texts.reduce((sum, text) => sum + text.tokens, 0)));
  const context = new Float32Array(rows.length * tokens * width);
  for (const [b, { texts }] of plans.entries()) {
    let at = b * tokens * width;
    for (const text of texts) {
      if (text.width !== width)
        throw new StudioError('internal', `texts of the widths ${width} and ${text.width} in one batch`);
      context.set(text.data.subarray(0, text.tokens * width), at);
      at += text.tokens * width;
    }
  }
  const feeds: Record<string, Fed> = { context: { data: context, shape: [rows.length, tokens, width] } };
  for (const level of levels) {
    const grid = gridAt(latent, level.halvings);
    const labels = labelPlaces(masks, latent, grid);
    const places = labels.length;
    const bias = new Float32Array(rows.length * places * tokens).fill(UNREADABLE);
    for (const [b, row] of rows.entries())
      for (let place = 0; place < places; place++) {
        const range = plans[b]?.ranges[(labels[place] ?? 0) - 1];
        const [from, to] = range ?? [0, row.base.tokens];
        const start = (b * places + place) * tokens;
        bias.fill(0, start + from, start + to);
      }
    feeds[level.bias] = { data: bias, shape: [rows.length, 1, places, tokens] };
  }
  return feeds;
}

/** Batches of one step: rows with segments may go apart from those without. */
const REMEMBERED = 2;

/**
 * Remembers the inputs of the last batches: within a generation they change only where a segment's interval begins or
 * ends, not from step to step. Texts and masks are told apart by identity, since nothing writes into them.
 */
export class RegionalMemory {
  #last: { readonly key: readonly unknown[]; readonly feeds: Record<string, Fed> }[] = [];

  feeds(
    rows: readonly RegionalRow[],
    masks: readonly ArrayLike<number>[],
    latent: Grid,
    levels: readonly AttentionLevel[],
  ): Record<string, Fed> {
    const key = [latent.height, latent.width, ...masks, ...rows.flatMap((row) => [row.base, ...row.segments, '|'])];
    const same = this.#last.find((one) => one.key.length === key.length && one.key.every((part, i) => part === key[i]));
    if (same) return same.feeds;
    const feeds = regionalFeeds(rows, masks, latent, levels);
    this.#last = [{ key, feeds }, ...this.#last].slice(0, REMEMBERED);
    return feeds;
  }

  forget(): void {
    this.#last = [];
  }
}

/**
 * The inputs of the leak shield. Rows without any text for a segment are not shielded.
 */
export function isolationFeeds(
  rows: readonly RegionalRow[],
  masks: readonly ArrayLike<number>[],
  latent: Grid,
  levels: readonly AttentionLevel[],
): Record<string, Fed> {
  const feeds: Record<string, Fed> = {};
  for (const level of levels) {
    const labels = labelPlaces(masks, latent, gridAt(latent, level.halvings));
    const data = new Float32Array(rows.length * labels.length);
    for (const [b, row] of rows.entries())
      if (row.segments.some((segment) => segment !== undefined)) data.set(labels, b * labels.length);
    feeds[level.labels] = { data, shape: [rows.length, labels.length] };
  }
  return feeds;
}

/** Bytes of the inputs that regionalFeeds makes, for the memory estimate. */
export function regionalBytes(rows: number, tokens: number, latent: Grid, levels: readonly AttentionLevel[]): number {
  return levels.reduce((sum, level) => {
    const grid = gridAt(latent, level.halvings);
    return sum + 4 * rows * tokens * grid.height * grid.width;
  }, 0);
}
