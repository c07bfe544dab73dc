import type { GenerateRequest, JobId, JobSummary } from '#shared/api/generation.ts';
import { sceneOf, toDocument } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import type { EngineConfig, EngineEvent, EngineHandle } from './engine-api.ts';
import { forkNodeEngine } from './node-port.ts';
import type { Answers, EnginePort, EngineSetup, FromEngine, Question } from './protocol.ts';
import { JobQueue, isOver } from './queue.ts';

export interface EngineOptions {
  readonly modelsFolder: string;
  readonly dataFolder: string;
  readonly blobFolder: string;
  readonly config: EngineConfig;
  /** Starts the process; default: a forked Node process. */
  readonly start?: () => EnginePort;
  readonly onNotice?: (notice: { level: 'info' | 'warning' | 'error'; message: string; remedy?: string }) => void;
}

/** A soft cancel that is not obeyed in this time becomes a hard one (a pass of a large model can take minutes). */
const SOFT_CANCEL_MS = 1500;
/** More deaths than this in a row without a finished job between them: something is wrong with the machine. */
const MOST_DEATHS = 5;

/** What the end of the process says. Reading weights beyond the end of a file that was cut ends it by SIGBUS. */
function crashOf(reason: string): StudioError {
  const kept = 'the scene, the other jobs and all finished pictures';
  if (reason.includes('SIGBUS'))
    return new StudioError('crashed', 'a model file was cut or could not be read while a picture was being made', {
      kept,
      remedy: 'put the file back as it was and generate again, or choose another model',
    });
  return new StudioError('crashed', `the engine process stopped (${reason})`, {
    kept,
    remedy: 'generate again; if it happens again, choose a smaller size, fewer pictures or another device',
  });
}

/** The engine behind its queue; see EngineHandle. */
export function openEngine(options: EngineOptions): EngineHandle {
  return new EngineHost(options);
}

