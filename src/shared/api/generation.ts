import { z } from 'zod';
import { DocumentRecords } from '../document/document.ts';
import { BlobHash } from '../document/geometry.ts';
import { LIMITS } from '../document/limits.ts';
import { SegmentId } from '../document/records.ts';
import { Seed } from '../document/settings.ts';
import { ErrorReport } from '../errors.ts';

export const JobId = z.string().regex(/^job-[A-Za-z0-9_-]{1,40}$/);
export type JobId = z.infer<typeof JobId>;
export const ResultId = z.string().regex(/^result-[A-Za-z0-9_-]{1,60}$/);
export type ResultId = z.infer<typeof ResultId>;

/** What a job is for. The snapshot's scene record says the rest (seed, sampler, guidance, batch, start picture). */
export const JobPurpose = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('generate') }),
  /** The same scene with seeds near the given one. */
  z.object({
    kind: z.literal('variations'),
    count: z.number().int().min(1).max(16),
    strength: z.number().min(0.05).max(1),
    /** Number of the first variation: each has its own noise, so that one can be made again alone. */
    first: z.number().int().min(0).max(100_000).default(0),
  }),
  /** Makes one segment anew in `picture`; everything outside its mask comes back pixel for pixel. */
  z.object({
    kind: z.literal('redo-segment'),
    segment: SegmentId,
    picture: BlobHash,
    strength: z.number().min(0.1).max(1).default(1),
  }),
  /** Small pictures at several guidance points [localScale, globalScale]; not kept in the history. */
  z.object({
    kind: z.literal('grid'),
    points: z
      .array(z.tuple([z.number().min(0).max(30), z.number().min(0).max(30)]))
      .min(1)
      .max(64),
    steps: z.number().int().min(1).max(100),
  }),
  /** A quick picture while drawing; not kept. */
  z.object({ kind: z.literal('live'), steps: z.number().int().min(1).max(20) }),
  /** Enlarges a finished picture by the pack's super-resolution. */
  z.object({ kind: z.literal('upscale'), picture: BlobHash, factor: z.union([z.literal(2), z.literal(4)]) }),
]);
export type JobPurpose = z.infer<typeof JobPurpose>;

export const GenerateRequest = z.object({
  records: DocumentRecords,
  purpose: JobPurpose.default({ kind: 'generate' }),
  /** Results this one comes from (lineage). */
  parents: z.array(ResultId).max(8).default([]),
  /** Live and grid jobs give way to those the artist waits for. */
  priority: z.enum(['front', 'normal', 'background']).default('normal'),
  /**
   * Segments that get a detail pass: once the picture is there, the host orders each of them made anew in a frame of
   * its own, one job after the other, each from the picture of the one before.
   */
  detail: z.array(SegmentId).max(LIMITS.segments).default([]),
});
export type GenerateRequest = z.infer<typeof GenerateRequest>;

export const JobPhase = z.enum([
  'waiting',
  'loading',
  'texts',
  'prior',
  'map',
  'denoise',
  'decode',
  'upscale',
  'score',
  'saving',
]);
export type JobPhase = z.infer<typeof JobPhase>;

export const JobProgress = z.object({
  phase: JobPhase,
  /** Network passes done and planned, over the whole job: the basis of the time left. */
  passesDone: z.number().int().min(0),
  passesTotal: z.number().int().min(0),
  step: z.number().int().min(0),
  steps: z.number().int().min(0),
  /** Which picture of the job is being made. */
  image: z.number().int().min(0),
  images: z.number().int().min(0),
  secondsLeft: z.number().min(0).nullable(),
});
export type JobProgress = z.infer<typeof JobProgress>;

export const JobState = z.enum(['queued', 'running', 'done', 'failed', 'cancelled']);
export type JobState = z.infer<typeof JobState>;

/** What tells a job apart from the others in the queue. */
export const JobAbout = z.object({
  seed: Seed,
  /** What changed since the job that the same window ordered before it, as describeChanges says it. */
  changes: z.array(z.string()).max(8),
  /** Ordered by the host as the detail pass of a picture that was just made. */
  detail: z.boolean(),
});
export type JobAbout = z.infer<typeof JobAbout>;

export const JobSummary = z.object({
  id: JobId,
  state: JobState,
  purpose: JobPurpose,
  title: z.string(),
  createdAt: z.number(),
  progress: JobProgress.nullable(),
  error: ErrorReport.nullable(),
  results: z.array(ResultId),
  about: JobAbout.optional(),
});
export type JobSummary = z.infer<typeof JobSummary>;

/** What is wrong, or may go wrong, with a segment on the model's map. */
export const SegmentWarning = z.object({
  segment: SegmentId,
  code: z.enum(['empty', 'too-small', 'hidden', 'mostly-hidden', 'split', 'outside', 'no-text', 'unknown-words']),
  /** Area that reaches the model as a fraction of the canvas. */
  area: z.number().min(0).max(1),
  message: z.string(),
});
export type SegmentWarning = z.infer<typeof SegmentWarning>;

/** How well a segment came out. */
export const SegmentScore = z.object({
  segment: SegmentId,
  /** Cosine of the crop's image embedding with the slot's text embedding (or image embedding); null: not measured. */
  clip: z.number().nullable(),
  /** The same with the image embedding that filled the slot. */
  slot: z.number().nullable(),
  /** Overlap of the drawn mask with what a segmenter finds, if the pack has one. */
  iou: z.number().nullable(),
});
export type SegmentScore = z.infer<typeof SegmentScore>;

export const Timings = z.record(z.string(), z.number());

/** A finished picture with everything needed to make it again. */
export const Result = z.object({
  id: ResultId,
  job: JobId,
  createdAt: z.number(),
  kind: JobPurpose.options[0].shape.kind.or(
    z.enum(['variations', 'redo-segment', 'grid', 'live', 'upscale', 'imported']),
  ),
  picture: BlobHash,
  width: z.number().int(),
  height: z.number().int(),
  seed: Seed,
  pack: z.object({ id: z.string(), name: z.string(), fingerprint: z.string() }),
  parents: z.array(ResultId),
  /** The whole snapshot, with the seed that this picture had. */
  records: DocumentRecords,
  purpose: JobPurpose,
  passes: z.number().int(),
  /** Milliseconds by phase. */
  timings: Timings,
  scores: z.array(SegmentScore),
  globalScore: z.number().nullable(),
  warnings: z.array(SegmentWarning),
});
export type Result = z.infer<typeof Result>;

/** A row of the history strip. */
export const ResultSummary = Result.omit({ records: true, purpose: true, warnings: true }).extend({
  title: z.string(),
  text: z.string(),
  starred: z.boolean(),
  note: z.string(),
  tags: z.array(z.string()),
  boards: z.array(z.string()),
  deleted: z.boolean(),
});
export type ResultSummary = z.infer<typeof ResultSummary>;
