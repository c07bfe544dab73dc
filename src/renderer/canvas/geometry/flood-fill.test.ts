import { describe, expect, test } from 'vitest';
import { fillByColour, fillHoles, floodFill } from './flood-fill.ts';

/** A picture in words: '#' is a wall. */
const grid = (rows: string[]) => {
  const width = rows[0]?.length ?? 0;
  const text = rows.join('');
  return { width, height: rows.length, open: (index: number): boolean => text[index] !== '#', text };
};
const show = (mask: Uint8Array, width: number): string[] =>
  Array.from({ length: mask.length / width }, (_, y) =>
    [...mask.subarray(y * width, (y + 1) * width)].map((value) => (value ? 'o' : '.')).join(''),
  );

describe('floodFill', () => {
  test('fills around corners but not through diagonal gaps', () => {
    const { width, height, open } = grid(['..#..', '.#...', '.###.', '.....']);
    const region = floodFill(width, height, 0, 0, open);
    expect(show(region!.mask, width)).toEqual(['oo.oo', 'o.ooo', 'o...o', 'ooooo']);
    const closed = grid(['..#..', '.#...', '#....', '.....']);
    expect(show(floodFill(5, 4, 0, 0, closed.open)!.mask, 5)).toEqual(['oo...', 'o....', '.....', '.....']);
  });

  test('does not leak over the edge of a row', () => {
    const { width, height, open } = grid(['.#..', '.#..', '.#..']);
    expect(floodFill(width, height, 0, 1, open)?.area).toBe(3);
    expect(floodFill(width, height, 3, 1, open)?.area).toBe(6);
  });

  test('nothing to fill outside or on a wall', () => {
    const { width, height, open } = grid(['.#']);
    expect(floodFill(width, height, 1, 0, open)).toBeUndefined();
    expect(floodFill(width, height, -1, 0, open)).toBeUndefined();
    expect(floodFill(width, height, 0, 5, open)).toBeUndefined();
  });

  test('agrees with a plain fill on a random maze', () => {
    const side = 40;
    let state = 1;
    const walls = Uint8Array.from({ length: side * side }, () => {
      state = (state * 1103515245 + 12345) & 0x7fffffff;
      return state % 10 < 4 ? 1 : 0;
    });
    walls[0] = 0;
    const seen = new Set<number>();
    const queue = [0];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      if (seen.has(at) || walls[at] === 1) continue;
      seen.add(at);
      const x = at % side;
      if (x > 0) queue.push(at - 1);
      if (x < side - 1) queue.push(at + 1);
      if (at >= side) queue.push(at - side);
      if (at < side * (side - 1)) queue.push(at + side);
    }
    const region = floodFill(side, side, 0, 0, (index) => walls[index] === 0);
    expect(region?.area).toBe(seen.size);
    for (const index of seen) expect(region?.mask[index]).toBe(1);
  });
});

test('fillByColour takes what looks alike and stops at an edge', () => {
  const colours = { r: [200, 20, 20], R: [210, 25, 18], b: [10, 10, 220] } as Record<string, number[]>;
  const rows = ['rRb', 'RbR', 'rrr'];
  const rgba = Uint8Array.from(rows.join('').split('').flatMap((name) => [...(colours[name] ?? []), 255])); // prettier-ignore
  const region = fillByColour(rgba, 3, 3, 0, 0, 0.1);
  expect(show(region!.mask, 3)).toEqual(['oo.', 'o.o', 'ooo']);
  expect(fillByColour(rgba, 3, 3, 0, 0, 0)?.area).toBe(1);
  expect(fillByColour(rgba, 3, 3, 0, 0, 1)?.area).toBe(9);
});

test('fillHoles closes small holes only, and never the outside', () => {
  const rows = ['.......', '.ooooo.', '.o.o.o.', '.ooo.o.', '.ooooo.', '.......'];
  const mask = Uint8Array.from(rows.join('').split('').map((name) => (name === 'o' ? 1 : 0))); // prettier-ignore
  const area = mask.reduce((sum, value) => sum + value, 0);
  const one = fillHoles({ mask, width: 7, height: 6, area }, 1);
  expect(show(one.mask, 7)).toEqual(['.......', '.ooooo.', '.ooo.o.', '.ooo.o.', '.ooooo.', '.......']);
  expect(one.area).toBe(area + 1);
  expect(fillHoles({ mask, width: 7, height: 6, area }, 100).area).toBe(area + 3);
});
