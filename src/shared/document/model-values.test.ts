import { describe, expect, it } from 'vitest';
import { createScene } from './create.ts';
import { partsThatDiffer, untouchedParts, valuesOf } from './model-values.ts';
import type { ModelValues } from './model-values.ts';

const CHAINED: ModelValues = { sampler: 'dpmpp-2m', steps: 16, mode: 'joint', globalScale: 1.5, localScale: 1.5 };
const STOCK: ModelValues = { sampler: 'dpmpp-2m-karras', steps: 20, mode: 'joint', globalScale: 7.5, localScale: 7.5 };

describe('what a model recommends', () => {
  it('is taken whole, or for one part', () => {
    const scene = createScene({ guidance: { rescale: 0.3, interval: [0.1, 1], isolate: true }, sampler: { eta: 0.5 } });
    const all = valuesOf(scene, STOCK);
    expect(all.sampler).toEqual({ name: 'dpmpp-2m-karras', steps: 20, eta: 0.5 });
    expect(all.guidance).toEqual({
      mode: 'joint',
      globalScale: 7.5,
      localScale: 7.5,
      scale: 7.5,
      rescale: 0.3,
      interval: [0.1, 1],
      isolate: true,
    });
    expect(partsThatDiffer({ ...scene, ...all }, STOCK)).toEqual([]);
    expect(valuesOf(scene, STOCK, ['sampler']).guidance).toBe(scene.guidance);
    expect(valuesOf(scene, STOCK, ['dials']).sampler).toBe(scene.sampler);
  });

  it('is untouched where the schema, or the model before, put it', () => {
    expect(untouchedParts(createScene(), [])).toEqual(['sampler', 'dials']);
    const followed = { ...createScene(), ...valuesOf(createScene(), STOCK) };
    expect(untouchedParts(followed, [])).toEqual([]);
    expect(untouchedParts(followed, [CHAINED, STOCK])).toEqual(['sampler', 'dials']);
  });

  it.each([
    ['a sampler', { sampler: { name: 'ddim' } }, ['dials']],
    ['a number of steps', { sampler: { steps: 30 } }, ['dials']],
    ['a scale', { guidance: { localScale: 4 } }, ['sampler']],
    ['a kind of guidance', { guidance: { mode: 'single', scale: 4 } }, ['sampler']],
    ['a start of the interval', { guidance: { interval: [0.2, 1] } }, ['sampler', 'dials']],
  ] as const)('is touched by %s', (_, fields, untouched) => {
    expect(untouchedParts(createScene(fields as object), [CHAINED])).toEqual(untouched);
  });

  it('does not look at dials that the kind of guidance does not read', () => {
    expect(partsThatDiffer(createScene({ guidance: { mode: 'joint', scale: 9 } }), CHAINED)).toEqual([]);
    const single: ModelValues = { ...CHAINED, mode: 'single', localScale: 3 };
    expect(partsThatDiffer(createScene({ guidance: { mode: 'single', scale: 3, localScale: 8 } }), single)).toEqual([]);
    expect(partsThatDiffer(createScene({ guidance: { mode: 'single', scale: 2 } }), single)).toEqual(['dials']);
  });
});
