import { randomBytes } from 'node:crypto';
import type { EngineEvent } from '#engine/jobs/engine-api.ts';
import type { CallArguments } from '#shared/api/calls.ts';
import type { JobId, JobPurpose, JobState } from '#shared/api/generation.ts';
import type { Settings } from '#shared/api/settings.ts';
import type { DocumentRecords } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import type { StudioParts } from './parts.ts';
import type { ResultStore } from './result-store.ts';
import type { SessionBlobs } from './session-blobs.ts';

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
  readonly #stop: () => void;
  #onStored: () => void = () => undefined;

  constructor(parts: StudioParts, results: ResultStore, drafts: SessionBlobs) {
    this.#drafts = drafts;
    this.#parts = parts;
    this.#results = results;
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
    const job = `job-${Date.now().toString(36)}-${randomBytes(5).toString('hex')}`;
    this.#jobs.set(job, { window, purpose: kind, state: 'queued' });
    try {
      this.#parts.engine.submit(job, { ...request, records: this.#withDefaultPack(request.records) });
    } catch (error) {
      this.#jobs.delete(job);
      throw error;
    }
    return { job };
  }

  /** A window is gone for good: its drafts are nobody's any more; what it ordered for the history goes on. */
  windowGone(window: string): void {
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
        hub.emit('queue.changed', { jobs: [...event.jobs], paused: event.paused });
        break;
      case 'job':
        this.#note(event.job.id, event.job.state);
        if (event.job.error) log.warning(`${event.job.id}: ${event.job.error.code}: ${event.job.error.message}`);
        hub.emit('job.changed', { job: event.job });
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
      case 'crashed': {
        const { message, kept, remedy } = event.report;
        log.error(`engine: ${message}`);
        hub.emit('notice', { level: 'error', message, kept, remedy });
        break;
      }
    }
  }

  #note(id: JobId, state: JobState): void {
    const job = this.#jobs.get(id);
    if (!job) return;
    if (state === 'queued' || state === 'running') job.state = state;
    else this.#jobs.delete(id);
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
  }
}
