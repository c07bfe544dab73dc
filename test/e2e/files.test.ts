// An artist's past and files in one piece: work, save, a killed host, recovery, the scene out of a picture, layers there
// and back, results compared, deleted and restored. Every wait is for what the artist would wait for, not for a time.
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StudioPage, dropFolder, hasBrowser, newDataFolder, openBrowser, startHost } from './studio.testkit.ts';
import type { Host } from './studio.testkit.ts';

/** For what is over at once on a quiet machine, and late on a busy one. */
const SOON = { timeout: 60_000 };
/** For a picture. */
const PAINTED = { timeout: 300_000 };
const MINUTES = 60_000;

const SCENE = 'a meadow in the morning';
const DRAWN = [
  { tool: 'Rectangle', points: [[0.3, 0.55], [0.45, 0.75]], text: 'a red house' },
  { tool: 'Ellipse', points: [[0.6, 0.15], [0.72, 0.32]], text: 'the sun' },
] as const; // prettier-ignore
const LATER = { tool: 'Brush', points: [[0.55, 0.65], [0.6, 0.68], [0.63, 0.75]], text: 'a dog' } as const; // prettier-ignore

/** The studio's page with what this story needs of it. */
class FilesPage extends StudioPage {
  names(): Promise<string[]> {
    return this.segmentRows().evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label') ?? ''));
  }
  override async ready(): Promise<void> {
    await this.page.getByRole('button', { name: /^Generate/ }).waitFor({ timeout: 3 * MINUTES });
    await this.segments().waitFor({ timeout: 3 * MINUTES });
  }
  sceneText() {
    return this.page.getByRole('textbox', { name: 'Whole scene' });
  }
  dialog(name: string) {
    return this.page.getByRole('dialog', { name });
  }
  /** Addresses of the pictures in the strip, the newest first; they end in the hash of the pixels' file. */
  pictures(): Promise<string[]> {
    return this.results()
      .locator('img')
      .evaluateAll((all) => all.map((one) => new URL((one as unknown as { src: string }).src).pathname));
  }

  async empty(): Promise<void> {
    await this.page.keyboard.press('Alt+n');
    await this.page
      .getByRole('dialog')
      .getByRole('button', { name: /^Empty/ })
      .click();
    await expect.poll(() => this.segmentRows().count(), SOON).toBe(0);
    await this.closed();
  }

  /** Until no dialog is open: it would take the next key. */
  async closed(): Promise<void> {
    await expect.poll(() => this.page.getByRole('dialog').count(), SOON).toBe(0);
  }

  async draw({ tool, points, text }: (typeof DRAWN)[number] | typeof LATER): Promise<void> {
    const before = await this.segmentRows().count();
    await this.page.keyboard.press('Escape');
    await this.tool(tool).click();
    await this.drag(points);
    await expect
      .poll(() => this.segmentRows().count(), { ...SOON, message: `${tool} made a segment` })
      .toBe(before + 1);
    await this.page.keyboard.type(text);
    await this.page.keyboard.press('Enter');
    await expect.poll(() => this.names(), SOON).toContain(text);
  }

  /** Few steps: what is shown here does not depend on how well it is painted. */
  async fewSteps(): Promise<void> {
    await this.page.getByRole('button', { name: /^Sampler/ }).click();
    const steps = this.page.getByRole('spinbutton', { name: 'Steps' });
    await steps.fill('4');
    await steps.press('Enter');
    await this.page.keyboard.press('Escape');
  }

  /** Exports in a format and keeps what the browser downloads. */
  async export(format: string, extension: string, folder: string): Promise<string> {
    await this.closed();
    await this.page.keyboard.press('Control+e');
    const dialog = this.dialog('Export');
    await dialog.getByRole('radio', { name: new RegExp(`^${format}`) }).click();
    const save = dialog.getByRole('button', { name: 'Save' });
    // It is made anew for the format that was chosen; until then there is nothing to save.
    await dialog.getByText(new RegExp(`\\.${extension} ·`)).waitFor(SOON);
    await expect.poll(() => save.isEnabled(), SOON).toBe(true);
    const [download] = await Promise.all([this.page.waitForEvent('download', SOON), save.click()]);
    const file = path.join(folder, download.suggestedFilename());
    await download.saveAs(file);
    await dialog.waitFor({ ...SOON, state: 'detached' });
    return file;
  }

  /** Opens files through the studio's dialog and the browser's chooser. */
  async openFiles(...files: string[]): Promise<void> {
    await this.closed();
    await this.page.keyboard.press('Control+o');
    const button = this.dialog('Open').getByRole('button', { name: /^File from elsewhere/ });
    const [chooser] = await Promise.all([this.page.waitForEvent('filechooser', SOON), button.click()]);
    await chooser.setFiles(files);
  }
}

