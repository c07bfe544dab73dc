import { z } from 'zod';
import { RecordsDiff } from '../document/diff.ts';
import { DocumentRecords } from '../document/document.ts';
import { BlobHash } from '../document/geometry.ts';
import { SlotContent } from '../document/records.ts';
import { GenerateRequest, JobId, JobSummary, Result, ResultId, ResultSummary } from './generation.ts';
import { DeviceInfo, LookedAt, OpenModel, PackSummary } from './packs.ts';
import { Settings, SettingsPatch } from './settings.ts';

const Nothing = z.object({});
export const DocumentId = z.string().regex(/^doc-[A-Za-z0-9_-]{1,40}$/);
export type DocumentId = z.infer<typeof DocumentId>;

/** One undoable step as the host keeps it, so that undo survives a restart. */
export const HistoryMark = z.object({ label: z.string().max(200), diff: RecordsDiff });
export type HistoryMark = z.infer<typeof HistoryMark>;

/** A document as the host holds it for one window. */
export const OpenDocument = z.object({
  id: DocumentId,
  records: DocumentRecords,
  undo: z.array(HistoryMark),
  redo: z.array(HistoryMark),
  /** The project file it belongs to; null: never saved by the artist (autosaved all the same). */
  file: z.object({ path: z.string(), name: z.string() }).nullable(),
  dirty: z.boolean(),
});
export type OpenDocument = z.infer<typeof OpenDocument>;

export const ExportFormat = z.enum(['spatext', 'png', 'jpg', 'webp', 'psd', 'ora', 'svg', 'json', 'npy', 'sheet']);
export type ExportFormat = z.infer<typeof ExportFormat>;

const bytes = z.instanceof(Uint8Array);

/** Files that come along with an imported one; a message carries 64 byte arrays. */
export const MOST_BESIDE = 48;
const BesideFiles = z.array(z.object({ name: z.string().max(255), bytes })).max(MOST_BESIDE);

/** What a dropped or chosen file turned out to be. */
export const Imported = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('scene'),
    records: DocumentRecords,
    result: ResultId.nullable(),
    /** The seed of the picture that the file is or holds. */
    seed: z.number().int().optional(),
    losses: z.array(z.string()),
    /** Files that came along and are part of it. */
    taken: z.array(z.string()).optional(),
  }),
  /** Annotations of several images: one has to be chosen, or its picture of areas brought along. */
  z.object({
    kind: z.literal('annotations'),
    /** `there`: whether the picture of areas came along. Those that did come first; at most 5000 are named. */
    images: z.array(
      z.object({ image: z.string(), picture: z.string(), segments: z.number().int(), there: z.boolean() }),
    ),
    total: z.number().int(),
    chosen: z.string().nullable(),
  }),
  /** Segments to add to the open scene, with a picture if the file had one. */
  z.object({ kind: z.literal('segments'), records: DocumentRecords, losses: z.array(z.string()) }),
  z.object({ kind: z.literal('image'), blob: BlobHash, width: z.number(), height: z.number(), hasAlpha: z.boolean() }),
]);
export type Imported = z.infer<typeof Imported>;

export const ResultQuery = z.object({
  search: z.string().max(500).default(''),
  starred: z.boolean().optional(),
  pack: z.string().optional(),
  board: z.string().optional(),
  tag: z.string().optional(),
  minScore: z.number().optional(),
  /** Pixels of the longer side, at least. */
  minSide: z.number().int().min(1).optional(),
  deleted: z.boolean().default(false),
  before: z.object({ createdAt: z.number(), id: ResultId }).optional(),
  limit: z.number().int().min(1).max(200).default(50),
});
export type ResultQuery = z.infer<typeof ResultQuery>;

export const LibraryItem = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: z.number(),
  /** A segment record and the slots it needs, as a small document without a scene. */
  records: z.array(z.unknown()),
  text: z.string(),
});
export type LibraryItem = z.infer<typeof LibraryItem>;

/**
 * Every call of the studio's API: name, input, output. All transports (Electron IPC, WebSocket) derive from
 * this map; both sides parse with it. Names are `area.verb`.
 */
