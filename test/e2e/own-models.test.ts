// An artist's own model as it is lived with: dropped on the window, used, added to, worked with, left again.
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StudioPage, dropFolder, hasBrowser, newDataFolder, openBrowser, startHost } from './studio.testkit.ts';
import type { Host } from './studio.testkit.ts';
import { CHECKPOINTS, SOON, layOutModels } from './own-models.testkit.ts';

describe.skipIf(!hasBrowser)("the artist's own models", () => {
  let host: Host;
  let browser: Browser;
  let studio: StudioPage;
  let models: string;

  beforeAll(async () => {
    const folder = await newDataFolder();
    models = path.join(folder, 'my models');
    await layOutModels(models);
    await copyFile(path.join(CHECKPOINTS, 'vae-tiny.safetensors'), path.join(models, 'soft-vae.safetensors'));
    await writeFile(path.join(models, 'diary.safetensors'), 'Dear diary, today I renamed a file.');
    host = await startHost(folder);
    browser = await openBrowser();
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-US' });
    studio = await StudioPage.open(context, host);
  }, 240_000);
  afterAll(async () => {
    await browser.close();
    await host.stop();
    await dropFolder(host.dataFolder);
  });

  const notices = () => studio.page.getByRole('region', { name: 'Notices' });
  /** What may be taken off the model again. */
  const additions = () => dialog().getByRole('button', { name: /^Remove (ink|soft-vae)$/ });
  const dialog = () => studio.page.getByRole('dialog');
  const modelButton = () => studio.page.locator('.topbar-pack');

  const drop = async (name: string, bytes?: Buffer): Promise<void> =>
    studio.dropFile(name, bytes ?? (await readFile(path.join(models, name))));
  const setSteps = async (count: number): Promise<void> => {
    const { page } = studio;
    await page.getByRole('button', { name: /^Sampler/ }).click();
    const steps = page.getByRole('spinbutton', { name: 'Steps', exact: true });
    await steps.fill(String(count));
    await steps.press('Enter');
    await page.keyboard.press('Escape');
    await steps.waitFor({ state: 'hidden' });
  };
  const shownPicture = (): Promise<string> =>
    studio
      .results()
      .locator('img')
      .first()
      .evaluate((one) => (one as unknown as { src: string }).src);

  test('a browser that drops an unknown model is told where to type its path; typed, it is used at once', async () => {
    await drop('mine.safetensors');
    await expect
      .poll(() => notices().textContent(), SOON)
      .toContain('A browser does not tell where mine.safetensors lies');
    await notices().getByRole('button', { name: 'Models view…' }).click();
    await dialog()
      .getByRole('textbox', { name: /Folder, \.zip or \.safetensors/ })
      .fill(path.join(models, 'mine.safetensors'));
    const begun = performance.now();
    await dialog().getByRole('button', { name: 'Add', exact: true }).first().click();
    await expect.poll(() => notices().textContent(), SOON).toContain('this scene uses it');
    expect(performance.now() - begun).toBeLessThan(20_000);
    await expect.poll(() => dialog().textContent(), SOON).toContain('Stable Diffusion 1.x, epsilon, fp16');
    await studio.page.keyboard.press('Escape');
    await expect.poll(() => modelButton().textContent(), SOON).toContain('mine');
    await setSteps(2);
    await studio.generate(240_000);
  }, 400_000);

  test('a LoRA dropped is named, used by one click, and taken back by one undo; the picture changes with it', async () => {
    const before = await shownPicture();
    await drop('ink.safetensors');
    await expect.poll(() => notices().textContent(), SOON).toMatch(/ink\.safetensors is a LoRA for mine/);
    await notices().getByRole('button', { name: 'Use it in this scene' }).click();
    await studio.generate(240_000);
    expect(await shownPicture()).not.toBe(before);
    await modelButton().click();
    await expect.poll(() => dialog().textContent(), SOON).toContain('in memory:');
    await dialog().getByRole('button', { name: 'Remove ink' }).waitFor();
    await studio.page.keyboard.press('Escape');
    await drop('soft-vae.safetensors');
    await expect.poll(() => notices().textContent(), SOON).toMatch(/soft-vae\.safetensors is an autoencoder/);
    await notices().getByRole('button', { name: 'Use it in this scene' }).click();
    await modelButton().click();
    await dialog().getByRole('button', { name: 'Remove soft-vae' }).waitFor();
    await studio.page.keyboard.press('Escape');
    await studio.page.keyboard.press('Control+z');
    await studio.page.keyboard.press('Control+z');
    await modelButton().click();
    await dialog().getByRole('heading', { name: 'LoRAs over this model' }).waitFor();
    expect(await additions().count()).toBe(0);
    await studio.page.keyboard.press('Escape');
  }, 400_000);

  test('a LoRA typed in the models view is used at once, and once; another file is called what it is', async () => {
    await modelButton().click();
    const field = dialog().getByRole('textbox', { name: /^LoRA file/ });
    for (let time = 0; time < 2; time += 1) {
      await field.fill(path.join(models, 'ink.safetensors'));
      await field.press('Enter');
      await expect.poll(() => field.inputValue(), SOON).toBe('');
    }
    expect(await dialog().getByRole('button', { name: 'Remove ink' }).count()).toBe(1);
    await field.fill(path.join(models, 'soft-vae.safetensors'));
    await field.press('Enter');
    await expect.poll(() => notices().textContent(), SOON).toMatch(/soft-vae\.safetensors is an autoencoder/);
    await dialog().getByRole('button', { name: 'Remove ink' }).click();
    expect(await additions().count()).toBe(0);
    await studio.page.keyboard.press('Escape');
  }, 240_000);

  test('what is no model is said in one sentence, and the scene keeps its model', async () => {
    for (const [name, bytes, words] of [
      ['diary.safetensors', undefined, 'diary.safetensors is a text file under another name'],
      ['old.ckpt', Buffer.from([0x80, 2, 0x7d, 0x71, 0, 0x2e]), 'opening one can run any code its author put inside'],
    ] as const) {
      await drop(name, bytes);
      await expect.poll(() => notices().textContent(), SOON).toContain(words);
    }
    await expect.poll(() => modelButton().textContent(), SOON).toContain('mine');
  }, 120_000);

  test('a job of this model is cancelled between two passes; then the embedded pack makes its picture', async () => {
    await setSteps(1000);
    const { page } = studio;
    await page.keyboard.press('Control+Enter');
    await expect.poll(async () => (await studio.results().textContent()) ?? '', { timeout: 120_000 }).toMatch(/passes/);
    // Previews come and go around the button: a click need not wait for them to stand still.
    await page.getByRole('button', { name: 'Cancel', exact: true }).first().dispatchEvent('click');
    await expect
      .poll(() => page.getByRole('button', { name: 'Cancel', exact: true }).count(), { timeout: 60_000 })
      .toBe(0);
    await setSteps(2);
    await modelButton().click();
    await dialog()
      .getByRole('radio', { name: /SpaText/ })
      .first()
      .click();
    await page.keyboard.press('Escape');
    await expect.poll(() => modelButton().textContent(), SOON).not.toContain('mine');
    await studio.generate(240_000);
    expect(studio.complaints).toEqual([]);
  }, 400_000);
});
