import { describe, expect, test } from 'vitest';
import type { Shape } from '#shared/document/geometry.ts';
import { NO_BITMAPS, rasterizeShapes } from '#shared/masks/rasterize.ts';
import { hasBrowser, withCanvas } from './canvas.testkit.ts';
import type { CanvasPage } from './canvas.testkit.ts';

describe.skipIf(!hasBrowser)('drawing on the canvas', () => {
  let canvas: CanvasPage;
  const open = withCanvas((opened) => {
    canvas = opened;
  });

  test('a stroke begins a segment and asks what it is; the next goes on with it; undo takes all back', async () => {
    await canvas.drag([100, 100], [250, 110], [300, 200]);
    await canvas.say('a red dragon');
    await canvas.drag([100, 300], [300, 300]);
    const [segment, ...others] = await canvas.segments();
    expect(others).toEqual([]);
    expect(segment?.shapes).toMatchObject([{ kind: 'strokes', op: 'add', strokes: [{ width: 48 }, { width: 48 }] }]);
    expect(await canvas.texts()).toEqual(['a red dragon']);
    expect(await canvas.segmentAt([200, 300])).toBe(segment?.id);
    expect(await canvas.segmentAt([200, 400])).toBeUndefined();
    for (let step = 0; step < 3; step += 1) await canvas.page.keyboard.press('Control+z');
    await canvas.settled();
    expect(await canvas.segments()).toEqual([]);
    for (let step = 0; step < 3; step += 1) await canvas.page.keyboard.press('Control+Shift+z');
    await canvas.settled();
    expect(await canvas.segmentAt([200, 300])).toBe(segment?.id);
    expect(await canvas.texts()).toEqual(['a red dragon']);
  });

  test('the eraser takes from the selected segment and needs one', async () => {
    await canvas.tool('eraser');
    await canvas.drag([100, 100], [300, 100]);
    expect(await canvas.segments()).toEqual([]);
    expect(await canvas.run((window) => window.studio.session.getState().notices.length)).toBe(1);
    await canvas.tool('rect');
    await canvas.drag([100, 100], [400, 400]);
    await canvas.page.keyboard.press('Escape');
    await canvas.tool('eraser');
    await canvas.drag([50, 250], [450, 250]);
    expect(await canvas.segmentAt([250, 250])).toBeUndefined();
    expect(await canvas.segmentAt([250, 150])).toBeDefined();
    expect(await canvas.segments()).toHaveLength(1);
  });

  test('a stroke beside the sheet begins nothing; one that only starts there does', async () => {
    await canvas.tool('brush');
    await canvas.drag([-60, 200], [-40, 300]);
    expect(await canvas.segments()).toHaveLength(0);
    await canvas.drag([-60, 200], [120, 200]);
    expect(await canvas.segments()).toHaveLength(1);
  });

  test('escape in the middle of a stroke leaves no trace', async () => {
    await canvas.moveTo([100, 100]);
    await canvas.page.mouse.down();
    await canvas.moveTo([300, 300], 10);
    expect((await canvas.view()).drawing).toBe(true);
    await canvas.page.keyboard.press('Escape');
    await canvas.page.mouse.up();
    expect(await canvas.segments()).toEqual([]);
    expect((await canvas.view()).drawing).toBe(false);
  });

  test('rectangle and ellipse: Shift makes them regular, Alt draws from the centre', async () => {
    await canvas.tool('ellipse');
    await canvas.moveTo([200, 200]);
    await canvas.page.mouse.down();
    await canvas.moveTo([260, 220], 4);
    await canvas.page.keyboard.down('Shift');
    await canvas.page.keyboard.down('Alt');
    await canvas.moveTo([261, 221]);
    await canvas.page.mouse.up();
    await canvas.page.keyboard.up('Alt');
    await canvas.page.keyboard.up('Shift');
    const shape = (await canvas.segments())[0]?.shapes[0];
    if (shape?.kind !== 'ellipse') throw new Error('no ellipse');
    expect(shape.rx).toBe(shape.ry);
    expect(Math.abs(shape.cx - 200)).toBeLessThan(1.5);
    expect(Math.abs(shape.rx - 61)).toBeLessThan(1.5);
  });

  test('Shift and Alt held at the press add to the selected segment and take from it', async () => {
    await canvas.tool('rect');
    await canvas.drag([100, 100], [200, 200]);
    await canvas.page.keyboard.press('Escape');
    await canvas.page.keyboard.down('Shift');
    await canvas.drag([300, 100], [400, 200]);
    await canvas.page.keyboard.up('Shift');
    await canvas.page.keyboard.down('Alt');
    await canvas.drag([120, 120], [180, 180]);
    await canvas.page.keyboard.up('Alt');
    const segments = await canvas.segments();
    expect(segments).toHaveLength(1);
    expect(segments[0]?.shapes.map(({ op }) => op)).toEqual(['add', 'add', 'subtract']);
    expect(await canvas.segmentAt([350, 150])).toBeDefined();
    expect(await canvas.segmentAt([150, 150])).toBeUndefined();
  });

  test('a polygon is drawn corner by corner; Backspace takes one back, Enter closes', async () => {
    await canvas.tool('polygon');
    for (const corner of [[100, 100], [300, 100], [480, 480], [300, 300]] as const) await canvas.click(corner); // prettier-ignore
    await canvas.page.keyboard.press('Backspace');
    await canvas.click([100, 300]);
    await canvas.page.keyboard.press('Enter');
    await canvas.settled();
    const shape = (await canvas.segments())[0]?.shapes[0];
    expect(shape?.kind === 'polygon' ? shape.points.length : 0).toBe(4);
    expect(await canvas.segmentAt([200, 200])).toBeDefined();
  });

  test('a lasso fills what it goes around; a mere click selects instead', async () => {
    await canvas.tool('lasso');
    await canvas.drag([100, 100], [300, 110], [310, 300], [100, 290]);
    await canvas.page.keyboard.press('Escape');
    await canvas.page.keyboard.press('Escape');
    expect(await canvas.segmentAt([200, 200])).toBeDefined();
    expect((await canvas.view()).selection).toEqual([]);
    await canvas.click([200, 200]);
    expect(await canvas.segments()).toHaveLength(1);
    expect((await canvas.view()).selection).toHaveLength(1);
  });

  test('the pressure of a pen sets the width along the stroke', async () => {
    const session = await canvas.page.context().newCDPSession(canvas.page);
    const pen = async (
      type: 'mousePressed' | 'mouseMoved' | 'mouseReleased',
      point: readonly [number, number],
      force: number,
    ): Promise<void> => {
      const [x, y] = await canvas.at(point);
      await session.send('Input.dispatchMouseEvent', { type, x, y, force, button: 'left', buttons: type === 'mouseReleased' ? 0 : 1, pointerType: 'pen', clickCount: 1 }); // prettier-ignore
    };
    await canvas.run((window) => window.studio.view.setState({ brushSize: 80 }));
    await pen('mousePressed', [80, 250], 0.1);
    for (let step = 0; step <= 40; step += 1) await pen('mouseMoved', [80 + step * 9, 250], 0.1 + (0.9 * step) / 40);
    await pen('mouseReleased', [440, 250], 0);
    await canvas.settled();
    const shape = (await canvas.segments())[0]?.shapes[0];
    if (shape?.kind !== 'strokes') throw new Error('no stroke');
    const pressures = shape.strokes[0]?.points.map(([, , pressure]) => pressure) ?? [];
    expect(pressures[0]).toBeLessThan(0.3);
    expect(pressures.at(-1)).toBeGreaterThan(0.8);
    expect(await canvas.segmentAt([420, 280])).toBeDefined();
    expect(await canvas.segmentAt([110, 270])).toBeUndefined();
  });

  test('two fingers zoom and move the sheet instead of drawing', async () => {
    const session = await canvas.page.context().newCDPSession(canvas.page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', points: readonly (readonly [number, number])[]) =>
      session.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
    const before = (await canvas.view()).viewport;
    const [x, y] = (await canvas.at([256, 256])).map(Math.round) as [number, number];
    await touch('touchStart', [[x - 50, y]]);
    await touch('touchStart', [[x - 50, y], [x + 50, y]]); // prettier-ignore
    for (let step = 1; step <= 5; step += 1) await touch('touchMove', [[x - 50 - step * 10, y], [x + 50 + step * 10, y]]); // prettier-ignore
    await touch('touchEnd', []);
    const after = (await canvas.view()).viewport;
    expect(after.zoom / before.zoom).toBeCloseTo(2, 1);
    expect(await canvas.segments()).toEqual([]);
    const [cx, cy] = await canvas.at([256, 256]);
    expect(Math.hypot(cx - x, cy - y)).toBeLessThan(3);
  });

  test('a stroke paints its surroundings anew, exactly as the whole would be', async () => {
    await canvas.page.close();
    await open('picnic');
    for (const [id, from, to] of [
      ['segment:fox', [300, 380], [440, 470]],
      ['segment:tent', [120, 300], [200, 440]],
      ['segment:cloud', [150, 100], [250, 130]],
    ] as const) {
      await canvas.select(id);
      await canvas.tool('brush');
      await canvas.settled();
      await canvas.page.evaluate(leaveMark);
      await canvas.drag(from, to);
      expect(await canvas.page.evaluate(comparePaintings)).toEqual({ different: 0, markKept: true });
    }
  });

  test('a soft brush and a soft eraser show their edges while they move', async () => {
    const alpha = (point: readonly [number, number]): Promise<number> =>
      canvas.at(point).then(([x, y]) => canvas.page.evaluate(liveAlpha, [x, y] as const));
    await canvas.run((window) => window.studio.view.setState({ brushSize: 80, brushHardness: 0 }));
    await canvas.moveTo([120, 200]);
    await canvas.page.mouse.down();
    await canvas.moveTo([380, 200], 12);
    const [middle, edge, beyond, far] = [await alpha([250, 200]), await alpha([250, 240]), await alpha([250, 256]), await alpha([250, 330])]; // prettier-ignore
    expect(middle).toBeGreaterThan(230);
    expect(edge).toBeGreaterThan(90);
    expect(edge).toBeLessThan(165);
    expect(beyond).toBeGreaterThan(10);
    expect(beyond).toBeLessThan(edge);
    expect(far).toBe(0);
    await canvas.page.mouse.up();
    await canvas.say('mist');
    await canvas.settled();
    await canvas.tool('eraser');
    await canvas.moveTo([250, 120]);
    await canvas.page.mouse.down();
    await canvas.moveTo([250, 280], 12);
    const [untouched, half, gone] = [await alpha([150, 200]), await alpha([210, 200]), await alpha([250, 200])];
    expect(gone).toBeLessThan(20);
    expect(half).toBeGreaterThan(gone + 20);
    expect(half).toBeLessThan(untouched - 20);
    await canvas.page.mouse.up();
  });

  test('a soft brush and a soft eraser work on a crisp segment, as they look while they move', async () => {
    await canvas.tool('rect');
    await canvas.drag([100, 100], [400, 250]);
    await canvas.say('wall');
    const alpha = async (points: readonly (readonly [number, number])[]): Promise<number[]> => {
      const found: number[] = [];
      for (const point of points)
        found.push(await canvas.page.evaluate(liveAlpha, (await canvas.at(point)) as readonly [number, number]));
      return found;
    };
    const shapes = async (): Promise<readonly Shape[]> => (await canvas.segments())[0]?.shapes ?? [];
    const coverage = (of: readonly Shape[], points: readonly (readonly [number, number])[]): number[] => {
      const { width, data } = rasterizeShapes(of, { width: 512, height: 512, outWidth: 512, outHeight: 512, bitmaps: NO_BITMAPS }); // prettier-ignore
      return points.map(([x, y]) => data[y * width + x] ?? -1);
    };
    await canvas.run((window) => window.studio.view.setState({ brushSize: 80, brushHardness: 0.25 }));

    // below the segment: the live layer shows the stroke alone
    await canvas.tool('brush');
    const down = [360, 370, 380, 390, 395, 400, 405, 410, 420, 430, 440].map((y) => [250, y] as const);
    await canvas.moveTo([150, 360]);
    await canvas.page.mouse.down();
    await canvas.moveTo([350, 360], 12);
    const drawn = await alpha(down);
    await canvas.page.mouse.up();
    await canvas.settled();
    const [rectangle, stroke] = await shapes();
    expect(rectangle).toMatchObject({ kind: 'rect' });
    expect(stroke).toMatchObject({ kind: 'strokes', op: 'add', feather: 30 });
    for (const [at, value] of coverage([stroke!], down).entries()) expect(Math.abs(value - drawn[at]!), String(down[at])).toBeLessThan(14); // prettier-ignore
    expect(Math.max(...drawn) - Math.min(...drawn)).toBeGreaterThan(200);

    // across the segment: what is left of it, in parts of what it was
    await canvas.tool('eraser');
    const across = [170, 190, 200, 205, 210, 215, 220, 230, 250].map((x) => [x, 200] as const);
    await canvas.moveTo([250, 140]);
    await canvas.page.mouse.down();
    await canvas.moveTo([250, 230], 12);
    const left = await alpha([[120, 200], ...across]);
    await canvas.page.mouse.up();
    await canvas.settled();
    const [untouched = 1, ...remains] = left;
    expect((await shapes()).at(-1)).toMatchObject({ op: 'subtract', feather: 30 });
    for (const [at, value] of coverage(await shapes(), across).entries()) expect(Math.abs(value / 255 - remains[at]! / untouched), String(across[at])).toBeLessThan(0.08); // prettier-ignore
    expect(coverage(await shapes(), [[250, 200]])[0]).toBeLessThan(10);
    expect(coverage(await shapes(), [[120, 100 + 1]])[0]).toBe(255);

    // as soft as it was: the next stroke joins it, and one step takes each back
    const steps = (await shapes()).length;
    await canvas.drag([300, 140], [300, 230]);
    expect(await shapes()).toHaveLength(steps);
    await canvas.run((window) => window.studio.view.setState({ brushHardness: 1 }));
    await canvas.drag([350, 140], [350, 230]);
    expect((await shapes()).at(-1)).not.toHaveProperty('feather');
    for (let step = 0; step < 4; step += 1) await canvas.page.keyboard.press('Control+z');
    expect(await shapes()).toEqual([rectangle]);
  });
});

/** In the page: a mark beside the sheet, far from any stroke, which a whole frame paints over. */
function leaveMark(): void {
  const canvas = document.querySelector<HTMLCanvasElement>('.canvas-surface canvas');
  canvas?.getContext('2d')?.fillRect(canvas.width - 4, 2, 1, 1);
}

/** In the page: what is painted against all of it painted anew, but for the mark. */
function comparePaintings(): { different: number; markKept: boolean } {
  const { paintedPixels } = globalThis as unknown as { readonly paintedPixels: (anew: boolean) => Uint8ClampedArray };
  const now = paintedPixels(false);
  const whole = paintedPixels(true);
  const width = document.querySelector<HTMLCanvasElement>('.canvas-surface canvas')?.width ?? 0;
  const mark = (2 * width + width - 4) * 4;
  const isMark = (at: number): boolean => at >= mark && at < mark + 4;
  let different = 0;
  for (const [at, value] of now.entries()) if (value !== whole[at] && !isMark(at)) different += 1;
  return { different, markKept: now[mark + 3] === 255 };
}

/** In the page: how opaque the layer of live strokes is at a point of the page, 0..255. */
function liveAlpha([x, y]: readonly [number, number]): number {
  const layer = document.querySelector<HTMLCanvasElement>('.canvas-live');
  if (!layer) return -1;
  const box = layer.getBoundingClientRect();
  const ratio = layer.width / box.width;
  return layer.getContext('2d')?.getImageData((x - box.left) * ratio, (y - box.top) * ratio, 1, 1).data[3] ?? -1;
}
