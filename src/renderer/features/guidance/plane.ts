import { LIMITS } from '#shared/document/limits.ts';
import type { GuidanceSettings } from '#shared/document/settings.ts';
import type { TextKey } from '../../app/i18n/texts.ts';

/** End of the pad's axes and of the sliders; the number fields go on to LIMITS.guidanceScale. */
export const PAD_MAX = 8;

/** A point of the plane: [segments (local scale), scene (global scale)]. */
export type GuidancePoint = readonly [local: number, global: number];

/** One decimal, within what the document takes. */
export const roundScale = (value: number): number =>
  Math.min(LIMITS.guidanceScale, Math.max(0, Math.round(value * 10) / 10));

/** Where a point lies on the pad: fractions from the left and from the top. */
export const toPad = ([local, global]: GuidancePoint): { x: number; y: number } => ({
  x: Math.min(1, local / PAD_MAX),
  y: 1 - Math.min(1, global / PAD_MAX),
});

/** The point at fractions (x, y) of the pad, which may lie outside of it. */
export const fromPad = (x: number, y: number): GuidancePoint => [
  roundScale(Math.min(1, Math.max(0, x)) * PAD_MAX),
  roundScale((1 - Math.min(1, Math.max(0, y))) * PAD_MAX),
];

/** The middles of `cells` x `cells` tiles that fill the pad, the nearest to `around` first. */
export function gridPoints(cells: number, around: GuidancePoint): GuidancePoint[] {
  const side = PAD_MAX / cells;
  const points: GuidancePoint[] = [];
  for (let row = 0; row < cells; row += 1)
    for (let column = 0; column < cells; column += 1)
      points.push([roundScale((column + 0.5) * side), roundScale((row + 0.5) * side)]);
  const distance = ([local, global]: GuidancePoint): number => (local - around[0]) ** 2 + (global - around[1]) ** 2;
  return points.toSorted((a, b) => distance(a) - distance(b));
}

export const pointKey = ([local, global]: GuidancePoint): string => `${local}/${global}`;

export interface GuidancePreset {
  readonly label: TextKey;
  /** Fits everything but "balanced", which is what the pack's maker recommends. */
  readonly point: GuidancePoint | 'pack';
}

export const PRESETS: readonly GuidancePreset[] = [
  { label: 'preset.balanced', point: 'pack' },
  { label: 'preset.loose', point: [1.5, 1] },
  { label: 'preset.scene', point: [1.5, 4] },
  { label: 'preset.segments', point: [6, 1.5] },
  { label: 'preset.strict', point: [6, 5] },
];

/** The guidance that a dialled point gives; with one dial both scales follow it. */
export const withPoint = (guidance: GuidanceSettings, [local, global]: GuidancePoint): GuidanceSettings => ({
  ...guidance,
  localScale: roundScale(local),
  globalScale: roundScale(global),
});
