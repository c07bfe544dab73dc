import type { SampleRow, SegmentRow, SetScores } from './score.ts';
import { bootstrapMean } from './statistics.ts';
import type { Estimate } from './statistics.ts';

/** The paper's figures over a set of rows, each with its 95 % interval; null where nothing could be measured. */
export interface Figures {
  readonly samples: number;
  readonly segments: number;
  /** 1 - cos(picture, global text); smaller is better. */
  readonly globalDistance: Estimate | null;
  /** 1 - cos(masked crop, local text); smaller is better. */
  readonly localDistance: Estimate | null;
  /** Share of segments whose own text the judge would name first, or among the first five. */
  readonly top1: Estimate | null;
  readonly top5: Estimate | null;
  /** Overlap of what a segmenter finds with what was drawn, 0..1. */
  readonly localIou: Estimate | null;
}

function estimate<R extends { readonly sample: string }>(
  rows: readonly R[],
  value: (row: R) => number | null,
): Estimate | null {
  const groups = new Map<string, number[]>();
  for (const row of rows) {
    const one = value(row);
    if (one === null) continue;
    const group = groups.get(row.sample) ?? [];
    group.push(one);
    groups.set(row.sample, group);
  }
  return bootstrapMean([...groups.values()]);
}

const distance = (cosine: number | null): number | null => (cosine === null ? null : 1 - cosine);
const within = (rank: number | null, places: number): number | null => (rank === null ? null : rank <= places ? 1 : 0);

export function figuresOf(samples: readonly SampleRow[], segments: readonly SegmentRow[]): Figures {
  return {
    samples: samples.length,
    segments: segments.length,
    globalDistance: estimate(samples, (row) => distance(row.cosine)),
    localDistance: estimate(segments, (row) => distance(row.cosine)),
    top1: estimate(segments, (row) => within(row.rank, 1)),
    top5: estimate(segments, (row) => within(row.rank, 5)),
    localIou: estimate(segments, (row) => row.iou),
  };
}

/** The lower bound: the same pictures held against the texts of others. */
export function shuffledFigures(samples: readonly SampleRow[], segments: readonly SegmentRow[]): Figures {
  return {
    samples: samples.length,
    segments: segments.length,
    globalDistance: estimate(samples, (row) => distance(row.shuffledCosine)),
    localDistance: estimate(segments, (row) => distance(row.shuffledCosine)),
    top1: estimate(segments, (row) => row.shuffledTop1),
    top5: estimate(segments, (row) => row.shuffledTop5),
    localIou: null,
  };
}

export interface Split {
  readonly label: string;
  readonly figures: Figures;
}

const COUNTS: readonly (readonly [number, number])[] = [
  [1, 1],
  [2, 2],
  [3, 4],
  [5, 8],
  [9, Infinity],
];
/** Shares of the canvas; below the first bound the warnings call a segment small. */
const AREAS = [0, 0.01, 0.02, 0.05, 0.2, 1.0001] as const;

/** By how many segments the scene has. */
export function splitByCount({ samples, segments }: SetScores): Split[] {
  return COUNTS.flatMap(([least, most]) => {
    const fits = (row: { segments: number }): boolean => row.segments >= least && row.segments <= most;
    const some = samples.filter(fits);
    if (some.length === 0) return [];
    const label = most === Infinity ? `${least} and more` : least === most ? `${least}` : `${least} to ${most}`;
    return [
      { label: `${label} ${most === 1 ? 'segment' : 'segments'}`, figures: figuresOf(some, segments.filter(fits)) },
    ];
  });
}

/** By the share of the canvas that a segment covers; the global figure is left out, since it belongs to no segment. */
export function splitByArea({ segments }: SetScores): Split[] {
  return AREAS.slice(1).flatMap((bound, i) => {
    const from = AREAS[i] ?? 0;
    const some = segments.filter(({ area }) => area >= from && area < bound);
    if (some.length === 0) return [];
    const label =
      i === 0 ? `below ${bound * 100} %` : bound > 1 ? `${from * 100} % and more` : `${from * 100} to ${bound * 100} %`;
    return [{ label: `area ${label}`, figures: figuresOf([], some) }];
  });
}

export interface Difference {
  readonly samples: number;
  /** Of this set less of the other, over scenes that both have: below zero this one is better. */
  readonly globalDistance: Estimate | null;
  readonly localDistance: Estimate | null;
  readonly localIou: Estimate | null;
}

/** Paired by scene and segment: what the scenes have in common cancels, so small differences show. */
export function differenceOf(set: SetScores, other: SetScores): Difference | null {
  const theirSamples = new Map(other.samples.map((row) => [row.sample, row]));
  const theirSegments = new Map(other.segments.map((row) => [`${row.sample} ${row.segment}`, row]));
  const shared = set.samples.filter((row) => theirSamples.has(row.sample));
  if (shared.length === 0) return null;
  const less = (a: number | null, b: number | null | undefined): number | null =>
    a === null || b === null || b === undefined ? null : a - b;
  return {
    samples: shared.length,
    globalDistance: estimate(shared, (row) => less(theirSamples.get(row.sample)?.cosine ?? null, row.cosine)),
    localDistance: estimate(set.segments, (row) =>
      less(theirSegments.get(`${row.sample} ${row.segment}`)?.cosine ?? null, row.cosine),
    ),
    localIou: estimate(set.segments, (row) => less(row.iou, theirSegments.get(`${row.sample} ${row.segment}`)?.iou)),
  };
}
