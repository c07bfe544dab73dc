import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { SegmentWarning } from '#shared/api/generation.ts';
import { createSegment } from '#shared/document/create.ts';
import { slotOf } from '#shared/document/document.ts';
import type { ShapeInput } from '#shared/document/geometry.ts';
import { startTexts, translate } from '../../app/i18n/texts.ts';
import { result, testStudio } from '../../app/studio.testkit.ts';
import { withRecords } from '../../store/recipes.ts';
import { anotherReading, layerRows, mixWith, setText, toggleSolo, unmix } from './actions.ts';
import { scoreIn } from './score-in.ts';
import { otherRemedyFor, remedyFor, slotWords, warningWords } from './warning-words.ts';
import { followWarnings } from './warnings.ts';

beforeAll(() => startTexts('en'));

const textOf = (kit: ReturnType<typeof testStudio>, id: 'slot:fox' | 'slot:tent') =>
  slotOf(kit.studio.document.getState().document, id).content;

describe('slots', () => {
  it('mix what is there with something new, and part again', () => {
    const kit = testStudio();
    const { studio } = kit;
    mixWith(studio, 'slot:fox', { kind: 'image', blob: 'e'.repeat(64), box: null, mask: null }, 0.4);
    expect(slotWords(translate, studio.document.getState().document, 'slot:fox')).toBe('text + picture, 40 %');
    unmix(studio, 'slot:fox', 'b');
    expect(textOf(kit, 'slot:fox')).toMatchObject({ kind: 'image' });
    expect(Object.values(studio.document.getState().document).filter((record) => record.type === 'slot')).toHaveLength(
      2,
    );
    studio.document.undo();
    studio.document.undo();
    expect(textOf(kit, 'slot:fox')).toEqual({ kind: 'text', text: 'a fox', reading: 0 });
  });

  it('keep their reading while they are typed, and can be read anew', () => {
    const kit = testStudio();
    anotherReading(kit.studio, 'slot:fox');
    setText(kit.studio, 'slot:fox', 'a red fox', 'text');
    setText(kit.studio, 'slot:fox', 'a red fox!', 'text');
    expect(textOf(kit, 'slot:fox')).toEqual({ kind: 'text', text: 'a red fox!', reading: 1 });
    expect(kit.studio.document.getState().undo).toHaveLength(2);
  });
});

describe('scores', () => {
  const score = (segment: string, clip: number) => ({ segment: `segment:${segment}` as const, clip, slot: null, iou: null }); // prettier-ignore
  const first = result('a', { scores: [score('fox', 0.3), score('tent', 0.2)] });
  const anew = result('b', { kind: 'redo-segment', parents: [first.id], scores: [score('fox', 0.4)] });
  const twice = result('c', { kind: 'redo-segment', parents: [anew.id], scores: [score('owl', 0.1)] });
  const other = result('d', { kind: 'variations', parents: [first.id], scores: [] });
  const all = [other, twice, anew, first];

  it('of what was not made anew are those of the picture before', () => {
    expect(scoreIn(all, twice.id, 'segment:fox')?.clip).toBe(0.4);
    expect(scoreIn(all, twice.id, 'segment:tent')?.clip).toBe(0.2);
    expect(scoreIn(all, anew.id, 'segment:owl')).toBeUndefined();
  });

  it('are not those of another picture', () => {
    expect(scoreIn(all, other.id, 'segment:fox')).toBeUndefined();
    expect(scoreIn([anew], anew.id, 'segment:tent')).toBeUndefined();
  });
});

describe('the list of layers', () => {
  it('shows the topmost first, groups where their topmost member lies', () => {
    const { studio } = testStudio();
    studio.document.edit('edit.group', (document) =>
      withRecords(document, [
        { id: 'group:g', type: 'group', name: 'G', order: 0, collapsed: false },
        ...createSegment('low', 'low', [], { order: -1, group: 'group:g' }),
        ...createSegment('high', 'high', [], { order: 5, group: 'group:g' }),
      ]),
    );
    const rows = () =>
      layerRows(studio.document.getState().document).map((row) =>
        row.kind === 'group' ? 'G' : row.segment.id.slice(8),
      );
    expect(rows()).toEqual(['G', 'high', 'low', 'tent', 'fox']);
    studio.document.edit('edit.collapse', (document) =>
      withRecords(document, [{ id: 'group:g', type: 'group', name: 'G', order: 0, collapsed: true }]),
    );
    expect(rows()).toEqual(['G', 'tent', 'fox']);
  });

  it('solos and lets go', () => {
    const { studio } = testStudio();
    toggleSolo(studio, ['segment:fox']);
    expect(studio.view.getState().solo).toEqual(['segment:fox']);
    toggleSolo(studio, ['segment:fox']);
    expect(studio.view.getState().solo).toEqual([]);
  });
});

