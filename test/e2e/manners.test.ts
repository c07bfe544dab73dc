// Small things an artist stumbles over: the window's language, a model's values, notices over dialogs, strayed files.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StudioPage, dropFolder, hasBrowser, newDataFolder, openBrowser, startHost } from './studio.testkit.ts';
import type { Host } from './studio.testkit.ts';

describe.skipIf(!hasBrowser)('manners', () => {
  let host: Host;
  let browser: Browser;
  beforeAll(async () => {
    host = await startHost(await newDataFolder());
    browser = await openBrowser();
  }, 180_000);
  afterAll(async () => {
    await browser.close();
    await host.stop();
    await dropFolder(host.dataFolder);
  });

  const open = async (): Promise<StudioPage> =>
    StudioPage.open(await browser.newContext({ viewport: { width: 1280, height: 720 }, locale: 'en-US' }), host);
  const notices = (page: Page) => page.getByRole('region', { name: 'Notices' }).locator('.toast');
  const drop = (page: Page, on: string, name: string): Promise<void> =>
    page.evaluate(
      ([selector, file]) => {
        const data = new DataTransfer();
        data.items.add(new File(['of no use'], file));
        const target = document.querySelector(selector);
        target?.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: data }));
      },
      [on, name] as const,
    );

  test('the first example is called by its name in the language of the browser', async () => {
    const english = await open();
    await expect.poll(() => english.page.title()).toMatch(/^A day at the beach/);
    const context = await browser.newContext({ locale: 'de-AT' });
    await context.addCookies(await english.page.context().cookies());
    const page = await context.newPage();
    await page.goto(new URL('/', host.address()).href);
    await expect.poll(() => page.title()).toMatch(/^Ein Tag am Strand/);
    await context.close();
    await english.page.context().close();
  });

  test('Ctrl+Enter before the document has arrived generates once it has', async () => {
    const first = await open();
    const context = await browser.newContext({ locale: 'en-US' });
    await context.addCookies(await first.page.context().cookies());
    const page = await context.newPage();
    let pass = (): void => undefined;
    const passed = new Promise<void>((resolve) => (pass = resolve));
    await page.routeWebSocket(/./, (client) => {
      const server = client.connectToServer();
      server.onMessage(async (message) => {
        await passed;
        client.send(message);
      });
    });
    await page.goto(new URL('/', host.address()).href);
    await page.getByRole('button', { name: /^Generate/ }).waitFor();
    await page.keyboard.press('Control+Enter');
    pass();
    const late = new StudioPage(page);
    await expect.poll(() => late.resultCount(), { timeout: 60_000 }).toBeGreaterThan(0);
    await context.close();
    await first.page.context().close();
  });

  test('sampler and dials follow the model, in one step; what was turned by hand stays until it is asked for', async () => {
    const studio = await open();
    const { page } = studio;
    const segments = page.getByRole('spinbutton', { name: 'Segments', exact: true });
    const choose = async (): Promise<void> => {
      await page.keyboard.press('Alt+m');
      await page.getByRole('radio', { name: /v0$/ }).click();
    };
    await expect.poll(() => segments.inputValue()).toBe('1.3');
    await choose();
    await page.keyboard.press('Escape');
    await expect.poll(() => segments.inputValue()).toBe('3.0');
    await page.keyboard.press('Control+z');
    await expect.poll(() => segments.inputValue()).toBe('1.3');
    await segments.fill('4');
    await segments.press('Enter');
    await segments.blur();
    await choose();
    await page.getByRole('button', { name: 'Use these values' }).click();
    await page.keyboard.press('Escape');
    await expect.poll(() => segments.inputValue()).toBe('3.0');
    await page.keyboard.press('Control+z');
    await expect.poll(() => segments.inputValue()).toBe('4.0');
    await page.context().close();
  });

  test('a notice is dismissed without closing the dialog below it', async () => {
    const { page } = await open();
    await page.keyboard.press('Alt+m');
    const path = page.getByPlaceholder(/safetensors/);
    await path.fill('/nowhere/at/all');
    await path.press('Enter');
    await notices(page).getByRole('button').first().click();
    await expect.poll(() => notices(page).count()).toBe(0);
    expect(await page.getByRole('dialog').isVisible()).toBe(true);
    await page.context().close();
  });

  test('a file that strays beside the canvas is answered as on it, a model anywhere once', async () => {
    const { page } = await open();
    // files are taken by the canvas, which is loaded after the rest
    await page.locator('.segment-tag').first().waitFor();
    await drop(page, '.left-body', 'notes.txt');
    await expect.poll(() => notices(page).allInnerTexts()).toEqual([expect.stringMatching(/notes\.txt is no file/)]);
    await notices(page).getByRole('button').first().click();
    await drop(page, '.canvas-view', 'junk.safetensors');
    await expect.poll(() => notices(page).allInnerTexts()).toEqual([expect.stringMatching(/where junk\.safetensors/)]);
    await page.context().close();
  });
});
