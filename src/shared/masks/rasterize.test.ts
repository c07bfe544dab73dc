import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ShapeInput } from '../document/geometry.ts';
import { invertMask, maskArea, maskBounds, maskFrom, unionMasks } from './mask.ts';
import { disc, draw, halved, largestDifference, rect } from './masks.testkit.ts';

const polygonArea = (points: readonly (readonly [number, number])[]): number => {
  let sum = 0;
  for (const [i, [x, y]] of points.entries()) {
    const [nx, ny] = points[(i + 1) % points.length]!;
    sum += x * ny - nx * y;
  }
  return Math.abs(sum) / 2;
};

describe('areas of known shapes, to half a pixel', () => {
  const near = (mask: ReturnType<typeof draw>, area: number) =>
    expect(Math.abs(maskArea(mask) - area), `${maskArea(mask)} against ${area}`).toBeLessThan(0.5);

  test('rectangles at fractions of a pixel', () => {
    near(draw([rect(10.3, 20.7, 100.25, 50.5)], 256), 100.25 * 50.5);
    near(draw([rect(10.25, 20.25, 0.5, 0.5)], 64), 0.25);
    near(draw([rect(3, 4, 0.1, 40)], 64), 4);
  });
  test('triangles, in either direction', () => {
    const points: [number, number][] = [
      [10.5, 10.2],
      [200.1, 20.4],
      [90.7, 230.9],
    ];
    near(draw([{ kind: 'polygon', points }], 256), polygonArea(points));
    near(draw([{ kind: 'polygon', points: points.toReversed() }], 256), polygonArea(points));
  });
  test.each([0.4, 3, 57.3, 200, 1000])('an ellipse of radius %f', (r) => {
    const side = Math.ceil(2 * r + 8);
    near(
      draw([{ kind: 'ellipse', cx: side / 2 + 0.3, cy: side / 2 - 0.2, rx: r, ry: r * 0.7 }], side),
      Math.PI * r * r * 0.7,
    );
  });
  test('a circle of two arcs, of four cubics, and of a brush dab', () => {
    const area = Math.PI * 100 * 100;
    near(draw([{ kind: 'path', d: 'M28 128a100 100 0 0 1 200 0A100 100 0 1 1 28 128z' }], 256), area);
    near(draw([{ kind: 'path', d: 'M28 128a100 100 0 0 0 200 0A100 100 0 1 0 28 128z' }], 256), area);
    const dab = draw([{ kind: 'strokes', strokes: [{ width: 200, points: [[128, 128, 1]] }] }], 256);
    expect(Math.abs(maskArea(dab) - area)).toBeLessThan(0.5);
    // The usual four cubics swell by 0.03 % of the area.
    const k = 55.228475;
    const cubics = `M128 28C${128 + k} 28 228 ${128 - k} 228 128S${128 + k} 228 128 228 28 ${128 + k} 28 128 ${128 - k} 28 128 28`;
    expect(Math.abs(maskArea(draw([{ kind: 'path', d: cubics }], 256)) - area)).toBeLessThan(area * 0.0004);
  });
  test('below a parabola: two thirds of its box', () => {
    near(draw([{ kind: 'path', d: 'M10 200Q128 -100 246 200z' }], 256), (2 / 3) * 236 * 150);
  });
  test('a star crossing itself: even-odd leaves its middle free, nonzero fills it', () => {
    const star = Array.from({ length: 5 }, (_, i): [number, number] => {
      const angle = (4 * Math.PI * i) / 5 - Math.PI / 2;
      return [128 + 110 * Math.cos(angle), 128 + 110 * Math.sin(angle)];
    });
    const d = `M${star.map((p) => p.join(' ')).join('L')}z`;
    // Inner pentagon and points of a pentagram of circumradius 1.
    const inner = Math.sin(Math.PI / 10) / Math.sin((7 * Math.PI) / 10);
    const pentagon = 2.5 * (110 * inner) ** 2 * Math.sin((2 * Math.PI) / 5);
    const outline = 10 * 0.5 * 110 * 110 * inner * Math.sin(Math.PI / 5);
    expect(Math.abs(maskArea(draw([{ kind: 'path', d }], 256)) - outline)).toBeLessThan(2);
    expect(Math.abs(maskArea(draw([{ kind: 'path', d, fillRule: 'evenodd' }], 256)) - outline + pentagon)).toBeLessThan(
      2,
    );
    expect(Math.abs(maskArea(draw([{ kind: 'polygon', points: star }], 256)) - outline + pentagon)).toBeLessThan(2);
  });
  test('a capsule, thick and thinner than a pixel, and a tapered one', () => {
    const line = (width: number, a: number, b: number): ShapeInput => ({
      kind: 'strokes',
      strokes: [
        {
          width,
          points: [
            [40.3, 60.1, a],
            [180.6, 200.2, b],
          ],
        },
      ],
    });
    const length = Math.hypot(140.3, 140.1);
    expect(Math.abs(maskArea(draw([line(30, 1, 1)], 256)) - (30 * length + Math.PI * 225))).toBeLessThan(0.5);
    expect(Math.abs(maskArea(draw([line(0.4, 1, 1)], 256)) - 0.4 * length)).toBeLessThan(2);
    // Hull of discs R, r at distance L: trapezia along the tangents, and the two caps.
    const [R, r] = [20, 5];
    const lean = Math.acos((R - r) / length);
    const hull = (R + r) * Math.sqrt(length ** 2 - (R - r) ** 2) + R * R * (Math.PI - lean) + r * r * lean;
    expect(Math.abs(maskArea(draw([line(40, 1, 0.25)], 256)) - hull)).toBeLessThan(2);
  });
  test('a skewed brush stroke has the area of its image', () => {
    const strokes = [
      {
        width: 30,
        points: [
          [60, 80, 1] as [number, number, number],
          [120, 90, 0.6] as [number, number, number],
          [140, 150, 0.2] as [number, number, number],
        ],
      },
    ];
    const straight = maskArea(draw([{ kind: 'strokes', strokes }], 256, 1024)) / 16;
    const skewed =
      maskArea(draw([{ kind: 'strokes', strokes, transform: [1.1, 0.2, -0.3, 0.7, 20, 5] }], 256, 1024)) / 16;
    expect(skewed / straight).toBeCloseTo(1.1 * 0.7 + 0.2 * 0.3, 2);
  });
});

