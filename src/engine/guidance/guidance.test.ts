import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GuidanceSettings } from '#shared/document/settings.ts';
import { tensorFrom, type Tensor } from '../tensor/index.ts';
import { combine, shareOfSegments, type Predictions } from './combine.ts';
import { type Conditions, type GuidanceDials, PASSES, planGuidance, planPasses } from './plan.ts';
import type { WeightMap } from './weights.ts';

type Case = {
  id: string;
  shape: number[];
  inputs: Record<string, number>;
  scales: Record<string, number>;
  result: number[];
};
const { inputs, cases } = JSON.parse(readFileSync('test/fixtures/schedulers/guidance.json', 'utf8')) as {
  inputs: { j: number; values: number[] }[];
  cases: Case[];
};

const DIALS: GuidanceDials = GuidanceSettings.parse({});
const BOTH: Conditions = { global: true, local: true };
const dials = (change: Partial<GuidanceDials>): GuidanceDials => ({ ...DIALS, ...change });

/** Which dials and which passes a reference case means. */
function meaning({ id, inputs: names, scales }: Case): {
  dials: GuidanceDials;
  passes: Record<string, number>;
  conditions: Conditions;
} {
  const {
    scale = 0,
    global_scale: globalScale = 0,
    local_scale: localScale = 0,
    guidance_rescale: rescale = 0,
  } = scales;
  if (id.startsWith('multi'))
    return { dials: dials({ mode: 'multi', globalScale, localScale }), passes: names, conditions: BOTH };
  if (id.startsWith('chain'))
    return { dials: dials({ mode: 'joint', globalScale, localScale }), passes: names, conditions: BOTH };
  if (id.startsWith('instruct')) // the same chain: image first, then the text on top of it
    return {
      dials: dials({ mode: 'joint', globalScale: scales['image_scale']!, localScale: scales['text_scale']! }),
      passes: { none: names['none']!, global: names['image']!, both: names['both']! },
      conditions: BOTH,
    }; // prettier-ignore
  if (id.startsWith('single')) return { dials: dials({ mode: 'single', scale }), passes: names, conditions: BOTH };
  return {
    dials: dials({ mode: 'single', scale, rescale }),
    passes: { none: names['none']!, global: names['cond']! },
    conditions: { global: true, local: false },
  };
}

describe('guidance against the reference', () => {
  it.each(cases)('$id', (test) => {
    const { dials: settings, passes, conditions } = meaning(test);
    const predictions = Object.fromEntries(
      Object.entries(passes).map(([name, j]) => [name, tensorFrom(inputs.find((i) => i.j === j)!.values, test.shape)]),
    ) as Predictions;
    const { data } = combine(planGuidance(settings, 0.5, conditions), predictions);
    const largest = Math.max(1, ...test.result.map(Math.abs));
    test.result.forEach((value, i) => expect(Math.abs(data[i]! - value)).toBeLessThanOrEqual(1e-6 * largest));
  });
});

// ---------------------------------------------------------------- properties

const SHAPE = [2, 3, 2, 2];
const SIZE = 24;
const scale = fc.oneof(fc.constantFrom(0, 0.5, 1, 2), fc.double({ min: 0, max: 10, noNaN: true }));
const values = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: SIZE, maxLength: SIZE });
const prediction = values.map((v) => tensorFrom(v, SHAPE));
const allPasses = fc.record({
  none: prediction,
  negative: prediction,
  global: prediction,
  local: prediction,
  both: prediction,
});
const settings = fc.record({
  mode: fc.constantFrom('multi' as const, 'single' as const, 'joint' as const),
  globalScale: scale,
  localScale: scale,
  scale,
  interval: fc.constantFrom([0, 1] as const, [0, 0.3] as const, [0.4, 0.6] as const),
  rescale: fc.constantFrom(0, 0, 0.5, 1),
});
const conditions = fc.record({ global: fc.boolean(), local: fc.boolean(), negative: fc.boolean() });
const progress = fc.double({ min: 0, max: 1, noNaN: true });
const weights = fc.array(fc.constantFrom(0, 0.5, 1, 2), { minLength: 4, maxLength: 4 });
const mapOf = (places: number[]): WeightMap => ({ kind: 'map', data: Float32Array.from(places), height: 2, width: 2 });

const close = (a: Tensor, b: Tensor, tolerance = 1e-5): void =>
  a.data.forEach((value, i) =>
    expect(Math.abs(value - b.data[i]!)).toBeLessThanOrEqual(tolerance * (1 + Math.abs(value))),
  );
const sumOf = (terms: readonly [number, Tensor][]): Tensor => ({
  data: Float32Array.from({ length: SIZE }, (_, i) => terms.reduce((sum, [k, x]) => sum + k * x.data[i]!, 0)),
  shape: SHAPE,
});

