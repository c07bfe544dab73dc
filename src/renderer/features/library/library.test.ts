import { beforeAll, describe, expect, test } from 'vitest';
import type { LibraryItem } from '#shared/api/calls.ts';
import { createSegment } from '#shared/document/create.ts';
import { sceneOf, segmentsOf, slotOf } from '#shared/document/document.ts';
import { shapesBounds } from '#shared/masks/bounds.ts';
import { startTexts } from '../../app/i18n/texts.ts';
import { testStudio } from '../../app/studio.testkit.ts';
import { placeDropped, placeItem, removeItem } from './actions.ts';

beforeAll(() => startTexts('en'));

const item = (x: number, y: number, width: number, height: number): LibraryItem => ({
  id: 'item-1',
  name: 'a boat',
  createdAt: 0,
  text: 'a boat',
  records: createSegment('boat', 'a boat', [{ kind: 'rect', x, y, width, height }], { feather: 8 }),
});

/** The newest segment of the scene, and the box around it. */
function newest(studio: ReturnType<typeof testStudio>['studio']) {
  const { document } = studio.document.getState();
  const segment = segmentsOf(document).at(-1)!;
  const { left, top, right, bottom } = shapesBounds(segment.shapes)!;
  return { segment, document, box: [left, top, right, bottom].map(Math.round) };
}

describe('a kept segment', () => {
  test('comes to lie where it is dropped, with its words, in a colour of its own', () => {
    const { studio } = testStudio();
    placeDropped(studio, JSON.stringify(item(300, 300, 100, 60)), [100, 200]);
    const { segment, document, box } = newest(studio);
    expect(box).toEqual([50, 170, 150, 230]);
    expect(slotOf(document, segment.slot).content).toMatchObject({ text: 'a boat' });
    const others = segmentsOf(document).filter(({ id }) => id !== segment.id);
    expect(others.map(({ color }) => color)).not.toContain(segment.color);
    expect(studio.view.getState().selection).toEqual([segment.id]);
  });

  test('of a larger canvas becomes as small as this one needs it; its soft edge too', () => {
    const { studio } = testStudio();
    const { width, height } = sceneOf(studio.document.getState().document);
    placeItem(studio, item(1000, 0, 2 * width, height));
    const { segment, box } = newest(studio);
    expect(box).toEqual([0, height / 4, width, (3 * height) / 4]);
    expect(segment.feather).toBe(4);
  });

  test('that fits stays at its place unless it is dropped elsewhere', () => {
    const { studio } = testStudio();
    placeItem(studio, item(10, 20, 30, 40));
    expect(newest(studio).box).toEqual([10, 20, 40, 60]);
  });

  test('is checked when it is dropped: anything can be dragged here', () => {
    const { studio } = testStudio();
    const before = studio.document.getState().document;
    const foreign = { ...item(0, 0, 10, 10), records: [{ type: 'segment', id: 'segment:x' }] };
    for (const json of ['', 'no JSON', '{}', JSON.stringify(foreign)])
      expect(() => placeDropped(studio, json, [0, 0])).toThrow(expect.objectContaining({ code: 'bad-input' }) as Error);
    expect(studio.document.getState().document).toBe(before);
  });

  test('that was removed comes back by the notice', async () => {
    const { studio, host } = testStudio();
    host.answer('library.remove', () => ({}));
    host.answer('library.add', () => ({}));
    let changes = 0;
    await removeItem(studio, item(0, 0, 10, 10), () => (changes += 1));
    const [notice] = studio.session.getState().notices;
    notice?.action?.run();
    await expect.poll(() => changes).toBe(2);
    expect(host.sent('library.add')).toEqual([{ name: 'a boat', records: item(0, 0, 10, 10).records }]);
  });
});
