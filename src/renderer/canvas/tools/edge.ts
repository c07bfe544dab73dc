import type { Shape } from '#shared/document/geometry.ts';
import { beginOutline, polygonShape } from './lasso.ts';
import { joining } from './joining.ts';
import type { Tool } from './tool.ts';

/** How far an outline may be pulled to an edge, in screen pixels: what looks close is close. */
const REACH = 14;

/** The lasso whose rough outline is moved onto the edges of the picture below. */
export const edgeTool: Tool = {
  cursor: 'crosshair',
  down: (stage, at, keys) => {
    const how = joining(stage, keys);
    if (!how) return undefined;
    return beginOutline(stage, at, how.target.colour, (points) => {
      if (!points) {
        stage.clickThrough(at);
        return;
      }
      stage.attempt(async () => {
        const picture = stage.pictureBelow();
        if (!picture) {
          stage.hint('canvas.hint.edgeNeedsPicture');
          stage.painter.commit(how.target, polygonShape(points), how.op, 'edit.shape');
          return;
        }
        const reach = REACH / stage.viewport.zoom;
        const { d } = await stage.masks.ask<'snap'>({ kind: 'snap', scene: stage.sceneRecord, picture, points, reach });
        const shape: Shape =
          d === undefined ? polygonShape(points) : { kind: 'path', op: 'add', d, fillRule: 'evenodd' };
        stage.painter.commit(how.target, shape, how.op, 'edit.edge');
      });
    });
  },
};