describe('guidance', () => {
  it('is linear in the passes', () => {
    fc.assert(
      fc.property(
        settings,
        conditions,
        progress,
        weights,
        allPasses,
        allPasses,
        fc.double({ min: -2, max: 2, noNaN: true }),
        (s, c, p, w, x, y, k) => {
          const step = planGuidance({ ...s, rescale: 0 }, p, c, w);
          const both = Object.fromEntries(PASSES.map((name) => [name, sumOf([[1, x[name]], [k, y[name]]])])) as Predictions; // prettier-ignore
          close(combine(step, both, mapOf(w)), sumOf([[1, combine(step, x, mapOf(w))], [k, combine(step, y, mapOf(w))]]), 2e-4); // prettier-ignore
        },
      ),
    );
  });

  it('does not touch what all passes agree on: coefficients sum to one', () => {
    fc.assert(
      fc.property(settings, conditions, progress, weights, prediction, (s, c, p, w, x) => {
        const same = Object.fromEntries(PASSES.map((name) => [name, x])) as Predictions;
        close(combine(planGuidance(s, p, c, w), same, mapOf(w)), x, 1e-4);
      }),
    );
  });

  it('never needs a pass that it leaves out', () => {
    fc.assert(
      fc.property(settings, conditions, progress, weights, allPasses, (s, c, p, w, x) => {
        const step = planGuidance(s, p, c, w);
        const only = Object.fromEntries(step.passes.map((name) => [name, x[name]])) as Predictions;
        const poisoned = Object.fromEntries(PASSES.map((name) => [name, step.passes.includes(name) ? x[name] : tensorFrom(Array<number>(SIZE).fill(NaN), SHAPE)])) as Predictions; // prettier-ignore
        const result = combine(step, only, mapOf(w));
        expect(combine(step, poisoned, mapOf(w))).toEqual(result);
        expect(result.data.every(Number.isFinite)).toBe(true);
        expect(step.passes.length).toBeGreaterThan(0);
        expect(step.passes.length).toBeLessThanOrEqual(3);
      }),
    );
  });

  it('is the written-out formula, place by place, whatever is left out', () => {
    fc.assert(
      fc.property(settings, progress, weights, allPasses, (s, p, w, x) => {
        const isOn = p >= s.interval[0] && p <= s.interval[1];
        const [sg, sl] = !isOn ? [1, 1] : s.mode === 'single' ? [s.scale, s.scale] : [s.globalScale, s.localScale];
        const { none, global, local, both } = x;
        const expected = Float32Array.from({ length: SIZE }, (_, i) => {
          const [n, g, l, b] = [none, global, local, both].map((t) => t.data[i]!) as [number, number, number, number];
          const term = s.mode === 'multi' && isOn ? l - n : b - g;
          return n + sg * (g - n) + sl * w[i % 4]! * term;
        });
        close(
          combine(planGuidance({ ...s, rescale: 0 }, p, BOTH, w), x, mapOf(w)),
          { data: expected, shape: SHAPE },
          1e-4,
        );
      }),
    );
  });

  it('multi with one condition is classic guidance, for either one', () => {
    fc.assert(
      fc.property(scale, scale, allPasses, (s, other, x) => {
        const classic = (cond: Tensor): Tensor => sumOf([[1 - s, x.none], [s, cond]]); // prettier-ignore
        const globalOnly = planGuidance(dials({ globalScale: s, localScale: other }), 0.5, {
          global: true,
          local: false,
        });
        close(combine(globalOnly, x), classic(x.global));
        const localOnly = planGuidance(dials({ globalScale: other, localScale: s }), 0.5, {
          global: false,
          local: true,
        });
        close(combine(localOnly, x), classic(x.local));
        close(combine(planGuidance(dials({ globalScale: s, localScale: 0 }), 0.5, BOTH), x), classic(x.global));
        close(combine(planGuidance(dials({ globalScale: 0, localScale: s }), 0.5, BOTH), x), classic(x.local));
      }),
    );
  });

  it('scale 0 is the unconditional pass, exactly, and runs nothing else', () => {
    fc.assert(
      fc.property(settings, allPasses, weights, fc.boolean(), (s, x, w, negative) => {
        const off = { ...s, globalScale: 0, localScale: 0, scale: 0, interval: [0, 1] as const, rescale: 0 };
        const step = planGuidance(off, 0.5, { ...BOTH, negative }, w);
        const base = negative ? 'negative' : 'none';
        expect(step.passes).toEqual([base]);
        expect(combine(step, x, mapOf(w)).data).toEqual(x[base].data);
      }),
    );
  });

  it('a negative text takes the place of no text', () => {
    fc.assert(
      fc.property(settings, progress, allPasses, (s, p, x) => {
        const plain = combine(planGuidance(s, p, BOTH), { ...x, none: x.negative });
        expect(combine(planGuidance(s, p, { ...BOTH, negative: true }), x)).toEqual(plain);
      }),
    );
  });

  it('rescale at 1 gives each sample the spread that it has at scale 1', () => {
    const spread = (x: Tensor, b: number): number => {
      const part = x.data.subarray((b * SIZE) / 2, ((b + 1) * SIZE) / 2);
      const mean = part.reduce((sum, v) => sum + v, 0) / part.length;
      return Math.sqrt(part.reduce((sum, v) => sum + (v - mean) ** 2, 0));
    };
    fc.assert(
      fc.property(fc.constantFrom('single' as const, 'joint' as const), allPasses, (mode, x) => {
        fc.pre(spread(x.both, 0) > 0.1 && spread(x.both, 1) > 0.1);
        const result = combine(
          planGuidance(dials({ mode, scale: 4, globalScale: 3, localScale: 5, rescale: 1 }), 0.5, BOTH),
          x,
        );
        for (const b of [0, 1]) expect(spread(result, b) / spread(x.both, b)).toBeCloseTo(1, 4);
      }),
    );
  });
});

