import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { featherMask, smoothMask } from './blur.ts';
import { connectedComponents } from './components.ts';
import { contoursToPath, maskContours, signedArea } from './contour.ts';
import { growMask } from './distance.ts';
import {
  binaryMask,
  coveredPixels,
  createMask,
  intersectMasks,
  invertMask,
  maskArea,
  maskBounds,
  maskFrom,
  maskIou,
  subtractMasks,
  unionMasks,
} from './mask.ts';
import type { Mask } from './mask.ts';
import { disc, draw, largestDifference, rect } from './masks.testkit.ts';

const maskArbitrary: fc.Arbitrary<Mask> = fc
  .uint8Array({ minLength: 96, maxLength: 96 })
  .map((data) => ({ width: 12, height: 8, data }));

/** Blobs on 64 x 64: a few discs and boxes. */
const blobArbitrary: fc.Arbitrary<Mask> = fc
  .array(
    fc.tuple(
      fc.double({ min: 0, max: 64, noNaN: true }),
      fc.double({ min: 0, max: 64, noNaN: true }),
      fc.double({ min: 1, max: 20, noNaN: true }),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((discs) =>
    draw(
      discs.map(([x, y, r]) => disc(x, y, r)),
      64,
    ),
  );

const contains = (outer: Mask, inner: Mask, slack = 0): boolean =>
  inner.data.every((value, i) => (outer.data[i] ?? 0) + slack >= value);

describe('boolean operations', () => {
  test('form a lattice with complement: inverting twice, De Morgan, absorption, idempotence', () => {
    fc.assert(
      fc.property(maskArbitrary, maskArbitrary, (a, b) => {
        expect(invertMask(invertMask(a)).data).toEqual(a.data);
        expect(invertMask(unionMasks(a, b)).data).toEqual(intersectMasks(invertMask(a), invertMask(b)).data);
        expect(unionMasks(a, intersectMasks(a, b)).data).toEqual(a.data);
        expect(unionMasks(a, a).data).toEqual(a.data);
        expect(subtractMasks(a, b).data).toEqual(intersectMasks(a, invertMask(b)).data);
        expect(maskArea(unionMasks(a, b)) + maskArea(intersectMasks(a, b))).toBeCloseTo(maskArea(a) + maskArea(b), 6);
        expect(coveredPixels(subtractMasks(a, a))).toBe(0);
      }),
    );
  });
  test('masks of different sizes are refused', () => {
    expect(() => unionMasks(createMask(2, 3), createMask(3, 2))).toThrow('2 x 3 and 3 x 2');
  });
  test('overlap by union', () => {
    const [a, b] = [draw([rect(0, 0, 10, 10)], 20), draw([rect(5, 0, 10, 10)], 20)];
    expect(maskIou(a, b)).toBeCloseTo(50 / 150, 6);
    expect(maskIou(a, a)).toBe(1);
    expect(maskIou(createMask(4, 4), createMask(4, 4))).toBe(1);
    expect(maskIou(a, createMask(20, 20))).toBe(0);
  });
  test('bounds', () => {
    expect(maskBounds(createMask(5, 5))).toBeNull();
    expect(maskBounds(draw([rect(3, 5, 4, 2)], 20))).toEqual({ left: 3, top: 5, right: 7, bottom: 7 });
    expect(maskBounds(draw([rect(2.9, 5, 4.1, 2)], 20), 128)).toEqual({ left: 3, top: 5, right: 7, bottom: 7 });
  });
});

describe('growMask', () => {
  test('binary masks: exactly the pixels within the distance, against brute force', () => {
    const pixels = fc.array(fc.boolean(), { minLength: 20 * 14, maxLength: 20 * 14 });
    fc.assert(
      fc.property(pixels, fc.integer({ min: 1, max: 9 }), (bits, by) => {
        const sparse = maskFrom(20, 14, (x, y) => bits[y * 20 + x]! && (x * 7 + y * 3) % 11 === 0);
        const grown = growMask(sparse, by);
        for (let y = 0; y < 14; y += 1) {
          for (let x = 0; x < 20; x += 1) {
            let least = Infinity;
            for (let v = 0; v < 14; v += 1)
              for (let u = 0; u < 20; u += 1)
                if (sparse.data[v * 20 + u]) least = Math.min(least, Math.hypot(u - x, v - y));
            // The outline of a pixel lies half a pixel from its centre.
            const wanted = Math.round(255 * Math.min(1, Math.max(0, 0.5 + by - (least - 0.5))));
            expect(grown.data[y * 20 + x]).toBe(least === 0 ? 255 : wanted);
          }
        }
      }),
      { numRuns: 40 },
    );
  });
  test.each([12, -12, 0.4, -0.4, 30])('a disc of radius 60 by %f becomes the disc of the new radius', (by) => {
    const grown = growMask(draw([disc(128.3, 127.6, 60)], 256), by);
    const wanted = Math.PI * (60 + by) ** 2;
    expect(Math.abs(maskArea(grown) / wanted - 1)).toBeLessThan(0.004);
    expect(maskIou(grown, draw([disc(128.3, 127.6, 60 + by)], 256))).toBeGreaterThan(0.985);
  });
  test('growing and shrinking back covers at least what was there; shrinking and growing at most', () => {
    fc.assert(
      fc.property(blobArbitrary, fc.integer({ min: 1, max: 8 }), (mask, by) => {
        const binary = binaryMask(mask);
        expect(contains(binaryMask(growMask(growMask(binary, by), -by)), binary)).toBe(true);
        expect(contains(binary, binaryMask(growMask(growMask(binary, -by), by)))).toBe(true);
        expect(contains(growMask(mask, by), mask)).toBe(true);
        expect(contains(mask, growMask(mask, -by))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
  test('the canvas border is no edge', () => {
    const half = draw([rect(-50, -50, 82, 200)], 64);
    expect(maskArea(growMask(half, -10))).toBeCloseTo(22 * 64, 0);
    expect(maskArea(growMask(draw([{ kind: 'canvas' }], 64), -10))).toBe(64 * 64);
    expect(maskArea(featherMask(draw([{ kind: 'canvas' }], 64), 20))).toBe(64 * 64);
  });
  test('spacing: a squeezed mask grows by the same distance in the scene', () => {
    const wide = growMask(draw([disc(32, 32, 10)], 64), 8);
    // The same scene on 32 x 64 cells, each two pixels wide.
    const narrow: Mask = { width: 32, height: 64, data: new Uint8Array(32 * 64) };
    const source = draw([disc(32, 32, 10)], 64);
    for (let y = 0; y < 64; y += 1)
      for (let x = 0; x < 32; x += 1)
        narrow.data[y * 32 + x] = Math.round((source.data[y * 64 + 2 * x]! + source.data[y * 64 + 2 * x + 1]!) / 2);
    expect(2 * maskArea(growMask(narrow, 8, { x: 2, y: 1 }))).toBeCloseTo(maskArea(wide), -1.8);
  });
});

describe('feather and smooth', () => {
  test('feathering keeps the area, the half level and the reach of a straight edge', () => {
    const edge = featherMask(draw([rect(0, 0, 64, 128)], 128), 16);
    expect(maskArea(edge)).toBeCloseTo(64 * 128, -1.5);
    const row = edge.data.subarray(64 * 128, 65 * 128);
    expect(row[40]).toBe(255);
    expect(row[88]).toBe(0);
    expect((row[63]! + row[64]!) / 2).toBeCloseTo(127.5, 0);
    // One deviation (8 px) off the edge a Gaussian edge has 84.1 %.
    expect(Math.abs((row[55]! + row[56]!) / 2 / 255 - 0.841)).toBeLessThan(0.015);
    for (let x = 1; x < 128; x += 1) expect(row[x]).toBeLessThanOrEqual(row[x - 1]!);
  });
  test('feathering is the same at any resolution', () => {
    const fine = featherMask(draw([disc(128, 128, 60)], 256, 256), 20);
    const coarse = featherMask(draw([disc(128, 128, 60)], 256, 64), 20, { x: 4, y: 4 });
    const means = maskFrom(64, 64, () => false);
    for (let i = 0; i < 64 * 64; i += 1) {
      let sum = 0;
      const [x, y] = [i % 64, Math.floor(i / 64)];
      for (let v = 0; v < 4; v += 1) for (let u = 0; u < 4; u += 1) sum += fine.data[(4 * y + v) * 256 + 4 * x + u]!;
      means.data[i] = Math.round(sum / 16);
    }
    expect(largestDifference(means, coarse)).toBeLessThan(12);
  });
  test('smoothing leaves straight edges crisp, rounds corners and drops specks', () => {
    const square = draw([rect(32, 32, 64, 64), rect(10, 10, 2, 2)], 128);
    const smooth = smoothMask(square, 12);
    expect(smooth.data[11 * 128 + 11]).toBe(0);
    expect(smooth.data[64 * 128 + 30]).toBeLessThan(20);
    expect(smooth.data[64 * 128 + 33]).toBeGreaterThan(235);
    expect(smooth.data[32 * 128 + 32]).toBeLessThan(60);
    expect(maskArea(smooth)).toBeGreaterThan(64 * 64 - 150);
  });
  test('softening commutes with inverting and stays between nothing and everything', () => {
    fc.assert(
      fc.property(blobArbitrary, fc.double({ min: 0.1, max: 20, noNaN: true }), (mask, radius) => {
        expect(
          largestDifference(featherMask(invertMask(mask), radius), invertMask(featherMask(mask, radius))),
        ).toBeLessThanOrEqual(1);
      }),
      { numRuns: 40 },
    );
  });
});

describe('connectedComponents', () => {
  test('finds the parts, the largest first; corners touch', () => {
    const mask = draw([rect(0, 0, 4, 4), rect(10, 10, 6, 6), rect(16, 16, 1, 1)], 32);
    const { components, labels } = connectedComponents(mask);
    expect(components.map((part) => part.pixels)).toEqual([37, 16]);
    expect(components[0]!.box).toEqual({ left: 10, top: 10, right: 17, bottom: 17 });
    expect(labels[0]).toBe(components[1]!.label);
    expect(labels[20 * 32]).toBe(0);
  });
  test('the parts make up the covered pixels', () => {
    fc.assert(
      fc.property(maskArbitrary, (mask) => {
        const { components, labels } = connectedComponents(mask);
        expect(components.reduce((sum, part) => sum + part.pixels, 0)).toBe(coveredPixels(mask));
        for (const [i, label] of labels.entries()) expect(label > 0).toBe(mask.data[i]! >= 128);
      }),
    );
  });
});

describe('maskContours', () => {
  test('drawn again they give the mask: discs, rings, shapes at the border', () => {
    fc.assert(
      fc.property(blobArbitrary, blobArbitrary, (a, b) => {
        const mask = subtractMasks(a, b);
        const contours = maskContours(mask, { tolerance: 0 });
        if (contours.length === 0) return;
        const again = draw([{ kind: 'path', d: contoursToPath(contours, 4), fillRule: 'evenodd' }], 64);
        // Marching squares cuts corners inside a pixel; where the mask is decided either way both agree.
        for (let i = 0; i < mask.data.length; i += 1) {
          if (mask.data[i]! >= 225) expect(again.data[i]).toBeGreaterThan(96);
          if (mask.data[i]! <= 30) expect(again.data[i]).toBeLessThan(160);
        }
        const outer = contours.filter((c) => !c.hole).reduce((sum, c) => sum + signedArea(c.points), 0);
        const holes = contours.filter((c) => c.hole).reduce((sum, c) => sum - signedArea(c.points), 0);
        expect(outer).toBeGreaterThan(0);
        expect(holes).toBeGreaterThanOrEqual(0);
        expect(maskArea(again)).toBeCloseTo(outer - holes, 0);
      }),
      { numRuns: 80 },
    );
  });
  test('a disc: one smooth outline of its area, few points, in scene units', () => {
    const [contour, ...others] = maskContours(draw([disc(256, 256, 100)], 512, 128), {
      tolerance: 0.1,
      scaleX: 4,
      scaleY: 4,
    });
    expect(others).toEqual([]);
    expect(contour!.hole).toBe(false);
    expect(Math.abs(signedArea(contour!.points) / (Math.PI * 10_000) - 1)).toBeLessThan(0.01);
    expect(contour!.points.length).toBeLessThan(60);
    for (const [x, y] of contour!.points) expect(Math.abs(Math.hypot(x - 256, y - 256) - 100)).toBeLessThan(1.2);
  });
  test('a ring has a hole, the whole canvas an outline along its border', () => {
    const ring = maskContours(draw([disc(32, 32, 20), { ...disc(32, 32, 8), op: 'subtract' }], 64));
    expect(ring.filter((c) => c.hole)).toHaveLength(1);
    expect(ring.filter((c) => !c.hole)).toHaveLength(1);
    const whole = maskContours(draw([{ kind: 'canvas' }], 16), { tolerance: 0.01 });
    expect(Math.abs(signedArea(whole[0]!.points) - 256)).toBeLessThan(1);
    expect(maskContours(createMask(8, 8))).toEqual([]);
  });
});