test('arcs: every flag combination lies on the ellipse that SVG prescribes', () => {
  // Chord 60 on circles of radius 50: segments of the circle, smaller or larger than half.
  const r = 50;
  const half = Math.asin(30 / r);
  const small = r * r * (half - Math.sin(half) * Math.cos(half));
  const large = Math.PI * r * r - small;
  for (const sweep of [0, 1]) {
    expect(maskArea(draw([{ kind: 'path', d: `M98 128A50 50 0 0 ${sweep} 158 128z` }], 256))).toBeCloseTo(small, 0);
    expect(maskArea(draw([{ kind: 'path', d: `M98 128A50 50 0 1 ${sweep} 158 128z` }], 256))).toBeCloseTo(large, 0);
  }
  // Sweep 1 goes clockwise: from left to right over the top.
  expect(maskBounds(draw([{ kind: 'path', d: 'M98 128A50 50 0 1 1 158 128z' }], 256))!.top).toBeLessThan(50);
  expect(maskBounds(draw([{ kind: 'path', d: 'M98 128A50 50 0 1 0 158 128z' }], 256))!.bottom).toBeGreaterThan(206);
  // Radii too small for the chord are enlarged to a half circle of radius 30; turned ellipses keep their area.
  expect(maskArea(draw([{ kind: 'path', d: 'M98 128A5 5 0 0 1 158 128z' }], 256))).toBeCloseTo((Math.PI * 900) / 2, 0);
  const turned = 'M128 128m-60 0a60 20 30 1 0 0.001 0z';
  expect(maskArea(draw([{ kind: 'path', d: turned, transform: [1, 0, 0, 1, 60, 0] }], 256))).toBeCloseTo(
    Math.PI * 1200,
    -1,
  );
});

