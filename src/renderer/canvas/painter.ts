import type { Shape, ShapeOp } from '#shared/document/geometry.ts';
import { LIMITS } from '#shared/document/limits.ts';
import type { SegmentId } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import { shapesBounds } from '#shared/masks/bounds.ts';
import { translate } from '../app/i18n/texts.ts';
import { addSegment, nextColor, patchSegment } from '../store/recipes.ts';
import { addShape } from './edit/add-shape.ts';
import { compactSegment } from './edit/compact.ts';
import { countShapes } from './edit/transform.ts';
import { colourOf } from './palette.ts';
import type { Stage } from './stage.ts';

/** What a drawn shape goes into. */
export type PaintTarget =
  | { readonly kind: 'segment'; readonly id: SegmentId; readonly colour: string; readonly feather: number }
  | { readonly kind: 'new'; readonly colour: string };

/** From a gesture to the document: what may be drawn on, the live layer in between, and the edit at the end. */
export class Painter {
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** The selected segment if it may be drawn on, a new one if none is selected; undefined (with a word) if it may not. */
  target(): PaintTarget | undefined {
    const id = this.#stage.view.selection.at(-1);
    const segment = id ? this.#stage.document[id] : undefined;
    if (segment?.type !== 'segment') return this.newTarget();
    if (segment.locked) {
      this.#stage.hint('canvas.hint.locked');
      return undefined;
    }
    if (!segment.visible) {
      this.#stage.hint('canvas.hint.hidden');
      return undefined;
    }
    return { kind: 'segment', id: segment.id, colour: colourOf(segment.color), feather: segment.feather };
  }

  newTarget(): PaintTarget {
    return { kind: 'new', colour: colourOf(nextColor(this.#stage.document)) };
  }

  /** Adds a drawn shape to its target as one undoable step. */
  commit(target: PaintTarget, shape: Shape, op: ShapeOp, label: string): void {
    if (target.kind === 'new' && this.#isBeside(shape)) {
      this.cancel();
      return;
    }
    const { document, view } = this.#stage.studio;
    try {
      if (target.kind === 'segment') {
        document.edit(label, (before) => {
          const segment = before[target.id];
          if (segment?.type === 'segment' && countShapes(segment.shapes) >= LIMITS.shapes)
            throw new StudioError('too-large', `a segment of more than ${LIMITS.shapes} shapes`, {
              kept: translate('canvas.kept'),
            });
          return patchSegment(before, target.id, ({ shapes, invert }) => ({
            shapes: addShape(shapes, shape, op, invert),
          }));
        });
        this.#stage.attempt(() => compactSegment(this.#stage, target.id));
      } else {
        let made: SegmentId | undefined;
        document.edit(label, (before) => {
          const [after, id] = addSegment(before, [shape]);
          made = id;
          return after;
        });
        if (made) {
          if (this.#stage.live.owner === 'new') this.#stage.live.owner = made;
          view.select([made]);
          this.#stage.editText(made);
        }
      }
    } catch (thrown) {
      this.cancel();
      this.#stage.studio.report(thrown);
    }
    this.release();
  }

  /** Whether nothing of a shape lies on the sheet: a segment that nobody can see is not begun. */
  #isBeside(shape: Shape): boolean {
    const bounds = shapesBounds([shape]);
    const { width, height } = this.#stage.sceneRecord;
    if (!bounds) return false;
    return bounds.right <= 0 || bounds.bottom <= 0 || bounds.left >= width || bounds.top >= height;
  }

  /** Makes the live layer ready for a stroke on a target. */
  begin(target: PaintTarget, erase: boolean): void {
    const owner = target.kind === 'new' ? 'new' : target.id;
    if (this.#stage.live.owner !== owner) this.#dropLive();
    const object = target.kind === 'segment' ? this.#stage.scene.segment(target.id) : undefined;
    this.#stage.live.begin(owner, erase ? 1 : Math.max(0.55, object?.style?.fill ?? 0));
    if (!erase || !object?.outline || !object.style) return;
    // the eraser takes from a copy on the live layer, so that what is left can be seen at once
    if (object.lift(true)) {
      this.#stage.live.lift(object);
      if (target.kind === 'segment') this.#stage.scene.redrawSegment(target.id);
    }
  }

  cancel(): void {
    this.#stage.live.dropStroke();
    this.release();
  }

  /** Lets the strokes go once the segment's own outline shows them. */
  release(): void {
    const { owner } = this.#stage.live;
    if (owner === undefined || owner === 'new' || this.#stage.view.drawing || !this.#stage.masks.isCurrent(owner))
      return;
    this.#dropLive();
  }

  #dropLive(): void {
    const { owner } = this.#stage.live;
    this.#stage.live.clear();
    if (owner && owner !== 'new' && this.#stage.scene.segment(owner)?.lift(false))
      this.#stage.scene.redrawSegment(owner);
  }
}
