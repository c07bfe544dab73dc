import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { defaultDataFolder, dataFolders } from '#host/folders.ts';
import { openBlobStore } from '#engine/blobs/blob-store.ts';
import type { BlobStore } from '#engine/blobs/blob-store.ts';
import { openEngine } from '#engine/jobs/engine.ts';
import type { EngineHandle, FinishedResult } from '#engine/jobs/engine-api.ts';
import { modelsFolder } from '#engine/packs/models-folder.ts';
import type { GenerateRequest, JobId, JobProgress } from '#shared/api/generation.ts';
import { StudioError } from '#shared/errors.ts';

/** An engine of one command's own, with a blob store that goes with it. */
export interface EngineSession {
  readonly engine: EngineHandle;
  readonly blobs: BlobStore;
  /** Runs one job to its end. Ctrl+C cancels it. @throws StudioError the job's, or cancelled */
  run(request: GenerateRequest, on: RunListeners): Promise<void>;
  close(): Promise<void>;
}

export interface RunListeners {
  readonly progress?: (progress: JobProgress) => void;
  /** Called in order; the run ends only after the last one is done. */
  readonly result?: (finished: FinishedResult) => Promise<void>;
}

export async function openEngineSession(config: { device?: string; threads?: number } = {}): Promise<EngineSession> {
  const work = await mkdtemp(path.join(os.tmpdir(), 'spatext-')).catch((error: unknown) => {
    throw StudioError.from(error, 'making a working folder');
  });
  const engine = openEngine({
    modelsFolder: modelsFolder(),
    // Shared with the studio: packs added here are there, and hashes are computed once.
    dataFolder: dataFolders(defaultDataFolder()).engine,
    blobFolder: work,
    config: { device: (config.device ?? 'auto') as 'auto', threads: config.threads ?? 0, restMinutes: 0 },
    onNotice: (notice) => process.stderr.write(`spatext: ${notice.message}\n`),
  });
  const blobs = openBlobStore(work);
  let jobs = 0;
  return {
    engine,
    blobs,
    async run(request, on) {
      jobs += 1;
      const job: JobId = `job-cli-${process.pid}-${jobs}`;
      const cancel = (): void => engine.cancel(job, false);
      process.once('SIGINT', cancel);
      process.once('SIGTERM', cancel);
      let deliveries = Promise.resolve();
      let lost: StudioError | undefined;
      let stop = (): void => undefined;
      try {
        await new Promise<void>((resolve, reject) => {
          stop = engine.on((event) => {
            if (event.type === 'result' && event.finished.result.job === job)
              deliveries = deliveries
                .then(() => on.result?.(event.finished))
                .catch((error: unknown) => {
                  // Whatever comes first, the job's end or this: a picture that could not be kept is the run's failure.
                  lost ??= StudioError.from(error);
                  // First the reason: the cancellation ends the job at once, and would be taken for it.
                  reject(lost);
                  engine.cancel(job, true);
                });
            if (event.type !== 'job' || event.job.id !== job) return;
            if (event.job.state === 'running' && event.job.progress) on.progress?.(event.job.progress);
            if (event.job.state === 'done') resolve();
            if (event.job.state === 'cancelled')
              reject(new StudioError('cancelled', 'cancelled', { kept: 'the pictures finished before' }));
            if (event.job.state === 'failed')
              reject(
                event.job.error
                  ? StudioError.fromReport(event.job.error)
                  : new StudioError('internal', 'the job failed'),
              );
          });
          engine.submit(job, request);
        });
        await deliveries;
        if (lost) throw lost;
      } finally {
        stop();
        process.off('SIGINT', cancel);
        process.off('SIGTERM', cancel);
      }
    },
    async close() {
      await engine.close();
      await rm(work, { recursive: true, force: true });
    },
  };
}
