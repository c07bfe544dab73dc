import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ShapeInput } from '../../document/geometry.ts';
import { growMask } from '../distance.ts';
import { createMask, maskBounds, maskIou } from '../mask.ts';
import type { Mask } from '../mask.ts';
import { disc, draw, rect } from '../masks.testkit.ts';
import { MaxFlow } from './max-flow.ts';
import type { RgbaImage } from './planes.ts';
import { snapToEdges } from './snap-to-edges.ts';

describe('MaxFlow', () => {
  /** The least cost over all divisions, by trying every one. */
  function bruteForce(
    n: number,
    terminals: readonly (readonly number[])[],
    edges: readonly (readonly number[])[],
  ): number {
    let best = Infinity;
    for (let sides = 0; sides < 1 << n; sides += 1) {
      let cost = 0;
      for (let i = 0; i < n; i += 1) cost += (sides >> i) & 1 ? terminals[i]![1]! : terminals[i]![0]!;
      for (const [a = 0, b = 0, c = 0] of edges) if (((sides >> a) & 1) !== ((sides >> b) & 1)) cost += c;
      best = Math.min(best, cost);
    }
    return best;
  }
  test('finds a division as cheap as the cheapest of all', () => {
    const n = 9;
    const weight = fc.integer({ min: 0, max: 20 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(weight, weight), { minLength: n, maxLength: n }),
        fc.array(fc.tuple(fc.nat({ max: n - 1 }), fc.nat({ max: n - 1 }), weight), { maxLength: 20 }),
        (terminals, all) => {
          const edges = all.filter(([a, b]) => a !== b);
          const flow = new MaxFlow(n, edges.length);
          for (const [i, [fromSource, toSink]] of terminals.entries()) flow.addTerminals(i, fromSource, toSink);
          for (const [a, b, c] of edges) flow.addEdge(a, b, c);
          flow.solve();
          const side = terminals.map((_, i) => flow.onSourceSide(i));
          let cost = 0;
          for (const [i, [fromSource, toSink]] of terminals.entries()) cost += side[i] ? toSink : fromSource;
          for (const [a, b, c] of edges) if (side[a] !== side[b]) cost += c;
          expect(cost).toBe(bruteForce(n, terminals, edges));
        },
      ),
      { numRuns: 400 },
    );
  });
});

/** A picture of a two-coloured striped thing before a wavy ground, with noise. */
function picture(truth: Mask): RgbaImage {
  const side = truth.width;
  const data = new Uint8Array(side * side * 4);
  let state = 1;
  const noise = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 32 - 0.5) * 30;
  };
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const i = y * side + x;
      const [u, v] = [x / side, y / side];
      const wave = Math.sin(u * 40 + Math.sin(v * 23) * 2) * 12;
      const ground = [110 + 60 * v + wave, 150 - 30 * u + wave / 2, 90 + 70 * v];
      const thing = (u + v) % 0.12 < 0.06 ? [190 + 20 * u, 120, 60 + 30 * v] : [150, 95 + 20 * v, 80];
      const c = truth.data[i]! / 255;
      const n = noise();
      for (let k = 0; k < 3; k += 1)
        data[4 * i + k] = Math.min(255, Math.max(0, thing[k]! * c + ground[k]! * (1 - c) + n));
      data[4 * i + 3] = 255;
    }
  }
  return { width: side, height: side, data };
}

const star: ShapeInput = {
  kind: 'polygon',
  points: Array.from({ length: 12 }, (_, i): [number, number] => {
    const r = i % 2 ? 90 : 150;
    const angle = (i * Math.PI) / 6 - 1.5;
    return [260 + r * Math.cos(angle), 250 + r * Math.sin(angle)];
  }),
};
const thing = [star, disc(330, 330, 70)];

describe('snapToEdges', () => {
  const truth = draw(thing, 512, 256);
  const image = picture(truth);

  test.each<[string, Mask, number]>([
    ['a generous outline', growMask(truth, 10), 0.97],
    ['a timid outline', growMask(truth, -10), 0.97],
    ['a plain ellipse', draw([{ kind: 'ellipse', cx: 275, cy: 268, rx: 140, ry: 140 }], 512, 256), 0.97],
    [
      'a scribble inside',
      draw(
        [
          {
            kind: 'strokes',
            strokes: [
              {
                width: 70,
                points: [
                  [200, 220, 1],
                  [320, 220, 1],
                  [220, 300, 1],
                  [340, 330, 1],
                ],
              },
            ],
          },
        ],
        512,
        256,
      ),
      0.88,
    ],
  ])('%s comes to fit the thing', (_, rough, least) => {
    const snapped = snapToEdges(rough, image);
    expect(maskIou(rough, truth)).toBeLessThan(0.75);
    expect(maskIou(snapped, truth)).toBeGreaterThan(least);
    expect(snapToEdges(rough, image).data).toEqual(snapped.data);
  });
  test('a larger picture sharpens a mask of another size', () => {
    const fine = picture(draw(thing, 512, 512));
    expect(maskIou(snapToEdges(growMask(truth, 10), fine), truth)).toBeGreaterThan(0.97);
  });
  test('an outline that lies askew over the thing finds it all the same', () => {
    const low = draw([{ kind: 'ellipse', cx: 128, cy: 150, rx: 60, ry: 34 }], 256);
    const askew = draw([{ kind: 'ellipse', cx: 136, cy: 124, rx: 66, ry: 44 }], 256);
    expect(maskIou(askew, low)).toBeLessThan(0.5);
    expect(maskIou(snapToEdges(askew, picture(low)), low)).toBeGreaterThan(0.8);
  });
  test('nothing farther away than the reach changes', () => {
    const rough = draw([rect(100, 100, 60, 60)], 256);
    const snapped = snapToEdges(rough, image, { reach: 6 });
    const outer = growMask(rough, 9);
    const inner = growMask(rough, -9);
    for (let i = 0; i < snapped.data.length; i += 1) {
      if (outer.data[i] === 0) expect(snapped.data[i]).toBeLessThan(40);
      if (inner.data[i] === 255) expect(snapped.data[i]).toBeGreaterThan(215);
    }
  });
  test('a picture without edges, an empty and a whole mask', () => {
    const grey = { width: 64, height: 64, data: new Uint8Array(64 * 64 * 4).fill(128) };
    const round = draw([disc(32, 32, 15)], 64);
    expect(maskBounds(snapToEdges(round, grey))).not.toBeNull();
    expect(snapToEdges(createMask(64, 64), grey).data.every((v) => v === 0)).toBe(true);
    const whole = draw([{ kind: 'canvas' }], 64);
    expect(maskIou(snapToEdges(whole, grey), whole)).toBeGreaterThan(0.9);
    expect(() => snapToEdges(draw([rect(5, 5, 1, 1)], 64), grey)).not.toThrow();
  });
});
