// The desktop half of npm start: whether a window can open here, Electron's binary, and running it.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether the user is root, for whom Chromium's sandbox does not run. */
  readonly root: boolean;
}

/** Why no window of Electron's can open in these surroundings; null: nothing speaks against it. */
export function whyNoWindow({ platform, env, root }: Surroundings): string | null {
  if (platform !== 'linux') return null;
  if (!env['DISPLAY'] && !env['WAYLAND_DISPLAY']) return 'there is no screen here';
  if (root) return "Electron's sandbox does not run for root";
  return null;
}

/** The Electron binary of a package folder, or null where it was not fetched. */
export function electronBinary(folder: string): string | null {
  try {
    const binary = path.join(folder, 'dist', readFileSync(path.join(folder, 'path.txt'), 'utf8').trim());
    return existsSync(binary) ? binary : null;
  } catch {
    return null;
  }
}

/**
 * Fetches the binary with the package's own script, which checks it against the hashes that the package brings: since
 * its version 42 or so nothing does that while installing.
 * @returns the binary, or null after saying in one line why there is none
 */
export async function fetchElectron(folder: string, say: (line: string) => void): Promise<string | null> {
  say('Fetching Electron, once, some 110 MB (npm start -- --web does without it)...');
  const child = spawn(process.execPath, [path.join(folder, 'install.js')], { stdio: ['ignore', 'inherit', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  const code = await new Promise<number | null>((resolve) => {
    child.on('close', resolve);
    child.on('error', () => resolve(null));
  });
  const binary = code === 0 ? electronBinary(folder) : null;
  if (!binary) say(`Electron could not be fetched (${firstLine(complaint) || 'it was not there'}).`);
  return binary;
}

const firstLine = (text: string): string => text.trim().split('\n', 1)[0]?.trim() ?? '';

/** An Electron that ends sooner than this with an error never opened a window. */
const NEVER_STARTED_MS = 5000;

/**
 * Runs the built studio in Electron until it ends.
 * @returns its exit code, 130 after Ctrl-C; null if it could not start
 */
export function runElectron(
  binary: string,
  args: readonly string[],
  neverMs = NEVER_STARTED_MS,
): Promise<number | null> {
  const began = performance.now();
  const child = spawn(binary, args, { stdio: 'inherit' });
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
    child.kill('SIGINT');
  };
  process.on('SIGINT', interrupt);
  return new Promise((resolve) => {
    const ended = (code: number | null): void => {
      process.off('SIGINT', interrupt);
      if (interrupted) resolve(130);
      else resolve(code !== 0 && performance.now() - began < neverMs ? null : (code ?? 1));
    };
    child.on('exit', ended);
    child.on('error', () => ended(null));
  });
}
