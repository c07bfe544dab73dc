// npm start: the studio in a window of Electron's, which is fetched at the first start, else in the browser.
//   npm start -- --web --no-open --port 4780 --data FOLDER
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { electronBinary, fetchElectron, runElectron, whyNoWindow } from './desktop.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
// Stripping types and compiling is half of the start; the engine's process finds the cache by the variable.
const COMPILED = path.join(ROOT, 'node_modules/.cache/spatext');
enableCompileCache(COMPILED);
process.env['NODE_COMPILE_CACHE'] = COMPILED;
const RENDERER = path.join(ROOT, 'out/renderer');

const HELP = `npm start -- [options]
  --web          in the browser, without Electron
  --no-open      do not open the browser; only print the address
  --port N       port of the local server (default 4780; 0: any free one)
  --data FOLDER  where scenes, history and settings lie (default: the system's place for them)
  --rebuild      build the interface even if it is up to date`;

interface Options {
  readonly web: boolean;
  readonly open: boolean;
  /** null: 4780, or any free one if that is taken. */
  readonly port: number | null;
  readonly data: string | undefined;
  readonly rebuild: boolean;
  readonly files: string[];
}

function readOptions(): Options {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        web: { type: 'boolean', default: false },
        'no-open': { type: 'boolean', default: false },
        port: { type: 'string' },
        data: { type: 'string' },
        rebuild: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      process.exit(0);
    }
    const port = values.port === undefined ? null : Number(values.port);
    if (port !== null && !(Number.isInteger(port) && port >= 0 && port <= 65_535))
      throw new Error(`--port ${values.port}: expected a number from 0 to 65535`);
    return {
      web: values.web,
      open: !values['no-open'],
      port,
      data: values.data,
      rebuild: values.rebuild,
      files: positionals,
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

/** The time of the latest change below some folders. */
function latestChange(places: readonly string[]): number {
  let latest = 0;
  for (const place of places) {
    const about = statSync(place, { throwIfNoEntry: false });
    if (!about) continue;
    latest = Math.max(latest, about.mtimeMs);
    if (!about.isDirectory()) continue;
    for (const entry of readdirSync(place, { withFileTypes: true, recursive: true }))
      if (entry.isFile() && !entry.name.includes('.test.'))
        latest = Math.max(latest, statSync(path.join(entry.parentPath, entry.name)).mtimeMs);
  }
  return latest;
}

const isStale = (built: string, sources: readonly string[]): boolean =>
  (statSync(built, { throwIfNoEntry: false })?.mtimeMs ?? 0) <
  latestChange(sources.map((source) => path.join(ROOT, source)));

async function bringRendererUpToDate(force: boolean): Promise<void> {
  const sources = ['src/renderer', 'src/shared', 'package-lock.json', 'scripts/renderer-config.ts'];
  if (!force && !isStale(path.join(RENDERER, 'index.html'), sources)) return;
  const started = performance.now();
  console.log('Building the interface...');
  const { buildRenderer } = await import('./build-renderer.ts');
  await buildRenderer();
  console.log(`Built in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
}

function openBrowser(address: string): void {
  const [command, args] =
    process.platform === 'darwin'
      ? ['open', [address]]
      : process.platform === 'win32'
        ? ['cmd', ['/c', 'start', '', address.replaceAll('&', '^&')]]
        : ['xdg-open', [address]];
  const child = spawn(command, args, { stdio: 'ignore', detached: true });
  child.on('error', () => console.log('No browser could be opened here: open the address yourself.'));
  child.unref();
}

async function startWeb(options: Options): Promise<void> {
  await bringRendererUpToDate(options.rebuild);
  const { openHost } = await import('#host/host.ts');
  const { defaultDataFolder } = await import('#host/folders.ts');
  const { openWebServer, readKey, keyFile } = await import('#web/server.ts');
  const { webShell } = await import('#web/web-shell.ts');
  const { StudioError } = await import('#shared/errors.ts');
  const dataFolder = options.data === undefined ? defaultDataFolder() : path.resolve(options.data);
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const studio = openHost({
    version,
    shell: webShell(),
    dataFolder,
    resourcesFolder: path.join(ROOT, 'resources'),
    modelsFolder: path.join(ROOT, 'models'),
    onLog: (entry) => {
      if (entry.level !== 'info') console.error(`${entry.level}: ${entry.message}`);
    },
  });
  const base = { studio, rendererFolder: RENDERER, key: await readKey(keyFile(dataFolder)) };
  const announce = (): void => console.log(`SpaText Studio: ${server.address()}`);
  const open = (port: number) => openWebServer({ ...base, port, onStaleToken: announce });
  const server = await open(options.port ?? 4780).catch((error: unknown) => {
    // A port that was asked for is meant; the usual one may give way.
    if (options.port === null && error instanceof StudioError && error.code === 'busy') return open(0);
    throw error;
  });
  announce();
  void studio.purge();
  // Now, not at the end: a studio that is killed should start quickly too.
  setTimeout(() => flushCompileCache(), 3000).unref();
  console.log('The address is good once. Ctrl-C ends the studio; everything is saved.');
  if (options.open) openBrowser(server.address());

  let ending = false;
  const end = (): void => {
    // The second Ctrl-C does not wait.
    if (ending) process.exit(130);
    ending = true;
    void server
      .close()
      .then(() => studio.close())
      .then(() => process.exit(0));
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}

/** Electron's binary where a window can open, fetched at the first start; null after saying why not. */
async function desktopBinary(): Promise<string | null> {
  const surroundings = { platform: process.platform, env: process.env, root: process.getuid?.() === 0 };
  const reason = whyNoWindow(surroundings);
  if (reason !== null) {
    console.log(`No desktop window: ${reason}.`);
    return null;
  }
  const folder = path.join(ROOT, 'node_modules/electron');
  return electronBinary(folder) ?? (await fetchElectron(folder, console.log));
}

/** @returns whether the studio's window was there; it is closed then */
async function startElectron(binary: string, options: Options): Promise<boolean> {
  const main = path.join(ROOT, 'out/main/index.js');
  if (options.rebuild || isStale(main, ['src', 'package-lock.json', 'electron.vite.config.ts'])) {
    const started = performance.now();
    console.log('Building the studio...');
    const cli = path.join(ROOT, 'node_modules/electron-vite/bin/electron-vite.js');
    const { status } = spawnSync(process.execPath, [cli, 'build', '--logLevel', 'warn'], {
      stdio: 'inherit',
      cwd: ROOT,
    });
    if (status !== 0) process.exit(status ?? 1);
    console.log(`Built in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
  }
  const data = options.data === undefined ? [] : [`--data=${path.resolve(options.data)}`];
  const code = await runElectron(binary, [ROOT, ...data, ...options.files.map((file) => path.resolve(file))]);
  if (code === null) console.log('Electron could not open a window here.');
  else process.exitCode = code;
  return code !== null;
}

const options = readOptions();
const binary = options.web ? null : await desktopBinary();
if (!binary || !(await startElectron(binary, options))) {
  if (!options.web) console.log('The studio opens in the browser.');
  await startWeb(options).catch((error: unknown) => {
    const { message, remedy } = error as { message: string; remedy?: string };
    console.error(`${message}${remedy ? `\n${remedy}` : ''}`);
    process.exit(1);
  });
}
