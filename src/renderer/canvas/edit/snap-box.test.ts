import { expect, test } from 'vitest';
import { snapBox } from './snap-box.ts';

const sheet = { x: 0, y: 0, width: 200, height: 100 };

test('the nearest edge or middle wins, each axis for itself', () => {
  expect(snapBox({ x: 3, y: 40, width: 50, height: 30 }, [sheet], 5)).toEqual({ dx: -3, dy: -5, lines: [{ axis: 'x', at: 0 }, { axis: 'y', at: 50 }] }); // prettier-ignore
  expect(snapBox({ x: 148, y: 20, width: 50, height: 20 }, [sheet], 5)).toMatchObject({ dx: 2, dy: 0, lines: [{ axis: 'x', at: 200 }] }); // prettier-ignore
});

test('nothing within reach leaves the box where it is', () => {
  expect(snapBox({ x: 31, y: 17, width: 10, height: 10 }, [sheet], 3)).toEqual({ dx: 0, dy: 0, lines: [] });
});
