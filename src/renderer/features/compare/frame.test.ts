import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { frameRatio } from './frame.ts';

interface Sides {
  readonly width: number;
  readonly height: number;
}

/** Sides of a picture that fills a frame of height 1 as far as it can and stays whole. */
function fitted({ width, height }: Sides, ratio: number): Sides {
  const scale = Math.min(ratio / width, 1 / height);
  return { width: width * scale, height: height * scale };
}
const area = ({ width, height }: Sides): number => width * height;
const side = fc.integer({ min: 16, max: 8192 });
const sides = fc.record({ width: side, height: side });

describe('the frame of two pictures', () => {
  test('gives each the same area, and no more room than the two need', () => {
    fc.assert(
      fc.property(sides, sides, (a, b) => {
        const ratio = frameRatio(a, b);
        const [one, other] = [fitted(a, ratio), fitted(b, ratio)];
        expect(area(one) / area(other)).toBeCloseTo(1, 6);
        expect(Math.max(one.width, other.width)).toBeCloseTo(ratio, 6);
        expect(Math.max(one.height, other.height)).toBeCloseTo(1, 6);
      }),
    );
  });

  test('is the frame of either where they have the same proportions', () => {
    expect(frameRatio({ width: 384, height: 256 }, { width: 1536, height: 1024 })).toBeCloseTo(1.5, 10);
  });
});
