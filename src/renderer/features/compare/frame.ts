interface Sides {
  readonly width: number;
  readonly height: number;
}

/**
 * Width to height of the smallest frame that shows two pictures whole, the same area for each, one middle over the
 * other. Shapes keep their place on a canvas in proportion, so what corresponds lies closest together that way, and
 * an enlarged picture covers the one that it was made from exactly.
 */
export const frameRatio = (a: Sides, b: Sides): number => Math.sqrt((a.width / a.height) * (b.width / b.height));
