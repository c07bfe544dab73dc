// Strokes as a hand makes them, for benches: they wander over a square of the page, the same ones for the same seed.
export interface Square {
  /** In pixels of the page. */
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

/** Endless strokes, each its points: where the pen is put down, then one for each of `steps` moves of `stride` pixels. */
export function* wander(
  seed: number,
  { left, top, side }: Square,
  steps: number,
  stride: number,
): Generator<readonly (readonly [number, number])[], never> {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  for (;;) {
    let x = left + random() * side;
    let y = top + random() * side;
    let angle = random() * 6.28;
    const points: [number, number][] = [[x, y]];
    for (let step = 0; step < steps; step += 1) {
      angle += (random() - 0.5) * 0.9;
      x = Math.min(left + side, Math.max(left, x + Math.cos(angle) * stride));
      y = Math.min(top + side, Math.max(top, y + Math.sin(angle) * stride));
      points.push([x, y]);
    }
    yield points;
  }
}
