import { beforeAll, describe, expect, it } from 'vitest';
import type { PackSummary } from '#shared/api/packs.ts';
import { sceneOf } from '#shared/document/document.ts';
import { startTexts } from '../../app/i18n/texts.ts';
import { testStudio } from '../../app/studio.testkit.ts';
import { patchScene } from '../../store/recipes.ts';
import { patchGuidance } from '../guidance/actions.ts';
import { newScene } from '../scene/actions.ts';
import { withBelonging } from '#shared/document/belongings.ts';
import { chooseModel, differingParts, makeDefault, sayModelUsed, takeModelValues } from './choose-model.ts';

const pack = (id: string, defaults: PackSummary['defaults']): PackSummary => ({
  id,
  name: id.toUpperCase(),
  kind: 'stable-diffusion',
  licence: '',
  source: 'checkpoint',
  bytes: 1,
  mapSize: { width: 64, height: 64 },
  outputSize: { width: 512, height: 512 },
  anySize: true,
  defaults,
  abilities: ['segments'],
  problem: null,
});
const OWN = pack('own', { sampler: 'dpmpp-2m', steps: 16, mode: 'joint', globalScale: 1.5, localScale: 1.5 });
const STOCK = pack('stock', {
  sampler: 'dpmpp-2m-karras',
  steps: 20,
  mode: 'joint',
  globalScale: 7.5,
  localScale: 7.5,
});
const QUICK = pack('quick', { sampler: 'lcm', steps: 4, mode: 'joint', globalScale: 1, localScale: 1 });

const setUp = () => {
  const kit = testStudio();
  kit.studio.session.setState({ packs: [OWN, STOCK, QUICK], defaultPack: 'own' });
  const scene = () => sceneOf(kit.studio.document.getState().document);
  const steps = () => kit.studio.document.getState().undo.length;
  return { ...kit, scene, steps };
};

describe('choosing a model', () => {
  beforeAll(() => startTexts('en'));

  it('takes along what nobody touched, from one model to the next and back, one step each', () => {
    const { studio, scene, steps } = setUp();
    const before = scene();
    chooseModel(studio, STOCK);
    expect(scene()).toMatchObject({
      pack: 'stock',
      sampler: { name: 'dpmpp-2m-karras', steps: 20 },
      guidance: { mode: 'joint', globalScale: 7.5, localScale: 7.5, scale: 7.5 },
    });
    expect(steps()).toBe(1);
    chooseModel(studio, QUICK);
    expect(scene()).toMatchObject({ sampler: { name: 'lcm', steps: 4 }, guidance: { globalScale: 1, localScale: 1 } });
    chooseModel(studio, OWN);
    expect(scene()).toMatchObject({ pack: null, sampler: { steps: 16 }, guidance: { localScale: 1.5 } });
    expect(steps()).toBe(3);
    while (studio.document.undo() !== null);
    expect(scene()).toEqual(before);
  });

  it('takes along what nobody touched also where a file comes with the model, in the same step', () => {
    const { studio, scene, steps } = setUp();
    chooseModel(studio, STOCK, withBelonging(scene(), { kind: 'lora', path: '/models/ink.safetensors' }));
    expect(scene()).toMatchObject({
      pack: 'stock',
      loras: [{ file: '/models/ink.safetensors' }],
      sampler: { name: 'dpmpp-2m-karras', steps: 20 },
      guidance: { globalScale: 7.5, localScale: 7.5 },
    });
    expect(steps()).toBe(1);
  });

  it('leaves what the artist chose, and has the values of the model one click away', () => {
    const { studio, scene, steps } = setUp();
    patchGuidance(studio, { localScale: 4 }, 'local');
    chooseModel(studio, STOCK);
    expect(scene()).toMatchObject({ sampler: { steps: 20 }, guidance: { globalScale: 1.5, localScale: 4 } });
    expect(differingParts(studio)).toEqual(['dials']);
    sayModelUsed(studio, 'STOCK is used');
    const [notice] = studio.session.getState().notices;
    expect(notice).toMatchObject({ message: 'STOCK is used', kept: 'your dials' });
    notice?.action?.run();
    expect(scene().guidance).toMatchObject({ globalScale: 7.5, localScale: 7.5 });
    expect(differingParts(studio)).toEqual([]);
    expect(steps()).toBe(3);
    expect(studio.document.undo()).toBe('edit.modelValues');
    expect(scene().guidance.localScale).toBe(4);
  });

  it('makes no step of values that are there already, and no offer', () => {
    const { studio, steps } = setUp();
    chooseModel(studio, STOCK);
    takeModelValues(studio);
    sayModelUsed(studio, 'STOCK is used');
    expect(steps()).toBe(1);
    expect(studio.session.getState().notices[0]?.action).toBeUndefined();
  });

  it('does not squash a dial turned right afterwards into the step', () => {
    const { studio, scene } = setUp();
    chooseModel(studio, STOCK);
    patchGuidance(studio, { localScale: 9 }, 'local');
    studio.document.undo();
    expect(scene()).toMatchObject({ pack: 'stock', guidance: { localScale: 7.5 } });
  });

  it('gives a scene without a model of its own the values of the new default', async () => {
    const { studio, host, scene } = setUp();
    host.answer('settings.set', () => ({}));
    await makeDefault(studio, STOCK);
    expect(host.sent('settings.set')).toEqual([{ defaultPack: 'stock' }]);
    expect(scene()).toMatchObject({ pack: null, guidance: { localScale: 7.5 } });
    studio.document.edit('edit.pack', (document) => patchScene(document, { pack: 'stock' }));
    await makeDefault(studio, QUICK);
    expect(scene()).toMatchObject({ pack: 'stock', guidance: { localScale: 7.5 } });
  });

  it.each([
    ['the default model', [OWN, STOCK]],
    ['a default model that the window has not heard of yet', []],
  ])('begins an empty scene with the values of %s', async (_, packs) => {
    const { studio, host } = setUp();
    studio.session.setState({ packs, defaultPack: packs.length > 0 ? 'stock' : null });
    host.answer('packs.list', () => ({ packs: [OWN, STOCK], defaultPack: 'stock', open: null }));
    host.answer('document.new', ({ records }: { records: never[] }) => ({
      id: 'doc-2',
      records,
      undo: [],
      redo: [],
      file: null,
      dirty: false,
    }));
    await newScene(studio);
    expect(sceneOf(studio.document.getState().document)).toMatchObject({
      pack: null,
      sampler: { steps: 20 },
      guidance: { mode: 'joint', globalScale: 7.5, localScale: 7.5 },
    });
  });
});
