// Every main view through axe: nothing serious, in dark and in light.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StudioPage, dropFolder, hasBrowser, newDataFolder, openBrowser, startHost } from './studio.testkit.ts';
import type { Host } from './studio.testkit.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

async function serious(studio: StudioPage): Promise<string[]> {
  // Evaluated in the page's world by the debugger: the page's own policy forbids strange scripts, and keeps doing so.
  const violations = (await studio.page.evaluate(
    `${AXE}; axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)`,
  )) as Violation[];
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}

describe.skipIf(!hasBrowser)('access', () => {
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

  test.each(['dark', 'light'] as const)(
    '%s: the main view and the dialogs',
    async (colorScheme) => {
      const context = await browser.newContext({
        viewport: { width: 1440, height: 900 },
        locale: 'en-US',
        colorScheme,
        reducedMotion: 'reduce',
      });
      const studio = await StudioPage.open(context, host);
      const { page } = studio;
      const found: Record<string, string[]> = { main: await serious(studio) };
      await studio.segmentRows().first().click();
      found['segment'] = await serious(studio);
      for (const [name, keys] of [
        ['new scene', 'Alt+n'],
        ['export', 'Control+e'],
        ['settings', 'Control+,'],
        ['palette', 'Control+k'],
      ] as const) {
        await page.keyboard.press('Escape');
        await page.keyboard.press(keys);
        await page.getByRole('dialog').waitFor();
        // half faded in, nothing has its contrast
        await page.getByRole('dialog').evaluate((dialog) => Promise.allSettled(dialog.getAnimations({ subtree: true }).map(({ finished }) => finished))); // prettier-ignore
        found[name] = await serious(studio);
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'hidden' });
      }
      expect(Object.entries(found).filter(([, problems]) => problems.length > 0)).toEqual([]);
      await context.close();
    },
    180_000,
  );
});