describe('which passes are run', () => {
  const of = (change: Partial<GuidanceDials>, c: Conditions = BOTH, w?: number[], at = 0.5) =>
    planPasses(dials(change), at, c, w);
  it.each([
    ['multi', of({}), ['none', 'global', 'local']],
    ['multi, local scale 0', of({ localScale: 0 }), ['none', 'global']],
    ['multi, global scale 0', of({ globalScale: 0 }), ['none', 'local']],
    ['multi, scales that sum to 1', of({ globalScale: 0.7, localScale: 0.3 }), ['global', 'local']],
    ['multi, global scale 1 alone', of({ globalScale: 1, localScale: 0 }), ['global']],
    ['multi, all weights 0', of({}, BOTH, [0, 0]), ['none', 'global']],
    ['multi, some weights 0', of({}, BOTH, [0, 1]), ['none', 'global', 'local']],
    ['multi, no segments', of({}, { global: true, local: false }), ['none', 'global']],
    ['multi, no global text', of({}, { global: false, local: true }), ['none', 'local']],
    ['multi, a negative text', of({}, { ...BOTH, negative: true }), ['negative', 'global', 'local']],
    ['multi, nothing at all', of({}, { global: false, local: false }), ['none']],
    ['a negative text alone', of({}, { global: false, local: false, negative: true }), ['none', 'negative']],
    ['single', of({ mode: 'single' }), ['none', 'both']],
    ['single, scale 1', of({ mode: 'single', scale: 1 }), ['both']],
    ['single, a segment with its own weight', of({ mode: 'single' }, BOTH, [1, 0.5]), ['none', 'global', 'both']],
    ['single, all weights 0', of({ mode: 'single' }, BOTH, [0]), ['none', 'global']],
    ['single, no segments', of({ mode: 'single' }, { global: true, local: false }), ['none', 'global']],
    ['joint', of({ mode: 'joint', globalScale: 2 }), ['none', 'global', 'both']],
    ['joint, equal scales', of({ mode: 'joint', globalScale: 3, localScale: 3 }), ['none', 'both']],
    ['outside the interval', of({ interval: [0, 0.4] }), ['both']],
    ['outside the interval, weights 0', of({ interval: [0, 0.4] }, BOTH, [0]), ['global']],
    ['outside the interval, no segments', of({ interval: [0.6, 1] }, { global: true, local: false }), ['global']],
    [
      'rescale wants scale 1 too',
      of({ mode: 'multi', globalScale: 0, localScale: 2, rescale: 0.7 }),
      ['none', 'global', 'local'],
    ],
  ])('%s', (_, actual, expected) => {
    expect(actual).toEqual(expected);
  });
});

describe('the share of the segments', () => {
  const both = { global: true, local: true };
  const share = (dials: Partial<GuidanceDials>, progress = 0.5): number | Float32Array =>
    shareOfSegments(planGuidance({ ...DIALS, ...dials }, progress, both));
  it('is their scale, in every mode', () => {
    expect(share({ mode: 'multi', localScale: 3 })).toBe(3);
    expect(share({ mode: 'joint', localScale: 0.5 })).toBe(0.5);
    expect(share({ mode: 'single', scale: 2 })).toBe(2);
    expect(share({ mode: 'multi', localScale: 0 })).toBe(0);
    expect(share({ mode: 'joint', localScale: 3, interval: [0, 0.2] })).toBe(1);
  });
  it('follows the weight of each place', () => {
    const weight = { kind: 'map', data: Float32Array.of(0, 1, 2), height: 1, width: 3 } as const;
    const step = planGuidance({ ...DIALS, mode: 'multi', localScale: 1.5 }, 0.5, both, [0, 1, 2]);
    expect([...(shareOfSegments(step, weight) as Float32Array)]).toEqual([0, 1.5, 3]);
  });
});
