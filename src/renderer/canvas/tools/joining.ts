import type { ShapeOp } from '#shared/document/geometry.ts';
import type { PaintTarget } from '../painter.ts';
import type { Stage } from '../stage.ts';
import type { Keys } from './tool.ts';

/** What a drawn shape becomes: a segment of its own, or a change of the selected one. */
export interface Joining {
  readonly target: PaintTarget;
  readonly op: ShapeOp;
}

/**
 * Outlines make new segments; with keys held when the press begins they change the selected one, as in painting
 * programs: Shift adds, Alt subtracts, both intersect. undefined: the selected segment may not be changed.
 */
export function joining(stage: Stage, keys: Keys): Joining | undefined {
  if (!keys.shift && !keys.alt) return { target: stage.painter.newTarget(), op: 'add' };
  const target = stage.painter.target();
  if (!target) return undefined;
  if (target.kind === 'new') return { target, op: 'add' };
  return { target, op: keys.shift && keys.alt ? 'intersect' : keys.alt ? 'subtract' : 'add' };
}

/** Keys held at the press mean how to join; they mean constraints only once they were let go and pressed again. */
export class Constraints {
  #shiftSpent: boolean;
  #altSpent: boolean;

  constructor(atPress: Keys) {
    this.#shiftSpent = atPress.shift;
    this.#altSpent = atPress.alt;
  }

  read(keys: Keys): { square: boolean; fromCentre: boolean } {
    if (!keys.shift) this.#shiftSpent = false;
    if (!keys.alt) this.#altSpent = false;
    return { square: keys.shift && !this.#shiftSpent, fromCentre: keys.alt && !this.#altSpent };
  }
}
