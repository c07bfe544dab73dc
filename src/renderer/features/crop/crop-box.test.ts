import { describe, expect, it } from 'vitest';
import { testStudio } from '../../app/studio.testkit.ts';
import { MIN_CROP, boxBetween, moveBox, segmentBox } from './crop-box.ts';

const size = { width: 256, height: 128 };

describe('crops', () => {
  it('are spanned in any direction and stay inside the picture', () => {
    expect(boxBetween({ x: 100, y: 90 }, { x: 20, y: 10 }, size)).toEqual({ x: 20, y: 10, width: 80, height: 80 });
    expect(boxBetween({ x: -50, y: -50 }, { x: 900, y: 900 }, size)).toEqual({ x: 0, y: 0, width: 256, height: 128 });
    const corner = boxBetween({ x: 256, y: 128 }, { x: 256, y: 128 }, size);
    expect(corner).toEqual({ x: 256 - MIN_CROP, y: 128 - MIN_CROP, width: MIN_CROP, height: MIN_CROP });
  });

  it('are moved and sized by keys within the picture', () => {
    const box = { x: 10, y: 10, width: 40, height: 40 };
    expect(moveBox(box, 500, -500, size, false)).toMatchObject({ x: 216, y: 0 });
    expect(moveBox(box, 500, -500, size, true)).toMatchObject({ width: 246, height: MIN_CROP });
  });

  it('begin around the segment', () => {
    const { document } = testStudio().studio.document.getState();
    const tent = document['segment:tent'];
    if (tent?.type !== 'segment') throw new Error('no tent');
    const box = segmentBox(document, tent, { width: 256, height: 256 });
    // An ellipse of radius 90 around (350, 350) of 512: 130..220 of 256, and a little around it.
    expect(box.x).toBeGreaterThan(118);
    expect(box.x).toBeLessThanOrEqual(130);
    expect(box.x + box.width).toBeGreaterThanOrEqual(220);
    expect(box.x + box.width).toBeLessThan(232);
    expect(segmentBox(document, { ...tent, shapes: [] }, size)).toEqual({ x: 0, y: 0, ...size });
  });
});
