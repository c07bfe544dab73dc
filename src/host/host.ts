import path from 'node:path';
import { openBlobStore } from '#engine/blobs/blob-store.ts';
import { openEngine } from '#engine/jobs/engine.ts';
import type { EnginePort } from '#engine/jobs/protocol.ts';
import type { Library, LibraryOptions } from '#library/library-api.ts';
import { openKeeper } from '#project/keeper.ts';
import type { Notice } from '#shared/api/studio-api.ts';
import { EventHub } from './event-hub.ts';
import { Examples } from './examples.ts';
import { dataFolders } from './folders.ts';
import { Log } from './log.ts';
import type { LogEntry } from './log.ts';
import type { Formats } from './parts.ts';
import { PathGrants } from './path-grants.ts';
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
  const blobs = openBlobStore(folders.blobs);
  const settings = new SettingsStore(folders.settings, log);
  const { device, threads } = settings.get();
  const onNotice = (notice: Notice): void => {
    log[notice.level](notice.message);
    hub.emit('notice', notice);
  };
  const engine = openEngine({
    modelsFolder: options.modelsFolder,
    dataFolder: folders.engine,
    blobFolder: folders.blobs,
    config: { device, threads },
    onNotice,
    ...(options.startEngine ? { start: options.startEngine } : {}),
  });
  return new Studio({
    version: options.version,
    shell: options.shell,
    engine,
    keeper: openKeeper({ folder: folders.documents, blobFolder: folders.blobs, onNotice }),
    library: openLibraryLazily({ folder: folders.library, blobFolder: folders.blobs, onNotice }),
    formats: loadFormats,
    blobs,
    settings,
    examples: new Examples(path.join(options.resourcesFolder, 'examples'), blobs, log),
    grants: new PathGrants({ projectsFolder: folders.projects, typedReads: options.shell.dialogs === null }),
    hub,
    log,
  });
}

const load = (name: string): Promise<unknown> => import(name);

async function openLibraryLazily(options: LibraryOptions): Promise<Library> {
  const module = (await load('#library/library.ts')) as { openLibrary(options: LibraryOptions): Promise<Library> };
  return module.openLibrary(options);
}

let formats: Promise<Formats> | undefined;
/** Image codecs take a while to load; the first picture must not wait for them. */
function loadFormats(): Promise<Formats> {
  formats ??= Promise.all([load('#project/formats/export.ts'), load('#project/formats/import.ts')]).then(
    ([exporting, importing]) => ({ ...(exporting as object), ...(importing as object) }) as Formats,
  );
  return formats;
}
