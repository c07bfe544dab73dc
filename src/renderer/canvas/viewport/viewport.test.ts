import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Viewport } from './viewport.ts';
import {
  ZOOM_MAX,
  ZOOM_MIN,
  boxToScreen,
  fit,
  keepInSight,
  panBy,
  toScene,
  toScreen,
  wheelAction,
  wheelFactor,
  zoomBy,
  zoomTo,
} from './viewport.ts';

const view: Viewport = { zoom: 2, x: 30, y: -10 };

describe('the viewport', () => {
  test('screen and scene are inverses', () => {
    expect(toScreen(view, [10, 20])).toEqual([50, 30]);
    expect(toScene(view, [50, 30])).toEqual([10, 20]);
    expect(boxToScreen(view, { x: 10, y: 20, width: 5, height: 6 })).toEqual({ x: 50, y: 30, width: 10, height: 12 });
  });

  test('zooming keeps the point under the pointer, within 5 % and 3200 %', () => {
    const coordinate = fc.double({ min: -2000, max: 2000, noNaN: true });
    fc.assert(
      fc.property(coordinate, coordinate, fc.double({ min: 0.01, max: 100, noNaN: true }), (x, y, factor) => {
        const next = zoomBy(view, factor, [x, y]);
        expect(next.zoom).toBeGreaterThanOrEqual(ZOOM_MIN);
        expect(next.zoom).toBeLessThanOrEqual(ZOOM_MAX);
        const before = toScene(view, [x, y]);
        const after = toScene(next, [x, y]);
        expect(after[0]).toBeCloseTo(before[0], 5);
        expect(after[1]).toBeCloseTo(before[1], 5);
      }),
    );
    expect(zoomTo(view, 1000, [0, 0]).zoom).toBe(32);
    expect(zoomTo(view, 0, [0, 0]).zoom).toBe(0.05);
  });

  test('fit centres the box between the margins', () => {
    const margin = { left: 60, right: 20, top: 10, bottom: 10 };
    const fitted = fit({ x: 0, y: 0, width: 512, height: 256 }, { width: 1104, height: 532 }, margin);
    expect(fitted.zoom).toBe(2);
    expect(toScreen(fitted, [0, 0])).toEqual([60, 10]);
    expect(toScreen(fitted, [512, 256])).toEqual([1084, 522]);
    expect(fit({ x: 0, y: 0, width: 10, height: 10 }, { width: 1000, height: 1000 }, margin, 1).zoom).toBe(1);
  });

  test('the sheet cannot be lost off the screen', () => {
    const screen = { width: 800, height: 600 };
    const sheet = { width: 100, height: 100 };
    const lost = keepInSight(panBy(view, -5000, 9000), sheet, screen);
    expect(lost.x + sheet.width * lost.zoom).toBe(48);
    expect(lost.y).toBe(600 - 48);
    expect(keepInSight(view, sheet, screen)).toBe(view);
  });

  test('the wheel zooms in upwards, out downwards, and never leaps', () => {
    expect(wheelFactor({ deltaY: -100, deltaMode: 0, ctrlKey: false })).toBeCloseTo(Math.exp(0.22));
    expect(wheelFactor({ deltaY: 100, deltaMode: 0, ctrlKey: false })).toBeCloseTo(Math.exp(-0.22));
    expect(wheelFactor({ deltaY: 3, deltaMode: 1, ctrlKey: false })).toBeLessThan(1);
    expect(wheelFactor({ deltaY: -9999, deltaMode: 2, ctrlKey: false })).toBeCloseTo(Math.exp(0.5));
  });

  test('mice zoom, trackpads pan, a pinch zooms, Shift pans sideways', () => {
    const wheel = { deltaX: 0, deltaY: 0, deltaMode: 0, ctrlKey: false, shiftKey: false };
    expect(wheelAction({ ...wheel, deltaY: -120 })).toEqual({ kind: 'zoom', factor: Math.exp(0.264) });
    expect(wheelAction({ ...wheel, deltaY: 3, deltaMode: 1 }).kind).toBe('zoom');
    expect(wheelAction({ ...wheel, deltaX: 5, deltaY: 60 })).toEqual({ kind: 'pan', dx: -5, dy: -60 });
    expect(wheelAction({ ...wheel, deltaY: 7 })).toEqual({ kind: 'pan', dx: -0, dy: -7 });
    expect(wheelAction({ ...wheel, deltaY: -7, ctrlKey: true })).toEqual({ kind: 'zoom', factor: Math.exp(0.07) });
    expect(wheelAction({ ...wheel, deltaY: 120, shiftKey: true })).toEqual({ kind: 'pan', dx: -120, dy: 0 });
  });
});