describe('operations', () => {
  test('add, subtract, intersect in order', () => {
    const [a, b, c] = [rect(10, 10, 40, 40), rect(30, 10, 40, 40), rect(0, 0, 100, 20)];
    expect(maskArea(draw([a, b], 100))).toBe(60 * 40);
    expect(maskArea(draw([a, { ...b, op: 'subtract' }], 100))).toBe(20 * 40);
    expect(maskArea(draw([a, { ...b, op: 'intersect' }], 100))).toBe(20 * 40);
    expect(maskArea(draw([a, b, { ...c, op: 'intersect' }], 100))).toBe(60 * 10);
    expect(maskArea(draw([{ ...a, op: 'subtract' }, b], 100))).toBe(1600);
    expect(maskArea(draw([{ ...a, op: 'intersect' }], 100))).toBe(0);
  });
  test('groups are evaluated on their own, then applied', () => {
    const ring: ShapeInput = { kind: 'group', shapes: [disc(50, 50, 40), { ...disc(50, 50, 20), op: 'subtract' }] };
    expect(maskArea(draw([ring], 100))).toBeCloseTo(Math.PI * 1200, 0);
    const rest = maskArea(draw([{ kind: 'canvas' }, { ...ring, op: 'subtract' }], 100));
    expect(rest).toBeCloseTo(10_000 - Math.PI * 1200, 0);
    const moved: ShapeInput = { ...ring, transform: [0.5, 0, 0, 0.5, 0, 0] };
    expect(maskArea(draw([moved], 100))).toBeCloseTo(Math.PI * 300, 0);
    expect(maskBounds(draw([moved], 100))!.right).toBeLessThanOrEqual(46);
  });
  test('an eraser stroke takes away what it covers', () => {
    const eraser: ShapeInput = {
      kind: 'strokes',
      op: 'subtract',
      strokes: [
        {
          width: 20,
          points: [
            [0, 50, 1],
            [100, 50, 1],
          ],
        },
      ],
    };
    expect(maskArea(draw([{ kind: 'canvas' }, eraser], 100))).toBeCloseTo(8000, 0);
  });
  test('what lies outside the canvas does not matter, edges crossing its sides do not leak', () => {
    const big: ShapeInput = {
      kind: 'polygon',
      points: [
        [-300, 50],
        [50, -300],
        [400, 50],
        [50, 400],
      ],
    };
    expect(maskArea(draw([big], 100))).toBe(10_000);
    const triangle: ShapeInput = {
      kind: 'polygon',
      points: [
        [-100, -100],
        [150, -100],
        [-100, 150],
      ],
    };
    expect(maskArea(draw([triangle], 100))).toBeCloseTo((50 * 50) / 2, 0);
    const right: ShapeInput = {
      kind: 'polygon',
      points: [
        [200, 0],
        [200, 100],
        [50, 50],
      ],
    };
    expect(maskArea(draw([right], 100))).toBeCloseTo((50 * (100 / 3)) / 2, 0);
  });
  test('degenerate shapes cover nothing and break nothing', () => {
    const shapes: ShapeInput[] = [
      {
        kind: 'polygon',
        points: [
          [10, 10],
          [10, 10],
          [10, 10],
        ],
      },
      {
        kind: 'polygon',
        points: [
          [10, 10],
          [50, 50],
          [90, 90],
        ],
      },
      rect(10, 10, 0, 50),
      { kind: 'ellipse', cx: 50, cy: 50, rx: 0, ry: 10 },
      { kind: 'path', d: 'not a path' },
      { kind: 'path', d: 'M10 10L1e308 1e308L-1e308 5z', transform: [0, 0, 0, 0, 0, 0] },
      { kind: 'strokes', strokes: [{ width: 10, points: [[50, 50, 0]] }] },
      { kind: 'strokes', strokes: [{ width: 10, points: [[50, 50, 1]] }], transform: [0, 0, 0, 0, 1, 1] },
      { kind: 'bitmap', blob: '0'.repeat(64), x: 0, y: 0, width: 50, height: 50 },
    ];
    for (const shape of shapes) expect(maskArea(draw([shape], 100)), JSON.stringify(shape)).toBe(0);
    expect(maskArea(draw([{ kind: 'path', d: 'M-1e300 -1e300H1e300V1e300H-1e300z' }], 100))).toBe(10_000);
  });
});

