// The main views in dark and in light, as they were looked at and found good.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StudioPage, dropFolder, hasBrowser, newDataFolder, openBrowser, startHost } from '../e2e/studio.testkit.ts';
import type { Host } from '../e2e/studio.testkit.ts';
import { expectLooks } from './golden.testkit.ts';

describe.skipIf(!hasBrowser)('how it looks', () => {
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

  test.each([
    ['dark', 1440, 900],
    ['light', 1440, 900],
    ['dark', 1280, 720],
    ['light', 2560, 1440],
  ] as const)(
    '%s, %d x %d',
    async (colorScheme, width, height) => {
      const context = await browser.newContext({
        viewport: { width, height },
        locale: 'en-US',
        colorScheme,
        reducedMotion: 'reduce',
      });
      const studio = await StudioPage.open(context, host);
      const { page } = studio;
      const name = (view: string) => `${view}-${colorScheme}-${width}`;
      // What is measured, dated or told by this machine is no part of the look.
      const hidden = () => [page.getByRole('contentinfo'), page.getByRole('banner')];
      const look = async (view: string) => {
        await page.mouse.move(width / 2, height - 4);
        await expectLooks(page, name(view), hidden());
      };
      await page
        .getByRole('button', { name: /SpaText/ })
        .first()
        .waitFor({ timeout: 30_000 });
      // the example's three outlines are traced: their labels hang on them
      await expect.poll(() => page.locator('.segment-tag').count(), { timeout: 30_000 }).toBe(3);
      await look('main');
      await studio.segmentRows().first().click();
      await look('segment');
      if (width === 1440) {
        for (const [view, keys] of [
          ['new-scene', 'Alt+n'],
          ['palette', 'Control+k'],
          ['settings', 'Control+,'],
          ['keys', '?'],
        ] as const) {
          await page.keyboard.press('Escape');
          await page.keyboard.press(keys);
          await page.getByRole('dialog').waitFor();
          if (view === 'new-scene') await page.locator('.example').nth(10).waitFor();
          await look(view);
          await page.keyboard.press('Escape');
          await page.getByRole('dialog').waitFor({ state: 'hidden' });
        }
      }
      await context.close();
    },
    180_000,
  );
});
