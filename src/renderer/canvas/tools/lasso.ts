import type { Point, Shape } from '#shared/document/geometry.ts';
import { simplifyClosed } from '../geometry/simplify.ts';
import { StrokeBuilder } from '../geometry/stroke.ts';
import type { Stage } from '../stage.ts';
import { joining } from './joining.ts';
import type { Gesture, Keys, PointerSample, Tool } from './tool.ts';

/** An outline drawn by hand; `finish` gets it simplified, or undefined when it was only a click. */
export function beginOutline(
  stage: Stage,
  at: PointerSample,
  colour: string,
  finish: (points: Point[] | undefined) => void,
): Gesture {
  const { zoom } = stage.viewport;
  const builder = new StrokeBuilder(zoom, 1);
  const add = (samples: readonly PointerSample[]): void => {
    builder.add(samples.map(({ scene, time }) => ({ x: scene[0], y: scene[1], pressure: 1, time })));
    const points = builder.points.map(([x, y]): Point => [x, y]);
    stage.preview.show({ kind: 'line', points, closed: true, knots: false, colour });
  };
  add([at]);
  return {
    move: add,
    up: () => {
      builder.finish();
      stage.preview.show(undefined);
      const points = simplifyClosed(builder.points.map(([x, y]): Point => [x, y]), 0.4 / zoom); // prettier-ignore
      finish(points.length >= 3 && spread(points) * zoom > 4 ? points : undefined);
    },
    cancel: () => stage.preview.show(undefined),
  };
}

const spread = (points: readonly Point[]): number => {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  return Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
};

export const polygonShape = (points: Point[]): Shape => ({ kind: 'polygon', op: 'add', points });

export const lassoTool: Tool = {
  cursor: 'crosshair',
  down: (stage, at, keys: Keys) => {
    const how = joining(stage, keys);
    if (!how) return undefined;
    return beginOutline(stage, at, how.target.colour, (points) => {
      if (points) stage.painter.commit(how.target, polygonShape(points), how.op, 'edit.shape');
      else stage.clickThrough(at);
    });
  },
};
