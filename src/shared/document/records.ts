import { z } from 'zod';
import { Affine, BlobHash, Coordinate, Shapes } from './geometry.ts';
import { LIMITS } from './limits.ts';
import {
  BatchSettings,
  GuidanceSettings,
  Interval,
  LoraChoice,
  SamplerSettings,
  SceneAdditions,
  Seed,
} from './settings.ts';

/** Ids are `type:name`; the name is letters, digits, `-` and `_`. */
const idOf = <T extends string>(type: T) =>
  z.templateLiteral([z.literal(type), ':', z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)], {
    error: `expected an id like ${type}:name`,
  });

export const SceneId = z.literal('scene:main');
export const SegmentId = idOf('segment');
export type SegmentId = z.infer<typeof SegmentId>;
export const SlotId = idOf('slot');
export type SlotId = z.infer<typeof SlotId>;
export const GroupId = idOf('group');
export type GroupId = z.infer<typeof GroupId>;
export const ReferenceId = idOf('reference');
export type ReferenceId = z.infer<typeof ReferenceId>;
export const GuideId = idOf('guide');
export type GuideId = z.infer<typeof GuideId>;

const side = z.number().int().min(LIMITS.canvasSideMin).max(LIMITS.canvasSide);
const text = z.string().max(LIMITS.text, `a text of more than ${LIMITS.text} characters`);

/** A picture to start from instead of noise (img2img). */
export const StartPicture = z.object({
  blob: BlobHash,
  /** How much of the schedule runs: 1 keeps nothing of the picture, 0 everything. */
  strength: z.number().min(0).max(1),
});
export type StartPicture = z.infer<typeof StartPicture>;

/** The one scene record: the canvas, the global text and how to make the picture. */
export const SceneRecord = z.object({
  id: SceneId,
  type: z.literal('scene'),
  title: z.string().max(200).default(''),
  width: side.default(512),
  height: side.default(512),
  /** The global text: what the whole picture shows. */
  text: text.default(''),
  negativeText: text.default(''),
  guidance: GuidanceSettings.prefault({}),
  sampler: SamplerSettings.prefault({}),
  seed: Seed.default(7),
  /** A locked seed stays from one Generate to the next; otherwise each makes a new one. */
  seedLocked: z.boolean().default(true),
  batch: BatchSettings.prefault({}),
  /** The model pack by its id; null: the studio's default. */
  pack: z.string().max(200).nullable().default(null),
  /** Laid over the pack if it is a checkpoint, in this order. */
  loras: z.array(LoraChoice).max(LIMITS.loras, `more than ${LIMITS.loras} LoRAs`).default([]),
  /** VAE, embeddings and IP-Adapter, read where the pack is a checkpoint. */
  additions: SceneAdditions.prefault({}),
  start: StartPicture.nullable().default(null),
  /** Upscale the finished picture by this factor once more. */
  upscale: z.union([z.literal(1), z.literal(2), z.literal(4)]).default(1),
  note: z.string().max(LIMITS.note).default(''),
});
export type SceneRecord = z.infer<typeof SceneRecord>;

/** An area of the canvas with a slot saying what is in it. */
export const SegmentRecord = z.object({
  id: SegmentId,
  type: z.literal('segment'),
  /** null: named by its slot's text. */
  name: z.string().max(200).nullable().default(null),
  /** Segments with a larger order lie on top; where they overlap the topmost one wins. */
  order: z.number().min(-1e9).max(1e9).default(0),
  group: GroupId.nullable().default(null),
  shapes: Shapes.default([]),
  /** Pixels by which the area is grown (or shrunk, if negative), smoothed and feathered, in that order. */
  grow: z.number().min(-512).max(512).default(0),
  smooth: z.number().min(0).max(256).default(0),
  feather: z.number().min(0).max(512).default(0),
  invert: z.boolean().default(false),
  visible: z.boolean().default(true),
  locked: z.boolean().default(false),
  slot: SlotId,
  negativeText: text.default(''),
  /** Made anew in a frame of its own once the picture is there: for what is too small for the map. */
  detail: z.boolean().default(false),
  /** Multiplies the local guidance scale inside this segment. */
  weight: z.number().min(0).max(4).default(1),
  interval: Interval.default([0, 1]),
  /** Index into the palette of colours that colour-blind users can tell apart. */
  color: z.number().int().min(0).max(63).default(0),
});
export type SegmentRecord = z.infer<typeof SegmentRecord>;

const Box = z.object({
  x: Coordinate,
  y: Coordinate,
  width: z.number().min(1).max(LIMITS.coordinate),
  height: z.number().min(1).max(LIMITS.coordinate),
});
export type Box = z.infer<typeof Box>;

/** What fills a segment: everything here ends as one image embedding. */
export const SlotContent = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('text'),
    text: text.default(''),
    /** The prior's seed: another number is another reading of the same words. */
    reading: Seed.default(0),
  }),
  /** A picture dropped in, or a part of one: box in its pixels, mask (a grey picture of the box's content) optional. */
  z.object({
    kind: z.literal('image'),
    blob: BlobHash,
    box: Box.nullable().default(null),
    mask: BlobHash.nullable().default(null),
  }),
  /** A crop of an earlier result, kept as its picture so that it survives the result. */
  z.object({
    kind: z.literal('crop'),
    blob: BlobHash,
    result: z.string().max(100).nullable().default(null),
    box: Box,
    mask: BlobHash.nullable().default(null),
  }),
  /** slerp from slot `a` (t = 0) to slot `b` (t = 1). */
  z.object({ kind: z.literal('mix'), a: SlotId, b: SlotId, t: z.number().min(0).max(1).default(0.5) }),
]);
export type SlotContent = z.infer<typeof SlotContent>;

export const SlotRecord = z.object({ id: SlotId, type: z.literal('slot'), content: SlotContent });
export type SlotRecord = z.infer<typeof SlotRecord>;

/** A folder of segments in the layer list. */
export const GroupRecord = z.object({
  id: GroupId,
  type: z.literal('group'),
  name: z.string().max(200).default(''),
  order: z.number().min(-1e9).max(1e9).default(0),
  collapsed: z.boolean().default(false),
});
export type GroupRecord = z.infer<typeof GroupRecord>;

/** A picture on the canvas to draw after; the model never sees it. */
export const ReferenceRecord = z.object({
  id: ReferenceId,
  type: z.literal('reference'),
  blob: BlobHash,
  transform: Affine,
  width: z.number().int().min(1).max(65_535),
  height: z.number().int().min(1).max(65_535),
  opacity: z.number().min(0).max(1).default(0.6),
  visible: z.boolean().default(true),
});
export type ReferenceRecord = z.infer<typeof ReferenceRecord>;

export const GuideRecord = z.object({
  id: GuideId,
  type: z.literal('guide'),
  axis: z.enum(['horizontal', 'vertical']),
  position: Coordinate,
});
export type GuideRecord = z.infer<typeof GuideRecord>;

export const DocumentRecord = z.discriminatedUnion('type', [
  SceneRecord,
  SegmentRecord,
  SlotRecord,
  GroupRecord,
  ReferenceRecord,
  GuideRecord,
]);
export type DocumentRecord = z.infer<typeof DocumentRecord>;
export type RecordId = DocumentRecord['id'];
