import type { Point } from '#shared/document/geometry.ts';
import { LIMITS } from '#shared/document/limits.ts';
import type { Stage } from '../stage.ts';
import type { Joining } from './joining.ts';
import { joining } from './joining.ts';
import { polygonShape } from './lasso.ts';
import type { PointerSample, Tool } from './tool.ts';

/** Screen pixels around the first corner within which a press closes the polygon. */
const CLOSE = 9;

/** Corner by corner. Enter, a double click or a press on the first corner closes; Backspace takes the last one back. */
export class PolygonTool implements Tool {
  readonly cursor = 'crosshair';
  #corners: Point[] = [];
  #how: Joining | undefined;

  down(stage: Stage, at: PointerSample, keys: { shift: boolean; alt: boolean; mod: boolean }): undefined {
    if (this.#corners.length === 0) {
      this.#how = joining(stage, keys);
      if (!this.#how) return;
    } else if (this.#closes(stage, at)) {
      this.#finish(stage);
      return;
    }
    const corner = keys.shift && this.#corners.length > 0 ? this.#constrained(at.scene) : at.scene;
    if (this.#corners.length < LIMITS.pointsPerStroke) this.#corners.push(round(corner));
    this.#show(stage, undefined);
  }

  hover(stage: Stage, at: PointerSample, keys: { shift: boolean }): void {
    if (this.#corners.length > 0) this.#show(stage, keys.shift ? this.#constrained(at.scene) : at.scene);
  }

  doubleClick(stage: Stage): void {
    // the second press of the double click has added the last corner once more
    if (this.#corners.length > 3) this.#corners.pop();
    this.#finish(stage);
  }

  key(stage: Stage, event: KeyboardEvent): boolean {
    if (this.#corners.length === 0) return false;
    if (event.key === 'Enter') this.#finish(stage);
    else if (event.key === 'Backspace' || event.key === 'Delete') {
      this.#corners.pop();
      this.#show(stage, undefined);
    } else return false;
    return true;
  }

  cancel(stage: Stage): boolean {
    if (this.#corners.length === 0) return false;
    this.#corners = [];
    this.#show(stage, undefined);
    return true;
  }

  #closes(stage: Stage, at: PointerSample): boolean {
    const first = this.#corners[0];
    if (!first || this.#corners.length < 3) return false;
    const { zoom } = stage.viewport;
    return Math.hypot((at.scene[0] - first[0]) * zoom, (at.scene[1] - first[1]) * zoom) <= CLOSE;
  }

  /** The nearest multiple of 45 degrees from the last corner. */
  #constrained(to: Point): Point {
    const from = this.#corners.at(-1);
    if (!from) return to;
    const angle = Math.round(Math.atan2(to[1] - from[1], to[0] - from[0]) / (Math.PI / 4)) * (Math.PI / 4);
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
    return [from[0] + Math.cos(angle) * length, from[1] + Math.sin(angle) * length];
  }

  #finish(stage: Stage): void {
    const corners = this.#corners;
    const how = this.#how;
    this.#corners = [];
    this.#show(stage, undefined);
    if (how && corners.length >= 3) stage.painter.commit(how.target, polygonShape(corners), how.op, 'edit.shape');
  }

  #show(stage: Stage, pointer: Point | undefined): void {
    if (this.#corners.length === 0) {
      stage.preview.show(undefined);
      return;
    }
    const points = pointer ? [...this.#corners, pointer] : this.#corners;
    stage.preview.show({ kind: 'line', points, closed: points.length > 2, knots: true, colour: this.#how?.target.colour ?? '' }); // prettier-ignore
  }
}

const round = ([x, y]: Point): Point => [Math.round(x * 100) / 100, Math.round(y * 100) / 100];
