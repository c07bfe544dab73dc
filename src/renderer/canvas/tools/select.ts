import { dragBox } from '../geometry/boxes.ts';
import type { Rect } from '../geometry/boxes.ts';
import type { Tool } from './tool.ts';

/** Screen pixels within which a press is no drag. */
const SLIP = 3;
const ANY = { square: false, fromCentre: false };

/** Selects, and leaves moving, scaling and turning to the handles. A drag on nothing selects what it touches. */
export const selectTool: Tool = {
  cursor: 'arrow',
  down: (stage, at, keys) => {
    if (stage.handleAt(at)) return 'pass';
    const id = stage.scene.segmentAt(at.scene);
    const { selection } = stage.view;
    if (id) {
      stage.studio.view.setState({ reference: null });
      const picked = keys.shift || keys.mod;
      if (picked) stage.studio.view.select([id], 'toggle');
      else if (!selection.includes(id)) stage.studio.view.select([id]);
      // the press goes on as a drag of the handles' box, which now surrounds the segment
      return picked || !stage.canMove(id) ? undefined : 'pass';
    }
    if (stage.insideBox(at) && !keys.shift) return 'pass';
    const before = keys.shift ? selection : [];
    stage.studio.view.select(before);
    let box: Rect = dragBox(at.scene, at.scene, ANY);
    return {
      move: (samples) => {
        box = dragBox(at.scene, samples.at(-1)?.scene ?? at.scene, ANY);
        stage.preview.show({ kind: 'marquee', box });
        stage.studio.view.select([...before, ...stage.scene.segmentsIn(box).filter((one) => !before.includes(one))]);
      },
      up: () => {
        stage.preview.show(undefined);
        // a press without a drag picks the reference there, to be moved and scaled
        const still = Math.max(box.width, box.height) * stage.viewport.zoom < SLIP;
        stage.studio.view.setState({ reference: still ? (stage.scene.referenceAt(at.scene) ?? null) : null });
      },
      cancel: () => {
        stage.preview.show(undefined);
        stage.studio.view.select(selection);
      },
    };
  },
  hover: (stage, at) => stage.hoverSegment(at),
  doubleClick: (stage, at) => {
    const id = stage.scene.segmentAt(at.scene);
    if (id) stage.editText(id);
  },
};