describe('bitmaps', () => {
  const blob = 'a'.repeat(64);
  const bitmap = {
    width: 4,
    height: 4,
    data: Uint8Array.from([0, 255, 255, 0, 0, 200, 130, 0, 127, 128, 0, 0, 0, 0, 0, 0]),
  };
  const lookup = (hash: string) => (hash === blob ? bitmap : undefined);
  const place = (x: number, y: number, size: number, more: object = {}): ShapeInput => ({
    kind: 'bitmap',
    blob,
    x,
    y,
    width: size,
    height: size,
    ...more,
  });

  test('covered where the value is at least one half; exact shares when drawn smaller', () => {
    const mask = draw([place(0, 0, 4)], 4, 4, lookup);
    expect([...mask.data]).toEqual([...bitmap.data].map((v) => (v >= 128 ? 255 : 0)));
    expect(maskArea(draw([place(0, 0, 4)], 4, 2, lookup)) * 4).toBeCloseTo(5, 1);
    expect(maskArea(draw([place(8.5, 3.25, 4)], 16, 16, lookup))).toBeCloseTo(5, 1);
  });
  test('mirrored and turned it keeps its area', () => {
    const big = { width: 64, height: 64, data: maskFrom(64, 64, (x, y) => (x - 30) ** 2 + (y - 20) ** 2 < 400).data };
    const area = maskArea({ ...big });
    for (const transform of [
      [-1, 0, 0, 1, 128, 0],
      [0.8, 0.6, -0.6, 0.8, 60, 0],
      [2, 0, 0, 2, -64, -64],
      [0.5, 0, 0, 0.5, 0, 0],
    ] as const) {
      const mask = draw([place(32, 32, 64, { transform: [...transform] })], 192, 192, () => big);
      const scale = Math.abs(transform[0] * transform[3] - transform[1] * transform[2]);
      expect(maskArea(mask) / (area * scale)).toBeCloseTo(1, 1.5);
    }
  });
});

