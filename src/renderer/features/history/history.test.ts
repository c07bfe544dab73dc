import { beforeAll, describe, expect, it, vi } from 'vitest';
import { setLanguage, startTexts, translate } from '../../app/i18n/texts.ts';
import { openDocument, result, testStudio } from '../../app/studio.testkit.ts';
import { sceneOf } from '#shared/document/document.ts';
import { patchScene } from '../../store/recipes.ts';
import { changeWords } from '../compare/change-words.ts';
import { deleteResults, eraseResults, openAsItWas, openCompare, stepResult, toggleCompare } from './actions.ts';
import { nextSelection } from './history-grid.tsx';
import { layoutTree } from './tree-layout.ts';

beforeAll(() => startTexts('en'));

describe('the tree', () => {
  it('puts children beside their parents and each tree in rows of its own, the newest first', () => {
    const nodes = layoutTree([
      result('old', { createdAt: 1 }),
      result('root', { createdAt: 2 }),
      result('a', { createdAt: 3, parents: ['result-root'] }),
      result('b', { createdAt: 4, parents: ['result-root'] }),
      result('b2', { createdAt: 5, parents: ['result-b'] }),
    ]);
    const at = Object.fromEntries(nodes.map((node) => [node.result.id.slice(7), [node.column, node.row]]));
    expect(at).toEqual({ root: [0, 0], a: [1, 0], b: [1, 1], b2: [2, 1], old: [0, 2] });
  });

  it('puts results without relatives side by side, as many as fit, and trees below them', () => {
    const nodes = layoutTree(
      [
        ...['e', 'd', 'c'].map((id, index) => result(id, { createdAt: 10 - index })),
        result('root', { createdAt: 5 }),
        result('child', { createdAt: 6, parents: ['result-root'] }),
        ...['b', 'a'].map((id, index) => result(id, { createdAt: 2 - index })),
      ],
      2,
    );
    const at = Object.fromEntries(nodes.map((node) => [node.result.id.slice(7), [node.column, node.row]]));
    expect(at).toEqual({ e: [0, 0], d: [1, 0], c: [0, 1], root: [0, 2], child: [1, 2], b: [0, 3], a: [1, 3] });
  });

  it('lives with lost parents and with circles', () => {
    const nodes = layoutTree([
      result('a', { createdAt: 1, parents: ['result-b'] }),
      result('b', { createdAt: 2, parents: ['result-a'] }),
      result('c', { createdAt: 3, parents: ['result-gone'] }),
    ]);
    expect(nodes).toHaveLength(3);
    expect(new Set(nodes.map((node) => `${node.column}/${node.row}`)).size).toBe(3);
  });
});

describe('picking', () => {
  const results = ['a', 'b', 'c', 'd'].map((id) => result(id));
  const keys = (shiftKey = false, ctrlKey = false) => ({ shiftKey, ctrlKey, metaKey: false });
  it('one, one more, and a stretch', () => {
    expect(nextSelection(results, [], 'result-b', keys())).toEqual(['result-b']);
    expect(nextSelection(results, ['result-b'], 'result-d', keys(false, true))).toEqual(['result-b', 'result-d']);
    expect(nextSelection(results, ['result-b', 'result-d'], 'result-d', keys(false, true))).toEqual(['result-b']);
    expect([...nextSelection(results, ['result-d'], 'result-b', keys(true))].toSorted()).toEqual([
      'result-b',
      'result-c',
      'result-d',
    ]);
  });
});

