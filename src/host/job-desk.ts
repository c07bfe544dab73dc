import { randomBytes } from 'node:crypto';
import type { EngineEvent } from '#engine/jobs/engine-api.ts';
import type { CallArguments } from '#shared/api/calls.ts';
import type {
  GenerateRequest,
  JobAbout,
  JobId,
  JobPurpose,
  JobState,
  JobSummary,
  Result,
} from '#shared/api/generation.ts';
import type { Settings } from '#shared/api/settings.ts';
import { sceneOf, toDocument } from '#shared/document/document.ts';
import type { DocumentRecords } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import { describeChanges } from '#library/changes.ts';
import type { Compared } from '#library/changes.ts';
import { detailPass } from './detail-pass.ts';
import { ProgressGate } from './progress-gate.ts';
import type { StudioParts } from './parts.ts';
import type { ResultStore } from './result-store.ts';
import type { SessionBlobs } from './session-blobs.ts';

/** Changes told of a job: a line of the queue holds no more. */
const CHANGES = 4;

interface KnownJob {
  readonly window: string;
  readonly purpose: JobPurpose['kind'];
  state: JobState;
}

/** Takes jobs from windows to the engine, and what the engine says to windows and the history. */
export class JobDesk {
  readonly #parts: StudioParts;
  readonly #results: ResultStore;
  readonly #drafts: SessionBlobs;
  readonly #jobs = new Map<JobId, KnownJob>();
  /** What is said of jobs in lists; those that the engine has forgotten go with the next list. */
  readonly #about = new Map<JobId, JobAbout>();
  /** Orders whose pictures get detail passes, until they are over. */
  readonly #detailed = new Map<JobId, { readonly window: string; readonly request: GenerateRequest }>();
  /** What each window ordered last, without drafts. */
  readonly #last = new Map<string, GenerateRequest>();
  readonly #gate: ProgressGate;
  readonly #stop: () => void;
  #onStored: () => void = () => undefined;

  constructor(parts: StudioParts, results: ResultStore, drafts: SessionBlobs) {
    this.#drafts = drafts;
    this.#parts = parts;
    this.#results = results;
    this.#gate = new ProgressGate((job) => parts.hub.emit('job.changed', { job: this.#withAbout(job) }));
    this.#stop = parts.engine.on((event) => this.#tell(event));
  }

  /** Called after each result that the history took. */
  set onStored(listener: () => void) {
    this.#onStored = listener;
  }

