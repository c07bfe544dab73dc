import path from 'node:path';
import { mkdir } from 'node:fs/promises';
import type { GenerateRequest, JobId } from '#shared/api/generation.ts';
import { sceneOf, toDocument } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import { openBlobStore } from '../blobs/blob-store.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { PackCatalogue } from '../packs/catalogue.ts';
import { openHashLedger } from '../packs/hash-ledger.ts';
import { setModelsFolder } from '../packs/models-folder.ts';
import { packReaders, openMaker } from '../pipelines/makers.ts';
import type { OpenedPack } from '../pipelines/makers.ts';
import type { JobContext, Maker } from '../pipelines/maker.ts';
import { chooseDevice, listDevices } from '../runtime/devices.ts';
import type { ChosenDevice } from '../runtime/devices.ts';
import type { Answers, EngineSetup, FromEngine, Question, ToEngine } from './protocol.ts';

/** Messages come in between two passes at most this often, so that breathing costs nothing measurable. */
const nextTick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What the engine process does, without the process: tests drive it directly. */
export class EngineWorker {
  readonly #send: (message: FromEngine) => void;
  #setup: EngineSetup | undefined;
  #blobs: BlobStore | undefined;
  #catalogue: PackCatalogue<OpenedPack> | undefined;
  #device: Promise<ChosenDevice> | undefined;
  #maker: { readonly id: string; readonly maker: Maker } | undefined;
  #running: JobId | undefined;
  readonly #cancelled = new Set<JobId>();
  /** Work on networks happens one after another: a question waits for its turn between two passes. */
  #setupChanged = false;

  constructor(send: (message: FromEngine) => void) {
    this.#send = send;
  }

  receive(message: ToEngine): void {
    switch (message.type) {
      case 'setup':
        this.#takeSetup(message.setup);
        break;
      case 'run':
        void this.#run(message.job, message.request);
        break;
      case 'cancel':
        this.#cancelled.add(message.job);
        break;
      case 'ask':
        void this.#answer(message.id, message.question);
        break;
    }
  }

  #takeSetup(setup: EngineSetup): void {
    const before = this.#setup;
    this.#setup = setup;
    setModelsFolder(setup.modelsFolder);
    this.#blobs = openBlobStore(setup.blobFolder);
    if (before && (before.device !== setup.device || before.threads !== setup.threads)) this.#setupChanged = true;
    if (!before) {
      const ledger = openHashLedger(path.join(setup.dataFolder, 'pack-hashes.json'));
      this.#catalogue = new PackCatalogue(
        setup.modelsFolder,
        path.join(setup.dataFolder, 'packs.json'),
        packReaders(ledger),
      );
    }
  }

  #ready(): { setup: EngineSetup; blobs: BlobStore; catalogue: PackCatalogue<OpenedPack> } {
    if (!this.#setup || !this.#blobs || !this.#catalogue)
      throw new StudioError('internal', 'the engine has no setup yet');
    return { setup: this.#setup, blobs: this.#blobs, catalogue: this.#catalogue };
  }

  async #run(job: JobId, request: GenerateRequest): Promise<void> {
    if (this.#running !== undefined) {
      const report = new StudioError('busy', `the job ${this.#running} is still running`).toReport();
      this.#send({ type: 'failed', job, report });
      return;
    }
    this.#running = job;
    try {
      const { blobs, setup } = this.#ready();
      await mkdir(setup.dataFolder, { recursive: true }).catch((error: unknown) => {
        throw StudioError.from(error, 'preparing the data folder');
      });
      const maker = await this.#makerFor(sceneOf(toDocument(request.records)).pack);
      await maker.run(request, this.#context(job, blobs));
      this.#send({ type: 'done', job });
    } catch (error) {
      this.#send({ type: 'failed', job, report: StudioError.from(error).toReport() });
    } finally {
      this.#running = undefined;
      this.#cancelled.delete(job);
    }
  }

  #context(job: JobId, blobs: BlobStore): JobContext {
    return {
      job,
      blobs,
      progress: (progress) => this.#send({ type: 'progress', job, progress }),
      preview: (image, step, png) => this.#send({ type: 'preview', job, image, step, png }),
      picture: (index, picture, point) => this.#send({ type: 'picture', job, index, picture, point }),
      result: (finished) => this.#send({ type: 'result', job, finished }),
      breathe: async () => {
        await nextTick();
        if (this.#cancelled.has(job))
          throw new StudioError('cancelled', 'the job was cancelled', { kept: 'all pictures finished before' });
      },
    };
  }

  /** The maker of a pack; one stays loaded, so that turning a dial does not load networks again. */
  async #makerFor(pack: string | null): Promise<Maker> {
    const { catalogue } = this.#ready();
    const { summary, opened } = await catalogue.get(pack);
    if (this.#maker && (this.#maker.id !== opened.fingerprint || this.#setupChanged)) {
      const old = this.#maker.maker;
      this.#maker = undefined;
      await old.release();
    }
    if (this.#setupChanged) {
      this.#setupChanged = false;
      this.#device = undefined;
    }
    if (!this.#maker)
      this.#maker = { id: opened.fingerprint, maker: openMaker(opened, summary, await this.#chosenDevice()) };
    return this.#maker.maker;
  }

  async #chosenDevice(): Promise<ChosenDevice> {
    const { setup } = this.#ready();
    this.#device ??= chooseDevice(setup.device, setup.threads).then((device) => {
      if (device.fallback) this.#send({ type: 'notice', level: 'warning', message: device.fallback });
      return device;
    });
    return this.#device;
  }

  async #answer(id: number, question: Question): Promise<void> {
    try {
      this.#send({ type: 'answer', id, value: await this.#valueOf(question) });
    } catch (error) {
      this.#send({ type: 'refusal', id, report: StudioError.from(error).toReport() });
    }
  }

  async #valueOf(question: Question): Promise<Answers[Question['kind']]> {
    const { catalogue, blobs } = this.#ready();
    switch (question.kind) {
      case 'packs':
        return catalogue.list();
      case 'add-pack':
        return catalogue.add(question.path);
      case 'remove-pack':
        await catalogue.remove(question.id);
        return null;
      case 'devices':
        return listDevices(question.probe);
      case 'embed': {
        // While a job runs its maker must stay: a question about another pack would throw it out.
        if (
          this.#running !== undefined &&
          this.#maker &&
          question.pack !== null &&
          question.pack !== this.#maker.maker.summary.id
        )
          throw new StudioError('busy', 'another pack is working', { remedy: 'ask again when the job is done' });
        const maker =
          this.#running !== undefined && this.#maker ? this.#maker.maker : await this.#makerFor(question.pack);
        return maker.embed(question.content, blobs);
      }
    }
  }
}
