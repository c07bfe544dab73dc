import { toRecords } from '#shared/document/document.ts';
import { joining } from './joining.ts';
import type { Tool } from './tool.ts';

/**
 * A press fills: with a picture below, the area of that colour; without one (or with Mod held) the empty area between
 * the segments.
 */
export const fillTool: Tool = {
  cursor: 'fill',
  down: (stage, at, keys) => {
    const how = joining(stage, keys);
    const scene = stage.sceneRecord;
    const [x, y] = at.scene;
    if (!how || x < 0 || y < 0 || x >= scene.width || y >= scene.height) return undefined;
    stage.attempt(async () => {
      const picture = keys.mod ? undefined : stage.pictureBelow();
      const { d } = picture
        ? await stage.masks.ask<'fill-colour'>({ kind: 'fill-colour', scene, picture, at: at.scene, tolerance: stage.view.fillTolerance })
        : await stage.masks.ask<'fill-empty'>({ kind: 'fill-empty', records: toRecords(stage.document), at: at.scene }); // prettier-ignore
      if (d === undefined) stage.hint('canvas.hint.nothingToFill');
      else stage.painter.commit(how.target, { kind: 'path', op: 'add', d, fillRule: 'evenodd' }, how.op, 'edit.fill');
    });
    return undefined;
  },
};
