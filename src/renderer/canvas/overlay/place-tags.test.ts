import { describe, expect, test } from 'vitest';
import { overlap } from '../geometry/boxes.ts';
import type { TagItem } from './place-tags.ts';
import { placeTags } from './place-tags.ts';

const view = { width: 800, height: 600 };
const size = { width: 90, height: 22 };
const item = (id: string, x: number, y: number, width = 100, height = 100): TagItem => ({
  id,
  top: [x + width / 2, y],
  bounds: { x, y, width, height },
  size,
});

describe('placeTags', () => {
  test('a label stands above the highest point', () => {
    expect(placeTags([item('a', 300, 300)], view).get('a')).toEqual([305, 271]);
  });

  test('at the upper border it goes elsewhere and stays in view', () => {
    const [x, y] = placeTags([item('a', 300, 4)], view).get('a')!;
    expect(y).toBeGreaterThanOrEqual(6);
    expect(x).toBeGreaterThanOrEqual(6);
  });

  test('bars are kept clear of', () => {
    const bar = { x: 0, y: 0, width: 800, height: 290 };
    const [x, y] = placeTags([item('a', 300, 300)], view, [bar]).get('a')!;
    expect(overlap({ x, y, ...size }, bar)).toBe(0);
  });

  test('labels of segments on top of each other do not overlap', () => {
    const items = Array.from({ length: 6 }, (_, k) => item(`s${k}`, 300 + k, 300 + k));
    const rects = [...placeTags(items, view).values()].map(([x, y]) => ({ x, y, ...size }));
    expect(rects).toHaveLength(6);
    for (const [i, a] of rects.entries()) for (const b of rects.slice(0, i)) expect(overlap(a, b)).toBe(0);
  });

  test('the label of a segment far outside goes with it', () => {
    const [x] = placeTags([item('a', -900, 300)], view).get('a')!;
    expect(x).toBeLessThan(-500);
  });
});