export const CALLS = {
  'app.info': {
    input: Nothing,
    output: z.object({
      version: z.string(),
      shell: z.enum(['electron', 'web']),
      platform: z.string(),
      locale: z.string(),
      /** Whether the host can open native file dialogs. */
      dialogs: z.boolean(),
    }),
  },
  'app.openExternal': { input: z.object({ url: z.string().max(2000) }), output: Nothing },
  'settings.get': { input: Nothing, output: Settings },
  'settings.set': { input: SettingsPatch, output: Settings },

  'examples.list': {
    /** Of titles and descriptions; without one, the host's own choice. */
    input: z.object({ language: z.enum(['en', 'de']).optional() }),
    output: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        shows: z.string(),
        segments: z.number(),
        records: DocumentRecords,
        picture: z.string().nullable(),
      }),
    ),
  },

  /**
   * The document this window had open last, else a new one on the first example, which is called by its name in the
   * language that was chosen in the settings, else in the window's.
   */
  'document.current': { input: z.object({ language: z.enum(['en', 'de']).optional() }), output: OpenDocument },
  'document.new': { input: z.object({ records: DocumentRecords }), output: OpenDocument },
  /** Applies a change on the host's copy; the answer comes when it is in the journal, at most a second later on disk. */
  'document.apply': {
    input: z.object({
      id: DocumentId,
      sequence: z.number().int().min(0),
      diff: RecordsDiff,
      undo: z.enum(['mark', 'extend', 'undo', 'redo', 'none']),
      label: z.string().max(200),
    }),
    output: z.object({ sequence: z.number().int() }),
  },
  'project.save': {
    input: z.object({ id: DocumentId, name: z.string().max(200).optional(), path: z.string().max(4096).optional() }),
    output: z.object({ file: z.object({ path: z.string(), name: z.string() }) }),
  },
  'project.open': { input: z.object({ path: z.string().max(4096) }), output: OpenDocument },
  'project.list': {
    input: Nothing,
    output: z.array(z.object({ path: z.string(), name: z.string(), modifiedAt: z.number(), bytes: z.number() })),
  },
  /** Unsaved work found at start, newest first. */
  'project.recoverable': {
    input: Nothing,
    output: z.array(
      z.object({
        id: DocumentId,
        title: z.string(),
        modifiedAt: z.number(),
        segments: z.number(),
        reason: z.string(),
        /** The studio ended without closing it, or it cannot be read. */
        crashed: z.boolean().optional(),
      }),
    ),
  },
  'project.recover': { input: z.object({ id: DocumentId }), output: OpenDocument },
  'project.discard': { input: z.object({ id: DocumentId }), output: Nothing },

  /** Native dialogs; null when cancelled. Refused with `unsupported` where the host has none. */
  'dialog.open': {
    input: z.object({ for: z.enum(['project', 'import', 'pack']) }),
    output: z.object({ path: z.string().nullable() }),
  },
  'dialog.save': {
    input: z.object({ suggestedName: z.string().max(255) }),
    output: z.object({ path: z.string().nullable() }),
  },

  'blobs.put': {
    input: z.object({ bytes }),
    output: z.object({ hash: BlobHash, type: z.string(), width: z.number().nullable(), height: z.number().nullable() }),
  },
  /** Writes a blob to a file the artist chose in dialog.save; the legend of an array is written beside it. */
  'blobs.saveAs': {
    input: z.object({ hash: BlobHash, path: z.string().max(4096), legend: BlobHash.optional() }),
    output: Nothing,
  },

  'export.create': {
    input: z.object({
      records: DocumentRecords,
      format: ExportFormat,
      result: ResultId.nullable(),
      results: z.array(ResultId).max(64).default([]),
      quality: z.number().min(1).max(100).default(92),
    }),
    output: z.object({
      blob: BlobHash,
      fileName: z.string(),
      type: z.string(),
      bytes: z.number(),
      losses: z.array(z.string()),
      /** What the numbers of an array mean: JSON that belongs beside it, under its name with .json added. */
      legend: BlobHash.nullable(),
    }),
  },
  'import.file': {
    input: z.object({
      name: z.string().max(255),
      bytes,
      labels: z.record(z.string(), z.string()).optional(),
      /** Files dropped or chosen with it: pictures of annotations, a label map with its table. */
      beside: BesideFiles.optional(),
      /** Which image of annotations of many, by its id or a file name. */
      image: z.string().max(1000).optional(),
    }),
    output: Imported,
  },
  /** Files in the same folder are found by the host; `beside` brings others. */
  'import.path': {
    input: z.object({
      path: z.string().max(4096),
      beside: BesideFiles.optional(),
      image: z.string().max(1000).optional(),
    }),
    output: Imported,
  },

  'generate.start': { input: GenerateRequest, output: z.object({ job: JobId }) },
  /** Stops between two steps; `hard` kills the engine process at once. */
  'generate.cancel': { input: z.object({ job: JobId, hard: z.boolean().default(false) }), output: Nothing },
  /** Network passes of a job and about how many seconds it takes; null: the window can tell the passes by itself. */
  'generate.cost': {
    input: GenerateRequest,
    output: z.object({ cost: z.object({ passes: z.number(), seconds: z.number().nullable() }).nullable() }),
  },
  'queue.list': { input: Nothing, output: z.object({ jobs: z.array(JobSummary), paused: z.boolean() }) },
  'queue.pause': { input: z.object({ paused: z.boolean() }), output: Nothing },
  'queue.move': { input: z.object({ job: JobId, to: z.enum(['front', 'back']) }), output: Nothing },

  'results.list': { input: ResultQuery, output: z.object({ results: z.array(ResultSummary), total: z.number() }) },
  'results.get': {
    input: z.object({ id: ResultId }),
    output: Result.extend({
      starred: z.boolean(),
      note: z.string(),
      tags: z.array(z.string()),
      boards: z.array(z.string()),
    }),
  },
  'results.update': {
    input: z.object({
      id: ResultId,
      starred: z.boolean().optional(),
      note: z.string().max(20_000).optional(),
      tags: z.array(z.string().max(60)).max(50).optional(),
      boards: z.array(z.string().max(60)).max(50).optional(),
    }),
    output: ResultSummary,
  },
  'results.delete': { input: z.object({ ids: z.array(ResultId).min(1).max(1000) }), output: Nothing },
  'results.restore': { input: z.object({ ids: z.array(ResultId).min(1).max(1000) }), output: Nothing },
  /** Deletes for good: rows, embeddings, pictures. Only what is deleted already; the rest stays. */
  'results.erase': {
    input: z.object({ ids: z.array(ResultId).min(1).max(1000) }),
    output: z.object({ erased: z.array(ResultId), bytes: z.number().int().nonnegative() }),
  },
  /** "What changed" from one result to another, in words. */
  'results.changes': { input: z.object({ from: ResultId, to: ResultId }), output: z.array(z.string()) },
  /** The results one comes from and those made from it, the nearest first. */
  'results.family': {
    input: z.object({ id: ResultId }),
    output: z.object({ ancestors: z.array(ResultSummary), descendants: z.array(ResultSummary) }),
  },
  'results.usage': { input: Nothing, output: z.object({ bytes: z.number(), budget: z.number(), results: z.number() }) },
  'boards.list': { input: Nothing, output: z.array(z.object({ name: z.string(), count: z.number() })) },

  'library.list': { input: z.object({ search: z.string().max(500).default('') }), output: z.array(LibraryItem) },
  'library.add': {
    input: z.object({ name: z.string().max(200), records: z.array(z.unknown()).max(16) }),
    output: LibraryItem,
  },
  'library.remove': { input: z.object({ id: z.string() }), output: Nothing },
  /** Earlier results' segments and saved items that fill a slot best, by cosine of their embeddings. */
  'library.similar': {
    input: z.object({ slot: SlotContent, limit: z.number().int().min(1).max(50).default(12) }),
    output: z.array(
      z.object({
        kind: z.enum(['result', 'item']),
        id: z.string(),
        text: z.string(),
        cosine: z.number(),
        picture: BlobHash.nullable(),
        content: SlotContent.nullable(),
      }),
    ),
  },

  'packs.list': {
    input: Nothing,
    output: z.object({ packs: z.array(PackSummary), defaultPack: z.string(), open: OpenModel.nullable() }),
  },
  'packs.add': { input: z.object({ path: z.string().max(4096) }), output: PackSummary },
  /** Says what a file is before anything is done with it. */
  'packs.look': { input: z.object({ path: z.string().max(4096) }), output: LookedAt },
  /**
   * Where a dropped file lies, for windows that are told its name and size only: among the models known and in the
   * folder for downloads. Its first bytes have to be the same.
   */
  'packs.find': {
    input: z.object({ name: z.string().max(255), bytes: z.number().int().min(0), head: bytes }),
    output: z.object({ path: z.string().nullable() }),
  },
  /** Closes the networks of the open model; the next job opens them again. */
  'packs.rest': { input: Nothing, output: Nothing },
  'packs.remove': { input: z.object({ id: z.string() }), output: Nothing },
  'devices.list': { input: z.object({ probe: z.boolean().default(false) }), output: z.array(DeviceInfo) },
  'log.recent': {
    input: Nothing,
    output: z.array(z.object({ at: z.number(), level: z.string(), message: z.string() })),
  },
} as const satisfies Record<string, { input: z.ZodType; output: z.ZodType }>;

export type CallName = keyof typeof CALLS;
export type CallInput<N extends CallName> = z.input<(typeof CALLS)[N]['input']>;
export type CallArguments<N extends CallName> = z.output<(typeof CALLS)[N]['input']>;
export type CallOutput<N extends CallName> = z.output<(typeof CALLS)[N]['output']>;
