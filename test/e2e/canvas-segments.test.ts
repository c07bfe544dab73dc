import { describe, expect, test } from 'vitest';
import { hasBrowser, withCanvas } from './canvas.testkit.ts';
import type { CanvasPage } from './canvas.testkit.ts';

describe.skipIf(!hasBrowser)('segments on the canvas', () => {
  let canvas: CanvasPage;
  const open = withCanvas((opened) => {
    canvas = opened;
  });

  test('what is selected is moved, scaled and turned by its handles, each as one step', async () => {
    await canvas.tool('rect');
    await canvas.drag([150, 150], [250, 250]);
    await canvas.page.keyboard.press('Escape');
    const before = await canvas.run((window) => window.studio.document.getState().undo.length);
    await canvas.tool('select');
    await canvas.drag([200, 200], [320, 330]);
    expect(await canvas.segmentAt([320, 330])).toBeDefined();
    expect(await canvas.segmentAt([170, 170])).toBeUndefined();
    // the corner handle: twice as large
    const box = await canvas.run((window) => {
      const [shape] = Object.values(window.studio.document.getState().document).flatMap((record) => (record.type === 'segment' ? record.shapes : [])); // prettier-ignore
      return shape?.transform;
    });
    const [dx, dy] = [box?.[4] ?? 0, box?.[5] ?? 0];
    expect(dx).toBeGreaterThan(100);
    await canvas.drag([250 + dx, 250 + dy], [200 + dx, 200 + dy]);
    expect(await canvas.segmentAt([240 + dx, 240 + dy])).toBeUndefined();
    expect(await canvas.segmentAt([175 + dx, 175 + dy])).toBeDefined();
    expect(await canvas.run((window) => window.studio.document.getState().undo.length)).toBe(before + 2);
  });

  test('escape takes a drag of the handles back', async () => {
    await canvas.tool('rect');
    await canvas.drag([150, 150], [250, 250]);
    await canvas.page.keyboard.press('Escape');
    const before = await canvas.segments();
    await canvas.tool('select');
    await canvas.moveTo([200, 200]);
    await canvas.page.mouse.down();
    await canvas.moveTo([330, 300], 8);
    expect((await canvas.view()).drawing).toBe(true);
    await canvas.page.keyboard.press('Escape');
    await canvas.page.mouse.up();
    expect(await canvas.segments()).toEqual(before);
    expect((await canvas.view()).drawing).toBe(false);
    expect(await canvas.segmentAt([200, 200])).toBe(before[0]?.id);
  });

  test('locked segments are neither moved nor drawn on', async () => {
    await canvas.page.close();
    await open('picnic');
    const boat = (await canvas.segments()).find(({ locked }) => locked);
    await canvas.tool('select');
    await canvas.drag([400, 262], [300, 150]);
    await canvas.select(boat?.id ?? '');
    await canvas.tool('brush');
    await canvas.drag([300, 100], [400, 100]);
    expect((await canvas.segments()).find(({ id }) => id === boat?.id)).toEqual(boat);
    expect(await canvas.segments()).toHaveLength(5);
  });

  test('union, subtraction and intersection combine what is selected', async () => {
    const two = async (): Promise<void> => {
      await canvas.tool('rect');
      await canvas.drag([100, 100], [300, 300]);
      await canvas.say('one');
      await canvas.drag([200, 200], [400, 400]);
      await canvas.say('two');
      await canvas.page.keyboard.press('Control+a');
    };
    await two();
    await canvas.page.keyboard.press('Shift+U');

    await expect.poll(async () => (await canvas.segments()).length).toBe(1);
    await canvas.settled();
    const [union] = await canvas.segments();
    for (const point of [[150, 150], [250, 250], [350, 350]] as const) expect(await canvas.segmentAt(point)).toBe(union?.id); // prettier-ignore
    await canvas.page.keyboard.press('Control+z');
    await canvas.page.keyboard.press('Control+a');
    await canvas.run((window) => window.studio.commands.run('segment.subtract'));
    await canvas.settled();
    const [lower, upper] = (await canvas.segments()).toSorted((a, b) => a.order - b.order);
    await expect.poll(() => canvas.segmentAt([150, 150])).toBe(lower?.id);
    await canvas.page.keyboard.press('Escape');
    expect(lower?.shapes.at(-1)?.op).toBe('subtract');
    expect(upper?.shapes).toHaveLength(1);
  });

  test('mirroring, turning and nudging by command', async () => {
    await canvas.tool('polygon');
    for (const corner of [[100, 100], [300, 100], [100, 300]] as const) await canvas.click(corner); // prettier-ignore
    await canvas.page.keyboard.press('Enter');
    await canvas.say('a sail');
    await canvas.settled();
    await canvas.run((window) => window.studio.commands.run('segment.mirrorHorizontal'));
    await canvas.settled();
    expect(await canvas.segmentAt([280, 250])).toBeDefined();
    expect(await canvas.segmentAt([120, 250])).toBeUndefined();
    const steps = await canvas.run((window) => window.studio.document.getState().undo.length);
    for (let press = 0; press < 5; press += 1) await canvas.page.keyboard.press('ArrowRight');
    expect(await canvas.run((window) => window.studio.document.getState().undo.length)).toBe(steps + 1);
    expect((await canvas.segments())[0]?.shapes[0]?.transform?.[4]).toBeCloseTo(405, 0);
  });

  test('a label is edited by a double click; Escape leaves the text as it was', async () => {
    await canvas.page.close();
    await open('picnic');
    const tent = canvas.page.locator('.segment-tag', { hasText: 'a purple tent' });
    await tent.dblclick();
    await canvas.say('a striped tent');
    expect(await canvas.texts()).toContain('a striped tent');
    await canvas.page.locator('.segment-tag', { hasText: 'a sleeping fox' }).dblclick();
    await canvas.page.locator('.tag-input').waitFor();
    await canvas.page.keyboard.type('nothing');
    await canvas.page.keyboard.press('Escape');
    expect(await canvas.texts()).toContain('a sleeping fox');
  });
});
