import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelStep, rulerTicks } from './ticks.ts';

describe('rulers', () => {
  it('step by 1, 2 and 5', () => {
    expect([0.05, 0.5, 1, 2, 3.3, 8, 32].map(labelStep)).toEqual([2000, 200, 100, 50, 20, 10, 2]);
  });

  it('put zero where the scene begins', () => {
    const ticks = rulerTicks(1, 40, 300);
    expect(ticks.find((tick) => tick.value === 0)).toEqual({ value: 0, at: 40, labelled: true });
    expect(ticks.filter((tick) => tick.labelled).map((tick) => tick.value)).toEqual([0, 100, 200]);
    expect(ticks[0]).toMatchObject({ value: -40, at: 0 });
  });

  it('never crowd and never leave the ruler, at any zoom and place', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 32, noNaN: true }),
        fc.double({ min: -50_000, max: 50_000, noNaN: true }),
        (zoom, origin) => {
          const ticks = rulerTicks(zoom, origin, 800);
          const labels = ticks.filter((tick) => tick.labelled);
          expect(ticks.length).toBeLessThan(90);
          for (const tick of ticks) {
            expect(tick.at).toBeGreaterThanOrEqual(-1e-6);
            expect(tick.at).toBeLessThanOrEqual(800 + 1e-6);
          }
          for (const [index, tick] of labels.entries())
            if (index > 0) expect(tick.at - (labels[index - 1]?.at ?? 0)).toBeGreaterThan(31);
        },
      ),
    );
  });
});
