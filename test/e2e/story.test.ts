// The whole story as an artist lives it: draw, say, generate, turn a dial, compare, redo, undo, reload, go on.
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  StudioPage,
  dropFolder,
  engineProcesses,
  hasBrowser,
  newDataFolder,
  openBrowser,
  startHost,
} from './studio.testkit.ts';
import type { Host } from './studio.testkit.ts';

describe.skipIf(!hasBrowser)('the story', () => {
  let host: Host;
  let browser: Browser;
  let context: BrowserContext;
  let studio: StudioPage;

  beforeAll(async () => {
    host = await startHost(await newDataFolder());
    browser = await openBrowser();
    context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      locale: 'en-US',
      colorScheme: 'dark',
    });
    studio = await StudioPage.open(context, host);
  }, 180_000);
  afterAll(async () => {
    await browser.close();
    await host.stop();
    await dropFolder(host.dataFolder);
  });

  const undo = () => studio.page.keyboard.press('Control+z');
  const names = () => studio.segmentRows().evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label')));

  test('it opens on an example scene, and Ctrl+Enter makes its picture', async () => {
    await expect.poll(() => studio.segmentRows().count(), { timeout: 30_000 }).toBe(3);
    await studio.generate();
    expect(await studio.resultCount()).toBe(1);
  }, 180_000);

  test('an empty scene, three segments drawn with the mouse, their texts typed', async () => {
    const { page } = studio;
    await page.keyboard.press('Alt+n');
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Empty/ })
      .click();
    await expect.poll(() => studio.segmentRows().count()).toBe(0);
    await page.getByRole('textbox', { name: 'Whole scene' }).fill('meadow');

    const drawn = [
      { tool: 'Brush', points: [[0.35, 0.6], [0.4, 0.62], [0.42, 0.7]], text: 'a dog' },
      { tool: 'Ellipse', points: [[0.6, 0.2], [0.7, 0.35]], text: 'sun' },
      { tool: 'Rectangle', points: [[0.55, 0.6], [0.7, 0.75]], text: 'house' },
    ] as const; // prettier-ignore
    for (const [index, { tool, points, text }] of drawn.entries()) {
      await page.keyboard.press('Escape');
      await studio.tool(tool).click();
      await studio.drag(points);
      await expect.poll(() => studio.segmentRows().count(), { message: `${tool} made a segment` }).toBe(index + 1);
      // A new segment waits for its words: they are typed without looking for the field.
      await page.keyboard.type(text);
      await page.keyboard.press('Enter');
      await expect.poll(names).toContain(text);
    }
  }, 120_000);

  test('generate, turn a dial, generate again: two different pictures, and what changed in words', async () => {
    const { page } = studio;
    const before = await studio.resultCount();
    await studio.generate();
    const dial = page.getByRole('spinbutton', { name: 'Segments', exact: true });
    await dial.fill('6');
    await dial.press('Enter');
    await studio.generate();
    expect(await studio.resultCount()).toBe(before + 2);
    const pictures = await studio
      .results()
      .locator('img')
      .evaluateAll((all) => all.slice(0, 2).map((one) => (one as unknown as { src: string }).src));
    expect(new Set(pictures).size).toBe(2);

    await page
      .getByRole('button', { name: /^Compare/ })
      .first()
      .click();
    const dialog = page.getByRole('dialog');
    await expect.poll(() => dialog.textContent()).toMatch(/1\.3.*6/);
    await page.keyboard.press('Escape');
  }, 240_000);

  test('redo one segment: one more picture, with the other as its parent', async () => {
    const { page } = studio;
    await studio.segmentRows().filter({ hasText: 'a dog' }).click();
    const before = await studio.resultCount();
    await page.keyboard.press('Control+r');
    await expect.poll(() => studio.resultCount(), { timeout: 120_000 }).toBe(before + 1);
  }, 180_000);

  test('a tiny segment gets a detail pass: a second picture, made from the first', async () => {
    const { page } = studio;
    await page.keyboard.press('Escape');
    await studio.tool('Ellipse').click();
    const segments = await studio.segmentRows().count();
    await studio.drag([[0.45, 0.3], [0.465, 0.325]]); // prettier-ignore
    await expect.poll(() => studio.segmentRows().count()).toBe(segments + 1);
    await page.keyboard.type('a balloon');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Add a detail pass' }).click();
    await page.getByText('Detail pass', { exact: true }).waitFor();
    const before = await studio.resultCount();
    const links = await studio.results().locator('.thumb-link').count();
    await page.keyboard.press('Control+Enter');
    await expect.poll(() => studio.resultCount(), { timeout: 180_000 }).toBe(before + 2);
    await expect.poll(() => studio.results().locator('.thumb-link').count()).toBeGreaterThan(links);
  }, 240_000);

  test('undo everything, redo everything', async () => {
    const { page } = studio;
    const all = await names();
    for (let i = 0; i < 60 && (await page.getByRole('button', { name: /^Undo/ }).isEnabled()); i += 1) await undo();
    await expect.poll(() => studio.segmentRows().count()).toBe(0);
    for (let i = 0; i < 60 && (await page.getByRole('button', { name: /^Redo/ }).isEnabled()); i += 1)
      await page.keyboard.press('Control+Shift+z');
    expect(await names()).toEqual(all);
  }, 120_000);

  test('reload and go on: the scene, the results and even undo are there', async () => {
    const all = await names();
    await studio.kept();
    await studio.page.reload();
    await studio.ready();
    await expect.poll(names).toEqual(all);
    await expect.poll(() => studio.resultCount(), { timeout: 30_000 }).toBeGreaterThanOrEqual(4);
    await undo();
    await studio.page.keyboard.press('Control+Shift+z');
    await expect.poll(names).toEqual(all);
  }, 120_000);

  test('the engine is killed in the middle of a job: it is said, and the next picture is made', async () => {
    const { page } = studio;
    const before = await studio.resultCount();
    // a job long enough to be met in its middle by any machine
    const usual = await studio.setSteps(100);
    await page.keyboard.press('Control+Enter');
    await expect.poll(async () => (await studio.results().textContent()) ?? '', { timeout: 60_000 }).toMatch(/passes/);
    for (const pid of await engineProcesses(host)) process.kill(pid, 'SIGKILL');
    await page
      .getByRole('region', { name: 'Notices' })
      .getByText(/engine process stopped/)
      .first()
      .waitFor({ timeout: 20_000 });
    await studio.setSteps(usual);
    await studio.generate();
    expect(await studio.resultCount()).toBe(before + 1);
  }, 240_000);

  test('the host is killed and started again: nothing older than a second is lost', async () => {
    const all = await names();
    await studio.kept();
    await host.kill();
    host = await startHost(host.dataFolder);
    studio = new StudioPage(await context.newPage());
    await studio.page.goto(host.address());
    // What the crash left behind is offered; the artist decides.
    const offer = studio.page.getByRole('dialog', { name: 'Unsaved work' });
    await offer.getByRole('button', { name: 'Open', exact: true }).first().click({ timeout: 30_000 });
    await studio.ready();
    await expect.poll(names, { timeout: 30_000 }).toEqual(all);
    // The strip asks the library for its rows once the scene stands.
    await expect.poll(() => studio.resultCount(), { timeout: 30_000 }).toBeGreaterThanOrEqual(5);
    expect(studio.complaints).toEqual([]);
  }, 240_000);
});
