import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { CROP_MARGIN, SKETCH_SIDE } from '../packs/schema.ts';
import { maskInFrame, pasteSketches, segmentFrames } from './sketch.ts';
import type { OwnedCells, SegmentFrame } from './sketch.ts';

const AREA = SKETCH_SIDE * SKETCH_SIDE;
/** Computed by torch: test/fixtures/sketch/golden.py. */
const golden = JSON.parse(readFileSync(path.resolve('test/fixtures/sketch/golden.json'), 'utf8')) as {
  channels: number;
  side: number;
  cases: { width: number; height: number; labels: number[]; boxes: number[][]; masks: number[][]; map: number[] }[];
};

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);
const framesOf = (cells: OwnedCells, count: number): SegmentFrame[] =>
  segmentFrames(cells, count).map((frame) => frame ?? expect.fail('a segment without a cell'));
function expectNear(found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void {
  expect(found.length).toBe(wanted.length);
  for (let i = 0; i < found.length; i += 1)
    if (!(Math.abs(found[i]! - wanted[i]!) <= tolerance)) expect.fail(`${found[i]} at ${i}, expected ${wanted[i]}`);
}

describe.each(golden.cases)(
  'a map of $width x $height against torch',
  ({ width, height, labels, boxes, masks, map }) => {
    const cells = { labels: Uint16Array.from(labels), width, height };
    const frames = framesOf(cells, boxes.length);

    test('frames', () => {
      frames.forEach(({ cx, cy, side }, i) => expectNear([cx, cy, side], boxes[i]!, 1e-4));
    });

    test('masks in their frames', () => {
      frames.forEach((frame, i) => expectNear(maskInFrame(cells, i + 1, frame), masks[i]!, 1e-4));
    });

    test('pasted sketches', () => {
      expect(golden.side).toBe(SKETCH_SIDE);
      const sketches = frames.map((_, k) =>
        Float32Array.from({ length: golden.channels * AREA }, (__, at) => {
          const [c, i, j] = [Math.floor(at / AREA), Math.floor((at % AREA) / SKETCH_SIDE), at % SKETCH_SIDE];
          return Math.sin(0.7 * (k + 1) + 1.3 * c + 0.23 * i - 0.31 * j + 0.01 * i * j);
        }),
      );
      expectNear(pasteSketches(cells, frames, sketches, golden.channels), map, 1e-4);
    });
  },
);

const SEGMENTS = 4;
/** Any map, also one whose segments own nothing, one cell or everything. */
const anyCells = fc
  .record({ width: fc.integer({ min: 1, max: 24 }), height: fc.integer({ min: 1, max: 24 }) })
  .chain(({ width, height }) =>
    fc
      .array(fc.integer({ min: 0, max: SEGMENTS }), { minLength: width * height, maxLength: width * height })
      .map((labels): OwnedCells => ({ labels: Uint16Array.from(labels), width, height })),
  );

describe('properties', () => {
  test('a sketch that is constant per channel pastes a constant into every owned cell, and 0 into all others', () => {
    fc.assert(
      fc.property(anyCells, fc.array(fc.boolean(), { minLength: SEGMENTS, maxLength: SEGMENTS }), (cells, drawn) => {
        const plane = cells.width * cells.height;
        const value = (label: number, channel: number) => label * 0.5 - channel * 3;
        const sketches = drawn.map((is, i) =>
          is ? Float32Array.from({ length: 2 * AREA }, (_, at) => value(i + 1, Math.floor(at / AREA))) : null,
        );
        const map = pasteSketches(cells, segmentFrames(cells, SEGMENTS), sketches, 2);
        const wanted = Array.from({ length: 2 * plane }, (_, at) => {
          const label = cells.labels[at % plane]!;
          return label > 0 && drawn[label - 1] ? value(label, Math.floor(at / plane)) : 0;
        });
        expectNear(map, wanted, 1e-6);
      }),
    );
  });

  test('a frame holds all cells of its segment and moves with them; the mask in it stays the same', () => {
    fc.assert(
      fc.property(anyCells, fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }), (cells, right, down) => {
        const { width, height } = cells;
        const labels = new Uint16Array((width + 9) * (height + 9));
        cells.labels.forEach((label, i) => {
          labels[(Math.floor(i / width) + down) * (width + 9) + (i % width) + right] = label;
        });
        const moved = { labels, width: width + 9, height: height + 9 };
        const frames = segmentFrames(cells, SEGMENTS);
        const after = segmentFrames(moved, SEGMENTS);
        frames.forEach((frame, i) => {
          const there = after[i];
          if (!frame || !there) return expect([frame, there]).toEqual([null, null]);
          expect(there).toEqual({ cx: frame.cx + right, cy: frame.cy + down, side: frame.side });
          expect(cells.labels).toContain(i + 1);
          expectNear(maskInFrame(moved, i + 1, there), maskInFrame(cells, i + 1, frame), 1e-5);
        });
      }),
    );
  });

  test('the mask keeps the area of its segment, in units of the frame', () => {
    // A frame of 16 cells: 32 samples, so two per cell and direction see every cell alike.
    const labels = Uint16Array.from({ length: 40 * 40 }, (_, i) => {
      const [x, y] = [(i % 40) - 19.5, Math.floor(i / 40) - 19.5];
      return x * x + y * y < 40 ? 1 : 0;
    });
    const cells = { labels, width: 40, height: 40 };
    const frame = { cx: 20, cy: 20, side: 16 };
    expect(sum(maskInFrame(cells, 1, frame)) / 4).toBeCloseTo(sum(labels), 4);
  });
});

test('a segment without a cell has no frame; one cell has one a little larger than itself', () => {
  const cells = { labels: Uint16Array.from([0, 0, 0, 2]), width: 2, height: 2 };
  expect(segmentFrames(cells, 3)).toEqual([null, { cx: 1.5, cy: 1.5, side: CROP_MARGIN }, null]);
});

test('every label of the map is pasted from its own sketch, from the side where it lies', () => {
  // Left half dark, right half bright: the thing looks the same wherever its segment is.
  const ramp = Float32Array.from({ length: AREA }, (_, at) => at % SKETCH_SIDE);
  const labels = Uint16Array.from([1, 1, 1, 0, 2, 2]);
  const cells = { labels, width: 6, height: 1 };
  const map = pasteSketches(cells, segmentFrames(cells, 2), [ramp, ramp], 1);
  const middle = SKETCH_SIDE / 2 - 0.5;
  const step = SKETCH_SIDE / CROP_MARGIN;
  expectNear(map, [middle - step / 3, middle, middle + step / 3, 0, middle - step / 4, middle + step / 4], 1e-4);
});
