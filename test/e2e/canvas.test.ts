import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from 'vitest';
import { CanvasPage, hasBrowser, startHarness } from './canvas.testkit.ts';
import type { Harness } from './canvas.testkit.ts';

describe.skipIf(!hasBrowser)('the canvas, drawn on with the mouse', () => {
  let harness: Harness;
  let canvas: CanvasPage;
  beforeAll(async () => {
    harness = await startHarness();
  }, 180_000);
  afterAll(() => harness?.close());
  const open = async (scene: string): Promise<void> => {
    canvas = await CanvasPage.open(harness, `?scene=${scene}`);
  };
  beforeEach(() => open('empty'));
  afterEach(async () => {
    expect(canvas.errors).toEqual([]);
    await canvas.page.close();
  });
  const texts = (): Promise<string[]> =>
    canvas.run((window) => Object.values(window.studio.document.getState().document).flatMap((record) => (record.type === 'slot' && record.content.kind === 'text' ? [record.content.text] : []))); // prettier-ignore

  test('a stroke begins a segment and asks what it is; the next goes on with it; undo takes all back', async () => {
    await canvas.drag([100, 100], [250, 110], [300, 200]);
    await canvas.say('a red dragon');
    await canvas.drag([100, 300], [300, 300]);
    const [segment, ...others] = await canvas.segments();
    expect(others).toEqual([]);
    expect(segment?.shapes).toMatchObject([{ kind: 'strokes', op: 'add', strokes: [{ width: 48 }, { width: 48 }] }]);
    expect(await texts()).toEqual(['a red dragon']);
    expect(await canvas.segmentAt([200, 300])).toBe(segment?.id);
    expect(await canvas.segmentAt([200, 400])).toBeUndefined();
    for (let step = 0; step < 3; step += 1) await canvas.page.keyboard.press('Control+z');
    await canvas.settled();
    expect(await canvas.segments()).toEqual([]);
    for (let step = 0; step < 3; step += 1) await canvas.page.keyboard.press('Control+Shift+z');
    await canvas.settled();
    expect(await canvas.segmentAt([200, 300])).toBe(segment?.id);
    expect(await texts()).toEqual(['a red dragon']);
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
    expect(await texts()).toEqual(['red balloon']);
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

  test('a label is edited by a double click; Escape leaves the text as it was', async () => {
    await canvas.page.close();
    await open('picnic');
    const tent = canvas.page.locator('.segment-tag', { hasText: 'a purple tent' });
    await tent.dblclick();
    await canvas.say('a striped tent');
    expect(await texts()).toContain('a striped tent');
    await canvas.page.locator('.segment-tag', { hasText: 'a sleeping fox' }).dblclick();
    await canvas.page.locator('.tag-input').waitFor();
    await canvas.page.keyboard.type('nothing');
    await canvas.page.keyboard.press('Escape');
    expect(await texts()).toContain('a sleeping fox');
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
