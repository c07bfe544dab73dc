// The canvas alone in a real browser: the harness of test/browser/canvas-harness, built and served for the tests.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { build, preview } from 'vite';
import type { PreviewServer } from 'vite';
import type { StudioDocument } from '#shared/document/document.ts';
import type { SegmentRecord } from '#shared/document/records.ts';

const CHROMIUM = process.env['SPATEXT_CHROMIUM'] ?? '/usr/bin/chromium';
export const hasBrowser = existsSync(CHROMIUM);
const configFile = fileURLToPath(new URL('../browser/canvas-harness/vite.config.ts', import.meta.url));

export interface Harness {
  readonly browser: Browser;
  readonly address: string;
  close(): Promise<void>;
}

export async function startHarness(): Promise<Harness> {
  const outDir = await mkdtemp(path.join(os.tmpdir(), 'spatext-canvas-'));
  await build({ configFile, logLevel: 'error', build: { outDir, emptyOutDir: true } });
  const server: PreviewServer = await preview({
    configFile,
    logLevel: 'error',
    build: { outDir },
    preview: { port: 0, strictPort: false },
  });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  const address = server.resolvedUrls?.local[0] ?? '';
  return {
    browser,
    address,
    close: async () => {
      await browser.close();
      await server.close();
      await rm(outDir, { recursive: true, force: true });
    },
  };
}

/**
 * One browser for all tests of a file, and for each a page with an empty scene, on which nothing may have been thrown.
 * @param take gets each page that is opened
 * @returns opens another scene of the harness instead
 */
export function withCanvas(take: (canvas: CanvasPage) => void): (scene: string) => Promise<void> {
  let harness: Harness | undefined;
  let canvas: CanvasPage | undefined;
  const open = async (scene: string): Promise<void> => {
    if (!harness) throw new Error('the harness is not there');
    canvas = await CanvasPage.open(harness, `?scene=${scene}`);
    take(canvas);
  };
  beforeAll(async () => {
    harness = await startHarness();
  }, 180_000);
  afterAll(() => harness?.close());
  beforeEach(() => open('empty'));
  afterEach(async () => {
    expect(canvas?.errors).toEqual([]);
    await canvas?.page.close();
  });
  return open;
}

/** What the harness puts on the window, as far as tests use it. */
interface HarnessWindow {
  readonly studio: {
    readonly document: { getState(): { document: StudioDocument; undo: readonly { label: string }[] } };
    readonly view: { getState(): ViewPart; setState(part: Partial<ViewPart>): void };
    readonly commands: { run(id: string): boolean };
    readonly session: { getState(): { notices: readonly { message: string }[] } };
  };
  readonly memory: { putBlob(blob: Blob): Promise<string> };
  canvasSettled(): boolean;
  segmentAt(x: number, y: number): string | undefined;
}
export interface ViewPart {
  readonly tool: string;
  readonly selection: readonly string[];
  readonly viewport: { readonly zoom: number; readonly x: number; readonly y: number };
  readonly brushSize: number;
  readonly brushHardness: number;
  readonly drawing: boolean;
  readonly shown: unknown;
  readonly modelsEye: boolean;
}

/** The canvas on one page; points are scene pixels. */
export class CanvasPage {
  readonly page: Page;
  readonly errors: string[] = [];
  #left = 0;
  #top = 0;

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.errors.push(error.message));
  }

  static async open(harness: Harness, query = '?scene=empty'): Promise<CanvasPage> {
    const page = await harness.browser.newPage({ viewport: { width: 1100, height: 760 } });
    const canvas = new CanvasPage(page);
    await page.goto(harness.address + query);
    await page.waitForFunction(() => (globalThis as unknown as HarnessWindow).canvasSettled?.());
    await page.waitForSelector('.segment-tag, .sheet-empty');
    const box = await page.locator('.canvas-view').boundingBox();
    canvas.#left = box?.x ?? 0;
    canvas.#top = box?.y ?? 0;
    return canvas;
  }

  run<T, A>(what: (window: HarnessWindow, argument: A) => T, argument: A): Promise<T>;
  run<T>(what: (window: HarnessWindow) => T): Promise<T>;
  run<T>(what: (window: HarnessWindow, argument: unknown) => T, argument?: unknown): Promise<T> {
    // as an expression: a function given to Playwright could not be told from its argument here
    return this.page.evaluate(`(${what.toString()})(globalThis, ${JSON.stringify(argument ?? null)})`);
  }

  async segments(): Promise<SegmentRecord[]> {
    return this.run((window) => Object.values(window.studio.document.getState().document).filter((record) => record.type === 'segment')); // prettier-ignore
  }

  /** The texts of all slots. */
  texts = (): Promise<string[]> =>
    this.run((window) => Object.values(window.studio.document.getState().document).flatMap((record) => (record.type === 'slot' && record.content.kind === 'text' ? [record.content.text] : []))); // prettier-ignore

  view = (): Promise<ViewPart> =>
    this.run((window) => {
      const { tool, selection, viewport, brushSize, brushHardness, drawing, shown, modelsEye } =
        window.studio.view.getState();
      return { tool, selection, viewport, brushSize, brushHardness, drawing, shown, modelsEye };
    });

  tool = (tool: string): Promise<void> => this.run((window, name) => window.studio.view.setState({ tool: name }), tool);

  select = (...ids: string[]): Promise<void> =>
    this.run((window, selection) => window.studio.view.setState({ selection }), ids);

  /** Waits until every segment's outline is what the document says. */
  async settled(): Promise<void> {
    await this.page.waitForFunction(() => (globalThis as unknown as HarnessWindow).canvasSettled());
    await this.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
  }

  async at([x, y]: readonly [number, number]): Promise<[number, number]> {
    const { viewport } = await this.view();
    return [this.#left + x * viewport.zoom + viewport.x, this.#top + y * viewport.zoom + viewport.y];
  }

  /** The scene's point under a point of the page. */
  async sceneAt([x, y]: readonly [number, number]): Promise<[number, number]> {
    const { viewport } = await this.view();
    return [(x - this.#left - viewport.x) / viewport.zoom, (y - this.#top - viewport.y) / viewport.zoom];
  }

  async moveTo(point: readonly [number, number], steps = 1): Promise<void> {
    await this.page.mouse.move(...(await this.at(point)), { steps });
  }

  async click(point: readonly [number, number]): Promise<void> {
    await this.page.mouse.click(...(await this.at(point)));
  }

  /** Presses at the first point, goes through the others and lets go. */
  async drag(first: readonly [number, number], ...rest: (readonly [number, number])[]): Promise<void> {
    await this.moveTo(first);
    await this.page.mouse.down();
    for (const point of rest) await this.moveTo(point, 8);
    await this.page.mouse.up();
    await this.settled();
  }

  /** The text field on the canvas takes words. */
  async say(words: string): Promise<void> {
    await this.page.locator('.tag-input').waitFor();
    await this.page.keyboard.type(words);
    await this.page.keyboard.press('Enter');
    await this.page.locator('.tag-input').waitFor({ state: 'detached' });
  }

  /** The topmost shown segment at a point, as the canvas has traced it. */
  segmentAt = (point: readonly [number, number]): Promise<string | undefined> =>
    this.run((window, [x, y]) => window.segmentAt(x, y), point);
}
