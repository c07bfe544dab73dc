/**
 * Segment colours that stay apart with protanopia, deuteranopia and tritanopia (the test measures it), light enough
 * for a dark label. Colour is never alone: each entry also has a pattern, and each segment its label.
 */
export const PALETTE = [
  '#f2786d', // coral
  '#5fb7a6', // sea green
  '#e9b44c', // amber
  '#a58bea', // violet
  '#6cd2ee', // sky
  '#b6e8b4', // mint
  '#e3dc8f', // straw
  '#b97bb0', // plum
] as const;

/** Text on a segment's colour. */
export const ON_COLOUR = '#101216';

export type PatternName = 'diagonal' | 'back-diagonal' | 'dots' | 'horizontal' | 'vertical' | 'cross';
const PATTERNS: readonly PatternName[] = ['diagonal', 'dots', 'back-diagonal', 'horizontal', 'cross', 'vertical'];

/** A segment's colour, by the index that its record holds. */
export const colourOf = (index: number): string => PALETTE[index % PALETTE.length] ?? PALETTE[0];

/** Colours that repeat after one round of the palette get another pattern, so that no two segments look alike. */
export const patternOf = (index: number): PatternName =>
  PATTERNS[(index + 5 * Math.floor(index / PALETTE.length)) % PATTERNS.length] ?? 'diagonal';

/** A colour with an alpha 0..1. */
export function withAlpha(hex: string, alpha: number): string {
  return `${hex}${Math.round(Math.max(0, Math.min(1, alpha)) * 255)
    .toString(16)
    .padStart(2, '0')}`;
}
