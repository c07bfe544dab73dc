/**
 * The one-euro filter (Casiez, Roussel, Vogel 2012): a low pass whose cut-off rises with speed, so that a slow
 * hand is steadied and a quick one is not slowed down. The filtered points are what the document keeps,
 * hence the stroke does not jump when the pen is lifted.
 */
export class OneEuroFilter {
  readonly #minCutoff: number;
  readonly #beta: number;
  readonly #derivativeCutoff: number;
  #value: number | undefined;
  #derivative = 0;
  #time = 0;

  /**
   * @param minCutoff hertz; lower steadies a slow hand more
   * @param beta how fast the cut-off rises with speed (per unit and second)
   */
  constructor(minCutoff: number, beta: number, derivativeCutoff = 1) {
    this.#minCutoff = minCutoff;
    this.#beta = beta;
    this.#derivativeCutoff = derivativeCutoff;
  }

  /** @param seconds time of the sample; samples at the same time or earlier are taken to be 1 ms apart */
  next(value: number, seconds: number): number {
    if (this.#value === undefined) {
      this.#value = value;
      this.#time = seconds;
      return value;
    }
    const step = Math.max(0.001, seconds - this.#time);
    this.#time = seconds;
    const slope = (value - this.#value) / step;
    this.#derivative += smoothing(this.#derivativeCutoff, step) * (slope - this.#derivative);
    const cutoff = this.#minCutoff + this.#beta * Math.abs(this.#derivative);
    this.#value += smoothing(cutoff, step) * (value - this.#value);
    return this.#value;
  }
}

const smoothing = (cutoff: number, step: number): number => 1 / (1 + 1 / (2 * Math.PI * cutoff * step));