const shapeArbitrary: fc.Arbitrary<ShapeInput> = fc.oneof(
  fc.record({
    kind: fc.constant('rect' as const),
    x: fc.double({ min: 0, max: 80, noNaN: true }),
    y: fc.double({ min: 0, max: 80, noNaN: true }),
    width: fc.double({ min: 0, max: 60, noNaN: true }),
    height: fc.double({ min: 0, max: 60, noNaN: true }),
  }),
  fc.record({
    kind: fc.constant('ellipse' as const),
    cx: fc.double({ min: 0, max: 128, noNaN: true }),
    cy: fc.double({ min: 0, max: 128, noNaN: true }),
    rx: fc.double({ min: 0, max: 60, noNaN: true }),
    ry: fc.double({ min: 0, max: 60, noNaN: true }),
  }),
  fc.record({
    kind: fc.constant('polygon' as const),
    points: fc.array(
      fc.tuple(fc.double({ min: -30, max: 150, noNaN: true }), fc.double({ min: -30, max: 150, noNaN: true })),
      { minLength: 3, maxLength: 9 },
    ),
  }),
  fc.record({
    kind: fc.constant('strokes' as const),
    strokes: fc.array(
      fc.record({
        width: fc.double({ min: 0.5, max: 40, noNaN: true }),
        points: fc.array(
          fc.tuple(
            fc.double({ min: 0, max: 128, noNaN: true }),
            fc.double({ min: 0, max: 128, noNaN: true }),
            fc.double({ min: 0.1, max: 1, noNaN: true }),
          ),
          { minLength: 1, maxLength: 8 },
        ),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  }),
);

describe('properties', () => {
  test('a shape drawn at twice the size, halved, is the shape', () => {
    fc.assert(
      fc.property(shapeArbitrary, (shape) => {
        const once = draw([shape], 128);
        const twice = halved(draw([shape], 128, 256));
        // Strokes and crossing outlines are not exact inside one pixel, but never far off, and on average right.
        expect(largestDifference(once, twice)).toBeLessThan(
          shape.kind === 'rect' || shape.kind === 'ellipse' ? 8 : 140,
        );
        const perimeter = 20 + maskArea(once) * 0.02;
        expect(Math.abs(maskArea(once) - maskArea(twice))).toBeLessThan(perimeter);
      }),
      { numRuns: 150 },
    );
  });
  test('moving by whole pixels moves the mask', () => {
    fc.assert(
      fc.property(shapeArbitrary, fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }), (shape, dx, dy) => {
        const still = draw([{ ...shape, transform: [1, 0, 0, 1, 70, 70] }], 256);
        const moved = draw([{ ...shape, transform: [1, 0, 0, 1, 70 + dx, 70 + dy] }], 256);
        const shifted = { width: 256, height: 256, data: new Uint8Array(256 * 256) };
        for (let y = dy; y < 256; y += 1)
          for (let x = dx; x < 256; x += 1) shifted.data[y * 256 + x] = still.data[(y - dy) * 256 + x - dx]!;
        expect(largestDifference(moved, shifted)).toBeLessThanOrEqual(2);
      }),
      { numRuns: 100 },
    );
  });
  test('two added shapes are their union, in any order and grouping', () => {
    fc.assert(
      fc.property(shapeArbitrary, shapeArbitrary, (a, b) => {
        const both = draw([a, b], 128);
        expect(both.data).toEqual(unionMasks(draw([a], 128), draw([b], 128)).data);
        expect(draw([b, a], 128).data).toEqual(both.data);
        expect(draw([{ kind: 'group', shapes: [a, { kind: 'group', shapes: [b] }] }], 128).data).toEqual(both.data);
        const area = maskArea(both);
        expect(area).toBeLessThanOrEqual(maskArea(draw([a], 128)) + maskArea(draw([b], 128)) + 1e-6);
      }),
      { numRuns: 100 },
    );
  });
  test('a stroke is the union of its pieces, drawn or erased, however it crosses itself', () => {
    const coordinate = fc.double({ min: -20, max: 148, noNaN: true });
    const point = fc.tuple(coordinate, coordinate, fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(
        fc.array(point, { minLength: 2, maxLength: 12 }),
        fc.double({ min: 0.5, max: 60, noNaN: true }),
        (points, width) => {
          const stroke = (some: typeof points): ShapeInput => ({ kind: 'strokes', strokes: [{ width, points: some }] });
          const whole = draw([stroke(points)], 128);
          const pieces = points.slice(1).map((to, i) => stroke([points[i]!, to]));
          // Simplifying may move an outline by a sixteenth of a pixel.
          expect(largestDifference(whole, draw(pieces, 128))).toBeLessThan(20);
          const erased = draw([{ kind: 'canvas' }, { ...stroke(points), op: 'subtract' }], 128);
          expect(erased.data).toEqual(invertMask(whole).data);
        },
      ),
      { numRuns: 150 },
    );
  });
});