  start(request: CallArguments<'generate.start'>, window: string): { job: JobId } {
    const { kind } = request.purpose;
    // A picture of a drawing that has moved on is of no use: what this window still has waiting gives way.
    if (kind === 'live') this.#cancelOf(window, (job) => job.purpose === 'live' && job.state === 'queued');
    return { job: this.#submit(request, window, this.#describe(request, window)) };
  }

  list(): { jobs: JobSummary[]; paused: boolean } {
    const { jobs, paused } = this.#parts.engine.list();
    return { jobs: jobs.map((job) => this.#withAbout(job)), paused };
  }

  cost(request: CallArguments<'generate.cost'>): ReturnType<StudioParts['engine']['cost']> {
    return this.#parts.engine.cost({ ...request, records: this.#withDefaultPack(request.records) });
  }

  /** A window is gone for good: its drafts are nobody's any more; what it ordered for the history goes on. */
  windowGone(window: string): void {
    this.#last.delete(window);
    this.#cancelOf(window, (job) => job.purpose === 'live' || job.purpose === 'grid');
  }

  async announceDevice(device: Settings['device']): Promise<void> {
    try {
      const devices = await this.#parts.engine.devices(false);
      const found = devices.find((one) => one.id === device) ?? devices.find((one) => one.available);
      if (found) this.#parts.hub.emit('device.changed', { device: found });
    } catch (error) {
      this.#parts.log.warning(`devices: ${StudioError.from(error).message}`);
    }
  }

  close(): void {
    this.#stop();
    this.#gate.close();
  }

  #submit(request: GenerateRequest, window: string, about: JobAbout): JobId {
    const job = `job-${Date.now().toString(36)}-${randomBytes(5).toString('hex')}`;
    this.#jobs.set(job, { window, purpose: request.purpose.kind, state: 'queued' });
    this.#about.set(job, about);
    if (request.detail.length > 0) this.#detailed.set(job, { window, request });
    try {
      this.#parts.engine.submit(job, { ...request, records: this.#withDefaultPack(request.records) });
    } catch (error) {
      for (const known of [this.#jobs, this.#about, this.#detailed]) known.delete(job);
      throw error;
    }
    return job;
  }

  /** The next detail pass of a picture that was just made, before everything else that waits. */
  #orderDetail(made: Result): void {
    const order = this.#detailed.get(made.job);
    const request = order && detailPass(made, order.request.detail);
    if (!request) return;
    const changes = describeChanges(made, { ...made, purpose: request.purpose });
    const job = this.#submit(request, order.window, { seed: made.seed, changes, detail: true });
    // It may have begun already.
    if (this.#jobs.get(job)?.state === 'queued') this.#parts.engine.move(job, 'front');
  }

  #describe(request: GenerateRequest, window: string): JobAbout {
    const draft = request.purpose.kind === 'live' || request.purpose.kind === 'grid';
    const before = draft ? undefined : this.#last.get(window);
    if (!draft) this.#last.set(window, request);
    const changes = before ? describeChanges(ordered(before), ordered(request)) : [];
    return { seed: sceneOf(toDocument(request.records)).seed, changes: changes.slice(0, CHANGES), detail: false };
  }

  #withAbout(job: JobSummary): JobSummary {
    const about = this.#about.get(job.id);
    return about ? { ...job, about } : job;
  }

  #cancelOf(window: string, which: (job: KnownJob) => boolean): void {
    for (const [id, job] of this.#jobs)
      if (job.window === window && which(job)) {
        try {
          this.#parts.engine.cancel(id, false);
        } catch {
          // Finished in this very moment.
        }
      }
  }

  #withDefaultPack(records: DocumentRecords): DocumentRecords {
    const { defaultPack } = this.#parts.settings.get();
    if (defaultPack === null) return records;
    return records.map((record) =>
      record.type === 'scene' && record.pack === null ? { ...record, pack: defaultPack } : record,
    );
  }

  #tell(event: EngineEvent): void {
    const { hub, log } = this.#parts;
    switch (event.type) {
      case 'queue':
        for (const job of event.jobs) this.#note(job.id, job.state);
        this.#forget(event.jobs);
        this.#gate.caughtUp();
        hub.emit('queue.changed', { jobs: event.jobs.map((job) => this.#withAbout(job)), paused: event.paused });
        break;
      case 'job':
        this.#note(event.job.id, event.job.state);
        if (event.job.error) log.warning(`${event.job.id}: ${event.job.error.code}: ${event.job.error.message}`);
        this.#gate.note(event.job);
        break;
      case 'preview':
        hub.emit('job.preview', {
          job: event.job,
          image: event.image,
          step: event.step,
          png: new Uint8Array(event.png),
        });
        break;
      case 'picture':
        this.#drafts.note(event.picture);
        hub.emit('job.picture', { job: event.job, index: event.index, picture: event.picture, point: event.point });
        break;
      case 'result':
        void this.#store(event);
        break;
      case 'packs':
        hub.emit('packs.changed', {});
        break;
      case 'crashed': {
        const { message, kept, remedy } = event.report;
        log.error(`engine: ${message}`);
        hub.emit('notice', { level: 'error', message, kept, remedy });
        break;
      }
    }
  }

  #forget(listed: readonly JobSummary[]): void {
    const ids = new Set(listed.map(({ id }) => id));
    for (const id of this.#about.keys())
      if (!ids.has(id) && !this.#jobs.has(id)) {
        this.#about.delete(id);
        this.#detailed.delete(id);
      }
  }

  #note(id: JobId, state: JobState): void {
    const job = this.#jobs.get(id);
    if (!job) return;
    if (state === 'queued' || state === 'running') job.state = state;
    else this.#jobs.delete(id);
    // What was called off, or came to nothing, has no second pass.
    if (state === 'cancelled' || state === 'failed') this.#detailed.delete(id);
  }

  async #store({ finished }: Extract<EngineEvent, { type: 'result' }>): Promise<void> {
    const { hub, log } = this.#parts;
    const result = await this.#results.add(finished, (error) => {
      const why = StudioError.from(error);
      log.error(`history: ${why.message}`);
      hub.emit('notice', {
        level: 'warning',
        message: `the history could not take the picture: ${why.message}`,
        kept: 'it is shown until the studio is closed',
        remedy: why.remedy ?? 'save or export it now',
      });
    });
    hub.emit('result.added', { result });
    this.#onStored();
    try {
      this.#orderDetail(finished.result);
    } catch (error) {
      const why = StudioError.from(error);
      log.error(`detail pass: ${why.message}`);
      hub.emit('notice', {
        level: 'warning',
        message: `the detail pass could not be ordered: ${why.message}`,
        kept: 'the picture is in the history',
        remedy: 'make the segment anew from there',
      });
    }
  }
}

/** An order as describeChanges compares results. Which pack will make it is the engine's to say, not a change here. */
function ordered(request: GenerateRequest): Compared {
  const { seed, width, height, pack } = sceneOf(toDocument(request.records));
  const id = pack ?? '';
  return {
    records: request.records,
    seed,
    width,
    height,
    purpose: request.purpose,
    pack: { id, name: id, fingerprint: id },
  };
}