class EngineHost implements EngineHandle {
  readonly #options: EngineOptions;
  readonly #queue = new JobQueue();
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: StudioError) => void }>();
  #config: EngineConfig;
  #port: EnginePort | undefined;
  #nextQuestion = 1;
  #deaths = 0;
  #closed = false;
  #softCancel: NodeJS.Timeout | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#config = options.config;
  }

  submit(job: JobId, request: Parameters<EngineHandle['submit']>[1]): void {
    const scene = sceneOf(toDocument(request.records));
    this.#queue.add(job, request, scene.title || scene.text || 'Untitled', Date.now());
    this.#emitQueue();
    this.#pump();
  }

  cancel(job: JobId, hard: boolean): void {
    const summary = this.#queue.get(job);
    if (!summary || isOver(summary)) return;
    if (summary.state === 'queued') {
      this.#finish(job, { state: 'cancelled' });
      return;
    }
    if (hard) {
      this.#killFor(job);
      return;
    }
    this.#port?.send({ type: 'cancel', job });
    clearTimeout(this.#softCancel);
    this.#softCancel = setTimeout(() => {
      if (this.#queue.get(job)?.state === 'running') this.#killFor(job);
    }, SOFT_CANCEL_MS);
  }

  /** The job is over at once: its process is given up, and the next job gets a new one. */
  #killFor(job: JobId): void {
    const port = this.#port;
    this.#port = undefined;
    this.#refuseWaiting(new StudioError('busy', 'the engine was stopped', { remedy: 'ask again' }));
    port?.kill();
    this.#finish(job, { state: 'cancelled' });
    this.#emit({ type: 'packs' });
  }

  #refuseWaiting(error: StudioError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  pause(paused: boolean): void {
    this.#queue.paused = paused;
    this.#emitQueue();
    this.#pump();
  }

  move(job: JobId, to: 'front' | 'back'): void {
    this.#queue.move(job, to);
    this.#emitQueue();
  }

  list(): { jobs: JobSummary[]; paused: boolean } {
    return { jobs: this.#queue.list(), paused: this.#queue.paused };
  }

  on(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  configure(config: EngineConfig): void {
    this.#config = config;
    // The process takes the new setup before its next job; the running one ends as it began.
    this.#port?.send({ type: 'setup', setup: this.#setup() });
  }

  packs(): Promise<Answers['packs']> {
    return this.#ask({ kind: 'packs' });
  }
  addPack(path: string): Promise<Answers['add-pack']> {
    return this.#ask({ kind: 'add-pack', path });
  }
  lookAt(path: string): Promise<Answers['look-at']> {
    return this.#ask({ kind: 'look-at', path });
  }
  modelFolders(): Promise<Answers['model-folders']> {
    return this.#ask({ kind: 'model-folders' });
  }
  cost(request: GenerateRequest): Promise<Answers['cost']> {
    return this.#ask({ kind: 'cost', request });
  }
  async rest(): Promise<void> {
    await this.#ask({ kind: 'rest' });
  }
  async removePack(id: string): Promise<void> {
    await this.#ask({ kind: 'remove-pack', id });
  }
  devices(probe: boolean): Promise<Answers['devices']> {
    return this.#ask({ kind: 'devices', probe });
  }
  embed(pack: string | null, content: Extract<Question, { kind: 'embed' }>['content']): Promise<Answers['embed']> {
    return this.#ask({ kind: 'embed', pack, content });
  }

  close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#softCancel);
    for (const job of this.#queue.list()) if (!isOver(job)) this.#finish(job.id, { state: 'cancelled' });
    const port = this.#port;
    if (!port) return Promise.resolve();
    return new Promise((resolve) => {
      port.onExit(() => resolve());
      this.#closing = resolve;
      port.kill();
    });
  }
  #closing: (() => void) | undefined;

  #ask<K extends Question['kind']>(question: Extract<Question, { kind: K }>): Promise<Answers[K]> {
    const id = this.#nextQuestion;
    this.#nextQuestion += 1;
    return new Promise<Answers[K]>((resolve, reject) => {
      let port: EnginePort;
      try {
        port = this.#process();
      } catch (error) {
        reject(StudioError.from(error));
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      port.send({ type: 'ask', id, question });
    });
  }

  #setup(): EngineSetup {
    const { modelsFolder, dataFolder, blobFolder } = this.#options;
    return { modelsFolder, dataFolder, blobFolder, ...this.#config };
  }

  #process(): EnginePort {
    if (this.#closed) throw new StudioError('busy', 'the studio is closing');
    if (this.#port) return this.#port;
    const port = (this.#options.start ?? forkNodeEngine)();
    this.#port = port;
    port.onMessage((message) => {
      if (this.#port === port) this.#onMessage(message);
    });
    port.onExit((reason) => this.#onExit(port, reason));
    port.send({ type: 'setup', setup: this.#setup() });
    return port;
  }

  #pump(): void {
    if (this.#closed) return;
    const next = this.#queue.next();
    if (!next) return;
    const job = this.#queue.update(next.id, { state: 'running' });
    this.#emit({ type: 'job', job });
    try {
      this.#process().send({ type: 'run', job: next.id, request: next.request });
    } catch (error) {
      this.#finish(next.id, { state: 'failed', error: StudioError.from(error, 'starting the engine').toReport() });
    }
  }

  #onMessage(message: FromEngine): void {
    switch (message.type) {
      case 'ready':
        break;
      case 'notice':
        this.#options.onNotice?.({ level: message.level, message: message.message });
        break;
      case 'packs-changed':
        this.#emit({ type: 'packs' });
        break;
      case 'progress':
        if (this.#queue.get(message.job)?.state === 'running')
          this.#emit({ type: 'job', job: this.#queue.update(message.job, { progress: message.progress }) });
        break;
      case 'preview':
      case 'picture':
        this.#emit(message);
        break;
      case 'result': {
        const job = this.#queue.get(message.job);
        if (job) this.#queue.update(message.job, { results: [...job.results, message.finished.result.id] });
        this.#emit({ type: 'result', finished: message.finished });
        break;
      }
      case 'done':
        this.#deaths = 0;
        this.#finish(message.job, { state: 'done' });
        break;
      case 'failed':
        this.#deaths = 0;
        this.#finish(
          message.job,
          message.report.code === 'cancelled' ? { state: 'cancelled' } : { state: 'failed', error: message.report },
        );
        break;
      case 'answer':
        this.#waiting.get(message.id)?.resolve(message.value as never);
        this.#waiting.delete(message.id);
        break;
      case 'refusal':
        this.#waiting.get(message.id)?.reject(StudioError.fromReport(message.report));
        this.#waiting.delete(message.id);
        break;
    }
  }

  #onExit(port: EnginePort, reason: string): void {
    if (this.#port !== port) return;
    this.#port = undefined;
    clearTimeout(this.#softCancel);
    const crash = crashOf(reason);
    this.#refuseWaiting(crash);
    if (this.#closed) {
      this.#closing?.();
      return;
    }
    const running = this.#queue.running();
    this.#deaths += 1;
    this.#emit({ type: 'crashed', report: crash.toReport() });
    this.#emit({ type: 'packs' });
    if (this.#deaths >= MOST_DEATHS && !this.#queue.paused) {
      this.#queue.paused = true;
      this.#deaths = 0;
      this.#options.onNotice?.({
        level: 'error',
        message: `the engine stopped ${MOST_DEATHS} times in a row; the queue is paused`,
        remedy: 'choose another device in the settings, then go on',
      });
    }
    if (running) this.#finish(running.id, { state: 'failed', error: crash.toReport() });
  }

  #finish(job: JobId, change: Partial<JobSummary>): void {
    clearTimeout(this.#softCancel);
    this.#emit({ type: 'job', job: this.#queue.update(job, change) });
    this.#emitQueue();
    this.#pump();
  }

  #emitQueue(): void {
    this.#emit({ type: 'queue', jobs: this.#queue.list(), paused: this.#queue.paused });
  }

  #emit(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
