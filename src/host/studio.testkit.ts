import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openBlobStore } from '#engine/blobs/blob-store.ts';
import type { EngineConfig, EngineEvent, EngineHandle, FinishedResult } from '#engine/jobs/engine-api.ts';
import type { Library } from '#library/library-api.ts';
import type { DocumentKeeper } from '#project/project-api.ts';
import type { OpenDocument } from '#shared/api/calls.ts';
import type { AnyEvent, EventName, EventPayload } from '#shared/api/events.ts';
import type { Reply } from '#shared/api/wire.ts';
import type { GenerateRequest, JobId, JobSummary, Result } from '#shared/api/generation.ts';
import type { DeviceInfo, LookedAt, PackSummary } from '#shared/api/packs.ts';
import { createScene, createSegment } from '#shared/document/create.ts';
import { applyDiff } from '#shared/document/diff.ts';
import { sceneOf, toDocument, toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { DocumentRecord } from '#shared/document/records.ts';
import { writeScene } from '#shared/document/scene-file.ts';
import { StudioError } from '#shared/errors.ts';
import { EventHub } from './event-hub.ts';
import { Examples } from './examples.ts';
import { Log } from './log.ts';
import type { Formats, StudioParts } from './parts.ts';
import { NoticeBoard } from './notice-board.ts';
import { PathGrants } from './path-grants.ts';
import { SessionStrip } from './session-strip.ts';
import { SettingsStore } from './settings-store.ts';
import type { Shell } from './shell.ts';
import { Studio } from './studio.ts';

/** A 1 x 1 PNG. */
export const PNG = new Uint8Array(
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
);

export const sampleRecords = (text = 'a beach'): DocumentRecord[] => [
  createScene({ title: 'Beach', text }),
  ...createSegment('ball', 'a red ball', [{ kind: 'rect', x: 100, y: 100, width: 200, height: 200 }]),
];

const PACK: PackSummary = {
  id: 'sample-pack',
  name: 'Sample',
  kind: 'spatext-pixel',
  licence: 'MIT',
  source: 'embedded',
  bytes: 1000,
  mapSize: { width: 64, height: 64 },
  outputSize: { width: 512, height: 512 },
  anySize: false,
  defaults: { sampler: 'ddim', steps: 20, mode: 'multi', globalScale: 1.5, localScale: 3 },
  abilities: ['segments'],
  problem: null,
};

const DEVICE: DeviceInfo = { id: 'cpu', name: 'Processor', available: true, message: '2 cores' };

export const sampleResult = (id: string, createdAt = 1000, records = sampleRecords()): Result => ({
  id,
  job: 'job-1',
  createdAt,
  kind: 'generate',
  picture: 'a'.repeat(64),
  width: 512,
  height: 512,
  seed: 7,
  pack: { id: PACK.id, name: PACK.name, fingerprint: 'f' },
  parents: [],
  records,
  purpose: { kind: 'generate' },
  passes: 60,
  timings: { denoise: 10 },
  scores: [],
  globalScore: 0.3,
  warnings: [],
});

export const finished = (result: Result): FinishedResult => ({
  result,
  embeddings: [{ segment: 'segment:ball', text: 'a red ball', values: new Float32Array([0.6, 0.8]) }],
  space: 'test',
});

/** An engine that does what the test says, and remembers what it was asked. */
export class FakeEngine implements EngineHandle {
  readonly submitted: { job: JobId; request: GenerateRequest }[] = [];
  readonly cancelled: { job: JobId; hard: boolean }[] = [];
  readonly configured: EngineConfig[] = [];
  closed = false;
  embedFails = false;
  #jobs: JobSummary[] = [];
  #paused = false;
  readonly #listeners = new Set<(event: EngineEvent) => void>();

  emit(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
  setState(job: JobId, state: JobSummary['state']): void {
    this.#jobs = this.#jobs.map((one) => (one.id === job ? { ...one, state } : one));
    const summary = this.#jobs.find((one) => one.id === job);
    if (summary) this.emit({ type: 'job', job: summary });
  }

  submit(job: JobId, request: GenerateRequest): void {
    this.submitted.push({ job, request });
    this.#jobs.push({
      id: job,
      state: 'queued',
      purpose: request.purpose,
      title: sceneOf(toDocument(request.records)).title,
      createdAt: 1,
      progress: null,
      error: null,
      results: [],
    });
    this.emit({ type: 'queue', ...this.list() });
  }
  cancel(job: JobId, hard: boolean): void {
    this.cancelled.push({ job, hard });
    this.setState(job, 'cancelled');
  }
  pause(paused: boolean): void {
    this.#paused = paused;
    this.emit({ type: 'queue', ...this.list() });
  }
  move(): void {
    this.emit({ type: 'queue', ...this.list() });
  }
  list(): { jobs: JobSummary[]; paused: boolean } {
    return { jobs: [...this.#jobs], paused: this.#paused };
  }
  on(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  configure(config: EngineConfig): void {
    this.configured.push(config);
  }
  async packs(): Promise<{ packs: PackSummary[]; defaultPack: string; open: null }> {
    return { packs: [PACK, { ...PACK, id: 'second-pack' }], defaultPack: PACK.id, open: null };
  }
  async addPack(): Promise<PackSummary> {
    return PACK;
  }
  async lookAt(file: string): Promise<LookedAt> {
    return { path: file, name: path.basename(file), bytes: 8, kind: 'lora', fits: [], misfit: null };
  }
  async modelFolders(): Promise<string[]> {
    return [];
  }
  async cost(): Promise<{ passes: number; seconds: number | null } | null> {
    return { passes: 12, seconds: 3 };
  }
  async rest(): Promise<void> {}
  async removePack(): Promise<void> {}
  async devices(): Promise<DeviceInfo[]> {
    return [DEVICE];
  }
  async embed(): Promise<{ values: Float32Array; space: string }> {
    if (this.embedFails) throw new StudioError('model', 'no pack can embed');
    return { values: new Float32Array([1, 0]), space: 'test' };
  }
  async close(): Promise<void> {
    this.closed = true;
  }
}

/** Documents in memory, with the keeper's promises but for the disk. */
export class FakeKeeper implements DocumentKeeper {
  readonly opened: { windowId: string; path: string }[] = [];
  readonly closedWindows: string[] = [];
  flushed = 0;
  readonly #documents = new Map<string, OpenDocument>();
  readonly #windows = new Map<string, string>();
  readonly #listeners = new Set<(saved: { id: string; sequence: number; dirty: boolean }) => void>();

  async current(windowId: string, fallback: () => StudioDocument): Promise<OpenDocument> {
    const known = this.#documents.get(this.#windows.get(windowId) ?? '');
    return known ?? this.create(windowId, fallback());
  }
  async create(windowId: string, document: StudioDocument): Promise<OpenDocument> {
    const id = `doc-${this.#documents.size + 1}`;
    const open: OpenDocument = { id, records: toRecords(document), undo: [], redo: [], file: null, dirty: false };
    this.#documents.set(id, open);
    this.#windows.set(windowId, id);
    return open;
  }
  async apply(change: Parameters<DocumentKeeper['apply']>[0]): Promise<{ sequence: number }> {
    const open = this.#get(change.id);
    const records = toRecords(applyDiff(toDocument(open.records), change.diff));
    this.#documents.set(change.id, { ...open, records, dirty: true });
    for (const listener of this.#listeners) listener({ id: change.id, sequence: change.sequence, dirty: true });
    return { sequence: change.sequence };
  }
  async save(input: Parameters<DocumentKeeper['save']>[0]): ReturnType<DocumentKeeper['save']> {
    const name = input.name ?? 'scene';
    const file = { path: input.path ?? `/projects/${name}.spatext`, name };
    this.#documents.set(input.id, { ...this.#get(input.id), file, dirty: false });
    return { file };
  }
  async open(windowId: string, file: string): Promise<OpenDocument> {
    this.opened.push({ windowId, path: file });
    const open = await this.create(windowId, toDocument(sampleRecords()));
    return { ...open, file: { path: file, name: path.basename(file) } };
  }
  async list(): ReturnType<DocumentKeeper['list']> {
    return [{ path: '/projects/scene.spatext', name: 'scene', modifiedAt: 1, bytes: 2 }];
  }
  async recoverable(): ReturnType<DocumentKeeper['recoverable']> {
    return [];
  }
  async recover(_windowId: string, id: string): Promise<OpenDocument> {
    return this.#get(id);
  }
  async discard(id: string): Promise<void> {
    this.#documents.delete(id);
  }
  async closeWindow(windowId: string): Promise<void> {
    this.closedWindows.push(windowId);
  }
  async blobsInUse(): Promise<Set<string>> {
    return new Set(['b'.repeat(64)]);
  }
  onSaved(listener: (saved: { id: string; sequence: number; dirty: boolean }) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onTrouble(): () => void {
    return () => undefined;
  }
  async flush(): Promise<void> {
    this.flushed += 1;
  }
  async close(): Promise<void> {}
  #get(id: string): OpenDocument {
    const open = this.#documents.get(id);
    if (!open) throw new StudioError('not-found', `no document ${id}`);
    return open;
  }
}

const fakeFormats: Formats = {
  async exportScene(input) {
    const text = writeScene(input.document);
    const legend = { bytes: new TextEncoder().encode('{"segments":[]}'), fileName: 'scene.npy.json' };
    return {
      bytes: new TextEncoder().encode(text),
      fileName: `scene.${input.format}`,
      type: 'text/plain',
      losses: [],
      ...(input.format === 'npy' ? { beside: [legend] } : {}),
    };
  },
  async importFile(input) {
    return { kind: 'image', blob: await input.writeBlob(input.bytes), width: 1, height: 1, hasAlpha: false };
  },
};

export const fakeShell = (over: Partial<Shell> = {}): Shell => ({
  kind: 'web',
  locale: 'en-GB',
  dialogs: null,
  openExternal: () => Promise.resolve(),
  ...over,
});

export interface TestStudio extends AsyncDisposable {
  readonly studio: Studio;
  readonly engine: FakeEngine;
  readonly keeper: FakeKeeper;
  readonly folder: string;
}

/** A studio of fakes over a folder that goes away with it. */
export function openTestStudio(
  options: { shell?: Shell; library?: Promise<Library>; examplesFolder?: string } = {},
): TestStudio {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'spatext-host-'));
  const log = new Log(null);
  const hub = new EventHub();
  const blobs = openBlobStore(path.join(folder, 'blobs'));
  const engine = new FakeEngine();
  const keeper = new FakeKeeper();
  const shell = options.shell ?? fakeShell();
  const parts: StudioParts = {
    version: '1.2.3',
    shell,
    engine,
    keeper: Promise.resolve(keeper),
    library: options.library ?? Promise.resolve(new SessionStrip()),
    formats: () => Promise.resolve(fakeFormats),
    blobs,
    settings: new SettingsStore(path.join(folder, 'settings.json'), log),
    examples: new Examples(options.examplesFolder ?? path.join(folder, 'examples'), blobs, log),
    grants: new PathGrants({ projectsFolder: path.join(folder, 'projects'), typedReads: shell.dialogs === null }),
    hub,
    notices: new NoticeBoard(hub),
    log,
  };
  const studio = new Studio(parts);
  return {
    studio,
    engine,
    keeper,
    folder,
    async [Symbol.asyncDispose]() {
      await studio.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Talks to the studio of the moment as a window does, and listens to its events. */
export function voiceOf(current: () => TestStudio) {
  const studio = (): Studio => current().studio;
  const call = async (name: string, input: unknown, window = 'window-1'): Promise<unknown> => {
    const reply = await studio().call(name, input, window);
    if (!reply.ok) throw StudioError.fromReport(reply.error);
    return reply.output;
  };
  const refusalOf = async (reply: Promise<Reply>): Promise<unknown> => {
    const answer = await reply;
    return answer.ok ? 'it was taken' : answer.error;
  };
  function eventsOf<N extends EventName>(name: N): EventPayload<N>[] {
    const heard: EventPayload<N>[] = [];
    studio().parts.hub.on((event) => {
      if (event.name === name) heard.push(event.payload as EventPayload<N>);
    });
    return heard;
  }
  const nextEvent = <N extends AnyEvent['name']>(name: N): Promise<EventPayload<N>> =>
    new Promise((resolve) => {
      const stop = studio().parts.hub.on((event) => {
        if (event.name !== name) return;
        stop();
        resolve(event.payload as EventPayload<N>);
      });
    });
  return { call, refusalOf, eventsOf, nextEvent };
}
