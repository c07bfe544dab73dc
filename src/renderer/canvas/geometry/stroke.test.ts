import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PenSample } from './stroke.ts';
import { StrokeBuilder } from './stroke.ts';
import { simplify, simplifyClosed } from './simplify.ts';

/** Distance of a point from a polyline in the plane. */
function distanceTo(line: readonly (readonly number[])[], [px = 0, py = 0]: readonly number[]): number {
  let best = Infinity;
  for (let i = 0; i + 1 < line.length; i += 1) {
    const [ax = 0, ay = 0] = line[i] ?? [];
    const [bx = 0, by = 0] = line[i + 1] ?? [];
    const length = (bx - ax) ** 2 + (by - ay) ** 2;
    const t = length === 0 ? 0 : Math.max(0, Math.min(1, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / length));
    best = Math.min(best, Math.hypot(px - ax - t * (bx - ax), py - ay - t * (by - ay)));
  }
  return best;
}

describe('simplify', () => {
  test('a straight line keeps its ends only; a corner stays', () => {
    expect(simplify([[0, 0], [1, 0], [2, 0.01], [3, 0]], 0.1)).toEqual([[0, 0], [3, 0]]); // prettier-ignore
    expect(simplify([[0, 0], [5, 0], [5, 5]], 0.1)).toHaveLength(3); // prettier-ignore
  });

  test('no dropped point lies farther away than the tolerance', () => {
    const point = fc.tuple(
      fc.double({ min: -100, max: 100, noNaN: true }),
      fc.double({ min: -100, max: 100, noNaN: true }),
    );
    fc.assert(
      fc.property(
        fc.array(point, { minLength: 2, maxLength: 60 }),
        fc.double({ min: 0.1, max: 20, noNaN: true }),
        (points, tolerance) => {
          const kept = simplify(points, tolerance);
          expect(kept[0]).toBe(points[0]);
          expect(kept.at(-1)).toBe(points.at(-1));
          for (const dropped of points) expect(distanceTo(kept, dropped)).toBeLessThanOrEqual(tolerance + 1e-9);
        },
      ),
    );
  });

  test('a change of pressure on a straight line is kept when it shows', () => {
    const line = [[0, 0, 0.2], [10, 0, 1], [20, 0, 0.2]]; // prettier-ignore
    expect(simplify(line, 0.5, [1, 1, 20])).toHaveLength(3);
    expect(simplify(line, 0.5, [1, 1, 0.1])).toHaveLength(2);
  });

  test('a closed ring keeps its corners wherever it starts', () => {
    const ring: [number, number][] = [];
    for (let k = 0; k < 10; k += 1) ring.push([k, 0]);
    for (let k = 0; k < 10; k += 1) ring.push([10, k]);
    for (let k = 0; k < 10; k += 1) ring.push([10 - k, 10]);
    for (let k = 0; k < 10; k += 1) ring.push([0, 10 - k]);
    expect(simplifyClosed(ring, 0.1)).toHaveLength(4);
  });

  test('twenty thousand points do not exhaust the stack', () => {
    const zigzag = Array.from({ length: 20_000 }, (_, k): [number, number] => [k, k % 2 === 0 ? 0 : 5]);
    expect(simplify(zigzag, 1)).toHaveLength(20_000);
  });
});

describe('StrokeBuilder', () => {
  const shaky = (count: number, noise: (k: number) => number): PenSample[] =>
    Array.from({ length: count }, (_, k) => ({ x: k * 0.4, y: 100 + noise(k), pressure: 1, time: k * 4 }));

  test('steadies a slow shaking hand', () => {
    const builder = new StrokeBuilder(1, 20);
    builder.add(shaky(300, (k) => (k % 2 === 0 ? 1.5 : -1.5)));
    const late = builder.points.slice(50);
    const spread = Math.max(...late.map(([, y]) => Math.abs(y - 100)));
    expect(spread).toBeLessThan(0.75);
  });

  test('keeps up with a fast hand and ends where the pen was lifted', () => {
    const builder = new StrokeBuilder(1, 20);
    const samples = Array.from({ length: 60 }, (_, k) => ({ x: k * 12, y: 0, pressure: 1, time: k * 8 }));
    builder.add(samples);
    expect(59 * 12 - (builder.points.at(-1)?.[0] ?? 0)).toBeLessThan(18);
    builder.finish();
    expect(builder.points.at(-1)?.[0]).toBe(59 * 12);
  });

  test('says where the new stretch begins', () => {
    const builder = new StrokeBuilder(1, 20);
    expect(builder.add([{ x: 0, y: 0, pressure: 1, time: 0 }])).toBe(0);
    expect(builder.add([{ x: 50, y: 0, pressure: 1, time: 16 }, { x: 100, y: 0, pressure: 1, time: 24 }])).toBe(1); // prettier-ignore
  });

  test('samples far apart are joined by curves, not by corners', () => {
    const builder = new StrokeBuilder(1, 20);
    const samples = Array.from({ length: 24 }, (_, k) => ({
      x: 300 + 200 * Math.cos(k / 4),
      y: 300 + 200 * Math.sin(k / 4),
      pressure: 1,
      time: k * 16,
    }));
    builder.add(samples);
    const kept = builder.simplified();
    let sharpest = 0;
    // where the stroke sets in the filter still settles
    for (let k = 4; k + 4 < kept.length; k += 1) {
      const [a, b, c] = [kept[k - 1]!, kept[k]!, kept[k + 1]!];
      const turn = Math.atan2(c[1] - b[1], c[0] - b[0]) - Math.atan2(b[1] - a[1], b[0] - a[0]);
      sharpest = Math.max(sharpest, Math.abs(Math.atan2(Math.sin(turn), Math.cos(turn))));
    }
    // the samples themselves turn by a quarter of a radian each
    expect(sharpest).toBeLessThan(0.2);
    expect(kept.length).toBeGreaterThan(24);
  });

  test('a straight stroke simplifies to few points and stays within a third of a screen pixel', () => {
    const builder = new StrokeBuilder(4, 20);
    builder.add(shaky(200, (k) => Math.sin(k / 20) * 10));
    const kept = builder.simplified();
    expect(kept.length).toBeLessThan(builder.points.length / 3);
    for (const point of builder.points) expect(distanceTo(kept, point)).toBeLessThanOrEqual(0.3 / 4 + 1e-9);
  });

  test('pressure follows the pen and never vanishes', () => {
    const builder = new StrokeBuilder(1, 20);
    builder.add(Array.from({ length: 40 }, (_, k) => ({ x: k * 5, y: 0, pressure: 0, time: k * 8 })));
    for (const [, , pressure] of builder.points) expect(pressure).toBeCloseTo(0.08);
  });
});
