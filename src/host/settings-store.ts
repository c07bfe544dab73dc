import { readFileSync, renameSync } from 'node:fs';
import { Settings } from '#shared/api/settings.ts';
import type { SettingsPatch } from '#shared/api/settings.ts';
import type { Log } from './log.ts';
import { writeWhole } from './atomic-file.ts';

const RECENT = 12;

/** The artist's settings, in one small file. */
export class SettingsStore {
  readonly #file: string;
  readonly #log: Log;
  #settings: Settings;
  #writing: Promise<void> = Promise.resolve();

  /** Reads the file; a broken one is put aside under another name, and the studio starts with the defaults. */
  constructor(file: string, log: Log) {
    this.#file = file;
    this.#log = log;
    this.#settings = this.#read();
  }

  get(): Settings {
    return this.#settings;
  }

  /**
   * Changes some settings and answers when they are on disk. Recent files are the host's: a patch may drop
   * entries, not add any, or a window could have any path opened as "recent".
   * @throws StudioError disk-full, storage; the settings hold for this run all the same
   */
  async set(patch: SettingsPatch): Promise<Settings> {
    const { recent, ...rest } = patch;
    const kept = recent
      ? this.#settings.recent.filter((file) => recent.some((other) => other.path === file.path))
      : this.#settings.recent;
    return this.#replace(Settings.parse({ ...this.#settings, ...withoutUndefined(rest), recent: kept }));
  }

  async addRecent(file: { path: string; name: string }): Promise<Settings> {
    const others = this.#settings.recent.filter((entry) => entry.path !== file.path);
    const recent = [{ path: file.path, name: file.name, openedAt: Date.now() }, ...others].slice(0, RECENT);
    return this.#replace({ ...this.#settings, recent });
  }

  async #replace(settings: Settings): Promise<Settings> {
    this.#settings = settings;
    // One write after the other, and always of what holds by then: the last change wins on disk too.
    const write = this.#writing.then(() => writeWhole(this.#file, `${JSON.stringify(this.#settings, null, 2)}\n`));
    this.#writing = write.catch(() => undefined);
    await write;
    return settings;
  }

  async flush(): Promise<void> {
    await this.#writing;
  }

  #read(): Settings {
    let text: string;
    try {
      text = readFileSync(this.#file, 'utf8');
    } catch {
      return Settings.parse({});
    }
    try {
      return Settings.parse(JSON.parse(text));
    } catch (error) {
      const aside = `${this.#file}.broken`;
      try {
        renameSync(this.#file, aside);
      } catch {
        // Then it is overwritten by the next change.
      }
      this.#log.warning(`the settings could not be read and were put aside as ${aside}: ${String(error)}`);
      return Settings.parse({});
    }
  }
}

/** zod's `partial` lets an explicit undefined through, which would erase a setting. */
const withoutUndefined = <T extends object>(value: T): Partial<T> =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Partial<T>;
