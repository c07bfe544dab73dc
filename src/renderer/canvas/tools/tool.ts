import type { Point } from '#shared/document/geometry.ts';
import type { Stage } from '../stage.ts';

/** One sample of the pointer. */
export interface PointerSample {
  /** Scene pixels. */
  readonly scene: Point;
  /** CSS pixels of the canvas element. */
  readonly screen: Point;
  /** 0..1; 1 for what has no pressure. */
  readonly pressure: number;
  /** Milliseconds. */
  readonly time: number;
}

export interface Keys {
  readonly shift: boolean;
  readonly alt: boolean;
  /** Cmd on a Mac, Ctrl elsewhere. */
  readonly mod: boolean;
}

/** One press of the pointer, from down to up. */
export interface Gesture {
  /** All samples since the last call, in order; the last one is where the pointer is. */
  move(samples: readonly PointerSample[], keys: Keys): void;
  up(keys: Keys): void;
  /** Ends without a change. */
  cancel(): void;
}

/** A tool of the bar. Tools hold no document state: they read the stage and end in edits. */
export interface Tool {
  /** `ring`: a circle of the brush's size. */
  readonly cursor: 'ring' | 'crosshair' | 'grab' | 'arrow' | 'fill';
  /** @returns what follows the pointer; undefined if the press was all, `pass` to leave the press to Fabric's handles */
  down(stage: Stage, at: PointerSample, keys: Keys): Gesture | 'pass' | undefined;
  hover?(stage: Stage, at: PointerSample, keys: Keys): void;
  doubleClick?(stage: Stage, at: PointerSample): void;
  /** A key while this is the tool. @returns whether it was taken */
  key?(stage: Stage, event: KeyboardEvent): boolean;
  /** Ends what several presses have begun. @returns whether there was anything */
  cancel?(stage: Stage): boolean;
}
