import type { GenerateRequest, JobId, JobProgress } from '#shared/api/generation.ts';
import type { PackSummary } from '#shared/api/packs.ts';
import type { BlobHash } from '#shared/document/geometry.ts';
import type { SlotContent } from '#shared/document/records.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { FinishedResult } from '../jobs/engine-api.ts';

/** What a workflow may tell, and ask, while it runs. */
export interface JobContext {
  readonly job: JobId;
  readonly blobs: BlobStore;
  progress(progress: JobProgress): void;
  /** Predicted x0 as a small PNG. */
  preview(image: number, step: number, png: Uint8Array): void;
  /** A picture that is not kept in the history (grid, live). */
  picture(index: number, picture: BlobHash, point: [number, number] | null): void;
  result(finished: FinishedResult): void;
  /** Something the artist should know about a job that goes on. */
  notice?(message: string): void;
  /**
   * Lets messages in between two calls of a network.
   * @throws StudioError cancelled if the job was cancelled meanwhile
   */
  breathe(): Promise<void>;
}

/** A loaded pack of any kind, able to do jobs. */
export interface Maker {
  readonly summary: PackSummary;
  /** @throws StudioError bad-input, unsupported, memory, model, cancelled */
  run(request: GenerateRequest, context: JobContext): Promise<void>;
  /** Network passes of a job and about how long they take; missing where the window can tell by itself. */
  cost?(request: GenerateRequest, blobs: BlobStore): Promise<{ passes: number; seconds: number | null }>;
  /** The unit-length embedding that a slot's content stands for. */
  embed(content: SlotContent, blobs: BlobStore): Promise<{ values: Float32Array; space: string }>;
  release(): Promise<void>;
}
