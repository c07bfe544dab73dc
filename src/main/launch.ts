import path from 'node:path';

export interface Launch {
  /** Projects to open, as whole paths. */
  readonly files: readonly string[];
  readonly dataFolder: string | null;
}

/**
 * What a command line asks for: project files, `--data=FOLDER`. Switches of Chromium and Electron's own entry
 * (the first argument when the app is not packaged) are passed over.
 * @param folder the working folder that relative paths start from
 */
export function readCommandLine(argv: readonly string[], folder: string): Launch {
  const files: string[] = [];
  let dataFolder: string | null = null;
  for (const argument of argv.slice(1)) {
    if (argument.startsWith('--data=')) dataFolder = path.resolve(folder, argument.slice('--data='.length));
    else if (!argument.startsWith('-') && isProject(argument)) files.push(path.resolve(folder, argument));
  }
  return { files, dataFolder };
}

/** By its name only: what the file holds is checked where it is read. */
export const isProject = (file: string): boolean => file.toLowerCase().endsWith('.spatext');