describe('warnings and their remedies', () => {
  const withTestSegment = (shapes: ShapeInput[], text = 'a pea', order = 2) => {
    const kit = testStudio();
    kit.studio.document.edit('edit.addSegment', (document) =>
      withRecords(document, createSegment('x', text, shapes, { order })),
    );
    return kit;
  };
  const look = async (kit: ReturnType<typeof testStudio>): Promise<SegmentWarning[]> => {
    const stop = followWarnings(kit.studio, 1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    stop();
    return kit.studio.session.getState().warnings.filter((warning) => warning.segment === 'segment:x');
  };

  it('grow what is too small until it is seen', async () => {
    const kit = withTestSegment([{ kind: 'ellipse', cx: 256, cy: 60, rx: 9, ry: 9 }]);
    const [warning] = await look(kit);
    expect(warning?.code).toBe('too-small');
    expect(warningWords(translate, warning!)).toBe('small: < 0.1 %');
    expect(warningWords(translate, { ...warning!, area: 0.0034 })).toBe('small: 0.3 %');
    remedyFor(warning!).run(kit.studio);
    expect(await look(kit)).toEqual([]);
    kit.studio.document.undo();
    expect((await look(kit))[0]?.code).toBe('too-small');
  });

  it('give what is too small a detail pass, which undo takes back', async () => {
    const kit = withTestSegment([{ kind: 'ellipse', cx: 256, cy: 60, rx: 9, ry: 9 }]);
    const [warning] = await look(kit);
    otherRemedyFor(warning!)?.run(kit.studio);
    expect(kit.studio.document.getState().document['segment:x']).toMatchObject({ detail: true, grow: 0 });
    expect(await look(kit)).toEqual([]);
    kit.studio.document.undo();
    expect((await look(kit))[0]?.code).toBe('too-small');
  });

  it('lead to the half of a mix that has no words', async () => {
    const kit = withTestSegment([{ kind: 'ellipse', cx: 256, cy: 60, rx: 90, ry: 50 }], 'a pea');
    const edited = vi.fn();
    kit.studio.view.setState({ canvas: { editText: edited } as never });
    const segment = kit.studio.document.getState().document['segment:x'];
    if (segment?.type !== 'segment') expect.fail('no segment');
    const half = mixWith(kit.studio, segment.slot, { kind: 'text', text: '', reading: 0 });
    const [warning] = await look(kit);
    expect(warning?.code).toBe('no-text');
    remedyFor(warning!).run(kit.studio);
    expect(kit.studio.view.getState()).toMatchObject({ writing: half, selection: ['segment:x'] });
    expect(edited).not.toHaveBeenCalled();
  });

  it('raise what is covered', async () => {
    const kit = withTestSegment([{ kind: 'rect', x: 10, y: 10, width: 150, height: 150 }], 'a pea', -1);
    const [warning] = await look(kit);
    expect(['hidden', 'mostly-hidden']).toContain(warning?.code);
    remedyFor(warning!).run(kit.studio);
    expect(await look(kit)).toEqual([]);
  });

  it('lead to what is empty or without words', async () => {
    const kit = withTestSegment([], '');
    const edited = vi.fn();
    kit.studio.view.setState({ canvas: { editText: edited } as never, tool: 'pan' });
    const warnings = await look(kit);
    expect(warnings.map((warning) => warning.code).toSorted()).toEqual(['empty', 'no-text']);
    for (const warning of warnings) remedyFor(warning).run(kit.studio);
    expect(kit.studio.view.getState()).toMatchObject({ tool: 'brush', selection: ['segment:x'] });
    expect(edited).toHaveBeenCalledWith('segment:x');
  });

  it('wait while the hand draws', async () => {
    const kit = withTestSegment([]);
    kit.studio.view.setState({ drawing: true });
    expect(await look(kit)).toEqual([]);
  });
});
