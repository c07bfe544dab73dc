import { describe, expect, test } from 'vitest';
import { sameStyle, segmentStyle } from './segment-style.ts';

const segment = { color: 0, visible: true };
const look = {
  selected: false,
  hovered: false,
  dimmed: false,
  overPicture: false,
  showOutlines: true,
  patterns: false,
};

describe('segmentStyle', () => {
  test('without a picture areas are filled; over one only their outlines are left', () => {
    expect(segmentStyle(segment, look)?.fill).toBeGreaterThan(0.3);
    expect(segmentStyle(segment, { ...look, overPicture: true })).toMatchObject({ fill: 0, dashed: true });
    expect(segmentStyle(segment, { ...look, overPicture: true, hovered: true })?.fill).toBeGreaterThan(0);
  });

  test('the selected one stands out, and stays to be seen when outlines are off', () => {
    const selected = segmentStyle(segment, { ...look, selected: true, showOutlines: false, overPicture: true });
    expect(selected?.outline).toBeGreaterThan(segmentStyle(segment, look)?.outline ?? 0);
    expect(selected?.dashed).toBe(false);
    expect(segmentStyle(segment, { ...look, showOutlines: false, overPicture: true })).toBeUndefined();
  });

  test('hidden segments have no style, others step back when one is soloed', () => {
    expect(segmentStyle({ ...segment, visible: false }, { ...look, selected: true })).toBeUndefined();
    expect(segmentStyle(segment, { ...look, dimmed: true })?.opacity).toBeLessThan(0.5);
  });

  test('equal styles are told from changed ones', () => {
    expect(sameStyle(segmentStyle(segment, look), segmentStyle(segment, look))).toBe(true);
    expect(sameStyle(segmentStyle(segment, look), segmentStyle(segment, { ...look, patterns: true }))).toBe(false);
    expect(sameStyle(undefined, segmentStyle(segment, look))).toBe(false);
  });
});
