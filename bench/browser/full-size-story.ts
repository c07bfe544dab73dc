/**
 * The story of an artist's own model with a full-size SD 1.5 (random weights, 2.1 GB, removed afterwards) in the real
 * studio and a real browser: added by its path, three segments drawn, a picture watched while it is made, cancelled
 * under way, a LoRA dropped, another picture, the embedded pack again.
 *   node bench/browser/full-size-story.ts [--side 512] [--steps 2] [--folder FOLDER] [--shots FOLDER] [--rehearse]
 * With --side 256 the file says that it was trained on 256 x 256 (a configuration beside it), for a slow machine; with
 * --rehearse the recorded narrow checkpoint plays its part, and nothing is written down.
 * What took how long, and the engine's memory beside its estimate, go to bench/results/stock-story.json.
 */
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Locator } from 'playwright-core';
import { estimateMemory, usableMemory } from '../../src/engine/stock/memory.ts';
import { stockPackReader } from '../../src/engine/stock/open-stock.ts';
import { StudioPage, engineProcesses, openBrowser, startHost } from '../../test/e2e/studio.testkit.ts';
import { loraShapes, writeFullSizeCheckpoint, writeTensors } from '../full-size-checkpoint.ts';
import { record } from '../record.ts';

const { values: options } = parseArgs({
  options: {
    side: { type: 'string', default: '512' },
    steps: { type: 'string', default: '2' },
    folder: { type: 'string' },
    shots: { type: 'string' },
    rehearse: { type: 'boolean', default: false },
  },
});
const side = Number(options.side);
/** A pass on one busy core takes half a minute. */
const LONG = 900_000;
const SHORT = 60_000;
const folder = options.folder ?? (await mkdtemp(path.join(os.tmpdir(), 'full-size-story-')));
const shots = options.shots ?? path.join(folder, 'shots');
const models = path.join(folder, 'models');
await mkdir(models, { recursive: true });
await mkdir(shots, { recursive: true });

const seconds = (from: number): number => Math.round(performance.now() - from) / 1000;
const mega = (bytes: number): number => Math.round(bytes / 1e6);
const figures: Record<string, unknown> = { picture: side, steps: Number(options.steps) };
const say = (what: string): void => console.log(`${(performance.now() / 1000).toFixed(1)} s  ${what}`);

