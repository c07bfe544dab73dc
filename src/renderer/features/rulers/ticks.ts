/** Least distance between labelled ticks, in CSS pixels. */
const LABEL_DISTANCE = 64;

export interface Tick {
  /** Scene pixels. */
  readonly value: number;
  /** CSS pixels from the ruler's beginning. */
  readonly at: number;
  readonly labelled: boolean;
}

/** Scene pixels between labels: 1, 2 or 5 times a power of ten, so that labels do not crowd. */
export function labelStep(zoom: number): number {
  const least = LABEL_DISTANCE / zoom;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10);
}

/**
 * The ticks of a ruler `length` CSS pixels long, on which scene pixel 0 lies at `origin`.
 * Five to a label, none below one scene pixel.
 */
export function rulerTicks(zoom: number, origin: number, length: number): Tick[] {
  const labels = Math.max(1, labelStep(zoom));
  const parts = labels >= 5 ? 5 : 1;
  const step = labels / parts;
  const first = Math.ceil(-origin / zoom / step);
  const last = Math.floor((length - origin) / zoom / step);
  const ticks: Tick[] = [];
  for (let index = first; index <= last; index += 1)
    ticks.push({ value: index * step, at: origin + index * step * zoom, labelled: index % parts === 0 });
  return ticks;
}
