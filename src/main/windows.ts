import type { BrowserWindow, BrowserWindowConstructorOptions } from 'electron';
import type { Studio } from '#host/studio.ts';
import { guardContents } from './guards.ts';
import type { EventTarget } from './ipc.ts';
import { PAGE } from './sender.ts';
import { SMALLEST, placeWindow } from './window-state.ts';
import type { Bounds, WindowState, WindowStates } from './window-state.ts';

export interface WindowsOptions {
  readonly studio: Studio;
  readonly states: WindowStates;
  readonly preload: string;
  readonly icon: string | undefined;
  create(options: BrowserWindowConstructorOptions): BrowserWindow;
  /** Work areas of the screens, the main one first. */
  areas(): readonly Bounds[];
  dark(): boolean;
  openExternal(url: string): void;
  /** The page died again and again, or does not answer: asks the artist. */
  askAboutTrouble(window: BrowserWindow, trouble: 'gone' | 'unresponsive'): Promise<'reload' | 'wait' | 'close'>;
}

interface StudioWindow {
  readonly id: string;
  readonly window: BrowserWindow;
  /** Commands that wait until the page has its document. */
  readonly waiting: { name: string; argument: string | undefined }[];
  ready: boolean;
  /** When the page was brought back after it had died. */
  revivals: number[];
}

const NOTE_AFTER_MS = 300;
/** A page that dies this often within a minute is not brought back without asking. */
const REVIVALS = 3;

/** The studio's windows: opened where they were, kept on our page, brought back when they crash. */
export class Windows {
  readonly #options: WindowsOptions;
  readonly #open = new Map<string, StudioWindow>();
  #ending = false;

  constructor(options: WindowsOptions) {
    this.#options = options;
  }

