import type { JobSummary, GenerateRequest, JobId, Result } from '#shared/api/generation.ts';
import type { DeviceInfo, LookedAt, OpenModel, PackSummary } from '#shared/api/packs.ts';
import type { BlobHash } from '#shared/document/geometry.ts';
import type { SegmentId, SlotContent } from '#shared/document/records.ts';
import type { ErrorReport } from '#shared/errors.ts';

/** A finished picture, with the embeddings that the library searches by. */
export interface FinishedResult {
  readonly result: Result;
  /** Unit-length image embeddings of each segment's crop of the picture, in the pack's space. */
  readonly embeddings: readonly { readonly segment: SegmentId; readonly text: string; readonly values: Float32Array }[];
  /** Names the embedding space; embeddings of different spaces are never compared. */
  readonly space: string;
}

export type EngineEvent =
  | { readonly type: 'queue'; readonly jobs: readonly JobSummary[]; readonly paused: boolean }
  | { readonly type: 'job'; readonly job: JobSummary }
  | {
      readonly type: 'preview';
      readonly job: JobId;
      readonly image: number;
      readonly step: number;
      readonly png: Uint8Array;
    }
  | {
      readonly type: 'picture';
      readonly job: JobId;
      readonly index: number;
      readonly picture: BlobHash;
      readonly point: [number, number] | null;
    }
  | { readonly type: 'result'; readonly finished: FinishedResult }
  /** Another model is open than before, or none. */
  | { readonly type: 'packs' }
  | { readonly type: 'crashed'; readonly report: ErrorReport };

export interface EngineConfig {
  readonly device: 'auto' | DeviceInfo['id'];
  /** 0: as many as the machine has cores. */
  readonly threads: number;
  /** Minutes after which a stock model that is not used is closed; 0: never. */
  readonly restMinutes: number;
}

/**
 * The engine as its host sees it: a queue in front of a process of its own. Jobs run one after another
 * (front before normal before background); one job's failure is one job's failure.
 */
export interface EngineHandle {
  /** Queues a job; the answer comes as events. */
  submit(job: JobId, request: GenerateRequest): void;
  /** Soft: between two steps, below 0.2 s. Hard: the process is killed and started anew; other jobs go on. */
  cancel(job: JobId, hard: boolean): void;
  pause(paused: boolean): void;
  move(job: JobId, to: 'front' | 'back'): void;
  list(): { jobs: JobSummary[]; paused: boolean };
  on(listener: (event: EngineEvent) => void): () => void;

  configure(config: EngineConfig): void;
  packs(): Promise<{ packs: PackSummary[]; defaultPack: string; open: OpenModel | null }>;
  addPack(path: string): Promise<PackSummary>;
  /** Says what a file is, and which models it fits. @throws StudioError with what it is instead */
  lookAt(path: string): Promise<LookedAt>;
  /** Folders in which the added models lie. */
  modelFolders(): Promise<string[]>;
  /** Passes of a job and about how long they take, told before it starts; null for the embedded pack. */
  cost(request: GenerateRequest): Promise<{ passes: number; seconds: number | null } | null>;
  /** Closes the networks of the open model, unless it is working. */
  rest(): Promise<void>;
  removePack(id: string): Promise<void>;
  devices(probe: boolean): Promise<DeviceInfo[]>;
  /** The unit-length embedding a slot would be filled with. @throws StudioError model, bad-input */
  embed(pack: string | null, content: SlotContent): Promise<{ values: Float32Array; space: string }>;
  /** Ends the process; running jobs end as cancelled. */
  close(): Promise<void>;
}
