import type { CallArguments, CallOutput, Imported, OpenDocument } from '#shared/api/calls.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { Result } from '#shared/api/generation.ts';

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

/** What an exported file is made of. */
export interface ExportInput {
  readonly document: StudioDocument;
  readonly format: CallArguments<'export.create'>['format'];
  readonly result: Result | null;
  /** For contact sheets and projects. */
  readonly results: readonly Result[];
  readonly quality: number;
  readonly readBlob: (hash: string) => Promise<Uint8Array>;
}
export interface ExportOutput {
  readonly bytes: Uint8Array;
  readonly fileName: string;
  readonly type: string;
  /** What the format cannot carry of this scene, in words. */
  readonly losses: string[];
}

export interface ImportInput {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Colour "#rrggbb" -> local text, for label maps. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly writeBlob: (bytes: Uint8Array) => Promise<string>;
}
export type { Imported };
// openKeeper(options): Promise<DocumentKeeper> lives in keeper.ts; exportScene(input) in formats/export.ts;
// importFile(input): Promise<Imported> in formats/import.ts.
