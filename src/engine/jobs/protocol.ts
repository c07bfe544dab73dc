import { z } from 'zod';
import { GenerateRequest, JobId, type JobProgress } from '#shared/api/generation.ts';
import type { DeviceInfo, LookedAt, OpenModel, PackSummary } from '#shared/api/packs.ts';
import type { BlobHash } from '#shared/document/geometry.ts';
import { SlotContent } from '#shared/document/records.ts';
import type { ErrorReport } from '#shared/errors.ts';
import type { FinishedResult } from './engine-api.ts';

/** What the engine process is started with. */
export const EngineSetup = z.object({
  /** Folder of the embedded packs. */
  modelsFolder: z.string(),
  /** Holds the hash ledger, the list of added packs and side files. */
  dataFolder: z.string(),
  blobFolder: z.string(),
  device: z.enum(['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml']),
  threads: z.number().int().min(0),
  /** Minutes after which a stock model that is not used is closed; 0: never. */
  restMinutes: z.number().min(0),
});
export type EngineSetup = z.infer<typeof EngineSetup>;

/** Questions that can be answered between two steps of a job. */
export const Question = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('packs') }),
  z.object({ kind: z.literal('add-pack'), path: z.string() }),
  z.object({ kind: z.literal('look-at'), path: z.string() }),
  z.object({ kind: z.literal('model-folders') }),
  z.object({ kind: z.literal('rest') }),
  z.object({ kind: z.literal('cost'), request: GenerateRequest }),
  z.object({ kind: z.literal('remove-pack'), id: z.string() }),
  z.object({ kind: z.literal('devices'), probe: z.boolean() }),
  z.object({ kind: z.literal('embed'), pack: z.string().nullable(), content: SlotContent }),
]);
export type Question = z.infer<typeof Question>;

export interface Answers {
  packs: { packs: PackSummary[]; defaultPack: string; open: OpenModel | null };
  rest: null;
  /** Null where the window can tell by itself. */
  cost: { passes: number; seconds: number | null } | null;
  'add-pack': PackSummary;
  'look-at': LookedAt;
  /** Folders in which the added models lie. */
  'model-folders': string[];
  'remove-pack': null;
  devices: DeviceInfo[];
  embed: { values: Float32Array; space: string };
}

/** Host to engine process. */
export const ToEngine = z.discriminatedUnion('type', [
  z.object({ type: z.literal('setup'), setup: EngineSetup }),
  z.object({ type: z.literal('run'), job: JobId, request: GenerateRequest }),
  z.object({ type: z.literal('cancel'), job: JobId }),
  z.object({ type: z.literal('ask'), id: z.number().int(), question: Question }),
]);
export type ToEngine = z.infer<typeof ToEngine>;

/** Engine process to host. The process is our own code: its messages are typed, not parsed again. */
export type FromEngine =
  | { readonly type: 'ready' }
  | { readonly type: 'notice'; readonly level: 'info' | 'warning'; readonly message: string }
  /** Another model is open than before, or none. */
  | { readonly type: 'packs-changed' }
  | { readonly type: 'progress'; readonly job: JobId; readonly progress: JobProgress }
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
  | { readonly type: 'result'; readonly job: JobId; readonly finished: FinishedResult }
  | { readonly type: 'done'; readonly job: JobId }
  | { readonly type: 'failed'; readonly job: JobId; readonly report: ErrorReport }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly id: number; readonly report: ErrorReport };

/** A process at the other end of a pipe: a forked Node process or an Electron utility process. */
export interface EnginePort {
  send(message: ToEngine): void;
  onMessage(listener: (message: FromEngine) => void): void;
  onExit(listener: (reason: string) => void): void;
  /** Ends the process at once, whatever it is doing. */
  kill(): void;
}
