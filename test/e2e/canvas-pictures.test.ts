import { describe, expect, test } from 'vitest';
import { hasBrowser, withCanvas } from './canvas.testkit.ts';
import type { CanvasPage } from './canvas.testkit.ts';

describe.skipIf(!hasBrowser)('pictures on the canvas, and the view of it', () => {
  let canvas: CanvasPage;
  withCanvas((opened) => {
    canvas = opened;
  });

  test('the wheel zooms to the pointer, within 5 % and 3200 %; space drags the sheet', async () => {
    // wheel events know whole pixels only
    const point = (await canvas.at([300, 200])).map(Math.round) as [number, number];
    const under = await canvas.sceneAt(point);
    await canvas.page.mouse.move(...point);
    for (let turn = 0; turn < 40; turn += 1) await canvas.page.mouse.wheel(0, -240);
    await expect.poll(async () => (await canvas.view()).viewport.zoom).toBe(32);
    const [x, y] = await canvas.at(under);
    expect(Math.hypot(x - point[0], y - point[1])).toBeLessThan(1);
    for (let turn = 0; turn < 60; turn += 1) await canvas.page.mouse.wheel(0, 240);
    await expect.poll(async () => (await canvas.view()).viewport.zoom).toBe(0.05);
    await canvas.page.keyboard.press('Control+0');
    const before = (await canvas.view()).viewport;
    await canvas.page.keyboard.down('Space');
    await canvas.page.mouse.down();
    await canvas.page.mouse.move(point[0] + 60, point[1] + 20, { steps: 4 });
    await canvas.page.mouse.up();
    await canvas.page.keyboard.up('Space');
    const after = (await canvas.view()).viewport;
    expect([after.x - before.x, after.y - before.y]).toEqual([60, 20]);
    expect(await canvas.segments()).toEqual([]);
  });

  test('fill takes the area of one colour from the picture, or the empty area without one', async () => {
    await canvas.page.evaluate(async () => {
      const paper = new OffscreenCanvas(256, 256);
      const context = paper.getContext('2d');
      if (!context) throw new Error('no context');
      context.fillStyle = '#3060a0';
      context.fillRect(0, 0, 256, 256);
      context.fillStyle = '#e0b040';
      context.fillRect(64, 64, 64, 64);
      const { memory, studio } = globalThis as unknown as { memory: { putBlob(blob: Blob): Promise<string> }; studio: { view: { setState(state: object): void } } }; // prettier-ignore
      const picture = await memory.putBlob(await paper.convertToBlob());
      studio.view.setState({ shown: { kind: 'picture', picture, job: 'job-test' }, tool: 'fill' });
    });
    await canvas.page.waitForFunction('pictureShown()');
    await canvas.click([190, 190]);
    await canvas.say('a yellow square');
    await canvas.settled();
    const [square] = await canvas.segments();
    for (const inside of [[140, 140], [245, 245]] as const) expect(await canvas.segmentAt(inside)).toBe(square?.id); // prettier-ignore
    for (const outside of [[118, 190], [266, 190]] as const) expect(await canvas.segmentAt(outside)).toBeUndefined(); // prettier-ignore
    await canvas.run((window) => window.studio.view.setState({ shown: { kind: 'none' } }));
    await canvas.page.waitForFunction('!pictureShown()');
    await canvas.click([400, 400]);
    await canvas.say('the rest');
    await canvas.settled();
    const rest = (await canvas.segments()).at(-1);
    expect(await canvas.segmentAt([20, 20])).toBe(rest?.id);
    expect(await canvas.segmentAt([190, 190])).toBe(square?.id);
  });

  test('the edge lasso finds the edges of the picture below', async () => {
    await canvas.page.evaluate(async () => {
      const paper = new OffscreenCanvas(512, 512);
      const context = paper.getContext('2d');
      if (!context) throw new Error('no context');
      context.fillStyle = '#203040';
      context.fillRect(0, 0, 512, 512);
      context.fillStyle = '#d0d060';
      context.beginPath();
      context.arc(256, 256, 100, 0, 7);
      context.fill();
      const { memory, studio } = globalThis as unknown as { memory: { putBlob(blob: Blob): Promise<string> }; studio: { view: { setState(state: object): void } } }; // prettier-ignore
      const picture = await memory.putBlob(await paper.convertToBlob());
      studio.view.setState({ shown: { kind: 'picture', picture, job: 'job-test' }, tool: 'edge' });
    });
    await canvas.page.waitForFunction('pictureShown()');
    const rough = Array.from({ length: 13 }, (_, k): [number, number] => {
      const angle = (k / 12) * 2 * Math.PI;
      const radius = k % 2 === 0 ? 108 : 93;
      return [256 + radius * Math.cos(angle), 256 + radius * Math.sin(angle)];
    });
    await canvas.drag(rough[0] ?? [0, 0], ...rough.slice(1));
    await canvas.page.locator('.tag-input').waitFor();
    await canvas.settled();
    for (let k = 0; k < 24; k += 1) {
      const [cos, sin] = [Math.cos((k / 24) * 2 * Math.PI), Math.sin((k / 24) * 2 * Math.PI)];
      expect(await canvas.segmentAt([256 + 96 * cos, 256 + 96 * sin]), `inside at ${k}`).toBeDefined();
      expect(await canvas.segmentAt([256 + 104 * cos, 256 + 104 * sin]), `outside at ${k}`).toBeUndefined();
    }
  });

  test('a cut-out picture dropped on the canvas becomes a segment, a full one is to draw after', async () => {
    const drop = (transparent: boolean, at: readonly [number, number]): Promise<void> =>
      canvas.page.evaluate(
        async ([cut, x, y]) => {
          const paper = new OffscreenCanvas(100, 100);
          const context = paper.getContext('2d');
          if (!context) throw new Error('no context');
          context.fillStyle = '#c03030';
          context.fillRect(...((cut ? [25, 25, 50, 50] : [0, 0, 100, 100]) as [number, number, number, number]));
          const transfer = new DataTransfer();
          transfer.items.add(new File([await paper.convertToBlob()], 'red_balloon-2.png', { type: 'image/png' }));
          const target = document.querySelector('.canvas-view');
          for (const type of ['dragenter', 'dragover', 'drop'])
            target?.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, clientX: x, clientY: y, bubbles: true, cancelable: true })); // prettier-ignore
        },
        [transparent, ...at] as const,
      );
    await drop(true, await canvas.at([200, 200]));
    await canvas.page.locator('.tag-input').waitFor();
    await canvas.settled();
    expect(await canvas.texts()).toEqual(['red balloon']);
    expect(await canvas.segmentAt([200, 200])).toBeDefined();
    expect(await canvas.segmentAt([160, 200])).toBeUndefined();
    await drop(false, await canvas.at([200, 200]));
    await expect
      .poll(() =>
        canvas.run(
          (window) =>
            Object.values(window.studio.document.getState().document).filter(({ type }) => type === 'reference').length,
        ),
      ) // prettier-ignore
      .toBe(1);
    expect(await canvas.segments()).toHaveLength(1);
  });

  test('the split is moved by its handle and by arrow keys', async () => {
    await canvas.page.evaluate(async () => {
      const paper = new OffscreenCanvas(64, 64);
      paper.getContext('2d')?.fillRect(0, 0, 64, 64);
      const { memory, studio } = globalThis as unknown as { memory: { putBlob(blob: Blob): Promise<string> }; studio: { view: { setState(state: object): void } } }; // prettier-ignore
      const picture = await memory.putBlob(await paper.convertToBlob());
      studio.view.setState({ shown: { kind: 'picture', picture, job: 'job-test' }, resultPlace: 'split' });
    });
    const handle = canvas.page.getByRole('slider', { name: /picture ends/ });
    const box = await handle.boundingBox();
    const [x, y] = [(box?.x ?? 0) + 12, (box?.y ?? 0) + 100];
    const [left] = await canvas.at([128, 0]);
    await canvas.page.mouse.move(x, y);
    await canvas.page.mouse.down();
    await canvas.page.mouse.move(left, y, { steps: 4 });
    await canvas.page.mouse.up();
    const split = (): Promise<number> =>
      canvas.run((window) => (window.studio.view.getState() as unknown as { split: number }).split);
    expect(await split()).toBeCloseTo(0.25, 2);
    await handle.focus();
    await canvas.page.keyboard.press('ArrowRight');
    expect(await split()).toBeCloseTo(0.26, 2);
    expect(await canvas.segments()).toEqual([]);
  });

  test('a reference picture is picked, moved, scaled and put back', async () => {
    await canvas.page.evaluate(async () => {
      const paper = new OffscreenCanvas(64, 64);
      paper.getContext('2d')?.fillRect(0, 0, 64, 64);
      const { memory, studio } = globalThis as unknown as { memory: { putBlob(blob: Blob): Promise<string> }; studio: { document: { edit(label: string, recipe: (document: object) => object): void } } }; // prettier-ignore
      const blob = await memory.putBlob(await paper.convertToBlob());
      const record = { id: 'reference:r', type: 'reference', blob, transform: [2, 0, 0, 2, 100, 100], width: 64, height: 64, opacity: 0.6, visible: true }; // prettier-ignore
      studio.document.edit('edit.reference', (document) => ({ ...document, 'reference:r': record }));
    });
    const transform = (): Promise<readonly number[] | undefined> =>
      canvas.run((window) => {
        const record = window.studio.document.getState().document['reference:r'];
        return record?.type === 'reference' ? record.transform : undefined;
      });
    const steps = (): Promise<number> => canvas.run((window) => window.studio.document.getState().undo.length);
    await canvas.tool('select');
    const frame = canvas.page.getByRole('application', { name: /^Picture 1/ });
    // the picture is there once it is decoded
    await expect
      .poll(
        async () => {
          if (!(await frame.isVisible())) await canvas.click([150, 150]);
          return frame.isVisible();
        },
        { timeout: 30_000 },
      )
      .toBe(true);
    const before = await steps();
    await canvas.drag([150, 150], [180, 140], [190, 170]);
    const moved = (await transform()) ?? [];
    expect(moved[4]).toBeCloseTo(140, 0);
    expect(moved[5]).toBeCloseTo(120, 0);
    // the lower right corner, pulled to twice the size
    await canvas.drag([268, 248], [396, 376]);
    const scaled = (await transform()) ?? [];
    expect(scaled[0]).toBeCloseTo(4, 0);
    expect(scaled[4]).toBeCloseTo(140, 0);
    expect(await steps()).toBe(before + 2);
    await canvas.page.keyboard.press('Shift+ArrowRight');
    await canvas.page.keyboard.press('ArrowDown');
    expect(((await transform())?.[4] ?? 0) - (scaled[4] ?? 0)).toBeCloseTo(10);
    expect(((await transform())?.[5] ?? 0) - (scaled[5] ?? 0)).toBeCloseTo(1);
    await canvas.page.keyboard.press('+');
    expect((await transform())?.[0]).toBeCloseTo((scaled[0] ?? 0) * 1.05);
    await canvas.page.keyboard.press('Escape');
    await frame.waitFor({ state: 'hidden' });
    while ((await steps()) > before) await canvas.page.keyboard.press('Control+z');
    expect(await transform()).toEqual([2, 0, 0, 2, 100, 100]);
  });
});