describe('a result', () => {
  it('opens as it was, in one step, under the title the scene has now', async () => {
    const { studio, host } = testStudio();
    studio.document.edit('edit.title', (document) => patchScene(document, { title: 'Mine', text: 'changed' }));
    host.answer('results.get', () => ({
      ...result('r'),
      records: openDocument().records,
      purpose: { kind: 'generate' as const },
      warnings: [],
    }));
    await openAsItWas(studio, 'result-r');
    const scene = sceneOf(studio.document.getState().document);
    // The seed is locked, or generating it again would roll another one.
    expect(scene).toMatchObject({ title: 'Mine', text: 'a lake', seedLocked: true });
    expect(studio.view.getState().shown).toMatchObject({ kind: 'result', id: 'result-r' });
    studio.document.undo();
    expect(sceneOf(studio.document.getState().document).text).toBe('changed');
  });

  it('is deleted with a way back', async () => {
    const { studio, host } = testStudio();
    host.answer('results.delete', () => ({}));
    host.answer('results.restore', () => ({}));
    host.answer('results.list', () => ({ results: [result('r')], total: 1 }));
    studio.session.putResult(result('r'));
    studio.view.setState({ shown: { kind: 'result', id: 'result-r', picture: 'a'.repeat(64) } });
    await deleteResults(studio, ['result-r']);
    expect(studio.session.getState().results).toEqual([]);
    expect(studio.view.getState().shown).toEqual({ kind: 'none' });
    studio.session.getState().notices[0]?.action?.run();
    await vi.waitFor(() => expect(studio.session.getState().results).toHaveLength(1));
  });

  it('is deleted for good out of the trash, and says how much room that made', async () => {
    const { studio, host } = testStudio();
    host.answer('results.erase', () => ({ erased: ['result-a' as const], bytes: 2_000_000 }));
    studio.view.setState({ compare: ['result-a', 'result-b'] });
    await eraseResults(studio, ['result-a', 'result-b']);
    expect(studio.view.getState().compare).toEqual(['result-b']);
    expect(studio.session.getState().notices[0]).toMatchObject({ message: expect.stringContaining('2 MB') as string });
    expect(studio.session.getState().notices[0]?.action).toBeUndefined();
  });

  it('is compared with its parent if nothing is marked', () => {
    const { studio } = testStudio();
    for (const one of [
      result('p', { createdAt: 1 }),
      result('x', { createdAt: 2 }),
      result('c', { createdAt: 3, parents: ['result-p'] }),
    ])
      studio.session.putResult(one);
    expect(studio.session.getState().results.map((one) => one.id)).toEqual(['result-c', 'result-x', 'result-p']);
    openCompare(studio);
    expect(studio.view.getState().compare).toEqual(['result-p', 'result-c']);
    for (const id of ['x', 'y', 'z', 'w']) toggleCompare(studio, `result-${id}`);
    expect(studio.view.getState().compare).toHaveLength(4);
  });

  it('steps to newer and older ones', () => {
    const { studio } = testStudio();
    for (const at of [1, 2, 3]) studio.session.putResult(result(`${at}`, { createdAt: at }));
    stepResult(studio, -1);
    expect(studio.view.getState().shown).toMatchObject({ id: 'result-3' });
    stepResult(studio, -1);
    expect(studio.view.getState().shown).toMatchObject({ id: 'result-2' });
    stepResult(studio, 1);
    expect(studio.view.getState().shown).toMatchObject({ id: 'result-3' });
  });
});

describe('what changed, in the language of the interface', () => {
  const cases: [string, string, string][] = [
    ['global dial 1.5 → 4', 'scene 1.5 → 4', 'Szene 1,5 → 4'],
    ['guidance multi → single', 'Two dials → One dial', 'Zwei Regler → Ein Regler'],
    ['“a fox” made anew, the rest kept', '“a fox” anew', '„a fox“ neu'],
    [
      '“a fox” moved 12 px right, 4 px down',
      '“a fox” moved 12 px right, 4 px down',
      '„a fox“ verschoben, 12 px nach rechts, 4 px nach unten',
    ],
    [
      '“fox” resized and moved (10 × 10 → 20 × 20)',
      '“fox” resized (10 × 10 → 20 × 20)',
      '„fox“: Größe 10 × 10 → 20 × 20',
    ],
    [
      '“fox”: filled by a picture instead of a text',
      '“fox”: a picture instead of a text',
      '„fox“: ein Bild statt ein Text',
    ],
    ['global text nothing → “a lake”', 'scene text nothing → “a lake”', 'Szenentext nichts → „a lake“'],
    ['an unnamed segment added', 'an unnamed segment added', 'ein Segment ohne Namen hinzugefügt'],
    ['something of a later release', 'something of a later release', 'something of a later release'],
  ];
  it.each(cases)('%s', async (sentence, english, german) => {
    expect(changeWords(translate, sentence)).toBe(english);
    await setLanguage('de');
    expect(changeWords(translate, sentence)).toBe(german);
    await setLanguage('en');
  });
});
