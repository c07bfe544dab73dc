// Screenshots against kept ones, all with the same tolerance.
// SPATEXT_UPDATE_GOLDENS=1 npx vitest run --project e2e test/visual   writes those anew that look different: look at each.
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pixelmatch from 'pixelmatch';
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { decodePicture, encodePng } from '../../src/engine/image/picture.ts';

const GOLDENS = path.resolve('test/visual/goldens');
const ACTUAL = path.resolve('test/visual/actual');
/** Colour distance (0..1) from which a pixel counts as different: below it lies what font rasterizers disagree on. */
const PIXEL_THRESHOLD = 0.2;
/** Share of different pixels that is still the same picture. */
const TOLERANCE = 0.01;

/** Pictures taken before a page that never rests is looked at as it is. */
const PATIENCE = 40;

/** Milliseconds that a picture has to become what it should be. */
const LATEST = 15_000;

interface Compared {
  readonly png: Buffer;
  readonly share: number;
  readonly difference: Parameters<typeof encodePng>[0];
}

/** The page when it has come to rest: two pictures in a row that are the same. */
async function stillScreenshot(page: Page, hidden: readonly Locator[]): Promise<Buffer> {
  const take = (): Promise<Buffer> =>
    page.screenshot({ animations: 'disabled', caret: 'hide', mask: [...hidden], maskColor: '#808080' });
  let last = await take();
  for (let taken = 1; taken < PATIENCE; taken += 1) {
    // two frames, so that what was asked for in one is painted in the next
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const next = await take();
    if (next.equals(last)) return next;
    last = next;
  }
  return last;
}

/** Compares a screenshot with its golden; on a difference both and a map of the differences lie in test/visual/actual. */
export async function expectLooks(page: Page, name: string, hidden: readonly Locator[] = []): Promise<void> {
  const png = await stillScreenshot(page, hidden);
  const golden = path.join(GOLDENS, `${name}.png`);
  const updating = Boolean(process.env['SPATEXT_UPDATE_GOLDENS']);
  if (updating && !existsSync(golden)) {
    await mkdir(GOLDENS, { recursive: true });
    await writeFile(golden, png);
    return;
  }
  const expected = await decodePicture(await readFile(golden), 4);
  const compare = async (taken: Buffer): Promise<Compared> => {
    const actual = await decodePicture(new Uint8Array(taken), 4);
    expect([actual.width, actual.height], name).toEqual([expected.width, expected.height]);
    const map = new Uint8Array(actual.data.length);
    const different = pixelmatch(actual.data, expected.data, map, actual.width, actual.height, {
      threshold: PIXEL_THRESHOLD,
    });
    return { png: taken, share: different / (actual.width * actual.height), difference: { ...actual, data: map } };
  };
  let compared = await compare(png);
  // A page can rest while a worker still traces its outlines: what looks right within this time looks right.
  const until = performance.now() + LATEST;
  while (compared.share > TOLERANCE && performance.now() < until)
    compared = await compare(await stillScreenshot(page, hidden));
  const { share } = compared;
  if (share > TOLERANCE && updating) {
    await writeFile(golden, compared.png);
    return;
  }
  if (share > TOLERANCE) {
    await mkdir(ACTUAL, { recursive: true });
    await writeFile(path.join(ACTUAL, `${name}.png`), compared.png);
    await writeFile(path.join(ACTUAL, `${name}-difference.png`), await encodePng(compared.difference));
  }
  expect(share, `${name}: share of pixels that differ`).toBeLessThanOrEqual(TOLERANCE);
}
