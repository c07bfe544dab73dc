import { expect, test } from 'vitest';
import type { Point } from '#shared/document/geometry.ts';
import { LIMITS } from '#shared/document/limits.ts';
import { compactPath, ringsToPath } from './path-data.ts';

test('rings become closed subpaths; degenerate ones are left out', () => {
  expect(ringsToPath([[[0, 0], [10, 0], [10, 5.126]], [[1, 1], [2, 2]]])).toBe('M0 0L10 0L10 5.13Z'); // prettier-ignore
  expect(compactPath([])).toBeUndefined();
});

test('a huge outline is simplified until the document can hold it', () => {
  const ring = Array.from({ length: 120_000 }, (_, k): Point => {
    const angle = (k / 120_000) * 2 * Math.PI;
    const radius = 900 + (k % 2) * 0.4;
    return [1000 + radius * Math.cos(angle), 1000 + radius * Math.sin(angle)];
  });
  const d = compactPath([ring], 0.01);
  expect(d && d.length <= LIMITS.pathData).toBe(true);
  expect(d?.startsWith('M')).toBe(true);
});
