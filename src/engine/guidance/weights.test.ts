import { describe, expect, it } from 'vitest';
import { StudioError } from '#shared/errors.ts';
import { tensorFrom, zeros } from '../tensor/index.ts';
import { combine } from './combine.ts';
import { countPasses, type GuidanceDials, planGuidance, planGuidanceRun } from './plan.ts';
import { callProgress, isActive, weightMap, weightOutside, weightsAt } from './weights.ts';

const DIALS: GuidanceDials = { mode: 'multi', globalScale: 2, localScale: 3, scale: 2, interval: [0, 1], rescale: 0 };
const BOTH = { global: true, local: true };

const codeOf = (f: () => unknown): string => {
  try {
    f();
  } catch (error) {
    return error instanceof StudioError ? error.code : `not a StudioError: ${String(error)}`;
  }
  return 'nothing thrown';
};

describe('intervals', () => {
  it('halve a schedule without a call in both halves or in none', () => {
    for (const calls of [2, 4, 16, 50]) {
      const first = Array.from({ length: calls }, (_, i) => isActive([0, 0.5], callProgress(i, calls)));
      const second = Array.from({ length: calls }, (_, i) => isActive([0.5, 1], callProgress(i, calls)));
      expect(first.filter(Boolean)).toHaveLength(calls / 2);
      expect(first.map((isIn) => !isIn)).toEqual(second);
    }
  });

  it('of the whole schedule hold every call, even the only one', () => {
    for (const calls of [1, 3, 1000])
      for (const i of [0, calls - 1]) expect(isActive([0, 1], callProgress(i, calls))).toBe(true);
  });
});

describe('weights', () => {
  it('of a segment are 0 outside its interval', () => {
    const segments = [{ weight: 2 }, { weight: 1, interval: [0, 0.5] as const }];
    expect(weightsAt(segments, 0.25)).toEqual([2, 1]);
    expect(weightsAt(segments, 0.75)).toEqual([2, 0]);
    expect(codeOf(() => weightsAt([{ weight: NaN }], 0))).toBe('bad-use');
  });

  it('outside all segments count plainly while any segment counts', () => {
    expect([[], [1], [3, 0], [0.25, 0.5], [0, 0]].map(weightOutside)).toEqual([1, 1, 1, 0.5, 0]);
  });

  it('lie exactly inside each mask', () => {
    const left = Float32Array.from([1, 0, 0, 1, 0, 0]);
    const right = Float32Array.from([0, 0, 1, 0, 0, 0.5]);
    const map = weightMap([left, right], [2, 0], 2, 3);
    expect(map).toEqual({ kind: 'map', data: Float32Array.from([2, 1, 0, 2, 1, 0.5]), height: 2, width: 3 });
    expect(weightMap([left, right], [1, 1], 2, 3)).toEqual({ kind: 'uniform', value: 1 });
    expect(weightMap([left, right], [0, 0], 2, 3)).toEqual({ kind: 'uniform', value: 0 });
    expect(weightMap([], [], 2, 3)).toEqual({ kind: 'uniform', value: 1 });
    expect(codeOf(() => weightMap([left], [1, 2], 2, 3))).toBe('bad-use');
    expect(codeOf(() => weightMap([left], [2], 3, 3))).toBe('bad-use');
  });

  it('act inside their segment only', () => {
    const mask = Float32Array.from([1, 0, 0, 0]);
    const x = { none: zeros([1, 1, 2, 2]), global: zeros([1, 1, 2, 2]), local: tensorFrom([1, 1, 1, 1], [1, 1, 2, 2]) };
    const step = planGuidance(DIALS, 0.5, BOTH, [2, 1]);
    expect([...combine(step, x, weightMap([mask], [2], 2, 2)).data]).toEqual([6, 3, 3, 3]);
  });
});

describe('combine', () => {
  const shape = [1, 1, 2, 2];
  const x = {
    none: tensorFrom([0, 0, 0, 0], shape),
    global: tensorFrom([1, 2, 3, 4], shape),
    local: tensorFrom([1, 1, 1, 1], shape),
  };
  const step = planGuidance(DIALS, 0.5, BOTH);

  it('writes into the buffer that it is given', () => {
    const out = new Float32Array(4);
    expect(combine(step, x, undefined, out).data).toBe(out);
    expect([...out]).toEqual([5, 7, 9, 11]);
    expect([...x.global.data]).toEqual([1, 2, 3, 4]);
  });

  it('refuses what does not fit, in one sentence', () => {
    expect(codeOf(() => combine(step, { none: x.none, global: x.global }))).toBe('bad-use');
    expect(() => combine(step, { none: x.none, global: x.global })).toThrow(/'local', which was not run/);
    expect(codeOf(() => combine(step, { ...x, local: zeros([1, 1, 4]) }))).toBe('bad-input');
    expect(codeOf(() => combine(step, x, undefined, new Float32Array(3)))).toBe('bad-use');
    expect(codeOf(() => combine(step, x, undefined, x.global.data))).toBe('bad-use');
    const map = { kind: 'map', data: new Float32Array(4), height: 1, width: 4 } as const;
    expect(codeOf(() => combine(planGuidance(DIALS, 0.5, BOTH, [0, 1]), x, map))).toBe('bad-use');
    expect(codeOf(() => planGuidance({ ...DIALS, localScale: NaN }, 0.5, BOTH))).toBe('bad-use');
  });

  it('leaves a flat prediction alone when rescaling', () => {
    const flat = tensorFrom([1, 1, 1, 1], shape);
    const rescaled = planGuidance({ ...DIALS, mode: 'single', rescale: 1 }, 0.5, BOTH);
    expect([...combine(rescaled, { none: flat, both: flat }).data]).toEqual([1, 1, 1, 1]);
  });
});

describe('a whole run', () => {
  it('knows its passes beforehand, and shares maps between calls', () => {
    const masks = [Float32Array.from([1, 0, 0, 0]), Float32Array.from([0, 1, 0, 0])];
    const segments = [{ weight: 2 }, { weight: 1, interval: [0, 0.5] as const }];
    const run = planGuidanceRun({ ...DIALS, interval: [0, 0.75] }, 8, BOTH, segments, masks, 2, 2);
    expect(run.map(({ step }) => step.passes.length)).toEqual([3, 3, 3, 3, 3, 3, 2, 2]); // then: global and both
    expect(run[0]!.weight).toBe(run[3]!.weight);
    expect(run[4]!.weight).not.toBe(run[3]!.weight);
    expect(countPasses(run)).toBe(22);
    expect(countPasses(run, 6)).toBe(4);
    expect(countPasses(planGuidanceRun(DIALS, 4, { global: true, local: false }))).toBe(8);
  });
});
