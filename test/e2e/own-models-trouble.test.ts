// What may happen to an artist's own model while it is in use: it is cut or removed by hand, the disk is full. One clear
// sentence each, and the studio goes on.
import { copyFile, readFile, readdir, rename, truncate } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  StudioPage,
  dropFolder,
  filesBelow,
  hasBrowser,
  newDataFolder,
  openBrowser,
  startHost,
} from './studio.testkit.ts';
import type { Host } from './studio.testkit.ts';
import { CHECKPOINTS, SOON, layOutModels } from './own-models.testkit.ts';

describe.skipIf(!hasBrowser)("trouble with the artist's own models", () => {
  let browser: Browser;
  let host: Host;
  let studio: StudioPage;
  let models: string;
  let model: string;

  beforeAll(async () => {
    browser = await openBrowser();
  }, 120_000);
  afterAll(() => browser.close());
  afterEach(async () => {
    await studio.page.context().close();
    await host.stop();
    await dropFolder(host.dataFolder);
  });

  /** A studio whose scene uses a checkpoint of its own, with two steps. @param room of its pictures, in bytes */
  async function open(room?: number): Promise<void> {
    const folder = await newDataFolder();
    models = path.join(folder, 'my models');
    model = path.join(models, 'mine.safetensors');
    await layOutModels(models);
    const noSpace = pathToFileURL(path.join(import.meta.dirname, '../fault/no-space.ts')).href;
    host = await startHost(
      folder,
      room === undefined
        ? {}
        : { NODE_OPTIONS: `--import ${noSpace}`, SPATEXT_TEST_ROOM: `${room} ${path.join(folder, 'blobs')}` },
    );
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-US' });
    studio = await StudioPage.open(context, host);
    const { page } = studio;
    await modelButton().click();
    await dialog()
      .getByRole('textbox', { name: /Folder, \.zip or \.safetensors/ })
      .fill(model);
    await dialog().getByRole('button', { name: 'Add', exact: true }).first().click();
    await expect.poll(() => notices().textContent(), SOON).toContain('this scene uses it');
    await page.keyboard.press('Escape');
    await studio.setSteps(2);
  }

  const notices = () => studio.page.getByRole('region', { name: 'Notices' });
  const dialog = () => studio.page.getByRole('dialog');
  const modelButton = () => studio.page.locator('.topbar-pack');
  const running = () => studio.page.getByRole('button', { name: 'Cancel', exact: true }).count();
  const usesEmbeddedPack = async (): Promise<void> => {
    await modelButton().click();
    await dialog()
      .getByRole('radio', { name: /SpaText/ })
      .first()
      .click();
    await studio.page.keyboard.press('Escape');
    await studio.generate(240_000);
  };

  describe('the file', () => {
    beforeEach(() => open(), 240_000);

    test('cut while a picture is being made: the job says so and ends; put back, it makes pictures again', async () => {
      await studio.setSteps(1000);
      await studio.page.keyboard.press('Control+Enter');
      await expect
        .poll(async () => (await studio.results().textContent()) ?? '', { timeout: 120_000 })
        .toMatch(/[1-9]\d* of \d+ passes/);
      await truncate(model, 5000);
      // Seldom the weights are read beyond the end before the next look at the file: that costs the engine's process.
      await expect
        .poll(() => notices().textContent(), { timeout: 120_000 })
        .toMatch(/mine\.safetensors was changed while it was in use|a model file was cut/);
      await expect.poll(running, SOON).toBe(0);
      expect(await notices().textContent()).toContain('put the file back');
      await copyFile(path.join(CHECKPOINTS, 'sd15-tiny.safetensors'), model);
      await studio.setSteps(2);
      await studio.generate(240_000);
    }, 400_000);

    test('removed by hand: the next picture says so, the models view too, and the embedded pack paints on', async () => {
      await studio.generate(240_000);
      const away = path.join(models, 'elsewhere.safetensors');
      await rename(model, away);
      await studio.page.keyboard.press('Control+Enter');
      await expect.poll(() => notices().textContent(), SOON).toMatch(/mine\.safetensors is no longer where it was/);
      await expect.poll(running, SOON).toBe(0);
      await usesEmbeddedPack();
      await modelButton().click();
      await expect.poll(() => dialog().textContent(), SOON).toContain('mine.safetensors is no longer where it was');
      expect(await dialog().getByRole('radio', { name: /mine/ }).isDisabled()).toBe(true);
      await studio.page.keyboard.press('Escape');
      await rename(away, model);
      await studio.page.keyboard.press('Control+z');
      await expect.poll(() => modelButton().textContent(), SOON).toContain('mine');
      await studio.generate(240_000);
      expect(studio.complaints).toEqual([]);
    }, 400_000);
  });

  describe('the disk', () => {
    beforeEach(() => open(0), 240_000);

    test('full: a LoRA needs no file beside it; the picture that cannot be kept is said in one sentence', async () => {
      const before = await readdir(models, { recursive: true });
      await studio.dropFile('ink.safetensors', await readFile(path.join(models, 'ink.safetensors')));
      await notices().getByRole('button', { name: 'Use it in this scene' }).click();
      await studio.page.keyboard.press('Control+Enter');
      await expect.poll(() => notices().textContent(), { timeout: 240_000 }).toContain('the disk is full');
      await expect.poll(running, SOON).toBe(0);
      expect(await notices().textContent()).toContain('free some space and try again');
      expect(await readdir(models, { recursive: true })).toEqual(before);
      expect(await filesBelow(path.join(host.dataFolder, 'blobs'))).toEqual([]);
      await expect.poll(() => modelButton().textContent(), SOON).toContain('mine');
      await modelButton().click();
      await dialog().getByRole('button', { name: 'Remove ink' }).waitFor();
    }, 400_000);
  });
});
