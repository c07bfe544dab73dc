import type { CallArguments, CallOutput, HistoryMark, Imported, OpenDocument } from '#shared/api/calls.ts';
import type { SlotContent } from '#shared/document/records.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { Result } from '#shared/api/generation.ts';
import type { Beside } from './beside.ts';

/**
 * Documents as the host keeps them: applied diffs go into a journal at once and to disk within a second
 * (temp file + fsync + rename), with undo history, so that kill -9 costs at most a second.
 */
export interface DocumentKeeper {
  /**
   * The document of a window: the one it has or had open last; for the first window after a start, the one closed
   * last; else a new one made by `fallback`. Unsaved work of a process that died is not taken but listed by
   * `recoverable`, for the artist to choose.
   */
  current(windowId: string, fallback: () => StudioDocument): Promise<OpenDocument>;
  create(windowId: string, document: StudioDocument): Promise<OpenDocument>;
  apply(change: CallArguments<'document.apply'>): Promise<{ sequence: number }>;
  save(input: CallArguments<'project.save'>): Promise<CallOutput<'project.save'>>;
  /** @throws StudioError busy if another window or process has the file; bad-input names the last good backup */
  open(windowId: string, path: string): Promise<OpenDocument>;
  list(): Promise<CallOutput<'project.list'>>;
  recoverable(): Promise<CallOutput<'project.recoverable'>>;
  recover(windowId: string, id: string): Promise<OpenDocument>;
  discard(id: string): Promise<void>;
  /** A window is gone: its document is written and free for others (it comes back by `current`). */
  closeWindow(windowId: string): Promise<void>;
  /** Every picture that an open or recoverable document, or its undo, points at: never to be purged. */
  blobsInUse(): Promise<Set<string>>;
  onSaved(listener: (saved: { id: string; sequence: number; dirty: boolean }) => void): () => void;
  /** Called when a document cannot be kept on disk (stuck), and when it can again. @returns the end of it */
  onTrouble(listener: (trouble: { id: string; stuck: boolean }) => void): () => void;
  /** Writes everything that is still in memory. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface KeeperOptions {
  /** Autosaves, journals and projects without a path of their own. */
  readonly folder: string;
  readonly blobFolder: string;
  /** The results to put into a project file with its scene (the artist's choice, e.g. the starred ones). */
  readonly chosenResults?: (document: OpenDocument) => Promise<readonly Result[]>;
  /** Results that came with a project file; their pictures are in the blob store by then. */
  readonly onResults?: (results: readonly Result[]) => Promise<void>;
  readonly onNotice?: (notice: {
    level: 'info' | 'warning' | 'error';
    message: string;
    kept?: string;
    remedy?: string;
  }) => void;
}

/** What fills the slots of a prepared map: a model pack, as the engine or its host lends it. */
export interface MapFilling {
  /** The size of the pack's map. */
  readonly width: number;
  readonly height: number;
  /** Names the embedding space. */
  readonly space: string;
  /** The unit embedding of a text, picture or crop (mixes are made of these). */
  embed(content: SlotContent): Promise<Float32Array>;
}

/** What an exported file is made of. */
export interface ExportInput {
  readonly document: StudioDocument;
  readonly format: CallArguments<'export.create'>['format'];
  readonly result: Result | null;
  /** For contact sheets and projects. */
  readonly results: readonly Result[];
  readonly quality: number;
  readonly readBlob: (hash: string) => Promise<Uint8Array>;
  /** For `npy`: fills the map; without it the array holds segment numbers. */
  readonly filling?: MapFilling | undefined;
  /** For `spatext`: undo steps that go into the file. */
  readonly undo?: readonly HistoryMark[];
  readonly redo?: readonly HistoryMark[];
}
export interface ExportOutput {
  readonly bytes: Uint8Array;
  readonly fileName: string;
  readonly type: string;
  /** What the format cannot carry of this scene, in words. */
  readonly losses: string[];
  /** Files that belong beside it (the legend of an array). */
  readonly beside?: readonly { readonly bytes: Uint8Array; readonly fileName: string }[];
}

export interface ImportInput {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Colour "#rrggbb" -> local text, for label maps. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly writeBlob: (bytes: Uint8Array) => Promise<string>;
  /** The files that came along or lie beside it: the pictures of annotations, the label map of a table of colours. */
  readonly beside?: Beside | undefined;
  /** Which image of annotations of many: its id or file name. */
  readonly image?: string | undefined;
  /** Answers with the list of images where somebody has to choose one or bring its picture; else the first is taken. */
  readonly ask?: boolean | undefined;
  /** What a picture with holes, or a black and white one, is: an image (default) or a segment's area. */
  readonly pictures?: 'image' | 'mask' | undefined;
}
export type { Imported };
/** What a file holds where nobody is asked. */
export type ImportedNow = Exclude<Imported, { kind: 'annotations' }>;
// openKeeper(options): Promise<DocumentKeeper> lives in keeper.ts; exportScene(input) in formats/export.ts;
// importFile(input): Promise<Imported> in formats/import.ts.
