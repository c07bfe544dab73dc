import { panBy } from '../viewport/viewport.ts';
import type { Stage } from '../stage.ts';
import type { Gesture, PointerSample, Tool } from './tool.ts';

/** Moves the view with the pointer; also what the middle button and the space bar do. */
export function beginPan(stage: Stage, at: PointerSample): Gesture {
  const start = stage.viewport;
  stage.setCursor('grabbing');
  return {
    move: (samples) => {
      const to = samples.at(-1)?.screen;
      if (to) stage.setViewport(panBy(start, to[0] - at.screen[0], to[1] - at.screen[1]));
    },
    up: () => stage.setCursor(undefined),
    cancel: () => {
      stage.setViewport(start);
      stage.setCursor(undefined);
    },
  };
}

export const panTool: Tool = {
  cursor: 'grab',
  down: beginPan,
};
