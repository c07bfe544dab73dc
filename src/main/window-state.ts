import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeWhole } from '#host/atomic-file.ts';
import type { Log } from '#host/log.ts';
import { WindowId } from '#shared/api/wire.ts';

const Bounds = z.object({
  x: z.number().int(),
  y: z.number().int(),
  width: z.number().int(),
  height: z.number().int(),
});
export type Bounds = z.infer<typeof Bounds>;

export const WindowState = z.object({ bounds: Bounds, maximized: z.boolean(), fullScreen: z.boolean() });
export type WindowState = z.infer<typeof WindowState>;

const File = z.object({
  windows: z.record(WindowId, WindowState),
  /** The windows of the last session, to be opened again. */
  open: z.array(WindowId).max(32),
});
type File = z.infer<typeof File>;

export const SMALLEST = { width: 960, height: 600 } as const;
const USUAL = { width: 1440, height: 900 } as const;
/** So much of the title bar must lie on a screen for the artist to get hold of the window. */
const GRIP = { width: 120, height: 40 } as const;

/**
 * Where a window opens: where it was, if it can still be reached there (a screen may be gone or smaller),
 * else in the middle of the main screen.
 * @param areas the work areas of all screens, the main one first
 */
export function placeWindow(remembered: WindowState | undefined, areas: readonly Bounds[]): WindowState {
  const main = areas[0] ?? { x: 0, y: 0, ...USUAL };
  if (remembered) {
    const bounds = {
      ...remembered.bounds,
      width: Math.max(remembered.bounds.width, SMALLEST.width),
      height: Math.max(remembered.bounds.height, SMALLEST.height),
    };
    const reachable = areas.some(
      (area) =>
        Math.min(bounds.x + bounds.width, area.x + area.width) - Math.max(bounds.x, area.x) >= GRIP.width &&
        bounds.y >= area.y - 1 &&
        bounds.y + GRIP.height <= area.y + area.height,
    );
    if (reachable) return { ...remembered, bounds };
  }
  const width = Math.min(USUAL.width, main.width);
  const height = Math.min(USUAL.height, main.height);
  const x = main.x + Math.round((main.width - width) / 2);
  const y = main.y + Math.round((main.height - height) / 2);
  return { bounds: { x, y, width, height }, maximized: false, fullScreen: false };
}

/** Remembers where windows were and which were open. */
export class WindowStates {
  readonly #file: string;
  readonly #log: Log;
  #state: File;
  #writing: Promise<void> = Promise.resolve();
  #dirty = false;

  constructor(file: string, log: Log) {
    this.#file = file;
    this.#log = log;
    this.#state = this.#read();
  }

  get(windowId: string): WindowState | undefined {
    return this.#state.windows[windowId];
  }

  get lastOpen(): readonly string[] {
    return this.#state.open;
  }

  set(windowId: string, state: WindowState): void {
    this.#state = { ...this.#state, windows: { ...this.#state.windows, [windowId]: state } };
    this.#write();
  }

  setOpen(open: readonly string[]): void {
    this.#state = { ...this.#state, open: [...open] };
    this.#write();
  }

  async flush(): Promise<void> {
    await this.#writing;
  }

  #write(): void {
    // Dragging a window changes it many times a second: what is already waiting writes the latest state.
    if (this.#dirty) return;
    this.#dirty = true;
    this.#writing = this.#writing.then(async () => {
      this.#dirty = false;
      try {
        await writeWhole(this.#file, JSON.stringify(this.#state));
      } catch (error) {
        this.#log.warning(`windows: ${String(error)}`);
      }
    });
  }

  #read(): File {
    try {
      return File.parse(JSON.parse(readFileSync(this.#file, 'utf8')));
    } catch {
      return { windows: {}, open: [] };
    }
  }
}
