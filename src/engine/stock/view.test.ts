import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createScene } from '#shared/document/create.ts';
import { scalesOf, stepsOfStages } from '#shared/stages.ts';
import type { Picture } from '../image/picture.ts';
import { cellsInView } from './known.ts';
import { stagesOf } from './stages.ts';
import { canvasInView, cutCanvas, viewAround, viewOfCanvas } from './view.ts';

const SIZING = { native: 512, cell: 8, step: 1 };
const BLACK_BOX = { ...SIZING, step: 8 };
const canvas = fc.record({ width: fc.integer({ min: 16, max: 4096 }), height: fc.integer({ min: 16, max: 4096 }) });

describe('views of the canvas', () => {
  test('hold the whole canvas, in sides that the model can do, with no more around it than that takes', () => {
    fc.assert(
      fc.property(canvas, fc.constantFrom(SIZING, BLACK_BOX), (scene, sizing) => {
        const { first, largest } = scalesOf(scene, sizing.native);
        for (const scale of new Set([first, largest])) {
          const { region, picture, latent } = viewOfCanvas(scene, scale, sizing);
          const unit = sizing.cell * sizing.step;
          expect(picture.width % unit).toBe(0);
          expect(latent).toEqual({ width: picture.width / 8, height: picture.height / 8 });
          expect(region.x).toBeLessThanOrEqual(0);
          expect(region.x + region.width).toBeGreaterThanOrEqual(scene.width - 1e-6);
          expect(region.y + region.height).toBeGreaterThanOrEqual(scene.height - 1e-6);
          // Pixels stay square within one pixel of rounding.
          const across = picture.width / region.width;
          expect(Math.abs(across - scale) * scene.width).toBeLessThanOrEqual(0.5 + 1e-6);
        }
      }),
    );
  });

  test('are laid out near the trained size, and worked out no larger than four times it', () => {
    fc.assert(
      fc.property(canvas, (scene) => {
        const { first, largest } = scalesOf(scene, 512);
        const share = (scale: number) => (scene.width * scene.height * scale ** 2) / 512 ** 2;
        expect(share(first)).toBeGreaterThan(0.59);
        expect(share(first)).toBeLessThanOrEqual(1.5 + 1e-9);
        expect(share(largest)).toBeLessThanOrEqual(4 + 1e-9);
        expect(largest).toBeGreaterThanOrEqual(first);
      }),
    );
  });

  test('a picture put into a view and cut out again is the picture', async () => {
    const scene = { width: 40, height: 24 };
    const data = Uint8Array.from({ length: 40 * 24 * 3 }, (_, i) => (i * 37) % 256);
    const picture: Picture = { ...scene, channels: 3, data };
    const view = viewOfCanvas(scene, 1, BLACK_BOX);
    expect(view.picture).toEqual({ width: 64, height: 64 });
    const values = await canvasInView(picture, view, scene, view.picture);
    const whole = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) =>
      Math.round(((values[(i % 3) * 4096 + Math.floor(i / 3)] ?? 0) + 1) * 127.5),
    );
    const back = cutCanvas({ width: 64, height: 64, channels: 3, data: whole }, view, scene);
    expect(back.data).toEqual(data);
  });
});

describe('redo', () => {
  const scene = createScene({ width: 2048, height: 1024 });

  test('a small segment gets a square of its own at the trained size, a large one the whole canvas', () => {
    const view = viewAround({ x: 100, y: 100, width: 200, height: 100 }, scene, SIZING);
    expect(view?.picture).toEqual({ width: 512, height: 512 });
    expect(view?.region.width).toBeCloseTo(440, -1);
    expect(viewAround({ x: 0, y: 0, width: 1800, height: 900 }, scene, SIZING)).toBeNull();
  });

  test('every latent cell that the segment touches is new, and no other', () => {
    const size = { width: 64, height: 64 };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 63 }), fc.integer({ min: 0, max: 63 }), (x, y) => {
        const soft = new Uint8Array(64 * 64);
        soft[y * 64 + x] = 1;
        const view = viewOfCanvas(size, 1, SIZING);
        const cells = cellsInView(soft, size, view, size);
        expect([...cells.entries()].filter(([, v]) => v > 0)).toEqual([[Math.floor(y / 8) * 8 + Math.floor(x / 8), 1]]);
      }),
    );
  });
});

describe('stages of a job', () => {
  const stages = (fields: Parameters<typeof createScene>[0], purpose: Parameters<typeof stagesOf>[0]) =>
    stagesOf(purpose, createScene(fields), null, SIZING).map((stage) =>
      stage.kind === 'denoise' ? [stage.from, stage.view.picture.width, stage.target?.width] : [stage.target.width],
    );

  test('at the trained size one, larger two, enlarged three; a grid is laid out only', () => {
    const generate = { kind: 'generate' } as const;
    expect(stages({ width: 512, height: 512 }, generate)).toEqual([['noise', 512, 512]]);
    expect(stages({ width: 256, height: 256 }, generate)).toEqual([['noise', 512, 256]]);
    expect(stages({ width: 1024, height: 1024 }, generate)).toEqual([
      ['noise', 512, 1024],
      ['previous', 1024, 1024],
    ]);
    // Beyond four times the trained size a second stage adds nothing that enlarging would not.
    expect(stages({ width: 1024, height: 1024, upscale: 2 }, generate)).toEqual([
      ['noise', 512, 1024],
      ['previous', 1024, 1024],
      [2048],
    ]);
    expect(stages({ width: 512, height: 512, upscale: 2 }, generate)).toEqual([
      ['noise', 512, 512],
      ['previous', 1024, 1024],
    ]);
    expect(stages({ width: 1024, height: 1024 }, { kind: 'grid', points: [[1, 1]], steps: 2 })).toEqual([
      ['noise', 512, 512],
    ]);
  });

  test('the steps told before are those of the stages', () => {
    fc.assert(
      fc.property(
        fc.record({
          width: fc.integer({ min: 64, max: 2048 }),
          height: fc.integer({ min: 64, max: 2048 }),
          upscale: fc.constantFrom(1 as const, 2 as const, 4 as const),
        }),
        fc.integer({ min: 1, max: 50 }),
        (fields, steps) => {
          // Larger pictures are refused before any stage is planned; they have a test of their own.
          fc.pre(fields.width * fields.height * fields.upscale ** 2 <= 64e6);
          const scene = createScene(fields);
          const denoised = stagesOf({ kind: 'generate' }, scene, null, SIZING).flatMap((stage) =>
            stage.kind === 'denoise' ? [Math.floor(steps * stage.strength)] : [],
          );
          expect(stepsOfStages(scene, 512, steps)).toBe(denoised.reduce((sum, n) => sum + n, 0));
        },
      ),
    );
  });

  test('more than 64 million pixels are refused', () => {
    expect(() => stages({ width: 8192, height: 8192, upscale: 4 }, { kind: 'generate' })).toThrow('64 million');
  });
});
