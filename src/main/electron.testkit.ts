import { EventEmitter } from 'node:events';
import type { BrowserWindow, BrowserWindowConstructorOptions } from 'electron';

/** Electron's WebContents as far as the studio uses it. */
export class FakeContents extends EventEmitter {
  static #nextId = 1;
  readonly id = (FakeContents.#nextId += 1);
  readonly sent: unknown[][] = [];
  reloads = 0;
  crashed = false;
  openHandler: ((details: { url: string }) => { action: string }) | undefined;

  send(...message: unknown[]): void {
    this.sent.push(message);
  }
  reload(): void {
    this.reloads += 1;
    this.crashed = false;
  }
  isDestroyed(): boolean {
    return false;
  }
  isCrashed(): boolean {
    return this.crashed;
  }
  forcefullyCrashRenderer(): void {
    this.crashed = true;
  }
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.openHandler = handler;
  }
}

/** Electron's BrowserWindow as far as the studio uses it. */
export class FakeWindow extends EventEmitter {
  readonly webContents = new FakeContents();
  readonly options: BrowserWindowConstructorOptions;
  bounds: { x: number; y: number; width: number; height: number };
  maximized = false;
  fullScreen = false;
  minimized = false;
  shown = false;
  loaded: string | undefined;
  #destroyed = false;

  constructor(options: BrowserWindowConstructorOptions) {
    super();
    this.options = options;
    const { x = 0, y = 0, width = 0, height = 0 } = options;
    this.bounds = { x, y, width, height };
  }
  async loadURL(url: string): Promise<void> {
    this.loaded = url;
  }
  progress: number | undefined;
  setProgressBar(fraction: number): void {
    this.progress = fraction;
  }
  show(): void {
    this.shown = true;
  }
  maximize(): void {
    this.maximized = true;
  }
  setFullScreen(on: boolean): void {
    this.fullScreen = on;
  }
  getNormalBounds(): { x: number; y: number; width: number; height: number } {
    return this.bounds;
  }
  isMaximized(): boolean {
    return this.maximized;
  }
  isFullScreen(): boolean {
    return this.fullScreen;
  }
  isMinimized(): boolean {
    return this.minimized;
  }
  isDestroyed(): boolean {
    return this.#destroyed;
  }
  destroy(): void {
    this.#destroyed = true;
    this.emit('closed');
  }
  /** As the artist does it. */
  close(): void {
    this.emit('close');
    this.destroy();
  }
  /** As the type that the code under test asks for. */
  get asWindow(): BrowserWindow {
    return this as unknown as BrowserWindow;
  }
}
