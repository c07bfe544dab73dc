import path from 'node:path';
import { openBlobStore } from '#engine/blobs/blob-store.ts';
import { openEngine } from '#engine/jobs/engine.ts';
import type { EnginePort } from '#engine/jobs/protocol.ts';
import { openLibrary } from '#library/library.ts';
import { openKeeper } from '#project/keeper.ts';
import { StudioError } from '#shared/errors.ts';
import type { Notice } from '#shared/api/studio-api.ts';
import { EventHub } from './event-hub.ts';
import { Examples } from './examples.ts';
import { dataFolders } from './folders.ts';
import { Log } from './log.ts';
import type { LogEntry } from './log.ts';
import type { Formats } from './parts.ts';
import { NoticeBoard } from './notice-board.ts';
import { PathGrants } from './path-grants.ts';
import { adoptResults, chosenResults } from './project-results.ts';
import { SettingsStore } from './settings-store.ts';
import type { Shell } from './shell.ts';
import { Studio } from './studio.ts';

export interface HostOptions {
  readonly version: string;
  readonly shell: Shell;
  /** Everything the artist makes lies below it. */
  readonly dataFolder: string;
  /** Holds examples/ and icons/. */
  readonly resourcesFolder: string;
  /** The embedded packs. */
  readonly modelsFolder: string;
  /** Starts the engine's process; default: a Node child process. */
  readonly startEngine?: () => EnginePort;
  /** The library worker's script where it is bundled. */
  readonly libraryWorker?: URL;
  readonly onLog?: (entry: LogEntry) => void;
}

/**
 * Puts the studio together from its real parts. Answers at once: the library, the documents and the engine open in
 * the background, and calls that need them wait for them.
 */
export function openHost(options: HostOptions): Studio {
  const folders = dataFolders(options.dataFolder);
  const log = new Log(folders.log, options.onLog);
  const hub = new EventHub();
  const notices = new NoticeBoard(hub);
  const blobs = openBlobStore(folders.blobs);
  const settings = new SettingsStore(folders.settings, log);
  const { device, threads, restMinutes } = settings.get();
  const onNotice = (notice: Notice): void => {
    log[notice.level](notice.message);
    notices.post(notice);
  };
  const engine = openEngine({
    modelsFolder: options.modelsFolder,
    dataFolder: folders.engine,
    blobFolder: folders.blobs,
    config: { device, threads, restMinutes },
    onNotice,
    ...(options.startEngine ? { start: options.startEngine } : {}),
  });
  const library = openLibrary({
    folder: folders.library,
    blobFolder: folders.blobs,
    onNotice,
    ...(options.libraryWorker ? { workerUrl: options.libraryWorker } : {}),
  });
  const keeper = openKeeper({
    folder: folders.documents,
    blobFolder: folders.blobs,
    onNotice,
    // A scene is saved and opened whatever the history is up to.
    chosenResults: (document) =>
      library
        .then((opened) => chosenResults(opened, document))
        .catch((error: unknown) => {
          log.warning(`the project is saved without results: ${StudioError.from(error).message}`);
          return [];
        }),
    onResults: (results) =>
      library
        .then((opened) => adoptResults(opened, results))
        .then(
          (added) => added.forEach((result) => hub.emit('result.added', { result })),
          (error: unknown) => log.warning(`the project's results were not taken: ${StudioError.from(error).message}`),
        ),
  });
  return new Studio({
    version: options.version,
    shell: options.shell,
    engine,
    keeper,
    library,
    formats: loadFormats,
    blobs,
    settings,
    examples: new Examples(path.join(options.resourcesFolder, 'examples'), blobs, log),
    grants: new PathGrants({ projectsFolder: folders.projects, typedReads: options.shell.dialogs === null }),
    hub,
    notices,
    log,
  });
}

let formats: Promise<Formats> | undefined;
/** Image codecs take a while to load; the first picture must not wait for them. */
function loadFormats(): Promise<Formats> {
  formats ??= Promise.all([import('#project/formats/export.ts'), import('#project/formats/import.ts')]).then(
    ([exporting, importing]) => ({
      exportScene: (input) => exporting.exportScene(input),
      importFile: (input) => importing.importFile(input),
    }),
  );
  return formats;
}
