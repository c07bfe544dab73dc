import type { BlobStore } from '#engine/blobs/blob-store.ts';
import type { EngineHandle } from '#engine/jobs/engine-api.ts';
import type { Library } from '#library/library-api.ts';
import type { DocumentKeeper, ExportInput, ExportOutput, ImportInput } from '#project/project-api.ts';
import type { Imported } from '#shared/api/calls.ts';
import type { EventHub } from './event-hub.ts';
import type { Examples } from './examples.ts';
import type { Log } from './log.ts';
import type { NoticeBoard } from './notice-board.ts';
import type { PathGrants } from './path-grants.ts';
import type { SettingsStore } from './settings-store.ts';
import type { Shell } from './shell.ts';

/** Readers and writers of file formats; loaded when first needed, since their codecs are slow to load. */
export interface Formats {
  exportScene(input: ExportInput): Promise<ExportOutput>;
  importFile(input: ImportInput): Promise<Imported>;
}

/** What a studio is made of; host.ts brings the real parts, tests bring theirs. */
export interface StudioParts {
  readonly version: string;
  readonly shell: Shell;
  readonly engine: EngineHandle;
  readonly keeper: Promise<DocumentKeeper>;
  readonly library: Promise<Library>;
  readonly formats: () => Promise<Formats>;
  readonly blobs: BlobStore;
  readonly settings: SettingsStore;
  readonly examples: Examples;
  readonly grants: PathGrants;
  readonly hub: EventHub;
  readonly notices: NoticeBoard;
  readonly log: Log;
}
