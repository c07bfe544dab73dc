import { PALETTE, colourOf } from '#shared/document/palette.ts';

// One palette for the canvas, for exports and for contact sheets.
export { PALETTE, colourOf };

export type PatternName = 'diagonal' | 'back-diagonal' | 'dots' | 'horizontal' | 'vertical' | 'cross';
const PATTERNS: readonly PatternName[] = ['diagonal', 'dots', 'back-diagonal', 'horizontal', 'cross', 'vertical'];

/** Colours that repeat after one round of the palette get another pattern, so that no two segments look alike. */
export const patternOf = (index: number): PatternName =>
  PATTERNS[(index + 5 * Math.floor(index / PALETTE.length)) % PATTERNS.length] ?? 'diagonal';

/** A colour with an alpha 0..1. */
export function withAlpha(hex: string, alpha: number): string {
  return `${hex}${Math.round(Math.max(0, Math.min(1, alpha)) * 255)
    .toString(16)
    .padStart(2, '0')}`;
}