/** Waits until something holds, looking often. @returns its last value */
async function until<T>(what: string, look: () => Promise<T>, good: (value: T) => boolean, limit = SHORT): Promise<T> {
  const begun = performance.now();
  for (;;) {
    const value = await look();
    if (good(value)) return value;
    if (performance.now() - begun > limit)
      throw new Error(`waited ${limit / 1000} s for: ${what}; last ${String(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const checkpoint = path.join(models, 'dream.safetensors');
const lora = path.join(models, 'ink.safetensors');
if (options.rehearse) {
  const recorded = path.join(import.meta.dirname, '../../test/fixtures/checkpoints');
  await copyFile(path.join(recorded, 'sd15-tiny.safetensors'), checkpoint);
  await cp(path.join(recorded, 'sd15-tiny.config'), path.join(models, 'dream.config'), { recursive: true });
  await copyFile(path.join(recorded, 'lora-tiny-kohya.safetensors'), lora);
} else {
  await writeFullSizeCheckpoint('sd15', checkpoint);
  await writeTensors(loraShapes(8), lora, 'F16');
  if (side !== 512) {
    await mkdir(path.join(models, 'dream.config/unet'), { recursive: true });
    await writeFile(path.join(models, 'dream.config/unet/config.json'), JSON.stringify({ sample_size: side / 8 }));
  }
}
const { opened } = await stockPackReader.open(checkpoint);
const estimate = estimateMemory(opened, { rows: 3, cells: (side / 8) ** 2, cellSide: 8, free: usableMemory() });
figures['estimateMegabytes'] = {
  texts: mega(estimate.texts),
  denoiser: mega(estimate.denoiser),
  decoder: mega(estimate.decoder),
  peak: mega(estimate.peak),
};
say('checkpoint and LoRA written');

const host = await startHost(path.join(folder, 'data'));
const browser = await openBrowser();
try {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-US' });
  const studio = await StudioPage.open(context, host);
  const { page } = studio;
  const shot = (name: string) => page.screenshot({ path: path.join(shots, `${name}.png`) });
  const dialog = () => page.getByRole('dialog');
  const notices = () => page.getByRole('region', { name: 'Notices' });
  const text = async (where: Locator): Promise<string> => (await where.textContent()) ?? '';
  const modelButton = () => page.locator('.topbar-pack');

  /** The engine's memory in megabytes: at most, for itself now, mapped from files now. */
  const memory = async (): Promise<Record<string, number>> => {
    const [pid] = await engineProcesses(host);
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const of = (key: string) => Math.round(Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1000);
    return { peak: of('VmHWM'), private: of('RssAnon'), mapped: of('RssFile') };
  };
  const progress = async (): Promise<string> =>
    /(?:\d+ of \d+ passes|loading the model|reading the texts|developing|judging the segments|keeping)(?: · [\d.]+ \w+(?: [\d.]+ \w+)? left)?/.exec(
      await text(studio.results()),
    )?.[0] ?? '';
  const setSteps = async (count: number): Promise<void> => {
    await page.getByRole('button', { name: /^Sampler/ }).click();
    const steps = page.getByRole('spinbutton', { name: 'Steps', exact: true });
    await steps.fill(String(count));
    await steps.press('Enter');
    await page.keyboard.press('Escape');
    await steps.waitFor({ state: 'hidden' });
  };
  /** Makes a picture and watches it. */
  const generate = async (shotName: string): Promise<Record<string, unknown>> => {
    const before = await studio.resultCount();
    const begun = performance.now();
    const since: Record<string, number> = {};
    const told: string[] = [];
    await page.keyboard.press('Control+Enter');
    await until(
      'one more picture',
      async () => {
        const words = await progress();
        const what = words.replace(/ · .*/, '');
        if (what && since[what] === undefined) {
          since[what] = seconds(begun);
          told.push(words);
          if (/^[1-9]\d* of/.test(what) && told.length < 4) await shot(shotName);
        }
        return studio.resultCount();
      },
      (count) => count > before,
      LONG,
    );
    return { seconds: seconds(begun), since, told };
  };

  await page.keyboard.press('Alt+n');
  await dialog()
    .getByRole('button', { name: /^Empty/ })
    .click();
  await until(
    'an empty scene',
    () => studio.segmentRows().count(),
    (count) => count === 0,
  );

  // By its path, typed.
  await modelButton().click();
  const field = dialog().getByRole('textbox', { name: /Folder, \.zip or \.safetensors/ });
  await field.fill(checkpoint);
  let begun = performance.now();
  await dialog().getByRole('button', { name: 'Add', exact: true }).first().click();
  await until(
    'the model is added',
    () => text(notices()),
    (words) => words.includes('this scene uses it'),
  );
  figures['secondsToRecognise'] = seconds(begun);
  await shot('1-recognised');
  await page.keyboard.press('Escape');
  say('recognised');

  await page.getByRole('textbox', { name: 'Whole scene' }).fill('a meadow under a wide sky');
  for (const [index, [tool, points, words]] of ([
      ['Brush', [[0.35, 0.6], [0.4, 0.62], [0.42, 0.7]], 'a dog'],
      ['Ellipse', [[0.6, 0.2], [0.7, 0.35]], 'the sun'],
      ['Rectangle', [[0.55, 0.6], [0.7, 0.75]], 'a small house'],
    ] as const // prettier-ignore
  )
    .entries()) {
    await page.keyboard.press('Escape');
    await studio.tool(tool).click();
    await studio.drag(points);
    await until(
      `${tool} made a segment`,
      () => studio.segmentRows().count(),
      (count) => count === index + 1,
    );
    await page.keyboard.type(words);
    await page.keyboard.press('Enter');
  }
  await setSteps(Number(options.steps));
  figures['toldBeforeStart'] = await until(
    'the cost line',
    async () =>
      /\d+ passes, about(?: [\d.]+ (?:h|min|s))+|\d+ passes/.exec(await text(page.locator('body')))?.[0] ?? '',
    (words) => (options.rehearse ? words !== '' : words.includes('about')),
  );
  await shot('2-drawn');
  say(`drawn; told: ${String(figures['toldBeforeStart'])}`);

  figures['firstPicture'] = await generate('3-under-way');
  figures['memoryMegabytes'] = { afterFirstPicture: await memory() };
  await until(
    'the picture is shown',
    () => page.getByRole('progressbar').count(),
    (count) => count === 0,
  );
  await shot('4-first-picture');
  say('first picture');

  // Cancelled as soon as a step is done, then in the middle of one call of the network.
  await setSteps(options.rehearse ? 1000 : 50);
  const cancelling: Record<string, unknown> = {};
  for (const [name, wait] of [
    ['rightAfterAStep', 0],
    ['withinACall', 3000],
  ] as const) {
    const [engineBefore] = await engineProcesses(host);
    await page.keyboard.press('Control+Enter');
    await until('passes under way', progress, (words) => (wait === 0 ? /^[1-9]\d* of/ : /^\d+ of/).test(words), LONG);
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (wait > 0) await shot('5-long-pass');
    begun = performance.now();
    await page.getByRole('button', { name: 'Cancel', exact: true }).first().dispatchEvent('click');
    await until(
      'nothing runs',
      () => page.getByRole('button', { name: 'Cancel', exact: true }).count(),
      (count) => count === 0,
    );
    const took = seconds(begun);
    const [engineAfter] = await engineProcesses(host);
    cancelling[name] = { seconds: took, engine: engineBefore === engineAfter ? 'went on' : 'was given up' };
  }
  figures['cancel'] = cancelling;
  await shot('6-cancelled');
  say('cancelled twice');

  // The LoRA, dropped as a browser gives it: name and bytes. It lies beside the model.
  await setSteps(Number(options.steps));
  const dropped = await readFile(lora);
  begun = performance.now();
  await studio.dropFile('ink.safetensors', dropped);
  await until(
    'the LoRA is named',
    () => text(notices()),
    (words) => /ink\.safetensors is a LoRA for dream/.test(words),
  );
  figures['secondsToNameTheLora'] = seconds(begun);
  await shot('7-lora-named');
  await notices().getByRole('button', { name: 'Use it in this scene' }).click();
  figures['pictureWithLora'] = await generate('8-lora-under-way');
  figures['memoryMegabytes'] = { ...(figures['memoryMegabytes'] as object), afterPictureWithLora: await memory() };
  await shot('9-picture-with-lora');
  say('picture with the LoRA');

  await modelButton().click();
  await shot('10-models-view');
  await dialog()
    .getByRole('radio', { name: /SpaText/ })
    .first()
    .click();
  await page.keyboard.press('Escape');
  await until(
    'the embedded pack is chosen',
    () => text(modelButton()),
    (words) => !words.includes('dream'),
  );
  await setSteps(16);
  begun = performance.now();
  const count = await studio.resultCount();
  await page.keyboard.press('Control+Enter');
  await until(
    'a picture of the embedded pack',
    () => studio.resultCount(),
    (now) => now > count,
    LONG,
  );
  figures['embeddedPackAgainSeconds'] = seconds(begun);
  await shot('11-embedded-pack');
  if (studio.complaints.length > 0) throw new Error(`the page complained: ${studio.complaints.join('; ')}`);
  say('embedded pack');
  if (options.rehearse) console.log(figures);
  else record('stock-story', `node bench/browser/full-size-story.ts --side ${side} --steps ${options.steps}`, figures);
} finally {
  await browser.close();
  await host.stop();
  await rm(models, { recursive: true });
  await rm(path.join(folder, 'data'), { recursive: true, force: true });
}
