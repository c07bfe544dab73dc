import path from 'node:path';
import { mkdir } from 'node:fs/promises';
import type { GenerateRequest, JobId } from '#shared/api/generation.ts';
import { sceneOf, toDocument } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import { openBlobStore } from '../blobs/blob-store.ts';
import type { OpenModel } from '#shared/api/packs.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { PackCatalogue } from '../packs/catalogue.ts';
import { openHashLedger } from '../packs/hash-ledger.ts';
import { setModelsFolder } from '../packs/models-folder.ts';
import { openSpeedLedger } from '../pipelines/speed-ledger.ts';
import type { SpeedLedger } from '../pipelines/speed-ledger.ts';
import { packReaders, openMaker } from '../pipelines/makers.ts';
import type { OpenedPack } from '../pipelines/makers.ts';
import type { JobContext, Maker } from '../pipelines/maker.ts';
import { lookAt } from '../stock/look.ts';
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
  #speeds: SpeedLedger | undefined;
  #device: Promise<ChosenDevice> | undefined;
  #maker: { readonly id: string; readonly rests: boolean; readonly maker: Maker } | undefined;
  /** The maker whose networks are closed until its next job. */
  #resting: Maker | undefined;
  #running: JobId | undefined;
  readonly #cancelled = new Set<JobId>();
  /** Work on networks happens one after another: a question waits for its turn between two passes. */
  #setupChanged = false;
  #rest: NodeJS.Timeout | undefined;
  #restsAt: number | null = null;

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
    if (before && before.restMinutes !== setup.restMinutes && this.#running === undefined) this.#restLater();
    setModelsFolder(setup.modelsFolder);
    this.#blobs = openBlobStore(setup.blobFolder);
    if (before && (before.device !== setup.device || before.threads !== setup.threads)) this.#setupChanged = true;
    if (!before) {
      this.#speeds = openSpeedLedger(path.join(setup.dataFolder, 'speeds.json'));
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
    this.#stopResting();
    try {
      const { blobs, setup } = this.#ready();
      await mkdir(setup.dataFolder, { recursive: true }).catch((error: unknown) => {
        throw StudioError.from(error, 'preparing the data folder');
      });
      const maker = await this.#makerFor(sceneOf(toDocument(request.records)).pack);
      this.#resting = undefined;
      await maker.run(request, this.#context(job, blobs));
      this.#send({ type: 'done', job });
    } catch (error) {
      this.#send({ type: 'failed', job, report: StudioError.from(error).toReport() });
    } finally {
      this.#running = undefined;
      this.#cancelled.delete(job);
      this.#restLater();
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
      notice: (message) => this.#send({ type: 'notice', level: 'warning', message }),
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
      this.#maker = {
        id: opened.fingerprint,
        rests: opened.kind === 'stock',
        maker: openMaker(opened, summary, await this.#chosenDevice(), this.#speeds),
      };
    return this.#maker.maker;
  }

  #stopResting(): void {
    clearTimeout(this.#rest);
    this.#rest = undefined;
    this.#restsAt = null;
  }

  /** Gigabytes are not held for an artist who has gone for a coffee. The embedded pack is small and stays. */
  #restLater(): void {
    this.#stopResting();
    const { restMinutes } = this.#ready().setup;
    if (this.#maker?.rests && restMinutes > 0) {
      this.#restsAt = Date.now() + restMinutes * 60_000;
      this.#rest = setTimeout(() => void this.#restNow(), restMinutes * 60_000);
      this.#rest.unref();
    }
    this.#send({ type: 'packs-changed' });
  }

  async #restNow(): Promise<void> {
    if (this.#running !== undefined) return;
    this.#stopResting();
    const resting = this.#maker;
    if (!resting?.rests) return;
    // The maker stays: it knows how fast this machine is with it, and opens its networks again by itself.
    this.#resting = resting.maker;
    await resting.maker.release();
    this.#send({ type: 'packs-changed' });
  }

  /** What a window is told of the model in memory. */
  #openModel(): OpenModel | null {
    if (!this.#maker?.rests || this.#resting === this.#maker.maker) return null;
    return { pack: this.#maker.maker.summary.id, bytes: process.memoryUsage.rss(), restsAt: this.#restsAt };
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
        return { ...(await catalogue.list()), open: this.#openModel() };
      case 'rest':
        await this.#restNow();
        return null;
      case 'add-pack':
        return catalogue.add(question.path);
      case 'cost': {
        const { pack } = sceneOf(toDocument(question.request.records));
        const { summary, opened } = await catalogue.get(pack);
        if (opened.kind === 'pixel') return null;
        // The maker at work knows its speed best; another model is only looked at for this.
        const maker =
          this.#maker?.id === opened.fingerprint
            ? this.#maker.maker
            : openMaker(opened, summary, await this.#chosenDevice(), this.#speeds);
        const cost = (await maker.cost?.(question.request, blobs)) ?? null;
        if (maker !== this.#maker?.maker) await maker.release();
        return cost;
      }
      case 'look-at':
        return lookAt(question.path, await catalogue.all());
      case 'model-folders':
        return [
          ...new Set((await catalogue.all()).filter(({ added }) => added).map(({ path: at }) => path.dirname(at))),
        ];
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
