/**
 * Segment colours that stay apart with protanopia, deuteranopia and tritanopia (the test measures it), light enough
 * for a dark label. Colour is never alone: the canvas adds a pattern to each, and each segment has its label.
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

/** A segment's colour, by the index that its record holds. */
export const colourOf = (index: number): string => PALETTE[index % PALETTE.length] ?? PALETTE[0];