describe.skipIf(!hasBrowser)('files and history', () => {
  let host: Host;
  let browser: Browser;
  let context: BrowserContext;
  let folder: string;
  let studio: FilesPage;

  const visit = async (): Promise<FilesPage> => {
    const page = new FilesPage(await context.newPage());
    page.page.setDefaultTimeout(SOON.timeout);
    await page.page.goto(host.address());
    return page;
  };

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'spatext-files-'));
    host = await startHost(await newDataFolder());
    browser = await openBrowser();
    context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-US' });
    studio = await visit();
    await studio.ready();
  }, 5 * MINUTES);
  afterAll(async () => {
    await browser.close();
    await host.stop();
    await dropFolder(host.dataFolder);
    await rm(folder, { recursive: true, force: true });
  });

  /** Whether the host's disk holds these words of the open document: what the studio promises within a second. */
  const autosaved = async (words: string): Promise<boolean> => {
    const open = path.join(host.dataFolder, 'documents', 'open');
    for (const name of await readdir(open, { recursive: true }))
      if (/\.jsonl?$/.test(name)) {
        const text = await readFile(path.join(open, name), 'utf8').catch(() => '');
        if (text.includes(words)) return true;
      }
    return false;
  };

  test(
    'work, save, kill -9, start, recover, reopen from the PNG, export PSD, import it, compare, delete, restore',
    { timeout: 30 * MINUTES },
    async () => {
      // Work.
      await studio.empty();
      await studio.sceneText().fill(SCENE);
      for (const segment of DRAWN) await studio.draw(segment);
      await studio.fewSteps();
      await studio.generate(PAINTED.timeout);
      const dial = studio.page.getByRole('spinbutton', { name: 'Segments', exact: true });
      await dial.fill('6');
      await dial.press('Enter');
      await studio.generate(PAINTED.timeout);
      const [second, first] = await studio.pictures();
      expect(second).not.toBe(first);

      // Save.
      await studio.page.keyboard.press('Control+s');
      const saveAs = studio.dialog('Save as');
      await saveAs.getByRole('textbox', { name: 'Name' }).fill('Meadow');
      await saveAs.getByRole('button', { name: 'Save' }).click();
      await saveAs.waitFor({ ...SOON, state: 'detached' });
      const project = path.join(host.dataFolder, 'documents', 'projects', 'Meadow.spatext');
      expect((await readFile(project)).subarray(0, 2).toString()).toBe('PK');

      // More work, not saved; then the host is killed.
      await studio.draw(LATER);
      await expect.poll(() => autosaved(LATER.text), { ...SOON, message: 'the dog is on the disk' }).toBe(true);
      const all = await studio.names();
      expect(all).toHaveLength(3);
      await host.kill();
      await studio.page.close();

      // Start, recover: what was found is shown, the artist chooses.
      host = await startHost(host.dataFolder);
      studio = await visit();
      const offer = studio.dialog('Unsaved work');
      await offer
        .getByText('Meadow')
        .first()
        .waitFor({ timeout: 3 * MINUTES });
      await offer.getByText('3 segments').first().waitFor(SOON);
      await offer.getByRole('button', { name: 'Open', exact: true }).first().click(SOON);
      await studio.ready();
      await expect.poll(() => studio.names(), SOON).toEqual(all);
      await expect.poll(() => studio.sceneText().inputValue(), SOON).toBe(SCENE);
      await expect.poll(() => studio.pictures(), SOON).toEqual([second, first]);
      // The steps before the crash can still be undone: text and stroke of the dog.
      await studio.page.keyboard.press('Escape');
      for (let step = 0; step < 4 && (await studio.segmentRows().count()) > 2; step += 1) {
        await studio.page.keyboard.press('Control+z');
        await studio.page.waitForTimeout(300);
      }
      await expect.poll(() => studio.names(), SOON).toEqual(all.filter((name) => name !== LATER.text));

      // The newest picture carries the scene that made it.
      const png = await studio.export('PNG', 'png', folder);
      await studio.empty();
      await studio.openFiles(png);
      const drawn = new Set(DRAWN.map(({ text }) => text));
      await expect.poll(async () => new Set(await studio.names()), SOON).toEqual(drawn);
      await expect.poll(() => studio.sceneText().inputValue(), SOON).toBe(SCENE);
      // Generated again it is the same picture, pixel for pixel.
      await studio.generate(PAINTED.timeout);
      expect((await studio.pictures())[0]).toBe(second);

      // Layers for other programs, and back.
      const psd = await studio.export('Photoshop', 'psd', folder);
      expect((await readFile(psd)).subarray(0, 4).toString()).toBe('8BPS');
      await studio.empty();
      await studio.openFiles(psd);
      await expect.poll(async () => new Set(await studio.names()), SOON).toEqual(drawn);
      await expect.poll(() => studio.sceneText().inputValue(), SOON).toBe(SCENE);

      // Compare the first two results: what changed is said in words.
      const thumbs = studio.results().locator('button.thumb');
      await thumbs.nth(2).click({ modifiers: ['Control'] });
      await thumbs.nth(1).click({ modifiers: ['Control'] });
      await studio.results().getByRole('button', { name: 'Compare 2' }).click();
      const comparison = studio.dialog('Comparison');
      await comparison.getByText(/^segments .* → 6$/).waitFor(SOON);
      await studio.page.keyboard.press('Escape');
      await comparison.waitFor({ ...SOON, state: 'detached' });

      // Delete one in the history, find it among the deleted, restore it.
      await studio.page.keyboard.press('Control+Shift+h');
      const history = studio.dialog('History');
      const tiles = history.locator('.tile');
      await expect.poll(() => tiles.count(), SOON).toBe(3);
      await tiles.last().click();
      await history.getByRole('button', { name: 'Delete', exact: true }).click();
      await expect.poll(() => tiles.count(), SOON).toBe(2);
      await history.getByRole('button', { name: 'Deleted' }).click();
      await expect.poll(() => tiles.count(), SOON).toBe(1);
      await tiles.first().click();
      await history.getByRole('button', { name: 'Restore' }).click();
      await expect.poll(() => tiles.count(), SOON).toBe(0);
      await history.getByRole('button', { name: 'All results' }).click();
      await expect.poll(() => tiles.count(), SOON).toBe(3);

      // Delete it once more, this time for good: asked twice, then there is no way back.
      await tiles.last().click();
      await history.getByRole('button', { name: 'Delete', exact: true }).click();
      await history.getByRole('button', { name: 'Deleted' }).click();
      await expect.poll(() => tiles.count(), SOON).toBe(1);
      await tiles.first().click();
      await history.getByRole('button', { name: 'Delete for good…' }).click();
      expect(await tiles.count()).toBe(1);
      await history.getByRole('button', { name: 'No way back: delete it for good' }).click();
      await expect.poll(() => tiles.count(), SOON).toBe(0);
      await studio.page.getByText(/gone for good/).waitFor(SOON);
      await history.getByRole('button', { name: 'All results' }).click();
      await expect.poll(() => tiles.count(), SOON).toBe(2);
      await studio.page.keyboard.press('Escape');
      await history.waitFor({ ...SOON, state: 'detached' });
      await expect.poll(() => studio.pictures(), SOON).toEqual([second, second]);
      expect(studio.complaints).toEqual([]);
    },
  );

  test(
    'COCO annotations: one image of two is chosen, its segments come with their categories',
    { timeout: 5 * MINUTES },
    async () => {
      const annotations = path.join(folder, 'panoptic.json');
      await writeFile(
        annotations,
        JSON.stringify({
          images: [1, 2].map((id) => ({ id, file_name: `00${id}.jpg` })),
          categories: [{ id: 1, name: 'cat' }, { id: 2, name: 'grass-merged' }], // prettier-ignore
          annotations: [1, 2].map((id) => ({
            image_id: id,
            file_name: `00${id}.png`,
            segments_info: id === 1 ? [{ id: 9, category_id: 1 }] : [9, 300].map((one) => ({ id: one, category_id: one === 9 ? 1 : 2 })), // prettier-ignore
          })),
        }),
      );
      const pictures = [path.join(folder, '001.png'), path.join(folder, '002.png')];
      for (const picture of pictures) {
        const ids = new Uint8Array(128 * 96 * 3).map((_, i) => [i < 128 * 48 * 3 ? 9 : 44, i < 128 * 48 * 3 ? 0 : 1, 0][i % 3] ?? 0); // prettier-ignore
        await writeFile(picture, await sharp(ids, { raw: { width: 128, height: 96, channels: 3 } }).png().toBuffer()); // prettier-ignore
      }
      await studio.openFiles(annotations, ...pictures);
      const dialog = studio.dialog('Which image?');
      await dialog.getByRole('button', { name: /^002\.jpg/ }).click(SOON);
      await expect.poll(async () => new Set(await studio.names()), SOON).toEqual(new Set(['cat', 'grass']));
      // Their outlines are traced from the pixels of the areas; the labels hang on the outlines.
      await expect.poll(() => studio.page.locator('.segment-tag').count(), SOON).toBe(2);

      // One picture alone says which image is meant.
      await studio.openFiles(annotations, pictures[0] ?? '');
      await expect.poll(() => studio.names(), SOON).toEqual(['cat']);
      await dialog.waitFor({ ...SOON, state: 'detached' });
    },
  );
});
