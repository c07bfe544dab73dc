import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holdToSketch } from './sketch-anchor.ts';

const ANCHOR = { spread: 0.08, until: 0.15 };
const V = [0.803276, 0.174833, 0.088978, -0.613718, 0.046182, -1.368259];
const X = [0.337495, 1.011116, -1.435179, 0.977432, 0.52205, 1.237917];
const SKETCH = [0.180877, 0.187715, 0.292745, 0.599699, 0.121255, 0.114796, 0.26088, 0.805172, 1, 1];

function held(share: number | Float32Array, alphaCumprod: number, sketch = SKETCH, v = V): Float32Array {
  const result = Float32Array.from(v);
  const given = { v: result, x: Float32Array.from(X), sketch: Float32Array.from(sketch), share, alphaCumprod };
  holdToSketch(given, ANCHOR);
  return result;
}

describe('holding a prediction to the sketch', () => {
  // anchor() of training/nets/unet.py on the same numbers, share 0.7, timesteps 30, 400 and 990
  test.each([
    [0.996465802192688, [0.803802, 0.238814, 0.043324, -0.575291, 0.056438, -1.259091]],
    [0.6459881663322449, [0.68396, 0.654656, -0.361972, -0.100532, 0.127116, 0.214695]],
    [0.00019671737391036004, [0.624501, -0.021475, 0.015649, -0.598179, 0.016947, -0.652426]],
  ])('as in training, alpha %f', (alphaCumprod, expected) => {
    held(0.7, alphaCumprod).forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 5));
  });

  test('nothing changes without segments, where nothing is drawn, or at scale 0', () => {
    const plain = Float32Array.from(V);
    expect(held(0, 0.3)).toEqual(plain);
    expect(
      held(
        1,
        0.3,
        SKETCH.map(() => 0),
      ),
    ).toEqual(plain);
    expect(held(-2, 0.3)).toEqual(plain);
  });

  test('a scale above 1 is not extrapolated, and each place has its own share', () => {
    expect(held(7, 0.3)).toEqual(held(1, 0.3));
    const both = held(Float32Array.of(0, 1), 0.3);
    expect([both[0], both[2], both[4]]).toEqual([...Float32Array.from([V[0], V[2], V[4]] as number[])]);
    expect([both[1], both[3], both[5]]).toEqual([held(1, 0.3)[1], held(1, 0.3)[3], held(1, 0.3)[5]]);
  });

  test('pure noise answers with the sketch alone, a clear picture with itself', () => {
    const whole = [...SKETCH.slice(0, 6), 1, 1, 1, 1];
    held(1, 0, whole).forEach((value, i) => expect(value).toBeCloseTo(-(SKETCH[i] ?? 0), 2));
    held(1, 1, whole).forEach((value, i) => expect(value).toBeCloseTo(V[i] ?? 0, 2));
  });

  test('the result stays between the prediction and what the sketch says', () => {
    const number = fc.double({ min: -3, max: 3, noNaN: true });
    fc.assert(
      fc.property(
        number,
        fc.double({ min: 0, max: 5, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (v, share, a) => {
          const own = V.map(() => v);
          const whole = [...SKETCH.slice(0, 6), 1, 1, 1, 1];
          const full = held(1, a, whole, own);
          held(share, a, whole, own).forEach((value, i) => {
            const [low, high] = [Math.min(v, full[i] ?? 0), Math.max(v, full[i] ?? 0)];
            expect(value).toBeGreaterThanOrEqual(low - 1e-5);
            expect(value).toBeLessThanOrEqual(high + 1e-5);
          });
        },
      ),
    );
  });

  test('lengths that do not fit are an error, not a picture', () => {
    expect(() => held(1, 0.5, SKETCH.slice(0, 8))).toThrow(/a sketch map of 8/);
  });
});
