import path from 'node:path';
import { StudioError } from '#shared/errors.ts';

/**
 * Which files a window may name. A window shows pictures and projects from anywhere, so it is not trusted with
 * paths: it may use those that the artist chose in a native dialog or opened from the system, and those in the
 * projects folder. Where the host has no dialogs (the browser) a typed path may be read, never written.
 */
export class PathGrants {
  readonly #read = new Set<string>();
  readonly #write = new Set<string>();
  readonly #projects: string;
  readonly #typedReads: boolean;

  constructor(options: { projectsFolder: string; typedReads: boolean }) {
    this.#projects = path.resolve(options.projectsFolder);
    this.#typedReads = options.typedReads;
  }

  grantRead(file: string): void {
    this.#read.add(path.resolve(file));
  }

  grantWrite(file: string): void {
    this.#write.add(path.resolve(file));
    this.#read.add(path.resolve(file));
  }

  /** @throws StudioError refused, bad-input */
  checkRead(file: string): string {
    const resolved = checkShape(file);
    if (this.#typedReads || this.#read.has(resolved) || this.#isProject(resolved)) return resolved;
    throw new StudioError('refused', `the studio was not given ${path.basename(resolved)} to read`, {
      remedy: 'choose the file in the dialog, or drop it on the canvas',
    });
  }

  /** @throws StudioError refused, bad-input */
  checkWrite(file: string): string {
    const resolved = checkShape(file);
    if (this.#write.has(resolved) || this.#isProject(resolved)) return resolved;
    throw new StudioError('refused', `the studio was not given ${path.basename(resolved)} to write`, {
      remedy: 'choose the place in the dialog',
    });
  }

  #isProject(resolved: string): boolean {
    return resolved.startsWith(this.#projects + path.sep) && resolved.endsWith('.spatext');
  }
}

/** Relative paths would depend on where the studio was started; a NUL ends a path early in C. */
function checkShape(file: string): string {
  if (!path.isAbsolute(file) || file.includes('\0'))
    throw new StudioError('bad-input', 'expected the whole path of a file', {
      remedy: 'give the path from the root of the disk',
    });
  return path.resolve(file);
}
