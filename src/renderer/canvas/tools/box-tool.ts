import type { Point, Shape } from '#shared/document/geometry.ts';
import { dragBox } from '../geometry/boxes.ts';
import type { Rect } from '../geometry/boxes.ts';
import { Constraints, joining } from './joining.ts';
import type { Keys, PointerSample, Tool } from './tool.ts';

/** Screen pixels below which a drag was a click. */
const SLIP = 3;

/** A tool that spans its shape by a diagonal: Shift makes it regular, Alt draws from the centre. */
export const boxTool = (kind: 'rect' | 'ellipse', shapeOf: (box: Rect) => Shape): Tool => ({
  cursor: 'crosshair',
  down: (stage, at, keys) => {
    const how = joining(stage, keys);
    if (!how) return undefined;
    const constraints = new Constraints(keys);
    let to: Point = at.scene;
    let box: Rect = dragBox(at.scene, to, { square: false, fromCentre: false });
    const update = (now: Keys): void => {
      box = dragBox(at.scene, to, constraints.read(now));
      stage.preview.show({ kind, box, colour: how.target.colour });
    };
    return {
      move: (samples: readonly PointerSample[], now) => {
        to = samples.at(-1)?.scene ?? to;
        update(now);
      },
      up: (now) => {
        update(now);
        stage.preview.show(undefined);
        const { zoom } = stage.viewport;
        if (box.width * zoom < SLIP || box.height * zoom < SLIP) stage.clickThrough(at);
        else stage.painter.commit(how.target, shapeOf(rounded(box)), how.op, 'edit.shape');
      },
      cancel: () => stage.preview.show(undefined),
    };
  },
});

const rounded = ({ x, y, width, height }: Rect): Rect => {
  const round = (value: number): number => Math.round(value * 100) / 100;
  return { x: round(x), y: round(y), width: round(width), height: round(height) };
};
