import os from 'node:os';
import path from 'node:path';

/**
 * Where the artist's things lie: SPATEXT_DATA, else the system's place for application data
 * (XDG on Linux, Application Support on macOS, AppData on Windows).
 */
export function defaultDataFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = os.homedir(),
): string {
  if (env['SPATEXT_DATA']) return path.resolve(env['SPATEXT_DATA']);
  if (platform === 'darwin') return path.join(home, 'Library', 'Application Support', 'SpaText Studio');
  if (platform === 'win32') return path.join(env['APPDATA'] ?? path.join(home, 'AppData', 'Roaming'), 'SpaText Studio');
  const base = env['XDG_DATA_HOME'];
  // The specification says that a relative path there is to be ignored.
  return path.join(base && path.isAbsolute(base) ? base : path.join(home, '.local', 'share'), 'spatext-studio');
}

/** The parts of a data folder. */
export const dataFolders = (root: string) => ({
  root,
  documents: path.join(root, 'documents'),
  projects: path.join(root, 'documents', 'projects'),
  blobs: path.join(root, 'blobs'),
  library: path.join(root, 'library'),
  engine: path.join(root, 'engine'),
  settings: path.join(root, 'settings.json'),
  log: path.join(root, 'logs', 'studio.log'),
});
