import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePath, serializePath } from './svg-path.ts';
import type { PathCommand } from './svg-path.ts';

const commands = (d: string) => {
  const parsed = parsePath(d);
  expect(parsed.error, d).toBeNull();
  return parsed.commands;
};

describe('parsePath', () => {
  test('relative and absolute commands, implicit linetos, H and V', () => {
    expect(commands('m 10,20 30-5 h5 v-5 H1 V2 z l1 1')).toEqual([
      { type: 'M', x: 10, y: 20 },
      { type: 'L', x: 40, y: 15 },
      { type: 'L', x: 45, y: 15 },
      { type: 'L', x: 45, y: 10 },
      { type: 'L', x: 1, y: 10 },
      { type: 'L', x: 1, y: 2 },
      { type: 'Z' },
      { type: 'L', x: 11, y: 21 },
    ]);
  });
  test('numbers as tools write them: .5.5, 1e3, -.5e-1, +2, 10.', () => {
    expect(commands('M.5.5-1e1+2L1e3-.5e-1 10.,3')).toEqual([
      { type: 'M', x: 0.5, y: 0.5 },
      { type: 'L', x: -10, y: 2 },
      { type: 'L', x: 1000, y: -0.05 },
      { type: 'L', x: 10, y: 3 },
    ]);
  });
  test('S and T reflect the control point only after a curve of their kind', () => {
    expect(commands('M0 0C1 1 2 2 3 3s2 0 3 1')[2]).toEqual({ type: 'C', x1: 4, y1: 4, x2: 5, y2: 3, x: 6, y: 4 });
    expect(commands('M0 0L3 3S5 3 6 4')[2]).toEqual({ type: 'C', x1: 3, y1: 3, x2: 5, y2: 3, x: 6, y: 4 });
    expect(commands('M0 0Q1 2 4 0t4 0 4 0').slice(2)).toEqual([
      { type: 'Q', x1: 7, y1: -2, x: 8, y: 0 },
      { type: 'Q', x1: 9, y1: 2, x: 12, y: 0 },
    ]);
    expect(commands('M0 0C1 1 2 2 3 3T5 5')[2]).toEqual({ type: 'Q', x1: 3, y1: 3, x: 5, y: 5 });
  });
  test('arcs with flags written without spaces', () => {
    expect(commands('M0 0a25,26 -30 0110,20 5-5 0 1 0 1 1')).toEqual([
      { type: 'M', x: 0, y: 0 },
      { type: 'A', rx: 25, ry: 26, rotation: -30, large: false, sweep: true, x: 10, y: 20 },
      { type: 'A', rx: 5, ry: 5, rotation: 0, large: true, sweep: false, x: 11, y: 21 },
    ]);
  });
  test('m after z starts from the closed subpath’s start', () => {
    expect(commands('M5 5h10v10zm1 1h2')[4]).toEqual({ type: 'M', x: 6, y: 6 });
  });
  test.each([
    ['', 0, null],
    ['   ', 0, null],
    ['L1 1', 0, 'starts with M'],
    ['M1 1 L2', 1, 'L needs 2 numbers, 1 found'],
    ['M1 1 X3', 1, '"X" is no path command'],
    ['M1 1L2 2,', 2, 'missing after the comma'],
    ['M0 0A1 1 0 2 0 5 5', 1, 'A needs 7 numbers, 3 found'],
    ['M0 0C1 1 2 2 3', 1, 'C needs 6 numbers, 5 found'],
    ['M1e999 0', 0, 'M needs 2 numbers'],
  ])('%j keeps %i commands and says %j', (d, kept, message) => {
    const { commands: read, error } = parsePath(d);
    expect(read).toHaveLength(kept);
    if (message === null) expect(error).toBeNull();
    else expect(error?.message).toContain(message);
  });
  test('never throws, whatever the text, and stays linear', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'MmLlHhVvCcSsQqTtAaZz0123456789.,-+eE \n'.split('')), maxLength: 200 }),
        (d) => {
          parsePath(d);
        },
      ),
      { numRuns: 2000 },
    );
    const start = performance.now();
    parsePath(`M0 0${'l1 1'.repeat(100_000)}`);
    parsePath(`M${' '.repeat(400_000)}`);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

test('serializePath writes what parsePath reads', () => {
  const n = fc.integer({ min: -5000, max: 5000 }).map((v) => v / 8);
  const command: fc.Arbitrary<PathCommand> = fc.oneof(
    fc.record({ type: fc.constantFrom('M' as const, 'L' as const), x: n, y: n }),
    fc.record({ type: fc.constant('Q' as const), x1: n, y1: n, x: n, y: n }),
    fc.record({ type: fc.constant('C' as const), x1: n, y1: n, x2: n, y2: n, x: n, y: n }),
    fc.record({
      type: fc.constant('A' as const),
      rx: n.map(Math.abs),
      ry: n.map(Math.abs),
      rotation: n,
      large: fc.boolean(),
      sweep: fc.boolean(),
      x: n,
      y: n,
    }),
    fc.constant({ type: 'Z' as const }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 20 }), (list) => {
      const path: PathCommand[] = [{ type: 'M', x: 0, y: 0 }, ...list];
      expect(commands(serializePath(path))).toEqual(
        path.map((c) => JSON.parse(JSON.stringify(c, (_, v: unknown) => (v === 0 ? 0 : v)))),
      );
    }),
  );
});