  /** The studio ends: the windows that are open now come back at the next start. */
  markEnding(): void {
    this.#ending = true;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Opens the windows of the last session, or a first one. */
  restore(): void {
    const { lastOpen } = this.#options.states;
    for (const id of lastOpen.length > 0 ? lastOpen : ['window-1']) this.open(id);
  }

  /** @param id a window of an earlier session; default: the lowest free one, which has its old place and document */
  open(id: string = this.#freeId()): BrowserWindow {
    const known = this.#open.get(id);
    if (known) return known.window;
    const { states, studio, preload, icon } = this.#options;
    const place = placeWindow(states.get(id), this.#options.areas());
    const window = this.#options.create({
      ...place.bounds,
      minWidth: SMALLEST.width,
      minHeight: SMALLEST.height,
      show: false,
      // The page's own ground colour: no flash before the first paint.
      backgroundColor: this.#options.dark() ? '#131417' : '#d9dce1',
      title: 'SpaText Studio',
      ...(icon === undefined ? {} : { icon }),
      webPreferences: {
        preload,
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        nodeIntegrationInWorker: false,
        nodeIntegrationInSubFrames: false,
        webSecurity: true,
        allowRunningInsecureContent: false,
        webviewTag: false,
        navigateOnDragDrop: false,
        // Its dictionaries would be fetched from the network.
        spellcheck: false,
      },
    });
    const entry: StudioWindow = { id, window, waiting: [], ready: false, revivals: [] };
    this.#open.set(id, entry);
    states.setOpen([...this.#open.keys()]);
    guardContents(window.webContents, studio.parts.log, (url) => this.#options.openExternal(url));
    this.#remember(entry);
    this.#watch(entry);
    window.once('ready-to-show', () => {
      if (place.maximized) window.maximize();
      if (place.fullScreen) window.setFullScreen(true);
      window.show();
    });
    window.loadURL(PAGE).catch((error: unknown) => studio.parts.log.error(`window ${id}: ${String(error)}`));
    return window;
  }

  idOf(webContentsId: number): string | undefined {
    for (const { id, window } of this.#open.values())
      if (!window.isDestroyed() && window.webContents.id === webContentsId) return id;
    return undefined;
  }

  byId(id: string): BrowserWindow | undefined {
    return this.#open.get(id)?.window;
  }

  *targets(): Iterable<EventTarget> {
    for (const { id, window } of this.#open.values()) {
      // A destroyed window throws at every other question.
      if (window.isDestroyed()) continue;
      const { webContents } = window;
      if (webContents.isDestroyed() || webContents.isCrashed()) continue;
      yield { windowId: id, send: (channel, name, payload) => webContents.send(channel, name, payload) };
    }
  }

  /** The page has its document: what waited for it goes out. */
  markReady(id: string): void {
    const entry = this.#open.get(id);
    if (!entry || entry.ready) return;
    entry.ready = true;
    for (const { name, argument } of entry.waiting.splice(0)) this.#options.studio.command(id, name, argument);
  }

  /** Runs a command in a window, at once or as soon as it can. */
  command(window: BrowserWindow, name: string, argument?: string): void {
    const entry = [...this.#open.values()].find((one) => one.window === window);
    if (!entry) return;
    if (entry.ready) this.#options.studio.command(entry.id, name, argument);
    else entry.waiting.push({ name, argument });
  }

  /** Shows in the taskbar how far the running job is; null: nothing runs. */
  showProgress(fraction: number | null): void {
    for (const { window } of this.#open.values()) if (!window.isDestroyed()) window.setProgressBar(fraction ?? -1);
  }

  /** The window in front, else any; undefined if there is none. */
  front(focused: BrowserWindow | null): BrowserWindow | undefined {
    const windows = [...this.#open.values()].map((entry) => entry.window);
    return windows.find((window) => window === focused) ?? windows.at(-1);
  }

  #freeId(): string {
    for (let number = 1; ; number += 1) {
      const id = `window-${number}`;
      if (!this.#open.has(id)) return id;
    }
  }

  #remember({ id, window }: StudioWindow): void {
    let timer: NodeJS.Timeout | undefined;
    const note = (): void => {
      clearTimeout(timer);
      if (window.isDestroyed() || window.isMinimized()) return;
      const state: WindowState = {
        // While maximized these are the bounds to come back to.
        bounds: window.getNormalBounds(),
        maximized: window.isMaximized(),
        fullScreen: window.isFullScreen(),
      };
      this.#options.states.set(id, state);
    };
    // A window that is dragged tells of every pixel.
    const noteSoon = (): void => {
      clearTimeout(timer);
      timer = setTimeout(note, NOTE_AFTER_MS);
    };
    for (const event of ['resize', 'move', 'maximize', 'unmaximize', 'enter-full-screen', 'leave-full-screen'])
      window.on(event as 'resize', noteSoon);
    window.on('close', note);
    window.on('closed', () => clearTimeout(timer));
  }

  #watch(entry: StudioWindow): void {
    const { id, window } = entry;
    const { studio, states } = this.#options;
    const { log } = studio.parts;
    window.webContents.on('did-start-loading', () => {
      entry.ready = false;
    });
    window.webContents.on('render-process-gone', (_event, { reason, exitCode }) => {
      if (reason === 'clean-exit' || window.isDestroyed()) return;
      log.error(`window ${id}: the page ended (${reason}, ${exitCode}); the scene is safe with the host`);
      entry.ready = false;
      const now = Date.now();
      entry.revivals = [...entry.revivals.filter((at) => now - at < 60_000), now];
      if (entry.revivals.length <= REVIVALS) window.webContents.reload();
      else void this.#ask(entry, 'gone');
    });
    window.on('unresponsive', () => {
      log.warning(`window ${id}: the page does not answer`);
      void this.#ask(entry, 'unresponsive');
    });
    window.on('closed', () => {
      this.#open.delete(id);
      // Windows that close because the studio ends, and the last one, stay in the list: the next start opens them.
      if (this.#open.size > 0 && !this.#ending) states.setOpen([...this.#open.keys()]);
      studio.windowGone(id);
    });
  }

  async #ask(entry: StudioWindow, trouble: 'gone' | 'unresponsive'): Promise<void> {
    const answer = await this.#options.askAboutTrouble(entry.window, trouble);
    if (entry.window.isDestroyed()) return;
    if (answer === 'close') entry.window.destroy();
    else if (answer === 'reload') {
      entry.revivals = [];
      if (trouble === 'unresponsive') entry.window.webContents.forcefullyCrashRenderer();
      entry.window.webContents.reload();
    }
  }
}
